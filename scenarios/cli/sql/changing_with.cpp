// WITH lists of common tables that change data, and read each other's rows; EXPLAIN.
#include <fmt/format.h>

#include <algorithm>

#include "scenarios/cli/sql/literals.h"
#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {
namespace {

using T = engine::TypeId;

}  // namespace

// Each changes another table, so that no row is changed twice.
GeneratedStatement StatementGenerator::changing_with() {
  std::vector<const GeneratedTable*> tables;
  for (const GeneratedTable& table : schema_.tables) {
    if (!table.is_view) tables.push_back(&table);
  }
  if (tables.size() < 2) return create_table();
  const GeneratedTable* first = choices_.one_of(tables);
  std::erase(tables, first);
  const GeneratedTable* second = choices_.one_of(tables);
  Scope scope;
  const std::string alias = new_alias();
  add_table(scope, alias, *first);
  const Place place{&scope, nullptr, false, false};
  const bool deletes = choices_.one_in(2);
  const GeneratedColumn& changed = choices_.one_of(first->columns);
  std::string text = deletes ? fmt::format("DELETE FROM {} AS {}", first->name, alias)
                             : fmt::format("UPDATE {} AS {} SET {} = {}", first->name, alias, changed.name,
                                           stored_value(changed, nullptr));
  text += " WHERE " + condition(place, 1);
  CommonTable common{fmt::format("w{}", ++aliases_), first->rows, {}};
  for (const GeneratedColumn& column : first->columns) common.columns.push_back({column.name, column.type, false});
  text = fmt::format("WITH {} AS ({} RETURNING {})", common.name, text, choices_.one_in(2) ? "*" : alias + ".*");
  // The other table's rows that have a value in common with those.
  std::vector<std::string> met;
  for (const GeneratedColumn& column : second->columns) {
    for (const OutputColumn& other : common.columns) {
      if (column.type.id == other.type.id && column.type.id != T::json)
        met.push_back(fmt::format("x.{} IN (SELECT {}.{} FROM {})", column.name, common.name, other.name, common.name));
    }
  }
  const std::string where = met.empty() ? fmt::format("EXISTS (SELECT FROM {})", common.name) : choices_.one_of(met);
  const GeneratedColumn& set = choices_.one_of(second->columns);
  std::string change = choices_.one_in(2) ? fmt::format("DELETE FROM {} AS x WHERE {}", second->name, where)
                                          : fmt::format("UPDATE {} AS x SET {} = {} WHERE {}", second->name, set.name,
                                                        stored_value(set, nullptr), where);
  switch (choices_.below(3)) {
    case 0:
      return {fmt::format("{} {}", text, change), {}};
    case 1:
      return {fmt::format("{} {} RETURNING x.*", text, change), {}};
    default: {
      const std::string other = fmt::format("w{}", ++aliases_);
      return {fmt::format("{}, {} AS ({} RETURNING 1) SELECT (SELECT count(*) FROM {}), (SELECT count(*) FROM {}), "
                          "(SELECT count(*) FROM {})",
                          text, other, change, common.name, other, choices_.one_in(2) ? first->name : second->name),
              {}};
    }
  }
}

// Whether a cluster joins by other columns, for the rest of the session.
GeneratedStatement StatementGenerator::repartition_statement() {
  GeneratedStatement made{
      fmt::format("SET polar_cluster.enable_repartition_joins TO {}", choices_.one_in(4) ? "off" : "on"), {}};
  made.cluster_only = true;
  return made;
}

GeneratedStatement StatementGenerator::explain_statement() {
  const Query made = query(any_types(), nullptr, 1, true);
  return {fmt::format("EXPLAIN ({}COSTS OFF) {}", choices_.one_in(3) ? "VERBOSE, " : "", made.text), {}};
}

}  // namespace polarsim::scenarios::cli::test
