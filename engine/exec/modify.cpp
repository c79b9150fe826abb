// UPDATE and DELETE.
#include <fmt/format.h>

#include <utility>

#include "engine/exec/row_change.h"

namespace polarsim::engine::exec {

namespace {

QueryResult modify(ExecutionContext& context, const StatementScope& scope, const sql::ExpressionPtr& where,
                   const RowChange* change, const std::vector<sql::SelectItem>& returning_items, std::string_view tag) {
  const OpenTable& table = scope.table();
  sql::BoundExpression condition;
  if (where != nullptr) condition = sql::analyze_condition(where, context.analysis(&table.shape, "WHERE"), "WHERE");
  Returning returning(context, table, returning_items);
  Modification modification(context, table, condition, change);
  RowFinder finder(context, table, scope.snapshot(), where, condition);
  std::size_t count = 0;
  for (std::vector<VisibleRow> rows; finder.next(rows);) {
    for (const VisibleRow& candidate : rows) {
      const std::optional<Row> row = modification.run(candidate);
      if (!row) continue;
      ++count;
      returning.add(*row);
    }
  }
  QueryResult result;
  returning.finish(result);
  result.tag = fmt::format("{} {}", tag, count);
  return result;
}

}  // namespace

QueryResult execute_update(ExecutionContext& context, const sql::Update& update) {
  const StatementScope scope(context, update.table, txn::LockMode::row_exclusive);
  const RowChange change(context, scope.table(), update.assignments, false);
  return modify(context, scope, update.where, &change, update.returning, "UPDATE");
}

QueryResult execute_delete(ExecutionContext& context, const sql::Delete& removal) {
  const StatementScope scope(context, removal.table, txn::LockMode::row_exclusive);
  return modify(context, scope, removal.where, nullptr, removal.returning, "DELETE");
}

}  // namespace polarsim::engine::exec
