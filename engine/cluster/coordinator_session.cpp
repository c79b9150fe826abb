#include "engine/cluster/coordinator_session.h"

#include <mutex>
#include <utility>

#include "engine/cluster/schema_change.h"
#include "engine/cluster/select_plan.h"
#include "engine/commands/command.h"

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

[[noreturn]] void refuse_command(std::string_view name, const char* what) {
  throw SqlError(sqlstate::feature_not_supported,
                 std::string(what) + " of distributed table \"" + std::string(name) + "\" is not supported");
}

// Of a command, the tables that it works on, and what it is called if they are distributed.
struct CommandTargets {
  std::vector<syntax::TableName> tables;
  const char* what = "";
};
struct FindTargets {
  CommandTargets operator()(const syntax::Truncate& truncate) const { return {truncate.tables, "TRUNCATE"}; }
  CommandTargets operator()(const syntax::CreateIndex& create) const { return {{create.table}, "CREATE INDEX"}; }
  CommandTargets operator()(const syntax::LockTable& lock) const { return {lock.tables, "LOCK TABLE"}; }
  CommandTargets operator()(const syntax::AlterTable& alter) const { return {{alter.table}, "ALTER TABLE"}; }
  CommandTargets operator()(const syntax::Rename& rename) const { return {{rename.object}, "ALTER TABLE"}; }
  CommandTargets operator()(const syntax::AlterSchema& alter) const { return {{alter.object}, "ALTER TABLE"}; }
  CommandTargets operator()(const syntax::Copy& copy) const { return {{copy.table}, "COPY"}; }
  CommandTargets operator()(const syntax::CreateTable& create) const {
    CommandTargets targets{{}, "a foreign key to a"};
    const auto add = [&](const std::vector<syntax::Constraint>& constraints) {
      for (const syntax::Constraint& constraint : constraints) targets.tables.push_back(constraint.referenced);
    };
    add(create.constraints);
    for (const syntax::ColumnDefinition& column : create.columns) add(column.constraints);
    return targets;
  }
  template <typename Other>
  CommandTargets operator()(const Other&) const {
    return {};
  }
};

const DistributedTable* find_distributed(const Metadata& metadata, const syntax::TableName& name) {
  return metadata.find(sql::TableName{name.schema, name.name, {}}).get();
}

bool changes_definitions(const syntax::Statement& statement) {
  const syntax::StatementBody& body = statement.body;
  return commands::is_command(statement) ? !std::holds_alternative<syntax::LockTable>(body)
                                         : std::holds_alternative<syntax::CreateTableAs>(body);
}

}  // namespace

