// SELECT on one table, or on none.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "engine/exec/row_change.h"
#include "engine/exec/system_views.h"
#include "engine/sql/error.h"

namespace polarsim::engine::exec {

namespace {

const char* lock_clause(sql::LockStrength strength) {
  switch (strength) {
    case sql::LockStrength::key_share:
      return "FOR KEY SHARE";
    case sql::LockStrength::share:
      return "FOR SHARE";
    case sql::LockStrength::no_key_update:
      return "FOR NO KEY UPDATE";
    default:
      return "FOR UPDATE";
  }
}

void check_lockable(const sql::Select& select, const sql::AnalyzedSelect& analyzed) {
  const auto refuse = [&](std::string_view with) {
    throw SqlError(sqlstate::feature_not_supported,
                   fmt::format("{} is not allowed with {}", lock_clause(select.lock), with));
  };
  if (analyzed.distinct) refuse("DISTINCT clause");
  if (!select.group_by.empty()) refuse("GROUP BY clause");
  if (analyzed.having) refuse("HAVING clause");
  if (analyzed.grouped) refuse("aggregate functions");
}

QueryResult make_result(const sql::AnalyzedSelect& analyzed, std::vector<Row> rows) {
  QueryResult result;
  result.columns = result_columns(analyzed.columns);
  result.rows = std::move(rows);
  result.tag = fmt::format("SELECT {}", result.rows.size());
  return result;
}

// SELECT ... FOR: sorts what the snapshot shows, then locks row by row as far as LIMIT reaches. As in PostgreSQL
// (nodeLockRows.c) the rows given out are the newest versions, so they may be out of order, and fewer than LIMIT asks
// for only if there are no more.
class LockingSelect {
 public:
  LockingSelect(ExecutionContext& context, const OpenTable& table, const sql::Select& select,
                const sql::AnalyzedSelect& analyzed)
      : context_(context),
        table_(table),
        select_(select),
        analyzed_(analyzed),
        window_(sql::row_window(analyzed, context.evaluation())) {}

  std::vector<Row> run(RowFinder& finder) {
    std::vector<VisibleRow> candidates;
    if (analyzed_.order_by.empty()) {
      while (!satisfied() && finder.next(candidates)) lock_all(candidates);
      return std::move(rows_);
    }
    for (std::vector<VisibleRow> some; finder.next(some);)
      std::move(some.begin(), some.end(), std::back_inserter(candidates));
    sort(candidates);
    lock_all(candidates);
    return std::move(rows_);
  }

 private:
  bool satisfied() const { return window_.limit >= 0 && static_cast<std::int64_t>(rows_.size()) >= window_.limit; }

  void lock_all(const std::vector<VisibleRow>& candidates) {
    for (const VisibleRow& candidate : candidates) {
      if (satisfied()) return;
      context_.backend().check_interrupts();
      const std::optional<Row> row = lock(candidate);
      if (!row) continue;
      if (skipped_ < window_.offset) {
        ++skipped_;
        continue;
      }
      rows_.push_back(project(analyzed_.columns, context_.evaluation(*row)));
    }
  }

  // Nothing if the row has gone, no longer qualifies, or is to be skipped.
  std::optional<Row> lock(const VisibleRow& candidate) {
    const bool follow = context_.transaction.isolation == txn::IsolationLevel::read_committed;
    VisibleRow locked;
    txn::RowFailure failure;
    const txn::RowOutcome outcome =
        context_.database.heap().lock(context_.transaction, table_.heap(), candidate.tid, select_.lock,
                                      select_.lock_wait, follow, locked, failure, true);
    switch (outcome) {
      case txn::RowOutcome::ok:
        break;
      case txn::RowOutcome::not_available:
        if (select_.lock_wait == sql::LockWait::skip_locked) return std::nullopt;
        throw SqlError(sqlstate::lock_not_available,
                       fmt::format("could not obtain lock on row in relation \"{}\"", table_.definition().name));
      case txn::RowOutcome::updated:
      case txn::RowOutcome::deleted:
        context_.database.host().reached("recheck/row-gone");
        refuse_concurrent_change(context_, "update");
        return std::nullopt;
      case txn::RowOutcome::self_modified:
      case txn::RowOutcome::invisible:
        return std::nullopt;
    }
    if (locked.tid == candidate.tid) return std::move(locked.row);
    context_.database.host().reached("recheck/row-changed");
    if (analyzed_.where && !sql::evaluate_condition(analyzed_.where, context_.evaluation(locked.row))) {
      context_.database.host().reached("recheck/no-longer-qualifies");
      return std::nullopt;
    }
    return std::move(locked.row);
  }

