#include "engine/node/local_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <utility>
#include <variant>

#include "engine/commands/analyze.h"
#include "engine/commands/command.h"
#include "engine/executor/foreign_keys.h"
#include "engine/executor/system_views.h"
#include "engine/node/session_checks.h"
#include "engine/node/told_columns.h"
#include "engine/types/error.h"
#include "sim/simulation.h"

namespace polarsim::engine {

namespace {

// pg_locks.objsubid of advisory locks that are not those of pg_advisory_lock(), which has 1 and 2: the closest
// relative's.
constexpr std::uint64_t shard_lock_class = 5;
constexpr std::uint64_t definitions_lock_class = 14;

constexpr std::size_t own_plans = 500;
constexpr std::size_t common_plans = 2048;

bool allowed_in_failed_block(const syntax::Statement& statement) {
  using Kind = syntax::TransactionControl::Kind;
  const auto* control = std::get_if<syntax::TransactionControl>(&statement.body);
  if (control == nullptr) return false;
  return control->kind == Kind::commit || control->kind == Kind::rollback || control->kind == Kind::prepare ||
         control->kind == Kind::rollback_to;
}

std::string_view kind_name(syntax::ObjectKind kind) {
  switch (kind) {
    case syntax::ObjectKind::index:
      return "INDEX";
    case syntax::ObjectKind::sequence:
      return "SEQUENCE";
    case syntax::ObjectKind::view:
      return "VIEW";
    case syntax::ObjectKind::schema:
      return "SCHEMA";
    default:
      return "TABLE";
  }
}

// What a command is called when a read-only transaction refuses it; empty if it does not.
struct CommandName {
  std::string operator()(const syntax::CreateTable&) const { return "CREATE TABLE"; }
  std::string operator()(const syntax::CreateIndex&) const { return "CREATE INDEX"; }
  std::string operator()(const syntax::CreateSequence&) const { return "CREATE SEQUENCE"; }
  std::string operator()(const syntax::CreateView&) const { return "CREATE VIEW"; }
  std::string operator()(const syntax::CreateSchema&) const { return "CREATE SCHEMA"; }
  std::string operator()(const syntax::AlterSequence&) const { return "ALTER SEQUENCE"; }
  std::string operator()(const syntax::Drop& drop) const { return fmt::format("DROP {}", kind_name(drop.kind)); }
  std::string operator()(const syntax::AlterTable& alter) const {
    return fmt::format("ALTER {}", kind_name(alter.kind));
  }
  std::string operator()(const syntax::Rename& rename) const { return fmt::format("ALTER {}", kind_name(rename.kind)); }
  std::string operator()(const syntax::AlterSchema& alter) const {
    return fmt::format("ALTER {}", kind_name(alter.kind));
  }
  std::string operator()(const syntax::Truncate&) const { return "TRUNCATE TABLE"; }
  std::string operator()(const syntax::Comment&) const { return "COMMENT"; }
  template <typename Other>
  std::string operator()(const Other&) const {
    return {};
  }
};

bool is_query(const syntax::Statement& statement) {
  const syntax::StatementBody& body = statement.body;
  return std::holds_alternative<syntax::Select>(body) || std::holds_alternative<syntax::Insert>(body) ||
         std::holds_alternative<syntax::Update>(body) || std::holds_alternative<syntax::Delete>(body);
}

SqlError transaction_failed() {
  return {sqlstate::in_failed_sql_transaction,
          "current transaction is aborted, commands ignored until end of transaction block"};
}

}  // namespace

CommonCaches::CommonCaches(Database& database)
    : relations(database), settings(std::make_shared<const Settings>(database.config())), plans(common_plans) {}

LocalSession::LocalSession(Database& database, CommonCaches& common)
    : database_(database),
      common_(common),
      relations_(common.relations),
      backend_(&database.connect()),
      process_id_(backend_->process_id()),
      services_(database, *backend_, sequences_, services()),
      plans_(own_plans) {
  settled_ = {common.settings, common.settings, false};
  call_.session = &services_;
  backend_start_us_ = state_change_us_ = database_.host().realtime_us();
  backend_->set_activity([this] { return activity(); });
  backend_->set_prepared_statements([this] { return told_prepared_statements(); });
}

LocalServices::Session LocalSession::services() {
  LocalServices::Session session;
  session.transaction = [this] { return transaction_; };
  session.search_path = [this] { return search_path(); };
  session.setting = [this](std::string_view name) { return setting_text(name); };
  session.set = [this](std::string_view name, std::string_view value, bool local) {
    syntax::SetVariable setting;
    setting.name = name;
    setting.value = value;
    setting.local = local && status_ != TransactionStatus::idle;
    set(setting);
  };
  session.refuse_if_read_only = [this](const char* what) { refuse_if_read_only(what); };
  session.warn = [this](const char* sqlstate, std::string message) { warn(sqlstate, std::move(message)); };
  session.query = [this] { return std::string(text_); };
  session.is_shard = [this](std::uint32_t relation) { return hook_ != nullptr && hook_->is_shard(relation); };
  session.results = &results_;
  session.measure_next_query = [this](const plan::ExplainOptions& options) { measure_next_ = options; };
  session.run_in_parts = [this](bool begin) {
    if (!trusted_) throw SqlError(sqlstate::insufficient_privilege, "permission denied for function run_in_parts");
    begin ? begin_parts() : end_parts();
  };
  session.last_measured_plan = [this] { return measured_plan_; };
  return session;
}

LocalSession::~LocalSession() { close(); }

void LocalSession::close() {
  abort_open();
  if (status_ != TransactionStatus::idle) leave_block(false);
  if (backend_ == nullptr) return;
  backend_->set_interrupt_listener(nullptr);
  unlock_definitions();
  release_kept_locks();
  database_.disconnect(*std::exchange(backend_, nullptr));
}

void LocalSession::cancel() {
  if (backend_ != nullptr) backend_->request_cancel();
}

void LocalSession::terminate() {
  if (backend_ != nullptr) backend_->request_termination();
}

bool LocalSession::termination_requested() const { return backend_ == nullptr || backend_->termination_requested(); }

txn::CancelReason LocalSession::cancel_reason() const {
  return backend_ != nullptr ? backend_->cancel_reason() : txn::CancelReason::user;
}

void LocalSession::set_remote_work(std::function<txn::RemoteWork()> tell) {
  if (backend_ != nullptr) backend_->set_remote_work(std::move(tell));
}

void LocalSession::set_interrupt_listener(std::function<void()> listener) {
  if (backend_ != nullptr) backend_->set_interrupt_listener(std::move(listener));
}

sim::Duration LocalSession::idle_in_transaction_timeout() const {
  return settled_.in_force->idle_in_transaction_session_timeout();
}

syntax::TransactionModes LocalSession::default_modes() const {
  syntax::TransactionModes modes;
  modes.isolation = settled_.in_force->default_transaction_isolation();
  if (modes.isolation == "read committed") modes.isolation.clear();
  if (settled_.in_force->default_transaction_read_only()) modes.read_only = true;
  return modes;
}

// --- statements ---

LocalSession::Busy::Busy(LocalSession& session, std::string_view text) : session_(session) {
  if (session_.busy_++ > 0) return;
  session_.last_query_ = text;
  session_.query_start_us_ = session_.state_change_us_ = session_.database_.host().realtime_us();
}

LocalSession::Busy::~Busy() {
  if (--session_.busy_ == 0) session_.state_change_us_ = session_.database_.host().realtime_us();
}

txn::Activity LocalSession::activity() const {
  txn::Activity told;
  const TransactionStatus status = told_status_ ? told_status_() : status_;
  told.state = busy_ > 0                                     ? "active"
               : status == TransactionStatus::idle           ? "idle"
               : status == TransactionStatus::in_transaction ? "idle in transaction"
                                                             : "idle in transaction (aborted)";
  told.query = last_query_;
  told.application_name = setting_text("application_name");
  told.backend_start_us = backend_start_us_;
  if (transaction_ != nullptr || status != TransactionStatus::idle)
    told.transaction_start_us = call_.transaction_start_us;
  told.query_start_us = query_start_us_;
  told.state_change_us = state_change_us_;
  return told;
}

std::vector<txn::PreparedStatement> LocalSession::told_prepared_statements() {
  std::vector<txn::PreparedStatement> statements;
  for (const auto& [name, prepared] : prepared_statements()) {
    if (prepared.prepared_us == 0) continue;
    statements.push_back(
        {name, prepared.text, prepared.prepared_us, prepared.description->parameters, prepared.executions});
  }
  return statements;
}

namespace {

// What is asked for and not there ends the statement, not the node.
template <typename Work>
auto within_memory(const Work& work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    throw SqlError("53200", "out of memory");
  }
}

}  // namespace