CoordinatorSession::CoordinatorSession(Coordinator& coordinator, std::uint32_t process_id)
    : coordinator_(coordinator),
      process_id_(process_id),
      local_(coordinator.instance().connect()),
      executor_(coordinator.host(), coordinator.config().node),
      transaction_(coordinator, executor_, *local_, process_id) {
  local_->set_interrupt_listener([this] { on_interrupt(); });
  local_->set_plan_check([this](const StatementPlan& plan) {
    if (!describing_) refuse_distributed_relations(plan);
  });
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

QueryResult CoordinatorSession::execute(const StatementRequest& request) {
  if (!termination_requested()) {
    executor_.begin_statement();
    try {
      return execute_statement(request);
    } catch (const SqlError&) {
      if (!termination_requested()) throw;
    }
  }
  close();
  throw SessionTerminated::by_administrator();
}

// The coordinator's own tables of the names have the columns of the distributed ones.
StatementDescription CoordinatorSession::describe(const StatementRequest& request) {
  describing_ = true;
  try {
    StatementDescription description = local_->describe(request);
    describing_ = false;
    return description;
  } catch (const SqlError&) {
    describing_ = false;
    throw;
  }
}

QueryResult CoordinatorSession::execute_statement(const StatementRequest& request) {
  if (const auto* transaction_control = std::get_if<syntax::TransactionControl>(&request.statement->body))
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

QueryResult CoordinatorSession::run_alone(const StatementRequest& request) {
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

QueryResult CoordinatorSession::dispatch(const StatementRequest& request) {
  const auto metadata = coordinator_.metadata();
  const syntax::StatementBody& body = request.statement->body;
  if (const auto* set = std::get_if<syntax::SetTransaction>(&body); set != nullptr && !set->session)
    return set_transaction(set->modes, request);
  if (const auto* set = std::get_if<syntax::SetVariable>(&body)) {
    syntax::TransactionModes modes;
    if (set->name == "transaction_isolation" && !set->reset) modes.isolation = set->value;
    if (set->name == "transaction_read_only" && !set->reset)
      modes.read_only = Settings::check_boolean(set->name, set->value);
    if (modes != syntax::TransactionModes{}) return set_transaction(modes, request);
  }
  const bool query = std::holds_alternative<syntax::Select>(body) || std::holds_alternative<syntax::Insert>(body) ||
                     std::holds_alternative<syntax::Update>(body) || std::holds_alternative<syntax::Delete>(body);
  if (!query) return run_command(request, *metadata);
  if (const sql::StatementPtr planned = coordinator_.planner_statement(*request.statement)) {
    if (std::optional<QueryResult> result = run_distributed(*planned, request)) return std::move(*result);
  }
  return run_local(request, !std::holds_alternative<syntax::Select>(body));
}

std::optional<QueryResult> CoordinatorSession::run_distributed(const sql::Statement& statement,
                                                               const StatementRequest& request) {
  const auto metadata = coordinator_.metadata();
  const StatementInputs inputs{request.parameters, transaction_start_us_};
  if (const auto* select = std::get_if<sql::Select>(&statement.body)) {
    if (!select->from) return run_cluster_function(*select, request);
    const auto table = metadata->find(*select->from);
    if (table != nullptr) return run_select(*table, *select, request);
  }
  if (const auto* insert = std::get_if<sql::Insert>(&statement.body)) {
    const auto table = metadata->find(insert->table);
    if (table != nullptr) return run_modification(plan_insert(*table, *insert, inputs));
  }
  if (const auto* update = std::get_if<sql::Update>(&statement.body)) {
    const auto table = metadata->find(update->table);
    if (table != nullptr) return run_modification(plan_update(*table, *update, inputs));
  }
  if (const auto* removal = std::get_if<sql::Delete>(&statement.body)) {
    const auto table = metadata->find(removal->table);
    if (table != nullptr) return run_modification(plan_delete(*table, *removal, inputs));
  }
  return std::nullopt;
}

QueryResult CoordinatorSession::run_command(const StatementRequest& request, const Metadata& metadata) {
  const auto [tables, what] = std::visit(FindTargets{}, request.statement->body);
  for (const syntax::TableName& table : tables) {
    if (find_distributed(metadata, table) != nullptr) refuse_command(table.name, what);
  }
  const bool changes = changes_definitions(*request.statement);
  if (changes) require_primary();
  const auto* const drop = std::get_if<syntax::Drop>(&request.statement->body);
  if (drop != nullptr && drop->kind == syntax::ObjectKind::table) return run_drop(*drop, request);
  // ANALYZE keeps what it finds in this node's catalog; any coordinator may.
  return run_local(request, changes || std::holds_alternative<syntax::Vacuum>(request.statement->body));
}

void CoordinatorSession::refuse_distributed_relations(const StatementPlan& plan) const {
  const auto metadata = coordinator_.metadata();
  for (const RecordingRelations::Opened& opened : plan.opened) {
    if (opened.relation->schema == "public" && metadata->tables.contains(opened.relation->name)) {
      throw SqlError(sqlstate::feature_not_supported,
                     "this statement is not supported on distributed table \"" + opened.relation->name + "\"");
    }
  }
}

QueryResult CoordinatorSession::run_local(const StatementRequest& request, bool modifies) {
  if (in_block()) {
    enter_local_block();
    if (modifies) transaction_.note_local_write();
  }
  return local_->execute(request);
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
                                           const StatementRequest& request) {
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

QueryResult CoordinatorSession::run_drop(const syntax::Drop& drop, const StatementRequest& request) {
  require_primary();
  const auto metadata = coordinator_.metadata();
  bool distributed = false;
  for (const syntax::TableName& name : drop.objects)
    distributed = distributed || find_distributed(*metadata, name) != nullptr;
  if (!distributed) return run_local(request, true);
  if (in_block())
    throw SqlError(sqlstate::active_sql_transaction,
                   "DROP TABLE of a distributed table cannot run inside a transaction block");
  return run_schema_change([&] { SchemaChange(coordinator_, executor_, transaction_, *local_).drop_tables(drop); },
                           tagged("DROP TABLE"));
}

}  // namespace polarsim::engine::cluster
