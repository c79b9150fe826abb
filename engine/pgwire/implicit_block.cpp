#include "engine/pgwire/implicit_block.h"

#include <string>
#include <utility>

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

ErrorFields no_transaction() {
  return {sqlstate::no_active_sql_transaction, "there is no transaction in progress", "", "", "", 0};
}

[[noreturn]] void throw_needs_block(const char* statement) {
  throw SqlError(sqlstate::no_active_sql_transaction,
                 std::string(statement) + " can only be used in transaction blocks");
}

}  // namespace

bool ImplicitBlock::contains(const syntax::Statement& statement) {
  return !std::holds_alternative<syntax::TransactionControl>(statement.body) || refuses_blocks(statement);
}

bool ImplicitBlock::refuses_blocks(const syntax::Statement& statement) {
  if (const auto* vacuum = std::get_if<syntax::Vacuum>(&statement.body)) return vacuum->vacuum;
  if (const auto* discard = std::get_if<syntax::Discard>(&statement.body))
    return discard->what == syntax::Discard::What::all;
  const auto* control = std::get_if<syntax::TransactionControl>(&statement.body);
  return control != nullptr && (control->kind == Kind::commit_prepared || control->kind == Kind::rollback_prepared);
}

void ImplicitBlock::begin() {
  session_->execute({control_statement(Kind::begin), "BEGIN"});
  open_ = true;
}

QueryResult ImplicitBlock::finish(Kind kind) {
  open_ = false;
  return session_->execute({control_statement(kind), kind == Kind::commit ? "COMMIT" : "ROLLBACK"});
}

QueryResult ImplicitBlock::control(const StatementRequest& request) {
  const auto& control = std::get<syntax::TransactionControl>(request.statement->body);
  QueryResult result;
  switch (control.kind) {
    case Kind::begin:
      if (control.modes != syntax::TransactionModes{})
        session_->execute({statement_of(syntax::SetTransaction{false, control.modes}), request.text});
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
      result = session_->execute(request);
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
      result = session_->execute(request);
      break;
  }
  return result;
}

}  // namespace polarsim::engine::pgwire