template <typename Work>
auto LocalSession::guarded(const StatementRequest& request, const Work& work) {
  if (termination_requested()) {
    close();
    throw SessionTerminated::by_administrator();
  }
  const Busy busy(*this, request.text);
  notices_.clear();
  text_ = request.text;
  set_limits();
  try {
    if (status_ == TransactionStatus::failed && !allowed_in_failed_block(*request.statement))
      throw transaction_failed();
    return within_memory(work);
  } catch (const SqlError& error) {
    after_error();
    if (error.sqlstate() != sqlstate::admin_shutdown || !termination_requested()) throw;
  }
  close();
  throw SessionTerminated::by_administrator();
}

QueryResult LocalSession::execute(const StatementRequest& request) {
  if (database_.host().simulation().trace().enabled())
    database_.host().log(fmt::format("[{}] {}", process_id_, request.text));
  return guarded(request, [&] {
    QueryResult result = dispatch(request);
    for (ErrorFields& notice : notices_) result.notices.push_back(std::move(notice));
    hold_back(result.notices);
    return result;
  });
}

void LocalSession::hold_back(std::vector<ErrorFields>& notices) const {
  std::erase_if(notices, [&](const ErrorFields& notice) { return !settled_.in_force->lets_through(notice.severity); });
}

StatementDescription LocalSession::describe(const StatementRequest& request) {
  return guarded(request, [&] {
    if (status_ != TransactionStatus::idle) return describe_in_transaction(request);
    start_transaction();
    StatementDescription description = describe_in_transaction(request);
    database_.transactions().commit(take_transaction());
    return description;
  });
}

