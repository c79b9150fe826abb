// Transaction blocks, prepared transactions and savepoints: a part of LocalSession.
#include <fmt/format.h>

#include <utility>

#include "engine/node/local_session.h"
#include "engine/types/error.h"

namespace polarsim::engine {

QueryResult LocalSession::control(const syntax::TransactionControl& control) {
  using Kind = syntax::TransactionControl::Kind;
  if (control.kind == Kind::rollback || control.kind == Kind::rollback_to) {
    forget_parts();
  } else {
    end_parts();
  }
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
  call_.transaction_start_us = database_.host().realtime_us();
  const bool repeatable = isolation_ == "repeatable read";
  transaction_ = &database_.transactions().begin(
      *backend_, repeatable ? txn::IsolationLevel::repeatable_read : txn::IsolationLevel::read_committed);
}

txn::Transaction& LocalSession::take_transaction() {
  forget_parts();
  return *std::exchange(transaction_, nullptr);
}

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
  results_.clear();
}

QueryResult LocalSession::begin(const syntax::TransactionControl& control) {
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
  return tagged(control.start ? "START TRANSACTION" : "BEGIN");
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
    database_.transactions().prepare(take_transaction(), gid);
  } catch (const SqlError&) {
    leave_block(false);
    throw;
  }
  leave_block(true);
  // Some were made in sight of definitions that are out of sight until COMMIT PREPARED.
  if (!database_.catalog().definitions_settled()) {
    plans_.clear();
    search_path_settings_ = nullptr;
  }
  return tagged("PREPARE TRANSACTION");
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
  results_.clear();
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

}  // namespace polarsim::engine
