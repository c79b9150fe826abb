#include "engine/cluster/coordinator_session.h"

#include <mutex>
#include <utility>

#include "engine/cluster/schema_change.h"
#include "engine/cluster/select_plan.h"
#include "engine/sql/parser.h"

namespace polarsim::engine::cluster {

namespace {

QueryResult tagged(std::string tag) {
  QueryResult result;
  result.tag = std::move(tag);
  return result;
}

void add_warnings(QueryResult& result, std::vector<ErrorFields> warnings) {
  for (ErrorFields& warning : warnings) result.notices.push_back(std::move(warning));
}

ErrorFields warning(const char* state, std::string message) {
  return ErrorFields{state, std::move(message), "", "", "", 0};
}

}  // namespace

CoordinatorSession::CoordinatorSession(Coordinator& coordinator, std::uint32_t process_id)
    : coordinator_(coordinator),
      process_id_(process_id),
      local_(coordinator.instance().connect()),
      executor_(coordinator.host(), coordinator.config().node),
      transaction_(coordinator, executor_, *local_, process_id) {}

void CoordinatorSession::close() {
  // Nodes roll back what their lost session had open; waiting for their answers would help nobody.
  executor_.close();
  local_->close();
  status_ = TransactionStatus::idle;
}

QueryResult CoordinatorSession::execute(const sql::StatementPtr& statement, std::string_view text,
                                        std::span<const Value> parameters) {
  const Request request{statement, text, parameters};
  if (const auto* transaction_control = std::get_if<sql::TransactionControl>(&statement->body))
    return control(*transaction_control, request);
  if (status_ == TransactionStatus::failed) {
    throw SqlError(sqlstate::in_failed_sql_transaction,
                   "current transaction is aborted, commands ignored until end of transaction block");
  }
  if (!in_block()) return run_alone(request);
  try {
    return dispatch(request);
  } catch (const SqlError&) {
    transaction_.rollback();
    status_ = TransactionStatus::failed;
    throw;
  }
}

QueryResult CoordinatorSession::run_alone(const Request& request) {
  transaction_start_us_ = coordinator_.host().realtime_us();
  begin_ = "BEGIN";
  try {
    QueryResult result = dispatch(request);
    add_warnings(result, transaction_.commit());
    return result;
  } catch (const SqlError&) {
    transaction_.rollback();
    throw;
  }
}

// --- transaction control ---

QueryResult CoordinatorSession::control(const sql::TransactionControl& control, const Request& request) {
  using Kind = sql::TransactionControl::Kind;
  switch (control.kind) {
    case Kind::begin:
      return begin(control, request);
    case Kind::commit:
      return commit();
    case Kind::rollback: {
      QueryResult result = tagged("ROLLBACK");
      if (status_ == TransactionStatus::idle) {
        result.notices.push_back(warning(sqlstate::no_active_sql_transaction, "there is no transaction in progress"));
      }
      transaction_.rollback();
      status_ = TransactionStatus::idle;
      return result;
    }
    case Kind::prepare:
    case Kind::commit_prepared:
    case Kind::rollback_prepared:
      return commit_or_forget_prepared(control, request);
    case Kind::savepoint:
    case Kind::rollback_to:
    case Kind::release:
      throw SqlError(sqlstate::feature_not_supported, "a savepoint is not supported on a coordinator");
  }
  throw SqlError(sqlstate::internal_error, "unknown transaction statement");
}

QueryResult CoordinatorSession::begin(const sql::TransactionControl& control, const Request& request) {
  QueryResult result = tagged("BEGIN");
  if (status_ != TransactionStatus::idle) {
    if (status_ == TransactionStatus::failed) {
      throw SqlError(sqlstate::in_failed_sql_transaction,
                     "current transaction is aborted, commands ignored until end of transaction block");
    }
    result.notices.push_back(warning(sqlstate::active_sql_transaction, "there is already a transaction in progress"));
    return result;
  }
  begin_ = "BEGIN";
  if (control.modes != sql::TransactionModes{}) {
    begin_ = sql::deparse(*request.statement);
    // The nodes hear of the level when they are needed; that it is one they know is to be said now.
    transaction_.enter_local_block(begin_);
  }
  transaction_start_us_ = coordinator_.host().realtime_us();
  status_ = TransactionStatus::in_transaction;
  return result;
}

QueryResult CoordinatorSession::commit() {
  if (status_ == TransactionStatus::idle) {
    QueryResult result = tagged("COMMIT");
    result.notices.push_back(warning(sqlstate::no_active_sql_transaction, "there is no transaction in progress"));
    return result;
  }
  const bool failed = std::exchange(status_, TransactionStatus::idle) == TransactionStatus::failed;
  if (failed) return tagged("ROLLBACK");
  QueryResult result = tagged("COMMIT");
  add_warnings(result, transaction_.commit());
  return result;
}

QueryResult CoordinatorSession::commit_or_forget_prepared(const sql::TransactionControl& control,
                                                          const Request& request) {
  if (control.kind != sql::TransactionControl::Kind::prepare || status_ != TransactionStatus::in_transaction) {
    if (status_ == TransactionStatus::in_transaction) transaction_.enter_local_block(begin_);
    return local_->execute(request.statement, request.text, request.parameters);
  }
  status_ = TransactionStatus::idle;
  if (!executor_.in_block().empty()) {
    transaction_.rollback();
    throw SqlError(sqlstate::feature_not_supported, "cannot use 2PC in transactions involving multiple servers");
  }
  try {
    transaction_.enter_local_block(begin_);
    QueryResult result = local_->execute(request.statement, request.text, request.parameters);
    transaction_.forget_local_block();
    return result;
  } catch (const SqlError&) {
    transaction_.rollback();
    throw;
  }
}

// --- statements ---

QueryResult CoordinatorSession::dispatch(const Request& request) {
  const auto metadata = coordinator_.metadata();
  const StatementInputs inputs{request.parameters, transaction_start_us_};
  const sql::StatementBody& body = request.statement->body;
  if (const auto* select = std::get_if<sql::Select>(&body)) {
    if (!select->from) {
      if (auto result = run_cluster_function(*select, request)) return std::move(*result);
      return run_local(request, false);
    }
    const auto table = metadata->find(*select->from);
    return table ? run_select(*table, *select, request) : run_local(request, false);
  }
  if (const auto* insert = std::get_if<sql::Insert>(&body)) {
    const auto table = metadata->find(insert->table);
    return table ? run_modification(plan_insert(*table, *insert, inputs)) : run_local(request, true);
  }
  if (const auto* update = std::get_if<sql::Update>(&body)) {
    const auto table = metadata->find(update->table);
    return table ? run_modification(plan_update(*table, *update, inputs)) : run_local(request, true);
  }
  if (const auto* removal = std::get_if<sql::Delete>(&body)) {
    const auto table = metadata->find(removal->table);
    return table ? run_modification(plan_delete(*table, *removal, inputs)) : run_local(request, true);
  }
  if (std::holds_alternative<sql::CreateTable>(body)) {
    require_primary();
    return run_local(request, true);
  }
  if (const auto* drop = std::get_if<sql::DropTable>(&body)) return run_drop(*drop, request);
  return run_local(request, false);
}

QueryResult CoordinatorSession::run_local(const Request& request, bool modifies) {
  if (in_block()) {
    transaction_.enter_local_block(begin_);
    if (modifies) transaction_.note_local_write();
  }
  return local_->execute(request.statement, request.text, request.parameters);
}

QueryResult CoordinatorSession::run_modification(std::vector<Task> tasks) {
  const auto metadata = coordinator_.metadata();
  if (in_block() || tasks.size() > 1) return combine_modifications(executor_.run(*metadata, tasks, true, begin_));
  try {
    return std::move(executor_.run(*metadata, tasks, false).front());
  } catch (const SqlError& error) {
    // The statement is its own COMMIT: a node that failed inside it cannot say how far it came.
    if (!outcome_unknown(error.sqlstate()) || error.sqlstate().starts_with("08") || error.sqlstate().starts_with("57"))
      throw;
    ErrorFields fields = error.fields();
    fields.sqlstate = "08007";
    throw SqlError(std::move(fields));
  }
}

QueryResult CoordinatorSession::run_select(const DistributedTable& table, const sql::Select& select,
                                           const Request& request) {
  const StatementInputs inputs{request.parameters, transaction_start_us_};
  const SelectPlan plan = plan_select(table, select, inputs);
  std::vector<QueryResult> results = executor_.run(*coordinator_.metadata(), plan.tasks, in_block(), begin_);
  return merge_select(table, plan, inputs, std::move(results));
}

// --- the cluster's own functions and DDL ---

void CoordinatorSession::require_primary() const {
  if (coordinator_.is_primary()) return;
  throw SqlError(sqlstate::internal_error, "operation is not allowed on this node", "",
                 "Connect to the coordinator and run it again.");
}

QueryResult CoordinatorSession::run_schema_change(const std::function<void()>& change, QueryResult result) {
  const std::lock_guard<sim::Mutex> lock(coordinator_.ddl_mutex());
  change();
  add_warnings(result, transaction_.commit());
  return result;
}

QueryResult CoordinatorSession::run_drop(const sql::DropTable& drop, const Request& request) {
  require_primary();
  const auto metadata = coordinator_.metadata();
  bool distributed = false;
  for (const sql::TableName& name : drop.tables) distributed = distributed || metadata->find(name) != nullptr;
  if (!distributed) return run_local(request, true);
  if (in_block())
    throw SqlError(sqlstate::active_sql_transaction,
                   "DROP TABLE of a distributed table cannot run inside a transaction block");
  return run_schema_change([&] { SchemaChange(coordinator_, executor_, transaction_, *local_).drop_tables(drop); },
                           tagged("DROP TABLE"));
}

}  // namespace polarsim::engine::cluster