void LocalSession::fail() {
  if (backend_ != nullptr && status_ == TransactionStatus::in_transaction) after_error();
}

std::vector<ErrorFields> LocalSession::run_as_statement(const StatementRequest& request,
                                                        const std::function<void()>& work) {
  return guarded(request, [&] {
    queried_ = true;
    set_call_context();
    work();
    return std::exchange(notices_, {});
  });
}

void LocalSession::with_analysis(const std::function<void(const query::AnalysisContext&)>& work) {
  const std::vector<std::string> path = search_path();
  executor::CatalogRelations relations(database_, relations_, *transaction_, path);
  work({relations, call_, nullptr, false});
}

void LocalSession::replace_definition(storage::RelationId relation, catalog::Definition definition) {
  database_.catalog().alter(*transaction_, relation, std::move(definition));
  database_.transactions().next_command(*transaction_);
}

void LocalSession::lock_shard(std::int64_t shard) {
  const txn::LockTag tag{txn::LockTag::Kind::advisory, static_cast<std::uint64_t>(shard), shard_lock_class};
  database_.locks().acquire(*backend_, transaction_->level().locks, tag, txn::LockMode::share_update_exclusive);
}

void LocalSession::lock_definitions() {
  const txn::LockTag tag{txn::LockTag::Kind::advisory, 0, definitions_lock_class};
  if (!has_locked_definitions()) database_.locks().acquire(*backend_, definitions_lock_, tag, txn::LockMode::exclusive);
}

void LocalSession::unlock_definitions() {
  if (backend_ != nullptr) database_.locks().release_all(*backend_, definitions_lock_);
}

void LocalSession::keep_relation_locks() {
  for (const txn::TransactionLevel& level : transaction_->levels) {
    for (const txn::LockOwner::Held& held : level.locks.locks) {
      if (held.tag.kind != txn::LockTag::Kind::relation || held.mode <= txn::LockMode::row_exclusive) continue;
      database_.locks().acquire(*backend_, kept_locks_, held.tag, held.mode);
    }
  }
}

void LocalSession::release_kept_locks() {
  if (backend_ != nullptr) database_.locks().release_all(*backend_, kept_locks_);
}

void LocalSession::lock_relation(storage::RelationId relation, txn::LockMode mode) {
  database_.locks().acquire(*backend_, transaction_->level().locks, txn::LockTag::of_relation(relation), mode);
}

CallContext LocalSession::output_context() const {
  CallContext context;
  context.time_zone = settled_.in_force->time_zone();
  context.session = call_.session;
  return context;
}

void LocalSession::set_limits() {
  const Settings& settings = *settled_.in_force;
  backend_->begin_statement();
  backend_->limits.lock_timeout = settings.lock_timeout();
  backend_->limits.deadlock_timeout = settings.deadlock_timeout();
  backend_->limits.statement_deadline = settings.statement_timeout() > sim::Duration(0)
                                            ? database_.host().deadline_in(settings.statement_timeout())
                                            : sim::never;
}

QueryResult LocalSession::tagged(std::string tag) {
  QueryResult result;
  result.tag = std::move(tag);
  return result;
}

