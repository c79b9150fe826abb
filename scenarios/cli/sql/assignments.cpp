// What UPDATE sets: columns one by one, and several at once by a row or a subquery of one row.
#include <fmt/format.h>

#include <algorithm>

#include "scenarios/cli/sql/literals.h"
#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {
namespace {

bool is_floating(engine::TypeId type) { return type == engine::TypeId::float4 || type == engine::TypeId::float8; }

}  // namespace

std::string StatementGenerator::row_assignment(const std::vector<const GeneratedColumn*>& columns, const Place& place) {
  std::string names;
  for (const GeneratedColumn* column : columns) names += (names.empty() ? "" : ", ") + column->name;
  std::string values;
  const std::size_t form = place.subqueries ? choices_.weighted({40, 20, 20, 30}) : choices_.weighted({60, 40});
  if (form == 3) {
    // The row of another table with a key, or none.
    const GeneratedTable* other = any_table(false);
    if (other->has_primary_key && other->keys.front().size() == 1) {
      const std::string alias = new_alias();
      Scope scope;
      add_table(scope, alias, *other);
      const auto key = std::ranges::find(other->columns, other->keys.front().front(), &GeneratedColumn::name);
      for (const GeneratedColumn* column : columns) {
        std::vector<std::string> same;
        for (const ScopeColumn& each : scope.columns) {
          if (each.type.id == column->type.id) same.push_back(each.text());
        }
        values += values.empty() ? "" : ", ";
        values += same.empty() ? typed_literal(column->type.id, choices_, true) : choices_.one_of(same);
      }
      if (key != other->columns.end())
        return fmt::format("({}) = (SELECT {} FROM {} AS {} WHERE {}.{} = {})", names, values, other->name, alias,
                           alias, key->name, typed_literal(key->type.id, choices_, true));
      values.clear();
    }
  }
  for (const GeneratedColumn* column : columns) {
    values += values.empty() ? "" : ", ";
    if (form < 2) {
      values += stored_value(*column, &place);
    } else {
      values += is_floating(column->type.id) ? typed_literal(column->type.id, choices_, true)
                                             : value(column->type.id, place, 1, false);
    }
  }
  if (choices_.one_in(30)) values += ", 1";
  static const std::vector<const char*> forms{"({}) = ({})", "({}) = ROW({})", "({}) = (SELECT {})",
                                              "({}) = (SELECT {})"};
  return fmt::format(fmt::runtime(forms[form]), names, values);
}

std::string StatementGenerator::assignments(const GeneratedTable& table, const Place& place) {
  std::string text;
  std::vector<std::string> changed;
  for (std::size_t left = 1 + choices_.below(2); left > 0; --left) {
    std::vector<const GeneratedColumn*> columns;
    for (std::size_t more = choices_.one_in(6) ? 2 : 1; more > 0; --more) {
      const GeneratedColumn& column = choices_.one_of(table.columns);
      if (std::ranges::find(changed, column.name) != changed.end() && !choices_.one_in(20)) continue;
      changed.push_back(column.name);
      columns.push_back(&column);
    }
    if (columns.empty()) continue;
    if (!text.empty()) text += ", ";
    if (columns.size() > 1 || choices_.one_in(15)) {
      text += row_assignment(columns, place);
    } else {
      text += fmt::format("{} = {}", columns.front()->name, stored_value(*columns.front(), &place));
    }
  }
  return text;
}

}  // namespace polarsim::scenarios::cli::test
