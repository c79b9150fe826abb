// FOR UPDATE and its like, in statements and in subqueries of theirs; and where they are refused.
#include <fmt/format.h>

#include <algorithm>

#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {
namespace {

using T = engine::TypeId;

}  // namespace

std::string StatementGenerator::locking_clause(const Scope& scope) {
  static const std::vector<const char*> strengths{" FOR UPDATE", " FOR SHARE", " FOR NO KEY UPDATE", " FOR KEY SHARE"};
  static const std::vector<const char*> waits{"", "", " NOWAIT", " SKIP LOCKED"};
  std::vector<std::string> aliases;
  for (const ScopeColumn& column : scope.columns) {
    if (std::ranges::find(aliases, column.qualifier) == aliases.end()) aliases.push_back(column.qualifier);
  }
  std::string text;
  for (std::size_t left = choices_.one_in(8) ? 2 : 1; left > 0; --left) {
    text += choices_.one_of(strengths);
    if (!aliases.empty() && choices_.one_in(3)) {
      text += " OF " + choices_.one_of(aliases);
      if (choices_.one_in(4)) text += ", " + choices_.one_of(aliases);
      if (choices_.one_in(20)) text += ", nothing";
    }
    text += choices_.one_of(waits);
  }
  return text;
}

// The rows of one table, or of several joined.
StatementGenerator::Query StatementGenerator::locked_select(const std::vector<T>& wanted, bool top) {
  Query made;
  Scope scope;
  scope.single_row = top;
  std::string from;
  const GeneratedTable* table = any_table(choices_.one_in(4));
  if (table == nullptr || choices_.one_in(3)) {
    from = from_clause(scope, choices_.one_in(4) ? 1 : 0);
  } else {
    const std::string alias = new_alias();
    add_table(scope, alias, *table);
    scope.rows = table->rows;
    from = fmt::format(" FROM {} AS {}", table->name, alias);
  }
  const Place place{&scope, nullptr, false, choices_.one_in(4)};
  made.text = "SELECT " + targets(made, wanted, place, 1) + from;
  // One row of a table in shards is in one of them.
  std::vector<const ScopeColumn*> distributing;
  for (const ScopeColumn& column : scope.columns) {
    if (column.distributes && column.type.id == T::int4) distributing.push_back(&column);
  }
  std::string where = choices_.percent(50) ? condition(place, 1) : "";
  if (!distributing.empty() && choices_.percent(70)) {
    if (!where.empty()) where = fmt::format("({}) AND ", where);
    where += fmt::format("{} = {}", choices_.one_of(distributing)->text(), choices_.below(4));
  }
  if (!where.empty()) made.text += " WHERE " + where;
  made.rows = scope.rows;
  made.text += order_and_limit(made, &scope, false);
  made.text += locking_clause(scope);
  return made;
}

GeneratedStatement StatementGenerator::locking_statement() {
  switch (choices_.weighted({50, 12, 8, 8, 12})) {
    case 1: {
      // Of a query of any form: grouped, distinct, a union.
      Query made = query(any_types(), nullptr, 1, true);
      Scope scope;
      if (choices_.one_in(3)) scope.columns.push_back({"t1", "a", T::int4});
      made.text += locking_clause(scope);
      return {std::move(made.text), std::move(made.ordered_by), {}};
    }
    case 2: {
      const Query inner = locked_select(any_types(), false);
      std::string names;
      Scope scope;
      const std::string alias = new_alias();
      std::vector<OutputColumn> columns = inner.columns;
      for (OutputColumn& column : columns) {
        column.name = fmt::format("c{}", &column - columns.data() + 1);
        names += (names.empty() ? "" : ", ") + column.name;
      }
      add_columns(scope, alias, columns);
      Query outer;
      const Place place{&scope, nullptr, false, false};
      outer.text = "SELECT " + targets(outer, any_types(), place, 1);
      outer.text += fmt::format(" FROM ({}) AS {}({})", inner.text, alias, names);
      if (choices_.one_in(3)) outer.text += " WHERE " + condition(place, 1);
      outer.text += order_and_limit(outer, nullptr, false);
      if (choices_.one_in(4)) outer.text += locking_clause(scope);
      return {std::move(outer.text), std::move(outer.ordered_by), {}};
    }
    case 3: {
      const Query inner = locked_select(any_types(), false);
      const std::string name = fmt::format("w{}", ++aliases_);
      return {fmt::format("WITH {} AS ({}) SELECT * FROM {}{}", name, inner.text, name,
                          choices_.one_in(4) ? locking_clause({}) : ""),
              {},
              {}};
    }
    case 4: {
      const T type = canonical_type();
      const Query inner = locked_select({type}, false);
      Query outer;
      Scope scope;
      scope.single_row = false;
      const std::string from = from_clause(scope, 0);
      const Place place{&scope, nullptr, false, false};
      outer.text = "SELECT " + targets(outer, any_types(), place, 1) + from;
      outer.text += fmt::format(" WHERE {} IN ({})", value(type, place, 1, false), inner.text);
      outer.text += order_and_limit(outer, &scope, false);
      return {std::move(outer.text), std::move(outer.ordered_by), {}};
    }
    default: {
      Query made = locked_select(any_types(), true);
      return {std::move(made.text), std::move(made.ordered_by), {}};
    }
  }
}

}  // namespace polarsim::scenarios::cli::test
