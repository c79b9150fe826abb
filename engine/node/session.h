// What a connection talks to: one session of a node, executing one statement at a time.
//
// Two kinds exist: a local session (node/local_session.h) runs statements on the node's own tables; a coordinator
// session (cluster/coordinator_session.h) plans them over the cluster. The protocol server (pgwire/server.h) serves
// either.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/sql/ast.h"
#include "engine/sql/error.h"

namespace polarsim::engine {

struct ResultColumn {
  std::string name;
  TypeId type = TypeId::unknown;
};

struct QueryResult {
  std::vector<ResultColumn> columns;  // empty for statements that return no rows
  std::vector<Row> rows;
  std::string tag;                   // "INSERT 0 1", "SELECT 3", "COMMIT", ...
  std::vector<ErrorFields> notices;  // WARNINGs; severity is always WARNING here
};

// As ReadyForQuery reports it.
enum class TransactionStatus : char { idle = 'I', in_transaction = 'T', failed = 'E' };

class Session {
 public:
  virtual ~Session() = default;
  // `text` is the statement as received, for logs and forwarding; `parameters` hold text (or NULL) as the wire brings
  // them. Throws SqlError; the session has then marked its transaction failed or rolled an implicit one back.
  virtual QueryResult execute(const sql::StatementPtr& statement, std::string_view text,
                              std::span<const Value> parameters) = 0;
  virtual TransactionStatus status() const = 0;
  // The connection is gone or said goodbye: roll back what is open. Must not throw SqlError.
  virtual void close() = 0;
};

}  // namespace polarsim::engine
