// What a connection talks to: one session of a node, executing one statement at a time.
//
// Two kinds exist: a local session (node/local_session.h) runs statements on the node's own tables; a coordinator
// session (cluster/coordinator_session.h) plans them over the cluster. The protocol server (pgwire/server.h) serves
// either.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/node/copy_stream.h"
#include "engine/syntax/ast.h"
#include "engine/types/error.h"
#include "engine/types/function.h"
#include "engine/types/type.h"
#include "engine/types/value_type.h"
#include "sim/time.h"

namespace polarsim::engine {

struct ResultColumn {
  std::string name;
  Type type;
  // The column of a table or view that it is, and not something computed: pg_class.oid and pg_attribute.attnum.
  std::uint32_t table = 0;
  std::int16_t number = 0;
};

struct QueryResult {
  std::vector<ResultColumn> columns;  // empty for statements that return no rows
  std::vector<Row> rows;
  std::string tag;                   // "INSERT 0 1", "SELECT 3", "COMMIT", ...
  std::vector<ErrorFields> notices;  // WARNINGs and NOTICEs

  POLARSIM_DECLARE_VALUE_TYPE(QueryResult);
};

// What is to be executed. The references must last as long as the call.
struct StatementRequest {
  const syntax::StatementPtr& statement;
  std::string_view text;                   // as received, for logs and forwarding
  std::span<const Value> parameters = {};  // text (or NULL) as the wire brings them, or values of their types
  std::span<const TypeId> types = {};      // of the parameters, as far as the client said; unknown: found by analysis
  // No parameter is a text that has to be read: they are values of `types`. (A uuid is a text inside, too.)
  bool typed = false;
  // What the client was told that the statement gives, and no longer asks: 0A000 if it gives something else. Null: it
  // was not told.
  const std::vector<ResultColumn>* columns = nullptr;
};

// What a statement takes and gives, known before it is executed.
struct StatementDescription {
  std::vector<TypeId> parameters;
  std::vector<ResultColumn> columns;  // empty for statements that return no rows
};

// Of PREPARE, or of the protocol's Parse.
struct PreparedStatement {
  syntax::StatementPtr statement;  // null: the text is empty
  std::string text;
  std::vector<TypeId> types;  // of the parameters, as far as they were said
  // Once somebody has asked: what it gives must then stay so.
  std::shared_ptr<const StatementDescription> description;
  std::int64_t prepared_us = 0;  // 0: by Parse, and pg_prepared_statements does not tell of it
  std::uint64_t executions = 0;
};
using PreparedStatements = std::map<std::string, PreparedStatement, std::less<>>;

// As ReadyForQuery reports it.
enum class TransactionStatus : char { idle = 'I', in_transaction = 'T', failed = 'E' };

// PostgreSQL's FATAL: the session has ended, what was open is rolled back, and the connection is to follow.
class SessionTerminated : public SqlError {
 public:
  using SqlError::SqlError;
  static SessionTerminated by_administrator() {
    return {sqlstate::admin_shutdown, "terminating connection due to administrator command"};
  }
};

class Session {
 public:
  virtual ~Session() = default;
  // Throws SqlError; the session has then marked its transaction failed or rolled an implicit one back. Throws
  // SessionTerminated if somebody has asked for that; the session is then closed.
  virtual QueryResult execute(const StatementRequest& request) = 0;
  // Analyses the statement without executing it; the request's parameters are not looked at. Throws as execute() does.
  virtual StatementDescription describe(const StatementRequest& request) = 0;
  // The connection has told the client of an error of its own: a text that cannot be parsed, a parameter that is
  // missing. To an open block it does what an error of execute() does; else nothing. Must not throw SqlError.
  virtual void fail() = 0;
  // The settings that texts of values depend on. Valid until the next statement.
  virtual CallContext output_context() const { return {}; }
  virtual TransactionStatus status() const = 0;
  // The connection is gone or said goodbye: roll back what is open. Must not throw SqlError.
  virtual void close() = 0;

  // --- for others; these never block. A session that nobody can address does nothing ---
  // pg_backend_pid(): by this number others cancel and terminate it. 0: it has none.
  virtual std::uint32_t process_id() const { return 0; }
  // Ends the statement that is being executed with 57014; without one nothing happens.
  virtual void cancel() {}
  // Ends the session: what is being executed throws SessionTerminated, else the next execute() does.
  virtual void terminate() {}
  virtual bool termination_requested() const { return false; }
  // Called, in any task or timer, when somebody has asked for either. Must not block.
  virtual void set_interrupt_listener(std::function<void()> /*listener*/) {}

  // --- for the connection ---
  // What COPY reads and writes as STDIN and STDOUT; outlives the session, or is taken away by null. A session that is
  // not told refuses both.
  virtual void set_copy_stream(CopyStream* /*stream*/) {}
  // How long it may be idle inside a transaction block before it is to be closed; 0: forever.
  virtual sim::Duration idle_in_transaction_timeout() const { return sim::Duration(0); }
  // By name. What the statements do with them (PREPARE, EXECUTE, DEALLOCATE), is for the session.
  virtual PreparedStatements& prepared_statements() { return prepared_statements_; }
  // A setting as SHOW shows it. Throws 42704 for one that is not known.
  virtual std::string setting(std::string_view /*name*/) const { return {}; }
  // Another object whenever a setting of the session may have changed; null if it has none.
  virtual std::shared_ptr<const void> settings_in_force() const { return nullptr; }
  // What the client wants a setting to be from the start and after RESET. Throws as SET does.
  virtual void set_at_start(std::string_view /*name*/, std::string_view /*value*/) {}
  // What a transaction has that does not say otherwise, as far as it differs from Read Committed and READ WRITE.
  virtual syntax::TransactionModes default_modes() const { return {}; }

 private:
  PreparedStatements prepared_statements_;
};

}  // namespace polarsim::engine