QueryResult LocalSession::dispatch(const StatementRequest& request) {
  const syntax::StatementBody& body = request.statement->body;
  if (const auto* transaction_control = std::get_if<syntax::TransactionControl>(&body))
    return control(*transaction_control);
  QueryResult result;
  if (run_utility(request, result)) return result;
  if (std::holds_alternative<syntax::LockTable>(body)) {
    require_block("LOCK TABLE");
  } else {
    queried_ = true;
  }
  if (status_ == TransactionStatus::in_transaction) return run_in_transaction(request);
  start_transaction();
  result = run_in_transaction(request);
  database_.transactions().commit(take_transaction());
  return result;
}

bool LocalSession::run_utility(const StatementRequest& request, QueryResult& result) {
  const syntax::StatementBody& body = request.statement->body;
  if (const auto* setting = std::get_if<syntax::SetVariable>(&body)) {
    result = set(*setting);
  } else if (const auto* shown = std::get_if<syntax::ShowVariable>(&body)) {
    result = show(*shown);
  } else if (const auto* modes = std::get_if<syntax::SetTransaction>(&body)) {
    result = set_transaction(*modes);
  } else if (const auto* discarded = std::get_if<syntax::Discard>(&body)) {
    result = discard(*discarded);
  } else if (std::holds_alternative<syntax::Checkpoint>(body)) {
    database_.checkpoint();
    result = tagged("CHECKPOINT");
  } else if (const auto* maintained = std::get_if<syntax::Vacuum>(&body); maintained != nullptr && maintained->vacuum) {
    vacuum(*maintained);
    result = tagged("VACUUM");
  } else if (const auto* prepared = std::get_if<syntax::Prepare>(&body)) {
    result = prepare_statement(request, *prepared);
  } else if (const auto* deallocated = std::get_if<syntax::Deallocate>(&body)) {
    result = deallocate(*deallocated);
  } else {
    return false;
  }
  return true;
}

storage::RelationId LocalSession::find_vacuumed(const syntax::TableName& name) {
  const catalog::Catalog& catalog = database_.catalog();
  const auto found = name.schema.empty() ? catalog.find(nullptr, search_path(), name.name)
                                         : catalog.find_in_schema(nullptr, name.schema, name.name);
  if (found) return found->id;
  const std::string shown = name.schema.empty() ? name.name : name.schema + "." + name.name;
  throw SqlError(sqlstate::undefined_table, fmt::format("relation \"{}\" does not exist", shown));
}

void LocalSession::vacuum(const syntax::Vacuum& vacuum) {
  require_no_block("VACUUM");
  std::vector<storage::RelationId> tables;
  for (const syntax::TableName& name : vacuum.tables) {
    // What is computed when it is read has no pages.
    if (executor::find_system_view(name.schema, name.name) == nullptr) tables.push_back(find_vacuumed(name));
  }
  if (vacuum.tables.empty() || !tables.empty()) database_.vacuum(*backend_, tables, vacuum.freeze);
  if (!vacuum.analyze) return;
  start_transaction();
  analyze(vacuum);
  database_.transactions().commit(take_transaction());
}

void LocalSession::analyze(const syntax::Vacuum& statement) {
  const std::vector<std::string> path = search_path();
  executor::CatalogRelations relations(database_, relations_, *transaction_, path);
  commands::CommandContext context{database_, *transaction_, call_, relations, path, notices_};
  commands::analyze(context, statement);
}

QueryResult LocalSession::run_in_transaction(const StatementRequest& request) {
  set_call_context();
  const syntax::StatementBody& body = request.statement->body;
  QueryResult result;
  if (is_query(*request.statement)) {
    result = run_query(request);
  } else if (commands::is_command(*request.statement)) {
    result = run_command(request);
  } else if (const auto* create = std::get_if<syntax::CreateTableAs>(&body)) {
    result = create_table_as(request, *create);
  } else if (const auto* maintained = std::get_if<syntax::Vacuum>(&body)) {
    analyze(*maintained);
    result = tagged("ANALYZE");
  } else if (const auto* explained = std::get_if<syntax::Explain>(&body)) {
    result = explain(request, *explained);
  } else if (const auto* executed = std::get_if<syntax::Execute>(&body)) {
    const PreparedStatement prepared = find_prepared_and_analysed(executed->name);
    const Row arguments = evaluate_arguments(*executed, prepared);
    ++find_prepared(executed->name).executions;
    const StatementRequest wanted{prepared.statement, prepared.text, arguments, prepared.description->parameters, true};
    // The plan that is then run is this one, which is remembered.
    if (is_query(*prepared.statement)) refuse_other_columns(prepared.description->columns, plan(wanted)->columns);
    return run_in_transaction(wanted);
  } else if (const auto* copied = std::get_if<syntax::Copy>(&body)) {
    result = run_copy(*copied);
  } else {
    throw SqlError(sqlstate::feature_not_supported, "REFRESH MATERIALIZED VIEW is not supported");
  }
  end_command();
  return result;
}

