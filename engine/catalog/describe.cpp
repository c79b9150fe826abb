#include "engine/catalog/describe.h"

#include <fmt/format.h>

#include <charconv>
#include <vector>

#include "engine/types/quote.h"

namespace polarsim::engine::catalog {

namespace {

const std::string& column_name(const Definition& table, int number) {
  return table.columns.at(static_cast<std::size_t>(number - 1)).name;
}

std::string column_list(const Definition& table, const std::vector<int>& numbers) {
  std::string text;
  for (const int number : numbers) {
    if (!text.empty()) text += ", ";
    text += quote_identifier(column_name(table, number));
  }
  return text;
}

// Whether the text is one call: a name, and brackets that end with it; or the brackets of a syntax that has its own.
bool is_call(const std::string& text) {
  const std::size_t open = text.find('(');
  if (open == std::string::npos || text.find_first_of(" :'[") < open) return false;
  bool named = open > 0;
  int depth = 0;
  char quote = '\0';
  for (std::size_t i = open; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')' && --depth == 0) {
      return named && i + 1 == text.size();
    } else if (c == ' ' && depth == 1) {
      const std::string_view rest = std::string_view(text).substr(i);
      named = named || rest.starts_with(" AT TIME ZONE ") || rest.starts_with(" OVERLAPS ");
    }
  }
  return false;
}

// An expression stands in brackets unless it is a call of a function.
std::string expression_text(const std::string& expression) {
  return is_call(expression) ? expression : "(" + expression + ")";
}

std::string key_text(const IndexProperties::Key& key, const Definition& table) {
  return key.column != 0 ? quote_identifier(column_name(table, key.column)) : expression_text(key.expression);
}

const char* action_text(ForeignKey::Action action) {
  switch (action) {
    case ForeignKey::Action::no_action:
      return "";
    case ForeignKey::Action::restrict:
      return "RESTRICT";
    case ForeignKey::Action::cascade:
      return "CASCADE";
    case ForeignKey::Action::set_null:
      return "SET NULL";
    case ForeignKey::Action::set_default:
      return "SET DEFAULT";
  }
  return "";
}

}  // namespace

std::string index_text(const Definition& index, const Definition& table, const std::string& table_name) {
  const IndexProperties& properties = index.index;
  std::string keys;
  for (const IndexProperties::Key& key : properties.keys) {
    if (!keys.empty()) keys += ", ";
    keys += key_text(key, table);
    if (!key.collation.empty()) keys += " COLLATE " + quote_identifier(key.collation);
    if (!key.operator_class.empty()) keys += " " + quote_identifier(key.operator_class);
    if (key.descending) keys += " DESC";
    // Only what differs from the direction's default is said.
    if (key.nulls_first != key.descending) keys += key.nulls_first ? " NULLS FIRST" : " NULLS LAST";
  }
  const std::string name =
      table_name.empty() ? quote_identifier(table.schema) + "." + quote_identifier(table.name) : table_name;
  std::string text = fmt::format("CREATE {}INDEX {} ON {} USING btree ({})", properties.unique ? "UNIQUE " : "",
                                 quote_identifier(index.name), name, keys);
  if (!properties.included.empty()) text += fmt::format(" INCLUDE ({})", column_list(table, properties.included));
  if (properties.nulls_not_distinct) text += " NULLS NOT DISTINCT";
  if (!index.options.empty()) text += fmt::format(" WITH ({})", options_text(index));
  if (!properties.predicate.empty()) text += " WHERE " + properties.predicate;
  return text;
}

std::string index_key_text(const Definition& index, const Definition& table, int number) {
  const auto& keys = index.index.keys;
  const auto& included = index.index.included;
  const auto position = static_cast<std::size_t>(number - 1);
  if (number < 1 || position >= keys.size() + included.size()) return {};
  if (position < keys.size()) return key_text(keys[position], table);
  return quote_identifier(column_name(table, included[position - keys.size()]));
}

std::string key_constraint_text(const Definition& index, const Definition& table) {
  std::vector<int> columns;
  for (const IndexProperties::Key& key : index.index.keys) columns.push_back(key.column);
  std::string text = index.index.primary ? "PRIMARY KEY" : "UNIQUE";
  if (index.index.nulls_not_distinct) text += " NULLS NOT DISTINCT";
  text += fmt::format(" ({})", column_list(table, columns));
  if (!index.index.included.empty()) text += fmt::format(" INCLUDE ({})", column_list(table, index.index.included));
  return text;
}

std::string options_text(const Definition& relation) {
  std::string text;
  for (const std::string& option : relation.options) {
    const std::size_t equals = option.find('=');
    const std::string value = option.substr(equals + 1);
    if (!text.empty()) text += ", ";
    // A word that needs no quotes is written without.
    text += quote_identifier(option.substr(0, equals)) + "=" +
            (quote_identifier(value) == value ? value : quote_literal(value));
  }
  return text;
}

std::string check_text(const Check& check) {
  return fmt::format("CHECK ({}){}{}", check.condition, check.no_inherit ? " NO INHERIT" : "",
                     check.validated ? "" : " NOT VALID");
}

std::string foreign_key_text(const ForeignKey& key, const Definition& table, const Definition& referenced,
                             const std::string& referenced_name) {
  std::string text = fmt::format("FOREIGN KEY ({}) REFERENCES {}({})", column_list(table, key.columns), referenced_name,
                                 column_list(referenced, key.referenced_columns));
  if (key.match_full) text += " MATCH FULL";
  if (key.on_update != ForeignKey::Action::no_action) text += fmt::format(" ON UPDATE {}", action_text(key.on_update));
  if (key.on_delete != ForeignKey::Action::no_action) text += fmt::format(" ON DELETE {}", action_text(key.on_delete));
  if (!key.on_delete_columns.empty()) text += fmt::format(" ({})", column_list(table, key.on_delete_columns));
  if (key.deferrable) text += " DEFERRABLE";
  if (key.initially_deferred) text += " INITIALLY DEFERRED";
  if (!key.validated) text += " NOT VALID";
  return text;
}

std::set<RelationId> named_relations(std::string_view text) {
  static constexpr std::string_view end = "'::regclass";
  std::set<RelationId> found;
  for (std::size_t at = text.find(end); at != std::string_view::npos; at = text.find(end, at + 1)) {
    std::size_t begin = at;
    while (begin > 0 && text[begin - 1] >= '0' && text[begin - 1] <= '9') --begin;
    if (begin == at || begin == 0 || text[begin - 1] != '\'') continue;
    RelationId id = 0;
    const auto [stop, error] = std::from_chars(text.data() + begin, text.data() + at, id);
    if (error == std::errc() && stop == text.data() + at) found.insert(id);
  }
  return found;
}

}  // namespace polarsim::engine::catalog
