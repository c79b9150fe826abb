// Functions in FROM: alone, several by ROWS FROM, with numbers, of what stands before them; and VALUES.
#include <fmt/format.h>

#include "scenarios/cli/sql/literals.h"
#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {
namespace {

using T = engine::TypeId;

}  // namespace

// A column of the type that stands before the function, or something else.
std::string StatementGenerator::argument_of(T wanted, const Scope* lateral, const std::string& otherwise) {
  if (lateral == nullptr || !choices_.one_in(2)) return otherwise;
  std::vector<std::string> found;
  for (const ScopeColumn& column : lateral->columns) {
    if (column.type.id == wanted) found.push_back(column.text());
  }
  return found.empty() ? otherwise : choices_.one_of(found);
}

// Its columns have the types; their names come later.
std::string StatementGenerator::function_call(std::vector<OutputColumn>& columns, const Scope* lateral) {
  const auto gives = [&](T type) { columns.push_back({"", type, is_canonical(type)}); };
  switch (choices_.weighted({30, 12, 10, 8, 8, 8, 6, 6, 6})) {
    case 0: {
      gives(T::int4);
      const std::size_t start = choices_.below(3);
      const std::string otherwise = std::to_string(choices_.below(5));
      const std::string end = argument_of(T::int4, lateral, "");
      return fmt::format("generate_series({}, {}{})", start,
                         end.empty() ? otherwise : fmt::format("least({}, {})", end, 3),
                         choices_.one_in(5) ? ", 2" : "");
    }
    case 1:
      gives(T::text);
      return fmt::format("unnest({})", argument_of(T::text_array, lateral, "ARRAY['a', 'b', NULL, 'abc']"));
    case 2:
      gives(T::int4);
      return fmt::format("unnest({})", argument_of(T::int4_array, lateral, "'{3,1,NULL,1}'::int[]"));
    case 3:
      gives(T::text);
      return fmt::format("string_to_table({}, {})", argument_of(T::text, lateral, "'a,b,,abc'"),
                         choices_.one_in(3) ? "NULL" : "','");
    case 4:
      gives(T::text);
      return fmt::format("regexp_split_to_table({}, '[ ,o]')", argument_of(T::text, lateral, "'a, b o'"));
    case 5:
      gives(T::text_array);
      return fmt::format("regexp_matches({}, '(.)(b|l)?', 'g')", argument_of(T::text, lateral, "'abcb'"));
    case 6:
      gives(T::text);
      gives(T::text);
      return "jsonb_each_text('{\"a\": 1, \"b\": \"x\", \"c\": null}')";
    case 7:
      gives(T::text);
      return "jsonb_array_elements_text('[\"a\", 1, null, [2]]')";
    default:
      gives(T::int4);
      return fmt::format("generate_subscripts({}, 1)", argument_of(T::int4_array, lateral, "'[2:4]={1,2,3}'::int[]"));
  }
}

std::string StatementGenerator::function_item(Scope& scope, const Scope* lateral) {
  const std::string alias = new_alias();
  scope.single_row = false;
  scope.rows = 4;
  std::vector<OutputColumn> columns;
  // Names and types of what json is taken apart to.
  if (choices_.one_in(12)) {
    columns = {{"a", T::int4, true}, {"b", T::text, true}};
    add_columns(scope, alias, columns);
    return fmt::format(
        "{}(a int, b text)",
        fmt::format("jsonb_to_recordset('[{{\"a\": 1, \"b\": \"x\"}}, {{\"b\": \"abc\"}}]') AS {}", alias));
  }
  const bool simple = choices_.percent(40);
  if (simple) {
    scope.columns.push_back({alias, "a", T::int4, true, false});
    scope.keys.push_back(alias + ".a");
    return fmt::format("generate_series({}, {}) AS {}(a)", choices_.below(3), choices_.below(5), alias);
  }
  std::string text = function_call(columns, lateral);
  if (choices_.one_in(3)) {
    for (std::size_t left = 1 + choices_.below(2); left > 0; --left) text += ", " + function_call(columns, lateral);
    text = "ROWS FROM (" + text + ")";
  } else if (choices_.one_in(8)) {
    columns = {{"", T::int4, true}, {"", T::text, true}};
    text = "unnest('{1,2,3}'::int[], ARRAY['x', 'y'])";
  }
  const bool numbered = choices_.one_in(3);
  if (numbered) {
    text += " WITH ORDINALITY";
    columns.push_back({"", T::int8, true});
  }
  static const std::vector<const char*> given{"a", "b", "c", "d", "e", "f", "g", "h"};
  std::string names;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    columns[i].name = given[i];
    names += fmt::format("{}{}", i == 0 ? "" : ", ", given[i]);
  }
  const bool keyed = scope.keyed;
  add_columns(scope, alias, columns);
  if (numbered) {
    scope.keyed = keyed;
    scope.keys.push_back(fmt::format("{}.{}", alias, columns.back().name));
  }
  return fmt::format("{}{} AS {}({})", choices_.one_in(3) ? "LATERAL " : "", text, alias, names);
}

std::string StatementGenerator::values_item(Scope& scope) {
  const std::string alias = new_alias();
  const Query inner = values_query(any_types(), nullptr, false);
  std::vector<OutputColumn> columns = inner.columns;
  const bool renamed = choices_.one_in(2);
  std::string names;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (renamed) columns[i].name = fmt::format("c{}", i + 1);
    names += (i == 0 ? "" : ", ") + columns[i].name;
  }
  add_columns(scope, alias, columns);
  scope.rows = inner.rows;
  return fmt::format("({}) AS {}{}", inner.text, alias, renamed ? "(" + names + ")" : "");
}

}  // namespace polarsim::scenarios::cli::test