  void sort(std::vector<VisibleRow>& candidates) const {
    std::vector<Row> keys;
    keys.reserve(candidates.size());
    for (const VisibleRow& candidate : candidates) {
      const sql::EvaluationContext evaluation = context_.evaluation(candidate.row);
      Row row_keys;
      for (const sql::SortKey& key : analyzed_.order_by) {
        const bool by_column = key.column >= 0;
        const auto& expression =
            by_column ? analyzed_.columns[static_cast<std::size_t>(key.column)].expression : key.expression;
        row_keys.push_back(sql::evaluate(expression, evaluation));
      }
      keys.push_back(std::move(row_keys));
    }
    std::vector<VisibleRow> sorted;
    sorted.reserve(candidates.size());
    for (const std::size_t position : sorted_positions(keys, analyzed_.order_by))
      sorted.push_back(std::move(candidates[position]));
    candidates = std::move(sorted);
  }

  ExecutionContext& context_;
  const OpenTable& table_;
  const sql::Select& select_;
  const sql::AnalyzedSelect& analyzed_;
  const sql::RowWindow window_;
  std::int64_t skipped_ = 0;
  std::vector<Row> rows_;
};

QueryResult select_without_table(ExecutionContext& context, const sql::Select& select) {
  const sql::AnalyzedSelect analyzed = sql::analyze_select(select, nullptr, context.parameter_types);
  Projection projection(analyzed, context.evaluation());
  if (!analyzed.where || sql::evaluate_condition(analyzed.where, context.evaluation())) projection.add({});
  return make_result(analyzed, projection.finish());
}

QueryResult select_from_view(ExecutionContext& context, const sql::Select& select, const SystemView& view) {
  const sql::TableShape shape = shape_of(view.definition, select.from->reference());
  const sql::AnalyzedSelect analyzed = sql::analyze_select(select, &shape, context.parameter_types);
  Projection projection(analyzed, context.evaluation());
  for (const Row& row : view.rows(context.database, context.transaction)) {
    if (!analyzed.where || sql::evaluate_condition(analyzed.where, context.evaluation(row))) projection.add(row);
  }
  return make_result(analyzed, projection.finish());
}

}  // namespace

QueryResult execute_select(ExecutionContext& context, const sql::Select& select) {
  if (!select.from) return select_without_table(context, select);
  if (const SystemView* view = find_system_view(*select.from)) return select_from_view(context, select, *view);
  const bool locking = select.lock != sql::LockStrength::none;
  const StatementScope scope(context, *select.from, locking ? txn::LockMode::row_share : txn::LockMode::access_share);
  const OpenTable& table = scope.table();
  const sql::AnalyzedSelect analyzed = sql::analyze_select(select, &table.shape, context.parameter_types);
  if (locking) check_lockable(select, analyzed);
  RowFinder finder(context, table, scope.snapshot(), select.where, analyzed.where);
  if (locking) return make_result(analyzed, LockingSelect(context, table, select, analyzed).run(finder));
  Projection projection(analyzed, context.evaluation());
  for (std::vector<VisibleRow> rows; !projection.satisfied() && finder.next(rows);) {
    for (const VisibleRow& row : rows) {
      if (projection.satisfied()) break;
      projection.add(row.row);
    }
  }
  return make_result(analyzed, projection.finish());
}

}  // namespace polarsim::engine::exec
