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

void warn(QueryResult& result, const char* sqlstate, std::string message) {
  ErrorFields fields;
  fields.sqlstate = sqlstate;
  fields.message = std::move(message);
  result.notices.push_back(std::move(fields));
}

bool ends_failed_block(const sql::Statement& statement) {
  using Kind = sql::TransactionControl::Kind;
  const auto* control = std::get_if<sql::TransactionControl>(&statement.body);
  return control != nullptr &&
         (control->kind == Kind::commit || control->kind == Kind::rollback || control->kind == Kind::prepare);
}

}  // namespace

LocalSession::LocalSession(Database& database)
    : database_(database), backend_(database.connect()), settings_(database.config()), session_settings_(settings_) {}

LocalSession::~LocalSession() { close(); }

void LocalSession::close() {
  abort_open();
  status_ = TransactionStatus::idle;
}

void LocalSession::abort_open() {
  if (transaction_ != nullptr) database_.transactions().abort(take_transaction());
}

txn::Transaction& LocalSession::take_transaction() { return *std::exchange(transaction_, nullptr); }

void LocalSession::leave_block(bool committed) {
  status_ = TransactionStatus::idle;
  if (!settings_before_) return;
  if (!committed) session_settings_ = std::move(*settings_before_);
  settings_before_.reset();
  settings_ = session_settings_;
}

QueryResult LocalSession::execute(const sql::StatementPtr& statement, std::string_view text,
                                  std::span<const Value> parameters) {
  if (database_.host().simulation().trace().enabled()) database_.host().log(fmt::format("[{}] {}", backend_.process_id(), text));
  if (status_ == TransactionStatus::failed && !ends_failed_block(*statement)) {
    throw SqlError(sqlstate::in_failed_sql_transaction,
                   "current transaction is aborted, commands ignored until end of transaction block");
  }
  if (const auto* transaction_control = std::get_if<sql::TransactionControl>(&statement->body))
    return control(*transaction_control);
  return status_ == TransactionStatus::idle ? run_alone(*statement, parameters) : run_in_block(*statement, parameters);
}

QueryResult LocalSession::run(const sql::Statement& statement, std::span<const Value> parameters,
                              txn::Transaction& transaction) {
  if (const auto* setting = std::get_if<sql::SetVariable>(&statement.body)) return set(*setting);
  if (const auto* setting = std::get_if<sql::ShowVariable>(&statement.body)) return show(*setting);
  txn::WaitLimits limits;
  limits.lock_timeout = settings_.lock_timeout();
  limits.deadlock_timeout = settings_.deadlock_timeout();
  if (settings_.statement_timeout() > sim::Duration(0)) {
    limits.statement_deadline = database_.host().deadline_in(settings_.statement_timeout());
  }
  backend_.limits = limits;
  exec::ExecutionContext context(database_, transaction, parameters);
  QueryResult result = exec::execute(context, statement);
  database_.transactions().next_command(transaction);
  return result;
}

QueryResult LocalSession::run_alone(const sql::Statement& statement, std::span<const Value> parameters) {
  transaction_ = &database_.transactions().begin(backend_);
  try {
    QueryResult result = run(statement, parameters, *transaction_);
    database_.transactions().commit(take_transaction());
    leave_block(true);
    return result;
  } catch (const SqlError&) {
    abort_open();
    leave_block(false);
    throw;
  }
}

QueryResult LocalSession::run_in_block(const sql::Statement& statement, std::span<const Value> parameters) {
  try {
    return run(statement, parameters, *transaction_);
  } catch (const SqlError&) {
    // As PostgreSQL does: the transaction ends here, its locks go, and only the block remains to be left.
    abort_open();
    status_ = TransactionStatus::failed;
    throw;
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
      database_.transactions().savepoint(*transaction_, control.savepoint);
      return tagged("SAVEPOINT");
    case Kind::rollback_to:
      database_.transactions().rollback_to(*transaction_, control.savepoint);
      return tagged("ROLLBACK");
    case Kind::release:
      database_.transactions().release(*transaction_, control.savepoint);
      return tagged("RELEASE");
  }
  throw SqlError(sqlstate::internal_error, "unknown transaction control");
}

QueryResult LocalSession::begin(const sql::TransactionControl& control) {
  QueryResult result = tagged("BEGIN");
  if (status_ == TransactionStatus::in_transaction) {
    warn(result, sqlstate::active_sql_transaction, "there is already a transaction in progress");
    return result;
  }
  Settings::check_isolation(control.modes.isolation);
  transaction_ = &database_.transactions().begin(backend_);
  status_ = TransactionStatus::in_transaction;
  return result;
}

QueryResult LocalSession::commit() {
  if (status_ == TransactionStatus::failed) return rollback();
  QueryResult result = tagged("COMMIT");
  if (status_ == TransactionStatus::idle) {
    warn(result, sqlstate::no_active_sql_transaction, "there is no transaction in progress");
    return result;
  }
  try {
    database_.transactions().commit(take_transaction());
  } catch (const SqlError&) {
    leave_block(false);
    throw;
  }
  leave_block(true);
  return result;
}

QueryResult LocalSession::rollback() {
  QueryResult result = tagged("ROLLBACK");
  if (status_ == TransactionStatus::idle) {
    warn(result, sqlstate::no_active_sql_transaction, "there is no transaction in progress");
    return result;
  }
  abort_open();
  leave_block(false);
  return result;
}

QueryResult LocalSession::prepare(const std::string& gid) {
  // Without a transaction that could be prepared the answer is what was done instead.
  if (status_ != TransactionStatus::in_transaction) return rollback();
  try {
    database_.transactions().prepare(take_transaction(), gid);
  } catch (const SqlError&) {
    leave_block(false);
    throw;
  }
  leave_block(true);
  return tagged("PREPARE TRANSACTION");
}

QueryResult LocalSession::finish_prepared(const std::string& gid, bool commit) {
  const char* const tag = commit ? "COMMIT PREPARED" : "ROLLBACK PREPARED";
  if (status_ == TransactionStatus::in_transaction) {
    abort_open();
    status_ = TransactionStatus::failed;
    throw SqlError(sqlstate::active_sql_transaction, fmt::format("{} cannot run inside a transaction block", tag));
  }
  database_.transactions().finish_prepared(gid, commit);
  return tagged(tag);
}

// --- settings ---

QueryResult LocalSession::set(const sql::SetVariable& setting) {
  QueryResult result = tagged(setting.reset ? "RESET" : "SET");
  const auto apply = [&](Settings& settings) {
    if (setting.reset) {
      settings.reset(setting.name);
    } else {
      settings.set(setting.name, setting.value);
    }
  };
  if (setting.local && status_ == TransactionStatus::idle) {
    warn(result, sqlstate::no_active_sql_transaction, "SET LOCAL can only be used in transaction blocks");
    return result;
  }
  if (!settings_before_) settings_before_ = session_settings_;
  apply(settings_);
  if (!setting.local) apply(session_settings_);
  return result;
}

QueryResult LocalSession::show(const sql::ShowVariable& setting) const {
  QueryResult result = tagged("SHOW");
  result.columns.push_back({setting.name, TypeId::text});
  result.rows.push_back({Value::text(settings_.show(setting.name))});
  return result;
}

}  // namespace polarsim::engine
