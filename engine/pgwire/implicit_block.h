// The transaction block that a client does not know of. Private to Backend.
#pragma once

#include <memory>

#include "engine/node/session.h"

namespace polarsim::engine::pgwire {

// What a client sends in one Query message, or between two Syncs, is one transaction (PostgreSQL's implicit transaction
// block, src/backend/access/transam/xact.c): it ends with the message or the Sync, at COMMIT and ROLLBACK, which wonder
// about it, and with an error; BEGIN makes it the client's.
class ImplicitBlock {
 public:
  // The session is looked up when it is needed; it outlives the block.
  explicit ImplicitBlock(const std::unique_ptr<Session>& session) : session_(session) {}

  // Whether the statement stands in a block if there is one: not so what begins and ends blocks.
  static bool contains(const syntax::Statement& statement);
  // Whether the statement must not stand in a block.
  static bool refuses_blocks(const syntax::Statement& statement);
  bool is_open() const { return open_; }
  void begin();
  QueryResult commit() { return finish(syntax::TransactionControl::Kind::commit); }
  QueryResult rollback() { return finish(syntax::TransactionControl::Kind::rollback); }
  // BEGIN, COMMIT and their like, while the block is open.
  QueryResult control(const StatementRequest& request);

 private:
  QueryResult finish(syntax::TransactionControl::Kind kind);

  const std::unique_ptr<Session>& session_;
  bool open_ = false;
};

}  // namespace polarsim::engine::pgwire
