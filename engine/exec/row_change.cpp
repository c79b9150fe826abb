#include "engine/exec/row_change.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/sql/error.h"

namespace polarsim::engine::exec {

using sql::LockStrength;
using txn::RowFailure;
using txn::RowOutcome;

RowChange::RowChange(ExecutionContext& context, const OpenTable& table, const std::vector<sql::Assignment>& assignments,
                     bool excluded_allowed) {
  for (const sql::Assignment& assignment : assignments) {
    const int column = table.shape.find(assignment.column);
    if (column < 0) {
      throw SqlError(sqlstate::undefined_column, fmt::format("column \"{}\" of relation \"{}\" does not exist",
                                                             assignment.column, table.definition().name))
          .at(assignment.position);
    }
    const auto position = static_cast<std::size_t>(column);
    if (std::any_of(targets_.begin(), targets_.end(), [&](const Target& other) { return other.column == position; })) {
      throw SqlError(sqlstate::syntax_error,
                     fmt::format("multiple assignments to same column \"{}\"", assignment.column))
          .at(assignment.position);
    }
    const sql::ColumnInfo& info = table.definition().columns[position];
    const bool is_default = assignment.value == nullptr;
    Target target{position, {}};
    if (!is_default || info.default_value) {
      sql::AnalyzeOptions options = context.analysis(is_default ? nullptr : &table.shape, "UPDATE");
      options.excluded_allowed = excluded_allowed && !is_default;
      target.value =
          sql::analyze_assignment(is_default ? info.default_value : assignment.value, options, info.type, info.name);
    }
    targets_.push_back(std::move(target));
  }
}

Row RowChange::apply(const Row& old, const sql::EvaluationContext& evaluation) const {
  Row changed = old;
  for (const Target& target : targets_) {
    changed[target.column] = target.value ? sql::evaluate(target.value, evaluation) : Value::null();
  }
  return changed;
}

bool RowChange::names_key(const OpenTable& table) const {
  return std::any_of(table.table->indexes.begin(), table.table->indexes.end(), [&](const catalog::Index& index) {
    const std::vector<int>& columns = index.definition.columns;
    return index.definition.unique && std::any_of(targets_.begin(), targets_.end(), [&](const Target& target) {
             return std::find(columns.begin(), columns.end(), static_cast<int>(target.column)) != columns.end();
           });
  });
}

Returning::Returning(ExecutionContext& context, const OpenTable& table, const std::vector<sql::SelectItem>& items)
    : context_(context) {
  if (!items.empty()) columns_ = sql::analyze_items(items, context.analysis(&table.shape, "RETURNING"));
}

void Returning::add(const Row& row) {
  if (!columns_.empty()) rows_.push_back(project(columns_, context_.evaluation(row)));
}

void Returning::finish(QueryResult& result) {
  result.columns = result_columns(columns_);
  result.rows = std::move(rows_);
}

void refuse_concurrent_change(const ExecutionContext& context, const char* what) {
  if (context.transaction.isolation != txn::IsolationLevel::repeatable_read) return;
  throw SqlError(sqlstate::serialization_failure, fmt::format("could not serialize access due to concurrent {}", what));
}

std::optional<Row> Modification::run(const VisibleRow& candidate, const Row* proposed) {
  Database& database = context_.database;
  std::optional<VisibleRow> base = candidate;
  while (base) {
    context_.backend().check_interrupts();
    database.visit_append_point();
    RowFailure failure;
    RowOutcome outcome;
    LockStrength strength = LockStrength::update;
    if (change_ == nullptr) {
      outcome = database.heap().remove(context_.transaction, table_.heap(), base->tid, failure);
      if (outcome == RowOutcome::ok) return std::move(base->row);
    } else {
      sql::EvaluationContext evaluation = context_.evaluation(base->row);
      if (proposed != nullptr) evaluation.excluded = *proposed;
      Row changed = change_->apply(base->row, evaluation);
      check_not_null(table_.definition(), changed);
      const bool new_key = changes_key(table_, base->row, changed);
      if (!new_key) strength = LockStrength::no_key_update;
      Tid tid;
      outcome = database.heap().update(context_.transaction, table_.heap(), base->tid, changed, new_key, tid, failure);
      if (outcome == RowOutcome::ok) {
        insert_index_entries(context_, table_, changed, tid);
        return changed;
      }
    }
    base = follow(candidate, base->tid, outcome, strength);
  }
  return std::nullopt;
}

std::optional<VisibleRow> Modification::follow(const VisibleRow& candidate, Tid tid, RowOutcome outcome,
                                               LockStrength strength) {
  RowFailure failure;
  VisibleRow newest;
  if (outcome == RowOutcome::updated) {
    context_.database.host().reached("recheck/row-changed");
    refuse_concurrent_change(context_, "update");
    outcome = context_.database.heap().lock(context_.transaction, table_.heap(), tid, strength, sql::LockWait::block,
                                            true, newest, failure);
    if (outcome == RowOutcome::ok) return recheck(candidate, std::move(newest));
  }
  switch (outcome) {
    case RowOutcome::deleted:
      context_.database.host().reached("recheck/row-gone");
      refuse_concurrent_change(context_, "delete");
      return std::nullopt;
    case RowOutcome::self_modified:
      // By this very command, which found the row twice: once is enough.
      return std::nullopt;
    default:
      throw SqlError(sqlstate::internal_error, "attempted to change an invisible row version");
  }
}

// PostgreSQL's EvalPlanQual for a statement on one table.
std::optional<VisibleRow> Modification::recheck(const VisibleRow& candidate, VisibleRow newest) {
  const PlantedBugs& planted = context_.database.config().planted;
  if (planted.on(PlantedBug::recheck_skipped)) return VisibleRow{newest.tid, candidate.row};
  if (planted.on(PlantedBug::recheck_set_but_not_where)) return newest;
  if (condition_ && !sql::evaluate_condition(condition_, context_.evaluation(newest.row))) {
    context_.database.host().reached("recheck/no-longer-qualifies");
    return std::nullopt;
  }
  return newest;
}

}  // namespace polarsim::engine::exec
