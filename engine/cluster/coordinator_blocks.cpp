// Transaction blocks and savepoints: part of CoordinatorSession.
#include <utility>

#include "engine/cluster/coordinator_session.h"
#include "engine/syntax/parser.h"
#include "engine/types/quote.h"

namespace polarsim::engine::cluster {

namespace {

QueryResult tagged(std::string tag) {
  QueryResult result;
  result.tag = std::move(tag);
  return result;
}

QueryResult warned(std::string tag, const char* state, std::string message) {
  QueryResult result = tagged(std::move(tag));
  result.notices.push_back(ErrorFields{state, std::move(message), "", "", "", 0});
  return result;
}

const char* tag_of_begin(const syntax::TransactionControl& control) {
  return control.start ? "START TRANSACTION" : "BEGIN";
}

[[noreturn]] void throw_failed_block() {
  throw SqlError(sqlstate::in_failed_sql_transaction,
                 "current transaction is aborted, commands ignored until end of transaction block");
}

void merge(syntax::TransactionModes& into, const syntax::TransactionModes& said) {
  if (!said.isolation.empty()) into.isolation = said.isolation;
  if (said.read_only) into.read_only = said.read_only;
}

std::string text_of(syntax::StatementBody body) {
  syntax::Statement statement;
  statement.body = std::move(body);
  return syntax::deparse(statement);
}

}  // namespace

QueryResult CoordinatorSession::control(const syntax::TransactionControl& control, const StatementRequest& request) {
  using Kind = syntax::TransactionControl::Kind;
  switch (control.kind) {
    case Kind::begin: {
      if (status_ == TransactionStatus::failed) throw_failed_block();
      return status_ == TransactionStatus::idle ? begin(control) : begin_again(control, request);
    }
    case Kind::commit:
      return commit();
    case Kind::rollback:
      return rollback();
    case Kind::prepare:
    case Kind::commit_prepared:
    case Kind::rollback_prepared:
      return commit_or_forget_prepared(control, request);
    case Kind::savepoint:
    case Kind::rollback_to:
    case Kind::release:
      return savepoint(control, request);
  }
  throw SqlError(sqlstate::internal_error, "unknown transaction statement");
}

std::string CoordinatorSession::begin_text() const {
  if (modes_ == syntax::TransactionModes{} && savepoints_.empty()) return "BEGIN";
  syntax::TransactionControl begin;
  begin.modes = savepoints_.empty() ? modes_ : savepoints_.front().before;
  std::string text = text_of(begin);
  for (std::size_t i = 0; i < savepoints_.size(); ++i) {
    text += "; SAVEPOINT " + quote_identifier(savepoints_[i].name);
    const syntax::TransactionModes& inside = i + 1 < savepoints_.size() ? savepoints_[i + 1].before : modes_;
    if (inside != savepoints_[i].before) text += "; " + text_of(syntax::SetTransaction{false, inside});
  }
  return text;
}

QueryResult CoordinatorSession::begin(const syntax::TransactionControl& control) {
  modes_ = local_->default_modes();
  merge(modes_, control.modes);
  // The nodes hear of the modes when they are needed; that this engine has them is to be said now.
  if (control.modes != syntax::TransactionModes{}) enter_local_block();
  status_ = TransactionStatus::in_transaction;
  return tagged(tag_of_begin(control));
}

QueryResult CoordinatorSession::begin_again(const syntax::TransactionControl& control,
                                            const StatementRequest& request) {
  try {
    if (control.modes != syntax::TransactionModes{}) set_transaction(control.modes, request);
  } catch (const SqlError&) {
    after_error();
    throw;
  }
  return warned(tag_of_begin(control), sqlstate::active_sql_transaction, "there is already a transaction in progress");
}

QueryResult CoordinatorSession::commit() {
  // What this node's part has lost must not be committed on the others.
  if (status_ == TransactionStatus::failed || local_->status() == TransactionStatus::failed) return rollback();
  if (status_ == TransactionStatus::idle)
    return warned("COMMIT", sqlstate::no_active_sql_transaction, "there is no transaction in progress");
  const TransactionEnd end{*this};
  status_ = TransactionStatus::idle;
  savepoints_.clear();
  QueryResult result = tagged("COMMIT");
  result.notices = transaction_.commit();
  return result;
}

QueryResult CoordinatorSession::rollback() {
  QueryResult result = tagged("ROLLBACK");
  if (status_ == TransactionStatus::idle)
    result = warned("ROLLBACK", sqlstate::no_active_sql_transaction, "there is no transaction in progress");
  const TransactionEnd end{*this};
  status_ = TransactionStatus::idle;
  savepoints_.clear();
  transaction_.rollback();
  return result;
}

QueryResult CoordinatorSession::commit_or_forget_prepared(const syntax::TransactionControl& control,
                                                          const StatementRequest& request) {
  using Kind = syntax::TransactionControl::Kind;
  if (control.kind == Kind::prepare && status_ != TransactionStatus::in_transaction) return rollback();
  if (control.kind != Kind::prepare) {
    if (status_ == TransactionStatus::failed) throw_failed_block();
    if (status_ == TransactionStatus::idle) return local_->execute(request);
    after_error();
    throw SqlError(sqlstate::active_sql_transaction,
                   std::string(control.kind == Kind::commit_prepared ? "COMMIT" : "ROLLBACK") +
                       " PREPARED cannot run inside a transaction block");
  }
  const TransactionEnd end{*this};
  status_ = TransactionStatus::idle;
  const std::string begin = begin_text();
  savepoints_.clear();
  if (!executor_.in_block().empty()) {
    transaction_.rollback();
    throw SqlError(sqlstate::feature_not_supported, "cannot use 2PC in transactions involving multiple servers");
  }
  try {
    transaction_.enter_local_block(begin);
    QueryResult result = local_->execute(request);
    transaction_.forget_local_block();
    return result;
  } catch (const SqlError&) {
    transaction_.rollback();
    throw;
  }
}

// What was done since the last savepoint ends on all nodes at once, with its locks.
void CoordinatorSession::after_error() {
  status_ = TransactionStatus::failed;
  own_metadata_ = nullptr;
  if (!savepoints_.empty()) {
    try {
      modes_ = savepoints_.back().before;
      transaction_.tell_all("ROLLBACK TO SAVEPOINT " + quote_identifier(savepoints_.back().name));
      return;
    } catch (const SqlError& error) {
      coordinator_.host().log("a savepoint is lost: " + error.fields().message);
      coordinator_.host().reached("savepoint/lost");
      savepoints_.clear();
    }
  }
  transaction_.rollback();
}

// --- savepoints ---

std::vector<CoordinatorSession::Savepoint>::iterator CoordinatorSession::find_savepoint(const std::string& name) {
  for (auto found = savepoints_.end(); found != savepoints_.begin();) {
    if ((--found)->name == name) return found;
  }
  throw SqlError(sqlstate::invalid_savepoint_specification, "savepoint \"" + name + "\" does not exist");
}

QueryResult CoordinatorSession::savepoint(const syntax::TransactionControl& control, const StatementRequest& request) {
  using Kind = syntax::TransactionControl::Kind;
  const bool rolls_back = control.kind == Kind::rollback_to;
  if (status_ == TransactionStatus::idle) {
    const char* const statement =
        rolls_back ? "ROLLBACK TO SAVEPOINT" : (control.kind == Kind::release ? "RELEASE SAVEPOINT" : "SAVEPOINT");
    throw SqlError(sqlstate::no_active_sql_transaction,
                   std::string(statement) + " can only be used in transaction blocks");
  }
  if (status_ == TransactionStatus::failed && !rolls_back) throw_failed_block();
  const std::string text = syntax::deparse(*request.statement);
  try {
    if (rolls_back) return rollback_to(control.savepoint, text);
    if (control.kind == Kind::release) {
      const auto found = find_savepoint(control.savepoint);
      transaction_.tell_all(text);
      modes_ = found->before;
      savepoints_.erase(found, savepoints_.end());
      return tagged("RELEASE");
    }
    transaction_.tell_all(text);
    savepoints_.push_back({control.savepoint, modes_});
    return tagged("SAVEPOINT");
  } catch (const SqlError&) {
    if (status_ != TransactionStatus::failed) after_error();
    throw;
  }
}

QueryResult CoordinatorSession::rollback_to(const std::string& name, const std::string& text) {
  const auto found = find_savepoint(name);
  // What was distributed or not since then is to be looked up again.
  own_metadata_ = nullptr;
  try {
    transaction_.tell_all(text);
  } catch (const SqlError&) {
    coordinator_.host().reached("savepoint/lost");
    savepoints_.clear();
    status_ = TransactionStatus::failed;
    transaction_.rollback();
    throw;
  }
  modes_ = found->before;
  savepoints_.erase(found + 1, savepoints_.end());
  status_ = TransactionStatus::in_transaction;
  return tagged("ROLLBACK");
}

// --- modes ---

// Nodes that join later hear of the modes in begin_text(); those that have joined hear of them now, and refuse what
// cannot be changed any more.
QueryResult CoordinatorSession::set_transaction(const syntax::TransactionModes& modes,
                                                const StatementRequest& request) {
  if (!in_block()) return local_->execute(request);
  enter_local_block();
  QueryResult result = local_->execute(request);
  transaction_.tell_nodes(text_of(syntax::SetTransaction{false, modes}));
  merge(modes_, modes);
  return result;
}

}  // namespace polarsim::engine::cluster
