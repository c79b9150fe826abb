#include "engine/executor/executor.h"

#include <fmt/format.h>

#include "engine/executor/node_state.h"
#include "engine/executor/result.h"
#include "engine/executor/row_store.h"

namespace polarsim::engine::executor {

StatementSnapshot::StatementSnapshot(Database& database, txn::Transaction& transaction)
    : database_(database), transaction_(transaction) {
  if (transaction.isolation == txn::IsolationLevel::repeatable_read ||
      database.config().planted.on(PlantedBug::snapshot_before_lock_wait))
    snapshot_.emplace(database.transactions(), transaction);
}

const txn::Snapshot& StatementSnapshot::take() {
  if (common_ == nullptr) common_ = transaction_.statement_snapshot;
  if (common_ != nullptr) return *common_;
  if (!snapshot_) snapshot_.emplace(database_.transactions(), transaction_);
  return **snapshot_;
}

Execution::Execution(plan::PlannedStatementPtr statement, const ExecutionInputs& inputs)
    : statement_(std::move(statement)) {
  const txn::Snapshot* snapshot = inputs.snapshot;
  if (snapshot == nullptr) {
    snapshot_.emplace(inputs.database.transactions(), inputs.transaction);
    snapshot = &**snapshot_;
  }
  state_ = std::make_unique<ExecutorState>(*statement_, inputs, *snapshot);
  root_ = make_state(*state_, *statement_->plan);
}

Execution::~Execution() = default;

bool Execution::next(RowView& row) {
  if (!root_->next(row)) return false;
  ++returned_;
  return true;
}

void Execution::finish() {
  state_->finish_changes();
  state_->fire_foreign_keys();
}

std::uint64_t Execution::processed() const {
  return statement_->plan->as<plan::ModifyTable>() != nullptr ? rows_changed(*root_) : returned_;
}

const plan::NodeMeasurement* Execution::measurement(const plan::Plan& plan) const {
  return state_->find_measurement(plan);
}

QueryResult run_to_the_end(Execution& execution, const plan::PlannedStatement& statement) {
  QueryResult result;
  for (const query::OutputName& column : statement.columns) result.columns.push_back({column.name, column.type});
  for (RowView row; execution.next(row);)
    result.rows.emplace_back(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(result.columns.size()));
  execution.finish();
  const char* format = "SELECT {}";
  if (statement.command == query::Command::insert) format = "INSERT 0 {}";
  if (statement.command == query::Command::update) format = "UPDATE {}";
  if (statement.command == query::Command::remove) format = "DELETE {}";
  result.tag = fmt::format(fmt::runtime(format), execution.processed());
  return result;
}

QueryResult execute(const plan::PlannedStatementPtr& statement, const ExecutionInputs& inputs) {
  Execution execution(statement, inputs);
  return run_to_the_end(execution, *statement);
}

}  // namespace polarsim::engine::executor
