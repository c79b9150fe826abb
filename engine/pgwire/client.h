// A PostgreSQL client on a simulated host: what workloads, coordinators and tests use to talk to a node, over bytes
// only.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "engine/node/session.h"
#include "engine/types/error.h"
#include "sim/host.h"

namespace polarsim::engine::pgwire {

struct ClientOptions {
  std::string user = "polar";
  std::string database = "postgres";
  std::string application_name;
  sim::ConnectionOptions connection;
};

// Errors that are not the server's answer have class 08: 08001 could not connect, 08006 connection lost (the fate of a
// statement under way is then unknown).
using ClientResult = tl::expected<QueryResult, ErrorFields>;

// What a server has to be told to cancel a session's statement.
struct CancelKey {
  sim::Address address;
  std::uint32_t process_id = 0;
  std::uint32_t secret = 0;
};

// Asks, on a connection of its own, to cancel what the session executes; returns when the server has taken note.
// Whether there was anything to cancel shows in the answer of the session, or not at all. Fails with 08001 or 08006.
tl::expected<void, ErrorFields> request_cancel(sim::Host& host, const CancelKey& key,
                                               const sim::ConnectionOptions& options = {});

class Client {
 public:
  static tl::expected<Client, ErrorFields> connect(sim::Host& host, const sim::Address& address,
                                                   const ClientOptions& options = {});
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();  // closes without waiting

  // One statement by the extended protocol (Parse, Bind, Execute, Sync in one message flight); parameters are sent as
  // text. Rows come back typed by their column's OID. Blocks until the answer or `deadline` (then the connection is
  // dropped: 08006).
  ClientResult query(std::string_view sql, std::span<const Value> parameters = {}, sim::Time deadline = sim::never);
  // One or more statements by the simple protocol; the last result.
  ClientResult simple_query(std::string_view sql, sim::Time deadline = sim::never);

  // Split halves of query(), so that a coordinator can have one statement under way on each of several connections.
  tl::expected<void, ErrorFields> send_query(std::string_view sql, std::span<const Value> parameters = {});
  ClientResult receive_result(sim::Time deadline = sim::never);

  // --- COPY, by the simple protocol. A COPY that is sent by the functions above fails if it reads from STDIN; what it
  // writes to STDOUT is dropped ---
  // The whole COPY ... FROM STDIN. If the source throws SqlError, the server is told, and the answer is its error.
  ClientResult copy_in(std::string_view sql, CopySource& source, sim::Time deadline = sim::never);
  // The whole COPY ... TO STDOUT. What the sink throws comes out, and the connection is dropped.
  ClientResult copy_out(std::string_view sql, CopySink& sink, sim::Time deadline = sim::never);

  // Parts of copy_in(), so that a coordinator can spread rows over several connections. First; gives the number of
  // columns. After an error there is nothing to finish.
  tl::expected<std::size_t, ErrorFields> start_copy_in(std::string_view sql, sim::Time deadline = sim::never);
  // Any number of times, bytes cut anywhere. That the server has refused a row shows in the end only.
  tl::expected<void, ErrorFields> send_copy(std::string_view bytes);
  // Last. With a reason the server undoes the statement: 57014 "COPY from stdin failed: reason".
  ClientResult finish_copy_in(sim::Time deadline = sim::never);
  ClientResult abandon_copy_in(std::string_view reason, sim::Time deadline = sim::never);
  // Parts of copy_out(): start, receive until false or an error, then receive_result().
  tl::expected<std::size_t, ErrorFields> start_copy_out(std::string_view sql, sim::Time deadline = sim::never);
  // Puts the next lines in the place of `lines`; false at the end, which may be that of an error (receive_result()).
  tl::expected<bool, ErrorFields> receive_copy(std::string& lines, sim::Time deadline = sim::never);

  bool usable() const;  // connected, no unfinished answer
  // For an idle connection: false if the server's farewell (FIN, RST) has arrived since the last answer. Does not wait;
  // a silent death goes unnoticed.
  bool peer_is_there();
  TransactionStatus status() const;  // as of the last ReadyForQuery
  std::uint32_t backend_process_id() const;
  CancelKey cancel_key() const;
  void close();  // Terminate, then FIN

 private:
  struct Implementation;
  explicit Client(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> impl_;
};

}  // namespace polarsim::engine::pgwire
