// Random tables of odd values in random styles, printed by print_table() and by psql 15: the same bytes.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "scenarios/cli/postgres/postgres_server.h"
#include "scenarios/cli/prompt/prompt_test_support.h"
#include "scenarios/cli/prompt/session.h"
#include "scenarios/cli/prompt/table.h"

namespace polarsim::scenarios::cli::prompt::test {
namespace {

constexpr int tables = 2000;
constexpr const char* marker = "@@@@@";

class RandomTables {
 public:
  explicit RandomTables(std::uint64_t seed) : random_(seed) {}

  TableStyle style() {
    TableStyle style;
    style.format = static_cast<TableFormat>(below(6));
    if (below(3) == 0) style.format = one_in(2) ? TableFormat::aligned : TableFormat::wrapped;
    style.expanded = static_cast<Expanded>(below(3));
    style.border = static_cast<unsigned>(below(4));
    style.tuples_only = one_in(4);
    style.default_footer = !one_in(5);
    style.line_style = static_cast<LineStyle>(below(3));
    style.double_border = one_in(2);
    style.double_column = one_in(2);
    style.double_header = one_in(2);
    style.numeric_locale = one_in(5);
    if (one_in(3)) style.field_separator = one_in(2) ? ", " : "é";
    if (one_in(5)) style.record_separator = "<>";
    if (one_in(3)) style.csv_separator = ';';
    if (one_in(4)) style.table_attributes = "class=x";
    if (!one_in(4)) style.columns = 5 + below(90);
    return style;
  }

  Table table() {
    Table table;
    if (one_in(4)) table.title = text();
    const std::size_t columns = below(12) == 0 ? 0 : 1 + below(4);
    const std::size_t rows = below(5);
    for (std::size_t i = 0; i < columns; ++i) {
      std::string header;
      while (header.empty()) header = text();
      table.headers.push_back(header);
      table.right.push_back(one_in(3));
    }
    for (std::size_t i = 0; i < rows * columns; ++i) {
      table.cells.push_back(table.right[i % columns] ? number() : text());
    }
    if (columns == 0) table.rows_without_columns = rows;
    return table;
  }

 private:
  std::size_t below(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_); }
  bool one_in(std::size_t count) { return below(count) == 0; }

  std::string number() {
    static const char* const numbers[] = {"0", "1", "-7", "123456789", "1234.5", "-1234567.25", "NaN", "0.000001"};
    return numbers[below(std::size(numbers))];
  }
  std::string text() {
    static const char* const pieces[] = {
        "a",   "bc ", "long word", "\n", "\t",   "\r",       "日本", "é",  "e\xcc\x81", "\"",    "'", "|",  ";", ",",
        "\\.", "<b>", "&",         "  ", "\x07", "\xc2\x85", "x",    "\\", "😀",         "{1,2}", "+", "$1", "%s"};
    std::string out;
    for (std::size_t count = below(7); count > 0; --count) out += pieces[below(std::size(pieces))];
    return out.substr(0, out.size());
  }

