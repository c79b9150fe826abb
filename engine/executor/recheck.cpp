#include "engine/executor/recheck.h"

#include <fmt/format.h>

#include "engine/types/error.h"
#include "engine/types/record.h"

namespace polarsim::engine::executor {

namespace {

const Plan* find_scan(const Plan& plan, int entry) {
  if (plan.entry == entry) return &plan;
  for (const plan::PlanPtr& child : plan.children) {
    if (const Plan* found = find_scan(*child, entry)) return found;
  }
  return nullptr;
}

const std::vector<int>& system_columns_of(const Plan& scan) {
  static const std::vector<int> none;
  if (const auto* node = scan.as<plan::SeqScan>()) return node->system_columns;
  if (const auto* node = scan.as<plan::IndexScan>()) return node->system_columns;
  return none;
}

}  // namespace

void refuse_concurrent_change(const ExecutorState& state, const char* what) {
  if (state.transaction().isolation != txn::IsolationLevel::repeatable_read) return;
  throw SqlError(sqlstate::serialization_failure, fmt::format("could not serialize access due to concurrent {}", what));
}

const Plan& Recheck::scan_of(int entry) const {
  if (const Plan* scan = find_scan(plan_, entry)) return *scan;
  throw SqlError(sqlstate::internal_error, "a scan to be looked at again is not in the plan");
}

void Recheck::set_newest(int entry, const query::RelationPtr& relation, const VisibleRow& newest) {
  TableRows rows(state_, relation, system_columns_of(scan_of(entry)));
  RecheckRow& given = newest_[entry];
  given.present = true;
  given.ignores_conditions = ignores_conditions_ == entry;
  given.row = newest.row;
  rows.complete(newest.tid, given.row);
}

RecheckRow Recheck::row_of(const plan::LockRows::Mark& mark, RowView found) {
  RecheckRow row;
  const Value& value = found[static_cast<std::size_t>(mark.tid_column) - 1];
  if (value.is_null()) return row;
  row.present = true;
  if (mark.relation == nullptr) {
    for (const Record::Field& field : value.as_record().fields()) row.row.push_back(field.value);
    return row;
  }
  const Tid tid = tid_of(value);
  TableRows rows(state_, mark.relation, system_columns_of(scan_of(mark.entry)));
  std::optional<Row> version = rows.fetch(tid);
  if (!version) throw SqlError(sqlstate::internal_error, "a row that was found is not there any more");
  row.row = std::move(*version);
  rows.complete(tid, row.row);
  return row;
}

std::optional<Row> Recheck::run(RowView found) {
  RecheckRows given = std::move(newest_);
  newest_.clear();
  for (const plan::LockRows::Mark& mark : marks_) {
    if (!given.contains(mark.entry)) given.emplace(mark.entry, row_of(mark, found));
  }
  ExecutionInputs inputs = state_.inputs;
  inputs.measure = false;
  ExecutorState again(state_.statement, inputs, state_.snapshot);
  again.recheck = &given;
  again.first_run = &state_;
  again.copy_parameters(state_);
  const NodeStatePtr root = make_state(again, plan_);
  RowView row;
  if (!root->next(row)) return std::nullopt;
  return Row(row.begin(), row.end());
}

}  // namespace polarsim::engine::executor
