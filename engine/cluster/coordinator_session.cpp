#include "engine/cluster/coordinator_session.h"

#include <mutex>
#include <utility>

#include "engine/cluster/schema_change.h"
#include "engine/cluster/select_plan.h"

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

void refuse_distributed(const Metadata& metadata, const std::vector<sql::TableName>& tables, const char* what) {
  for (const sql::TableName& table : tables) {
    if (metadata.find(table) == nullptr) continue;
    throw SqlError(sqlstate::feature_not_supported,
                   std::string(what) + " of distributed table \"" + table.name + "\" is not supported");
  }
}

}  // namespace

CoordinatorSession::CoordinatorSession(Coordinator& coordinator, std::uint32_t process_id)
    : coordinator_(coordinator),
      process_id_(process_id),
      local_(coordinator.instance().connect()),
      executor_(coordinator.host(), coordinator.config().node),
      transaction_(coordinator, executor_, *local_, process_id) {
  local_->set_interrupt_listener([this] { on_interrupt(); });
}

CoordinatorSession::~CoordinatorSession() {
  // It ends last, and may have something to roll back: nobody must be told of interrupts who is gone by then.
  local_->set_interrupt_listener(nullptr);
}

void CoordinatorSession::close() {
  // Nodes roll back what their lost session had open; waiting for their answers would help nobody.
  executor_.close();
  local_->close();
  status_ = TransactionStatus::idle;
}

void CoordinatorSession::on_interrupt() {
  executor_.cancel();
  if (interrupt_listener_) interrupt_listener_();
}

QueryResult CoordinatorSession::execute(const sql::StatementPtr& statement, std::string_view text,
                                        std::span<const Value> parameters) {
  if (!termination_requested()) {
    executor_.begin_statement();
    try {
      return execute_statement(Request{statement, text, parameters});
    } catch (const SqlError&) {
      if (!termination_requested()) throw;
    }
  }
  close();
  throw SessionTerminated::by_administrator();
}

QueryResult CoordinatorSession::execute_statement(const Request& request) {
  if (const auto* transaction_control = std::get_if<sql::TransactionControl>(&request.statement->body))
    return control(*transaction_control, request);
  if (status_ == TransactionStatus::failed) {
    throw SqlError(sqlstate::in_failed_sql_transaction,
                   "current transaction is aborted, commands ignored until end of transaction block");
  }
  if (!in_block()) return run_alone(request);
  try {
    return dispatch(request);
  } catch (const SqlError&) {
    after_error();
    throw;
  }
}

QueryResult CoordinatorSession::run_alone(const Request& request) {
  transaction_start_us_ = coordinator_.host().realtime_us();
  modes_ = local_->default_modes();
  try {
    QueryResult result = dispatch(request);
    add_warnings(result, transaction_.commit());
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
  if (is_local_definition(body, *metadata)) {
    require_primary();
    return run_local(request, true);
  }
  if (const auto* drop = std::get_if<sql::DropTable>(&body)) return run_drop(*drop, request);
  if (const auto* lock = std::get_if<sql::LockTable>(&body)) refuse_distributed(*metadata, lock->tables, "LOCK TABLE");
  if (const auto* set = std::get_if<sql::SetTransaction>(&body); set != nullptr && !set->session)
    return set_transaction(set->modes, request);
  if (const auto* set = std::get_if<sql::SetVariable>(&body)) {
    sql::TransactionModes modes;
    if (set->name == "transaction_isolation" && !set->reset) modes.isolation = set->value;
    if (set->name == "transaction_read_only" && !set->reset)
      modes.read_only = from_text(set->value, TypeId::boolean).as_boolean();
    if (modes != sql::TransactionModes{}) return set_transaction(modes, request);
  }
  return run_local(request, false);
}

bool CoordinatorSession::is_local_definition(const sql::StatementBody& body, const Metadata& metadata) const {
  if (const auto* truncate = std::get_if<sql::Truncate>(&body)) {
    refuse_distributed(metadata, truncate->tables, "TRUNCATE");
    return true;
  }
  if (const auto* index = std::get_if<sql::CreateIndex>(&body)) {
    refuse_distributed(metadata, {index->table}, "CREATE INDEX");
    return true;
  }
  return std::holds_alternative<sql::CreateTable>(body) || std::holds_alternative<sql::CreateSequence>(body) ||
         std::holds_alternative<sql::DropIndex>(body) || std::holds_alternative<sql::DropSequence>(body);
}

QueryResult CoordinatorSession::run_local(const Request& request, bool modifies) {
  if (in_block()) {
    enter_local_block();
    if (modifies) transaction_.note_local_write();
  }
  return local_->execute(request.statement, request.text, request.parameters);
}

QueryResult CoordinatorSession::run_modification(std::vector<Task> tasks) {
  const auto metadata = coordinator_.metadata();
  if (block_needed() || tasks.size() > 1)
    return combine_modifications(executor_.run(*metadata, tasks, true, begin_text()));
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
  std::vector<QueryResult> results = executor_.run(*coordinator_.metadata(), plan.tasks, block_needed(), begin_text());
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
