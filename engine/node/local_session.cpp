#include "engine/node/local_session.h"

#include <fmt/format.h>

#include <utility>
#include <variant>

#include "engine/exec/execution.h"
#include "engine/sql/error.h"
#include "sim/simulation.h"

namespace polarsim::engine {

namespace {

bool allowed_in_failed_block(const sql::Statement& statement) {
  using Kind = sql::TransactionControl::Kind;
  const auto* control = std::get_if<sql::TransactionControl>(&statement.body);
  if (control == nullptr) return false;
  return control->kind == Kind::commit || control->kind == Kind::rollback || control->kind == Kind::prepare ||
         control->kind == Kind::rollback_to;
}

// What a statement is called when a read-only transaction refuses it; null if it does not.
struct WriteName {
  const char* operator()(const sql::Insert&) const { return "INSERT"; }
  const char* operator()(const sql::Update&) const { return "UPDATE"; }
  const char* operator()(const sql::Delete&) const { return "DELETE"; }
  const char* operator()(const sql::CreateTable&) const { return "CREATE TABLE"; }
  const char* operator()(const sql::CreateIndex&) const { return "CREATE INDEX"; }
  const char* operator()(const sql::CreateSequence&) const { return "CREATE SEQUENCE"; }
  const char* operator()(const sql::DropTable&) const { return "DROP TABLE"; }
  const char* operator()(const sql::DropIndex&) const { return "DROP INDEX"; }
  const char* operator()(const sql::DropSequence&) const { return "DROP SEQUENCE"; }
  const char* operator()(const sql::Truncate&) const { return "TRUNCATE TABLE"; }
  const char* operator()(const sql::Select& select) const {
    switch (select.lock) {
      case sql::LockStrength::none:
        return nullptr;
      case sql::LockStrength::key_share:
        return "SELECT FOR KEY SHARE";
      case sql::LockStrength::share:
        return "SELECT FOR SHARE";
      case sql::LockStrength::no_key_update:
        return "SELECT FOR NO KEY UPDATE";
      case sql::LockStrength::update:
        break;
    }
    return "SELECT FOR UPDATE";
  }
  template <typename Other>
  const char* operator()(const Other&) const {
    return nullptr;
  }
};

}  // namespace

LocalSession::LocalSession(Database& database)
    : database_(database), backend_(&database.connect()), process_id_(backend_->process_id()) {
  const auto settings = std::make_shared<const Settings>(database.config());
  settled_ = {settings, settings, false};
}

LocalSession::~LocalSession() { close(); }

void LocalSession::close() {
  abort_open();
  if (status_ != TransactionStatus::idle) leave_block(false);
  if (backend_ == nullptr) return;
  backend_->set_interrupt_listener(nullptr);
  database_.disconnect(*std::exchange(backend_, nullptr));
}

void LocalSession::cancel() {
  if (backend_ != nullptr) backend_->request_cancel();
}

void LocalSession::terminate() {
  if (backend_ != nullptr) backend_->request_termination();
}

bool LocalSession::termination_requested() const { return backend_ == nullptr || backend_->termination_requested(); }

void LocalSession::set_interrupt_listener(std::function<void()> listener) {
  if (backend_ != nullptr) backend_->set_interrupt_listener(std::move(listener));
}

sim::Duration LocalSession::idle_in_transaction_timeout() const {
  return settled_.in_force->idle_in_transaction_session_timeout();
}

sql::TransactionModes LocalSession::default_modes() const {
  sql::TransactionModes modes;
  modes.isolation = settled_.in_force->default_transaction_isolation();
  if (modes.isolation == "read committed") modes.isolation.clear();
  if (settled_.in_force->default_transaction_read_only()) modes.read_only = true;
  return modes;
}

// --- statements ---

QueryResult LocalSession::execute(const sql::StatementPtr& statement, std::string_view text,
                                  std::span<const Value> parameters) {
  if (termination_requested()) {
    close();
    throw SessionTerminated::by_administrator();
  }
  if (database_.host().simulation().trace().enabled()) database_.host().log(fmt::format("[{}] {}", process_id_, text));
  notices_.clear();
  set_limits();
  try {
    if (status_ == TransactionStatus::failed && !allowed_in_failed_block(*statement)) {
      throw SqlError(sqlstate::in_failed_sql_transaction,
                     "current transaction is aborted, commands ignored until end of transaction block");
    }
    QueryResult result = dispatch(*statement, parameters);
    for (ErrorFields& notice : notices_) result.notices.push_back(std::move(notice));
    return result;
  } catch (const SqlError& error) {
    after_error();
    if (error.sqlstate() != sqlstate::admin_shutdown || !termination_requested()) throw;
  }
  close();
  throw SessionTerminated::by_administrator();
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

QueryResult LocalSession::dispatch(const sql::Statement& statement, std::span<const Value> parameters) {
  if (const auto* transaction_control = std::get_if<sql::TransactionControl>(&statement.body))
    return control(*transaction_control);
  QueryResult result;
  if (run_utility(statement, result)) return result;
  if (std::holds_alternative<sql::LockTable>(statement.body)) {
    require_block("LOCK TABLE");
  } else {
    queried_ = true;
  }
  if (status_ == TransactionStatus::in_transaction) return run_in_transaction(statement, parameters);
  start_transaction();
  result = run_in_transaction(statement, parameters);
  database_.transactions().commit(take_transaction());
  return result;
}

bool LocalSession::run_utility(const sql::Statement& statement, QueryResult& result) {
  const sql::StatementBody& body = statement.body;
  if (const auto* setting = std::get_if<sql::SetVariable>(&body)) {
    result = set(*setting);
  } else if (const auto* shown = std::get_if<sql::ShowVariable>(&body)) {
    result = show(*shown);
  } else if (const auto* modes = std::get_if<sql::SetTransaction>(&body)) {
    result = set_transaction(*modes);
  } else if (const auto* discarded = std::get_if<sql::Discard>(&body)) {
    result = discard(*discarded);
  } else if (std::holds_alternative<sql::Checkpoint>(body)) {
    database_.checkpoint();
    result = tagged("CHECKPOINT");
  } else if (const auto* vacuum = std::get_if<sql::Vacuum>(&body)) {
    if (vacuum->vacuum) {
      require_no_block("VACUUM");
      database_.vacuum(*backend_, vacuum->tables, vacuum->freeze);
    } else {
      analyze(*vacuum);
    }
    result = tagged(vacuum->vacuum ? "VACUUM" : "ANALYZE");
  } else {
    return false;
  }
  return true;
}

// There are no statistics to gather.
void LocalSession::analyze(const sql::Vacuum& analyze) {
  queried_ = true;
  for (const sql::TableName& name : analyze.tables) {
    if (database_.catalog().find_table(transaction_, name.schema, name.name) != nullptr) continue;
    throw SqlError(sqlstate::undefined_table, fmt::format("relation \"{}\" does not exist", name.name));
  }
}

QueryResult LocalSession::run_in_transaction(const sql::Statement& statement, std::span<const Value> parameters) {
  if (const char* const name = std::visit(WriteName{}, statement.body)) refuse_if_read_only(name);
  exec::ExecutionContext context(database_, *transaction_, parameters);
  context.session = this;
  QueryResult result = exec::execute(context, statement);
  database_.transactions().next_command(*transaction_);
  return result;
}

// The transaction, or what was done since the last savepoint, ends here, its locks go, and only the block remains to be
// left.
void LocalSession::after_error() {
  backend_->limits.statement_deadline = sim::never;
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
