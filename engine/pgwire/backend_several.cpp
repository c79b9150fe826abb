// Several statements of one message: the part of Backend that makes transactions of them.
#include <utility>

#include "engine/pgwire/backend.h"

namespace polarsim::engine::pgwire {

namespace {

using Kind = syntax::TransactionControl::Kind;

syntax::StatementPtr statement_of(syntax::StatementBody body) {
  auto statement = std::make_shared<syntax::Statement>();
  statement->body = std::move(body);
  return statement;
}

syntax::StatementPtr control_statement(Kind kind) {
  syntax::TransactionControl control;
  control.kind = kind;
  return statement_of(std::move(control));
}

// What must not stand in a block: it is refused in this one, too.
bool needs_no_block(const syntax::TransactionControl& control) {
  return control.kind == Kind::commit_prepared || control.kind == Kind::rollback_prepared;
}

ErrorFields no_transaction() {
  return {sqlstate::no_active_sql_transaction, "there is no transaction in progress", "", "", "", 0};
}

[[noreturn]] void throw_needs_block(const char* statement) {
  throw SqlError(sqlstate::no_active_sql_transaction,
                 std::string(statement) + " can only be used in transaction blocks");
}

}  // namespace

// What stands outside of a block is in one that the client does not know of (PostgreSQL's implicit transaction block,
// src/backend/access/transam/xact.c): it ends with the message, at COMMIT and ROLLBACK, which wonder about it, and with
// an error; BEGIN makes it the client's. Nobody hears of what was done in it before that is decided, one way or the
// other.
class Backend::ImplicitBlock {
 public:
  ImplicitBlock(Backend& backend, const std::string& text) : backend_(backend), text_(text) {}

  void run(const syntax::StatementPtr& statement) {
    const auto* control = std::get_if<syntax::TransactionControl>(&statement->body);
    const bool begins = !open_ && (control == nullptr || needs_no_block(*control)) &&
                        backend_.session_->status() == TransactionStatus::idle;
    if (begins) {
      backend_.session_->execute({control_statement(Kind::begin), "BEGIN"});
      open_ = true;
    }
    if (!open_) return backend_.run_and_tell({statement, text_});
    if (control != nullptr) return end_by(*control, statement);
    // The rows of COPY go their own way: what was before them, and its end, are told in their order.
    if (std::holds_alternative<syntax::Copy>(statement->body)) tell();
    keep(backend_.run_statement({statement, text_}), std::holds_alternative<syntax::Select>(statement->body));
    if (kept_.back().result.tag.starts_with("COPY ")) tell();
  }
  void commit() {
    if (!open_) return;
    QueryResult end = finish(Kind::commit);
    if (!kept_.empty()) {
      auto& notices = kept_.back().result.notices;
      notices.insert(notices.end(), end.notices.begin(), end.notices.end());
    }
    tell();
  }
  // After an error, which is told last.
  void rollback() {
    if (open_) finish(Kind::rollback);
    tell();
  }

 private:
  struct Kept {
    QueryResult result;  // without its rows
    std::vector<DataRow> rows;
    bool gives_rows = false;
  };

  void end_by(const syntax::TransactionControl& control, const syntax::StatementPtr& statement) {
    QueryResult result;
    switch (control.kind) {
      case Kind::begin:
        if (control.modes != syntax::TransactionModes{})
          backend_.session_->execute({statement_of(syntax::SetTransaction{false, control.modes}), text_});
        open_ = false;
        result.tag = control.start ? "START TRANSACTION" : "BEGIN";
        break;
      case Kind::commit:
      case Kind::rollback:
        result = finish(control.kind);
        result.notices.insert(result.notices.begin(), no_transaction());
        break;
      case Kind::prepare:  // wonders, and prepares what was done so far
        open_ = false;
        result = backend_.session_->execute({statement, text_});
        result.notices.insert(result.notices.begin(), no_transaction());
        break;
      case Kind::savepoint:
        throw_needs_block("SAVEPOINT");
      case Kind::release:
        throw_needs_block("RELEASE SAVEPOINT");
      case Kind::rollback_to:
        throw_needs_block("ROLLBACK TO SAVEPOINT");
      case Kind::commit_prepared:
      case Kind::rollback_prepared:
        result = backend_.session_->execute({statement, text_});
        break;
    }
    keep(std::move(result), false);
    tell();
  }
  QueryResult finish(Kind kind) {
    open_ = false;
    return backend_.session_->execute({control_statement(kind), kind == Kind::commit ? "COMMIT" : "ROLLBACK"});
  }
  // Values are written as they are now: names of objects and settings may change with the next statement.
  void keep(QueryResult result, bool gives_rows) {
    Kept& kept = kept_.emplace_back();
    kept.gives_rows = gives_rows || !result.columns.empty() || !result.rows.empty();
    backend_.write_rows(result, {}, [&kept](const DataRow& row) { kept.rows.push_back(row); });
    result.rows.clear();
    kept.result = std::move(result);
  }
  void tell() {
    for (const Kept& kept : kept_) {
      backend_.describe_rows(kept.result, Describing::rows, kept.gives_rows);
      for (const DataRow& row : kept.rows) backend_.send(row);
      backend_.send(CommandComplete{kept.result.tag});
    }
    kept_.clear();
  }

  Backend& backend_;
  const std::string& text_;
  bool open_ = false;
  std::vector<Kept> kept_;
};

void Backend::run_several(const std::vector<syntax::StatementPtr>& statements, const std::string& text) {
  ImplicitBlock block(*this, text);
  try {
    for (const syntax::StatementPtr& statement : statements) block.run(statement);
    block.commit();
  } catch (const SessionTerminated&) {
    throw;
  } catch (const SqlError&) {
    block.rollback();
    throw;
  }
}

}  // namespace polarsim::engine::pgwire
