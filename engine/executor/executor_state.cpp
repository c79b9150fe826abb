#include "engine/executor/executor_state.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/executor/foreign_keys.h"
#include "engine/executor/node_state.h"
#include "engine/executor/row_store.h"
#include "engine/executor/subplan_state.h"
#include "engine/types/error.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::executor {

const catalog::Index& OpenTable::index(std::uint32_t id) const {
  for (const catalog::Index& index : table->indexes) {
    if (index.id == id) return index;
  }
  throw SqlError(sqlstate::internal_error, fmt::format("could not open relation with OID {}", id));
}

ExecutorState::ExecutorState(const plan::PlannedStatement& planned, const ExecutionInputs& from,
                             const txn::Snapshot& seen)
    : statement(planned),
      inputs(from),
      snapshot(seen),
      parameters_(static_cast<std::size_t>(planned.plan_parameters)),
      versions_(static_cast<std::size_t>(planned.plan_parameters + planned.work_tables), 0),
      initial_plan_of_(static_cast<std::size_t>(planned.plan_parameters), -1),
      subplans_(planned.subplans.size()),
      common_tables_(planned.subplans.size()),
      work_tables_(static_cast<std::size_t>(planned.work_tables), nullptr) {
  for (std::size_t i = 0; i < planned.subplans.size(); ++i) {
    for (const int output : planned.subplans[i].outputs)
      initial_plan_of_[static_cast<std::size_t>(output)] = static_cast<int>(i);
  }
}

ExecutorState::~ExecutorState() = default;

void ExecutorState::pause() const {
  constexpr sim::Duration length{10'000'000};
  checks_ = 0;
  inputs.transaction.backend->sleep_until(database().host().scheduler().now() + length);
}

const OpenTable& ExecutorState::open(const query::RelationPtr& relation) {
  const auto found = tables_.find(relation->id);
  if (found != tables_.end()) return found->second;
  OpenTable table;
  table.relation = relation;
  table.table = database().catalog().find_table(&transaction(), relation->id);
  if (table.table == nullptr) {
    throw SqlError(sqlstate::undefined_table, fmt::format("relation \"{}\" does not exist", relation->name));
  }
  if (table.table->description != nullptr) {
    const std::vector<catalog::Column>& columns = table.table->description->columns;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (!columns[i].missing) continue;
      table.missing.resize(i + 1);
      table.missing[i] = input_value(*columns[i].missing, columns[i].type, call());
    }
  }
  return tables_.emplace(relation->id, std::move(table)).first->second;
}

// --- parameters ---

void ExecutorState::set_parameter(int index, const Value& value) {
  const auto position = static_cast<std::size_t>(index);
  if (versions_[position] != 0 && parameters_[position] == value) return;
  parameters_[position] = value;
  ++versions_[position];
}

const Value& ExecutorState::parameter(int index) {
  const auto position = static_cast<std::size_t>(index);
  if (initial_plan_of_[position] >= 0) subplan_state(initial_plan_of_[position]).set_outputs(parameters_);
  return parameters_[position];
}

std::uint64_t ExecutorState::version(const Dependencies& dependencies) const {
  std::uint64_t sum = 0;
  for (const int dependency : dependencies) sum += versions_[static_cast<std::size_t>(dependency)];
  return sum;
}

void ExecutorState::copy_parameters(const ExecutorState& from) {
  parameters_ = from.parameters_;
  for (std::size_t i = 0; i < parameters_.size(); ++i) ++versions_[i];
}

// --- subplans ---

SubplanState& ExecutorState::subplan_state(int subplan) {
  std::unique_ptr<SubplanState>& made = subplans_[static_cast<std::size_t>(subplan)];
  if (made == nullptr) made = std::make_unique<SubplanState>(*this, subplan);
  return *made;
}

Value ExecutorState::run(const query::Subplan& subplan, std::span<const Value> arguments, query::LeftSide& left) {
  for (std::size_t i = 0; i < arguments.size(); ++i) set_parameter(subplan.arguments[i].parameter, arguments[i]);
  return subplan_state(subplan.subplan).value(subplan, left);
}

CommonTable& ExecutorState::common_table(int subplan) {
  // Nothing is changed twice.
  if (first_run != nullptr && statement.subplans[static_cast<std::size_t>(subplan)].changes_data)
    return first_run->common_table(subplan);
  std::unique_ptr<CommonTable>& table = common_tables_[static_cast<std::size_t>(subplan)];
  if (table == nullptr) {
    table = std::make_unique<CommonTable>();
    table->plan = make_state(*this, *statement.subplans[static_cast<std::size_t>(subplan)].plan);
    table->rows = std::make_unique<RowStore>(database().host(), table->plan->width(), inputs.work_memory_bytes);
    table->version = version(table->plan->dependencies());
  }
  return *table;
}

void ExecutorState::renew(CommonTable& table) {
  const std::uint64_t now = version(table.plan->dependencies());
  if (table.version == now) return;
  table.version = now;
  table.rows->clear();
  table.complete = false;
  table.plan->rescan();
}

bool ExecutorState::fetch_common_row(CommonTable& table, std::uint64_t number) {
  while (table.rows->size() <= number) {
    RowView row;
    if (table.complete || !table.plan->next(row)) {
      table.complete = true;
      return false;
    }
    table.rows->append(row);
  }
  return true;
}

void ExecutorState::finish_changes() {
  for (std::size_t i = 0; i < statement.subplans.size(); ++i) {
    if (!statement.subplans[i].changes_data) continue;
    CommonTable& table = common_table(static_cast<int>(i));
    if (table.complete) continue;
    // Nobody reads these rows any more.
    for (RowView row; table.plan->next(row);) {
    }
    table.complete = true;
  }
}

ForeignKeyQueue& ExecutorState::foreign_keys() {
  if (inputs.foreign_keys != nullptr) return *inputs.foreign_keys;
  if (foreign_keys_ == nullptr) foreign_keys_ = std::make_unique<ForeignKeyQueue>(inputs);
  return *foreign_keys_;
}

void ExecutorState::fire_foreign_keys() {
  if (foreign_keys_ != nullptr) foreign_keys_->fire();
}

void ExecutorState::set_work_table(int index, const RowStore* rows) {
  work_tables_[static_cast<std::size_t>(index)] = rows;
  ++versions_[static_cast<std::size_t>(work_table_dependency(index))];
}

// --- measurements ---

plan::NodeMeasurement* ExecutorState::measurement(const plan::Plan& plan) {
  if (!inputs.measure) return nullptr;
  std::unique_ptr<plan::NodeMeasurement>& made = measurements_[&plan];
  if (made == nullptr) made = std::make_unique<plan::NodeMeasurement>();
  return made.get();
}

const plan::NodeMeasurement* ExecutorState::find_measurement(const plan::Plan& plan) const {
  const auto found = measurements_.find(&plan);
  return found == measurements_.end() || found->second->loops == 0 ? nullptr : found->second.get();
}

}  // namespace polarsim::engine::executor