  std::mt19937_64 random_;
};

std::string literal(const std::string& text) {
  std::string quoted = quoted_literal(text);
  return quoted[0] == ' ' ? quoted.substr(1) : quoted;
}

std::string query_for(const Table& table) {
  const std::size_t columns = table.headers.size();
  const auto cell = [&](std::size_t i) {
    return table.right[i % columns] ? "'" + table.cells[i] + "'::pg_catalog.numeric"
                                    : literal(table.cells[i]) + "::pg_catalog.text";
  };
  if (columns == 0) return "SELECT FROM pg_catalog.generate_series(1, " + std::to_string(table.rows()) + ");\n";
  std::string query = "SELECT ";
  for (std::size_t i = 0; i < columns; ++i) {
    query += (i > 0 ? ", c" : "c") + std::to_string(i) + " AS " + quoted_identifier(table.headers[i]);
  }
  query += " FROM (VALUES ";
  const bool empty = table.rows() == 0;
  for (std::size_t row = 0; row < (empty ? 1 : table.rows()); ++row) {
    query += row > 0 ? ", (" : "(";
    for (std::size_t i = 0; i < columns; ++i) {
      if (i > 0) query += ", ";
      query += empty ? (table.right[i] ? "0::pg_catalog.numeric" : "''::pg_catalog.text") : cell(row * columns + i);
    }
    query += ")";
  }
  query += ") AS v (";
  for (std::size_t i = 0; i < columns; ++i) query += (i > 0 ? ", c" : "c") + std::to_string(i);
  return query + ")" + (empty ? " WHERE false" : "") + ";\n";
}

std::string argument(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "''";
    } else if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string settings_for(const TableStyle& style, const Table& table) {
  const char* const formats[] = {"aligned", "asciidoc", "csv", "html", "unaligned", "wrapped"};
  const char* const expanded[] = {"off", "on", "auto"};
  const char* const line_styles[] = {"ascii", "old-ascii", "unicode"};
  const auto set = [](const char* name, const std::string& value) {
    return std::string("\\pset ") + name + " " + value + "\n";
  };
  const auto on = [](bool value) { return std::string(value ? "on" : "off"); };
  const auto lines = [](bool twice) { return std::string(twice ? "double" : "single"); };
  return set("format", formats[static_cast<std::size_t>(style.format)]) +
         set("expanded", expanded[static_cast<std::size_t>(style.expanded)]) +
         set("border", std::to_string(style.border)) + set("tuples_only", on(style.tuples_only)) +
         set("footer", on(style.default_footer)) + set("numericlocale", on(style.numeric_locale)) +
         set("linestyle", line_styles[static_cast<std::size_t>(style.line_style)]) +
         set("unicode_border_linestyle", lines(style.double_border)) +
         set("unicode_column_linestyle", lines(style.double_column)) +
         set("unicode_header_linestyle", lines(style.double_header)) +
         set("fieldsep", argument(style.field_separator)) + set("recordsep", argument(style.record_separator)) +
         set("csv_fieldsep", argument(std::string(1, style.csv_separator))) +
         set("tableattr", style.table_attributes.empty() ? "" : argument(style.table_attributes)) +
         set("columns", std::to_string(style.columns)) + set("title", table.title ? argument(*table.title) : "");
}

// Up to 15.18 psql made the frame around a record narrower than the line above it that numbers the record.
bool has_framed_records(const TableStyle& style) {
  return style.expanded != Expanded::off && style.border >= 2;
}

TEST(TableAgainstPsql, RandomTablesInRandomStyles) {
  cli::test::PostgresServer server;
  RandomTables random(20261127);
  std::string script = "\\echo :VERSION_NUM\n";
  std::vector<std::string> expected, inputs;
  std::vector<bool> framed;
  for (int i = 0; i < tables; ++i) {
    const TableStyle style = random.style();
    Table table = random.table();
    const std::string input = settings_for(style, table) + query_for(table);
    script += input + "\\echo " + marker + "\n";
    inputs.push_back(input);
    framed.push_back(has_framed_records(style));
    if (style.numeric_locale) {
      for (std::size_t cell = 0; cell < table.cells.size(); ++cell) {
        if (table.right[cell % table.headers.size()]) table.cells[cell] = with_grouped_digits(table.cells[cell]);
      }
    }
    expected.push_back(print_table(table, style));
  }
  const ProgramOutcome psql = run_program(psql_command(server.folder(), "postgres", {"-q"}), script);
  ASSERT_EQ(psql.error, "");
  std::size_t from = psql.out.find('\n') + 1;
  const bool narrow_frames = std::stoi(psql.out) <= 150018;
  for (int i = 0; i < tables; ++i) {
    const std::size_t end = psql.out.find(std::string(marker) + "\n", from);
    ASSERT_NE(end, std::string::npos) << inputs[static_cast<std::size_t>(i)];
    const std::string printed = psql.out.substr(from, end - from);
    from = end + std::string(marker).size() + 1;
    if (narrow_frames && framed[static_cast<std::size_t>(i)]) continue;
    EXPECT_EQ(printed, expected[static_cast<std::size_t>(i)]) << inputs[static_cast<std::size_t>(i)];
  }
}

}  // namespace
}  // namespace polarsim::scenarios::cli::prompt::test
