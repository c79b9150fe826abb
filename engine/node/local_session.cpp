#include "engine/node/local_session.h"

#include <fmt/format.h>

#include <utility>
#include <variant>

#include "engine/exec/execution.h"
#include "engine/sql/error.h"
#include "sim/simulation.h"

namespace polarsim::engine {

namespace {

QueryResult tagged(std::string tag) {
  QueryResult result;
  result.tag = std::move(tag);
  return result;
}

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

// --- transaction control ---

QueryResult LocalSession::control(const sql::TransactionControl& control) {
  using Kind = sql::TransactionControl::Kind;
  switch (control.kind) {
    case Kind::begin:
      return begin(control);
    case Kind::commit:
      return commit();
    case Kind::rollback:
      return rollback();
    case Kind::prepare:
      return prepare(control.gid);
    case Kind::commit_prepared:
      return finish_prepared(control.gid, true);
    case Kind::rollback_prepared:
      return finish_prepared(control.gid, false);
    case Kind::savepoint:
      return savepoint(control.savepoint);
    case Kind::rollback_to:
      return rollback_to(control.savepoint);
    case Kind::release:
      return release(control.savepoint);
  }
  throw SqlError(sqlstate::internal_error, "unknown transaction control");
}

void LocalSession::require_block(const char* statement) const {
  if (status_ != TransactionStatus::idle) return;
  throw SqlError(sqlstate::no_active_sql_transaction,
                 fmt::format("{} can only be used in transaction blocks", statement));
}

void LocalSession::require_no_block(const char* statement) const {
  if (status_ == TransactionStatus::idle) return;
  throw SqlError(sqlstate::active_sql_transaction, fmt::format("{} cannot run inside a transaction block", statement));
}

void LocalSession::start_transaction() {
  isolation_ = settled_.in_force->default_transaction_isolation();
  settled_.read_only = settled_.in_force->default_transaction_read_only();
  queried_ = false;
  const bool repeatable = isolation_ == "repeatable read";
  transaction_ = &database_.transactions().begin(
      *backend_, repeatable ? txn::IsolationLevel::repeatable_read : txn::IsolationLevel::read_committed);
}

txn::Transaction& LocalSession::take_transaction() { return *std::exchange(transaction_, nullptr); }

void LocalSession::abort_open() {
  if (transaction_ != nullptr) database_.transactions().abort(take_transaction());
}

void LocalSession::leave_block(bool committed) {
  status_ = TransactionStatus::idle;
  savepoints_.clear();
  if (!committed) settled_ = before_block_;
  settled_.in_force = settled_.session;
  settled_.read_only = settled_.in_force->default_transaction_read_only();
  before_block_ = {};
}

QueryResult LocalSession::begin(const sql::TransactionControl& control) {
  if (!control.modes.isolation.empty()) Settings::check_isolation("transaction_isolation", control.modes.isolation);
  if (status_ == TransactionStatus::in_transaction) {
    warn(sqlstate::active_sql_transaction, "there is already a transaction in progress");
  } else {
    start_transaction();
    before_block_ = settled_;
    status_ = TransactionStatus::in_transaction;
  }
  if (!control.modes.isolation.empty()) set_isolation(control.modes.isolation);
  if (control.modes.read_only) set_read_only(*control.modes.read_only);
  return tagged("BEGIN");
}

QueryResult LocalSession::commit() {
  if (status_ == TransactionStatus::failed) return rollback();
  if (status_ == TransactionStatus::idle) {
    warn(sqlstate::no_active_sql_transaction, "there is no transaction in progress");
    return tagged("COMMIT");
  }
  try {
    database_.transactions().commit(take_transaction());
  } catch (const SqlError&) {
    leave_block(false);
    throw;
  }
  leave_block(true);
  return tagged("COMMIT");
}

QueryResult LocalSession::rollback() {
  if (status_ == TransactionStatus::idle) {
    warn(sqlstate::no_active_sql_transaction, "there is no transaction in progress");
    return tagged("ROLLBACK");
  }
  abort_open();
  leave_block(false);
  return tagged("ROLLBACK");
}

QueryResult LocalSession::prepare(const std::string& gid) {
  // Without a transaction that could be prepared the answer is what was done instead.
  if (status_ != TransactionStatus::in_transaction) return rollback();
  try {
    check_advisory_locks();
    database_.transactions().prepare(take_transaction(), gid);
  } catch (const SqlError&) {
    abort_open();
    leave_block(false);
    throw;
  }
  leave_block(true);
  return tagged("PREPARE TRANSACTION");
}

// The session would keep its part of the lock, and the prepared transaction its own: they would be two owners that
// conflict.
void LocalSession::check_advisory_locks() const {
  for (const txn::TransactionLevel& level : transaction_->levels) {
    for (const txn::LockOwner::Held& held : level.locks.locks) {
      for (const txn::LockOwner::Held& kept : backend_->session_locks.locks) {
        if (kept.tag == held.tag) {
          throw SqlError(
              sqlstate::feature_not_supported,
              "cannot PREPARE while holding both session-level and transaction-level locks on the same object");
        }
      }
    }
  }
}

QueryResult LocalSession::finish_prepared(const std::string& gid, bool commit) {
  const char* const tag = commit ? "COMMIT PREPARED" : "ROLLBACK PREPARED";
  require_no_block(tag);
  database_.transactions().finish_prepared(gid, commit);
  return tagged(tag);
}

// --- savepoints ---

LocalSession::Savepoints::iterator LocalSession::find_savepoint(const std::string& name) {
  for (auto found = savepoints_.end(); found != savepoints_.begin();) {
    if ((--found)->name == name) return found;
  }
  throw SqlError(sqlstate::invalid_savepoint_specification, fmt::format("savepoint \"{}\" does not exist", name));
}

QueryResult LocalSession::savepoint(const std::string& name) {
  require_block("SAVEPOINT");
  database_.transactions().savepoint(*transaction_, name);
  savepoints_.push_back({name, settled_});
  return tagged("SAVEPOINT");
}

QueryResult LocalSession::rollback_to(const std::string& name) {
  require_block("ROLLBACK TO SAVEPOINT");
  const auto found = find_savepoint(name);
  database_.transactions().rollback_to(*transaction_, name);
  settled_ = found->before;
  savepoints_.erase(found + 1, savepoints_.end());
  status_ = TransactionStatus::in_transaction;
  return tagged("ROLLBACK");
}

QueryResult LocalSession::release(const std::string& name) {
  require_block("RELEASE SAVEPOINT");
  const auto found = find_savepoint(name);
  database_.transactions().release(*transaction_, name);
  // As in PostgreSQL, where a subtransaction may be READ ONLY inside one that is not.
  settled_.read_only = found->before.read_only;
  savepoints_.erase(found, savepoints_.end());
  return tagged("RELEASE");
}

// --- settings ---

void LocalSession::change_settings(bool local, const std::function<void(Settings&)>& change) {
  const auto changed = [&](const std::shared_ptr<const Settings>& old) {
    auto copy = std::make_shared<Settings>(*old);
    change(*copy);
    return copy;
  };
  const bool same = settled_.in_force == settled_.session;
  settled_.in_force = changed(settled_.in_force);
  if (local) return;
  settled_.session = same ? settled_.in_force : changed(settled_.session);
}

QueryResult LocalSession::set(const sql::SetVariable& setting) {
  const char* const tag = setting.reset && !setting.local ? "RESET" : "SET";
  const bool in_block = status_ != TransactionStatus::idle;
  if (setting.local && !in_block) {
    warn(sqlstate::no_active_sql_transaction, "SET LOCAL can only be used in transaction blocks");
    return tagged(tag);
  }
  if (set_transaction_variable(setting)) return tagged(tag);
  change_settings(setting.local, [&](Settings& settings) {
    if (setting.reset) {
      settings.reset(setting.name);
    } else {
      settings.set(setting.name, setting.value);
    }
  });
  if (!in_block) settled_.read_only = settled_.in_force->default_transaction_read_only();
  return tagged(tag);
}

// The two that belong to the transaction; outside a block they last for the statement, so that only their value is
// looked at.
bool LocalSession::set_transaction_variable(const sql::SetVariable& setting) {
  const bool in_block = status_ != TransactionStatus::idle;
  const Settings& settings = *settled_.in_force;
  if (setting.name == "transaction_isolation") {
    const std::string level = Settings::check_isolation(
        setting.name, setting.reset ? settings.default_transaction_isolation() : setting.value);
    if (in_block) set_isolation(level);
    return true;
  }
  if (setting.name == "transaction_read_only") {
    const bool read_only =
        setting.reset ? settings.default_transaction_read_only() : Settings::check_boolean(setting.name, setting.value);
    if (in_block) set_read_only(read_only);
    return true;
  }
  return false;
}

QueryResult LocalSession::set_transaction(const sql::SetTransaction& set) {
  const std::string& level = set.modes.isolation;
  if (!level.empty()) Settings::check_isolation("transaction_isolation", level);
  if (set.session) {
    change_settings(false, [&](Settings& settings) {
      if (!level.empty()) settings.set("default_transaction_isolation", level);
      if (set.modes.read_only) settings.set("default_transaction_read_only", *set.modes.read_only ? "on" : "off");
    });
    if (status_ == TransactionStatus::idle) settled_.read_only = settled_.in_force->default_transaction_read_only();
  } else if (status_ == TransactionStatus::idle) {
    warn(sqlstate::no_active_sql_transaction, "SET TRANSACTION can only be used in transaction blocks");
  } else {
    if (!level.empty()) set_isolation(level);
    if (set.modes.read_only) set_read_only(*set.modes.read_only);
  }
  return tagged("SET");
}

void LocalSession::set_isolation(std::string_view level) {
  if (level == isolation_) return;
  if (queried_) {
    throw SqlError(sqlstate::active_sql_transaction, "SET TRANSACTION ISOLATION LEVEL must be called before any query");
  }
  if (!savepoints_.empty()) {
    throw SqlError(sqlstate::active_sql_transaction,
                   "SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction");
  }
  isolation_ = level;
  transaction_->isolation =
      level == "repeatable read" ? txn::IsolationLevel::repeatable_read : txn::IsolationLevel::read_committed;
}

void LocalSession::set_read_only(bool read_only) {
  if (settled_.read_only && !read_only) {
    if (!savepoints_.empty() && savepoints_.back().before.read_only) {
      throw SqlError(sqlstate::active_sql_transaction,
                     "cannot set transaction read-write mode inside a read-only transaction");
    }
    if (queried_) {
      throw SqlError(sqlstate::active_sql_transaction, "transaction read-write mode must be set before any query");
    }
  }
  settled_.read_only = read_only;
}

std::string LocalSession::setting_text(std::string_view name) const {
  const bool in_block = status_ != TransactionStatus::idle;
  if (name == "transaction_isolation")
    return in_block || transaction_ != nullptr ? isolation_ : settled_.in_force->default_transaction_isolation();
  if (name == "transaction_read_only") return settled_.read_only ? "on" : "off";
  return settled_.in_force->show(name);
}

QueryResult LocalSession::show(const sql::ShowVariable& setting) const {
  QueryResult result = tagged("SHOW");
  result.columns.push_back({setting.name, TypeId::text});
  result.rows.push_back({Value::text(setting_text(setting.name))});
  return result;
}

QueryResult LocalSession::discard(const sql::Discard& discard) {
  switch (discard.what) {
    case sql::Discard::What::plans:
      return tagged("DISCARD PLANS");
    case sql::Discard::What::temporary:
      return tagged("DISCARD TEMP");
    case sql::Discard::What::sequences:
      sequences_ = {};
      return tagged("DISCARD SEQUENCES");
    case sql::Discard::What::all:
      break;
  }
  require_no_block("DISCARD ALL");
  change_settings(false, [](Settings& settings) { settings.reset("all"); });
  settled_.read_only = settled_.in_force->default_transaction_read_only();
  database_.locks().release_all(*backend_, backend_->session_locks);
  sequences_ = {};
  return tagged("DISCARD ALL");
}

}  // namespace polarsim::engine