void LocalSession::end_command() {
  if (transaction_->statement_snapshot == nullptr) return database_.transactions().next_command(*transaction_);
  transaction_->last_command = std::max(transaction_->last_command, transaction_->command);
  transaction_->command = transaction_->statement_snapshot->command;
}

void LocalSession::begin_parts() {
  forget_parts();
  const auto snapshot = std::make_shared<const txn::ActiveSnapshot>(database_.transactions(), *transaction_);
  transaction_->statement_snapshot = std::shared_ptr<const txn::Snapshot>(snapshot, &**snapshot);
  parts_keys_ = std::make_unique<executor::ForeignKeyQueue>(
      executor::ExecutionInputs{.database = database_,
                                .transaction = *transaction_,
                                .call = call_,
                                .work_memory_bytes = settled_.in_force->work_memory_bytes(),
                                .relations = &relations_});
}

void LocalSession::end_parts() {
  if (parts_keys_ == nullptr) return;
  parts_keys_->fire();
  forget_parts();
}

void LocalSession::forget_parts() {
  parts_keys_ = nullptr;
  if (transaction_ == nullptr || transaction_->statement_snapshot == nullptr) return;
  transaction_->statement_snapshot = nullptr;
  database_.transactions().next_command(*transaction_);
}

void LocalSession::set_call_context() {
  call_settings_ = settled_.in_force;
  call_.time_zone = call_settings_->time_zone();
  call_.statement_start_us = database_.host().realtime_us();
}

QueryResult LocalSession::run_command(const StatementRequest& request) {
  if (const std::string name = std::visit(CommandName{}, request.statement->body); !name.empty())
    refuse_if_read_only(name);
  const std::vector<std::string> path = search_path();
  executor::CatalogRelations relations(database_, relations_, *transaction_, path);
  commands::CommandContext context{database_, *transaction_, call_, relations, path, notices_};
  context.allow_system_tables = allows_catalog_changes();
  return tagged(commands::execute(context, *request.statement));
}

StatementDescription LocalSession::describe_in_transaction(const StatementRequest& request) {
  set_call_context();
  const syntax::StatementBody& body = request.statement->body;
  StatementDescription description;
  if (is_query(*request.statement)) {
    queried_ = true;
    // A plan will be wanted. That there is none, as something constant fails, is told when the statement is executed.
    StatementPlanPtr described;
    try {
      described = plan(request);
    } catch (const SqlError& error) {
      // Who is to stop, or has lost its locks, must not begin to wait again.
      const std::string& state = error.sqlstate();
      if (!state.starts_with("22") && state != sqlstate::feature_not_supported) throw;
      described = analyse_only(request);
    }
    if (request.columns != nullptr) refuse_other_columns(*request.columns, described->columns);
    for (const Type& type : described->parameter_types) description.parameters.push_back(type.id);
    for (const query::OutputName& column : described->columns)
      description.columns.push_back({column.name, column.type});
    tell_origins(description.columns, described->origins);
  } else if (const auto* shown = std::get_if<syntax::ShowVariable>(&body)) {
    description.columns.push_back({shown->name, TypeId::text});
  } else if (std::holds_alternative<syntax::Explain>(body)) {
    description.columns.push_back({"QUERY PLAN", TypeId::text});
  } else if (const auto* executed = std::get_if<syntax::Execute>(&body)) {
    const PreparedStatement prepared = find_prepared_and_analysed(executed->name);
    description = describe_in_transaction({prepared.statement, prepared.text, {}, prepared.description->parameters});
    description.parameters.clear();
  }
  return description;
}

// The transaction, or what was done since the last savepoint, ends here, its locks go, and only the block remains to be
// left.
void LocalSession::after_error() {
  backend_->limits.statement_deadline = sim::never;
  forget_parts();
  if (status_ == TransactionStatus::failed) return;
  if (status_ == TransactionStatus::idle) {
    abort_open();
    return;
  }
  status_ = TransactionStatus::failed;
  if (savepoints_.empty()) {
    abort_open();
  } else {
    database_.transactions().rollback_to(*transaction_, savepoints_.back().name);
  }
}

}  // namespace polarsim::engine
