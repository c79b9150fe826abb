// COPY: rows of a table or a query to the client, and from the client into a table, with the options of the formats.
#include <fmt/format.h>

#include <algorithm>

#include "scenarios/cli/sql/literals.h"
#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {
namespace {

// A field of the text format.
std::string escaped(const std::string& text, char delimiter) {
  std::string made;
  for (const char c : text) {
    if (c == '\n') {
      made += "\\n";
    } else if (c == '\t' && delimiter != '\t') {
      made += "\\t";
    } else if (c == '\\' || c == delimiter) {
      made += '\\';
      made += c;
    } else {
      made += c;
    }
  }
  return made;
}

std::string in_quotes(const std::string& text) {
  std::string made = "\"";
  for (const char c : text) {
    if (c == '"') made += c;
    made += c;
  }
  return made + '"';
}

}  // namespace

// Says how rows are to be written: `delimiter`, `null`, whether it is CSV, whether a header comes first.
std::string StatementGenerator::copy_options(const std::vector<std::string>& columns, CopyForm& form) {
  std::vector<std::string> options;
  form.csv = choices_.one_in(2);
  if (form.csv) {
    form.delimiter = ',';
    form.null = "";
    options.emplace_back("FORMAT csv");
  }
  if (choices_.one_in(4)) {
    form.delimiter = choices_.one_in(2) ? '|' : ';';
    options.push_back(fmt::format("DELIMITER '{}'", form.delimiter));
  }
  if (choices_.one_in(5)) {
    form.null = choices_.one_in(2) ? "nil" : "-";
    options.push_back(fmt::format("NULL '{}'", form.null));
  }
  if (choices_.one_in(4)) {
    form.header = true;
    options.emplace_back(form.in && choices_.one_in(3) ? "HEADER MATCH" : "HEADER");
  }
  const std::string& column = choices_.one_of(columns);
  if (form.csv && choices_.one_in(4)) {
    static const std::vector<const char*> out{"FORCE_QUOTE *", "FORCE_QUOTE ({})", "ESCAPE '!'", "QUOTE ''''"};
    static const std::vector<const char*> in{"FORCE_NOT_NULL ({})", "FORCE_NULL ({})", "ESCAPE '\"'"};
    options.push_back(fmt::format(fmt::runtime(choices_.one_of(form.in ? in : out)), column));
  }
  if (choices_.one_in(30)) options.emplace_back("FORCE_QUOTE *");
  if (choices_.one_in(40)) options.emplace_back("DELIMITER 'ab'");
  return options.empty() ? "" : fmt::format(" ({})", fmt::join(options, ", "));
}

GeneratedStatement StatementGenerator::copy_out() {
  const GeneratedTable* table = any_table(choices_.one_in(20));
  CopyForm form;
  if (table != nullptr && choices_.one_in(2)) {
    std::vector<std::string> columns;
    for (const GeneratedColumn& column : table->columns) {
      if (!choices_.one_in(4)) columns.push_back(column.name);
    }
    std::string list;
    if (!columns.empty() && choices_.one_in(2)) list = fmt::format(" ({})", fmt::join(columns, ", "));
    if (columns.empty()) columns.push_back(table->columns.front().name);
    const std::string options = copy_options(columns, form);
    return {fmt::format("COPY {}{} TO STDOUT{}", table->name, list, options), {}, {}};
  }
  const Query source = query(any_types(), nullptr, 1, true);
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < std::max<std::size_t>(source.columns.size(), 1); ++i)
    columns.push_back(fmt::format("c{}", i + 1));
  return {fmt::format("COPY ({}) TO STDOUT{}", source.text, copy_options(columns, form)), {}, {}};
}

std::string StatementGenerator::copied_field(const GeneratedColumn& column, const CopyForm& form) {
  if (!column.not_null && choices_.percent(15)) return form.null;
  const std::string text = literal_text(column.type.id, choices_, !choices_.one_in(40));
  if (!form.csv) return escaped(text, form.delimiter);
  const bool needs =
      text.find_first_of("\"\n\r'") != std::string::npos || text.find(form.delimiter) != std::string::npos;
  return needs || text == form.null || choices_.one_in(4) ? in_quotes(text) : text;
}

GeneratedStatement StatementGenerator::copy_in() {
  const GeneratedTable* table = any_table(choices_.one_in(30));
  if (table == nullptr) return create_table();
  std::vector<const GeneratedColumn*> columns;
  for (const GeneratedColumn& column : table->columns) {
    if (choices_.percent(!column.writable ? (column.identity ? 40 : 3) : column.numbered ? 40 : 90))
      columns.push_back(&column);
  }
  if (columns.empty()) columns.push_back(&table->columns.front());
  std::vector<std::string> names;
  for (const GeneratedColumn* column : columns) names.push_back(column->name);
  CopyForm form;
  form.in = true;
  const std::string options = copy_options(names, form);
  std::string input;
  if (form.header) {
    for (const std::string& name : names) input += (input.empty() ? name : form.delimiter + name);
    if (choices_.one_in(10)) input += "x";
    input += "\n";
  }
  for (std::size_t left = choices_.below(5); left > 0; --left) {
    std::string line;
    for (const GeneratedColumn* column : columns) {
      if (column != columns.front()) line += form.delimiter;
      line += copied_field(*column, form);
    }
    if (choices_.one_in(40)) line += form.delimiter;
    input += line + (choices_.one_in(30) ? "\r\n" : "\n");
  }
  if (choices_.one_in(4)) input += "\\.\n";
  const std::string name = table->name;
  GeneratedStatement made;
  made.text = fmt::format("COPY {} ({}) FROM STDIN{}", name, fmt::join(names, ", "), options);
  made.input = input;
  made.effect = [name](GeneratedSchema& schema) { schema.find(name)->filled = true; };
  return made;
}

GeneratedStatement StatementGenerator::copy_statement() { return choices_.one_in(2) ? copy_out() : copy_in(); }

}  // namespace polarsim::scenarios::cli::test
