// ON CONFLICT: its targets, and what is done instead.
#include <fmt/format.h>

#include <algorithm>

#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {

// Columns of a key, the name of a constraint, or what an index is on; empty for any conflict.
std::string StatementGenerator::conflict_target(const GeneratedTable& table) {
  std::vector<std::string> names;
  for (const GeneratedConstraint& constraint : table.constraints) {
    if (constraint.is_key || choices_.one_in(8)) names.push_back(constraint.name);
  }
  if (table.has_primary_key) names.push_back(table.own_name() + "_pkey");
  switch (choices_.weighted(
      {25, table.keys.empty() ? 0U : 60U, names.empty() ? 0U : 20U, table.conflict_targets.empty() ? 0U : 40U})) {
    case 1: {
      std::string target = fmt::format(" ({})", fmt::join(choices_.one_of(table.keys), ", "));
      // Such a condition is no hindrance for an index without one.
      if (choices_.one_in(12)) target += " WHERE " + choices_.one_of(table.columns).name + " IS NOT NULL";
      return target;
    }
    case 2:
      return " ON CONSTRAINT " + choices_.one_of(names);
    case 3:
      return " " + choices_.one_of(table.conflict_targets);
    default:
      return "";
  }
}

std::string StatementGenerator::on_conflict(const GeneratedTable& table) {
  if (!choices_.percent(35)) return "";
  const std::string target = conflict_target(table);
  std::string text = " ON CONFLICT" + target;
  if (target.empty() || choices_.one_in(3)) return text + " DO NOTHING";
  Scope scope;
  add_table(scope, table.name, table);
  Scope excluded;
  add_table(excluded, "excluded", table);
  scope.columns.insert(scope.columns.end(), excluded.columns.begin(), excluded.columns.end());
  const Place place{&scope, nullptr, false, false};
  if (choices_.one_in(5)) {
    text += " DO UPDATE SET " + assignments(table, place);
  } else {
    std::string changes;
    for (std::size_t left = 1 + choices_.below(2); left > 0; --left) {
      const GeneratedColumn& column = choices_.one_of(table.columns);
      const std::string what =
          choices_.one_in(2) && column.writable ? "excluded." + column.name : stored_value(column, &place);
      changes += fmt::format("{}{} = {}", changes.empty() ? "" : ", ", column.name, what);
    }
    text += " DO UPDATE SET " + changes;
  }
  if (choices_.one_in(4)) text += " WHERE " + condition(place, 1);
  return text;
}

}  // namespace polarsim::scenarios::cli::test
