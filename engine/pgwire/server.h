// The protocol server: gives every connection of a listening port a session and speaks the simple and the extended
// protocol with it.
//
// Promises
//  - One task per connection. Statements of one connection run one after the other, in the order received.
//  - Answers leave when the client waits for them (ReadyForQuery, Flush), in one piece.
//  - After an error in the extended protocol everything up to the next Sync is skipped. What is executed between two
//    Syncs, outside of a block, is one transaction; a statement is begun when it is known whether Sync follows it.
//  - Prepared statements of the protocol and of SQL's PREPARE are the same ones.
//  - A connection that ends, by goodbye or by loss, closes its session; the session rolls back what is open. While a
//    statement runs the loss is not noticed.
//  - A cancel request with the right secret cancels the statement that its session executes.
//  - A session that somebody terminates, and one that is idle in a transaction block for longer than
//    idle_in_transaction_session_timeout, is closed; its client is told by a FATAL error.
//  - COPY FROM STDIN and TO STDOUT, by either protocol: the session reads and writes rows while it executes the
//    statement (node/copy_stream.h).
//  - A message whose body makes no sense is an error of its statement. Bytes that are no messages end the connection
//    with FATAL 08P01. Neither harms the node.
// Differences from PostgreSQL
//  - Of several statements in one Query message, which are one transaction, nothing is told before that is decided.
//  - Parse checks the grammar only: what analysis finds is told at Bind (of values in binary form), Describe or
//    Execute. That a statement no longer gives what it gave is told (0A000) to whom a Describe has told what.
//  - pg_prepared_statements shows those of PREPARE only.
//  - A portal is computed whole when it is first executed; max_rows of Execute only says when its rows travel.
// Probes: "pgwire/idle-in-transaction-timed-out".
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "engine/config.h"
#include "engine/node/session.h"
#include "engine/syntax/statement_cache.h"
#include "sim/host.h"

namespace polarsim::engine::pgwire {

// What a client said when it connected.
struct SessionRequest {
  // Unique over all boots of the host, as long as a boot serves less than a million connections. Not what the client is
  // told if the session has a process_id() of its own.
  std::uint32_t process_id = 0;
  std::string user;
  std::string database;
  std::string application_name;
};

// May throw SqlError to turn the client away.
using SessionFactory = std::function<std::unique_ptr<Session>(const SessionRequest&)>;

// Listens and serves until the host goes down. For the host's program: what the arguments refer to must outlive the
// host's tasks. Throws SqlError 58030 if the port is taken.
void serve(sim::Host& host, const NodeConfig& config, std::uint16_t port, const SessionFactory& factory,
           syntax::StatementCache& cache);

}  // namespace polarsim::engine::pgwire
