// One connection of the protocol server, from its first byte to its last. Used by server.cpp alone.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/pgwire/backend_copy.h"
#include "engine/pgwire/backend_values.h"
#include "engine/pgwire/implicit_block.h"
#include "engine/pgwire/message.h"
#include "engine/pgwire/server.h"

namespace polarsim::engine::pgwire {

// The sessions of a server, by the number and the secret that their clients were told.
class CancelKeys {
 public:
  void add(std::uint32_t process_id, std::uint32_t secret, Session& session) {
    sessions_[process_id] = {secret, &session};
  }
  void remove(std::uint32_t process_id) { sessions_.erase(process_id); }
  // Cancels what the session executes, if there is such a session and the secret is its own.
  void cancel(const CancelRequest& request) const;

 private:
  struct Entry {
    std::uint32_t secret = 0;
    Session* session = nullptr;
  };
  std::map<std::uint32_t, Entry> sessions_;
};

class Backend {
 public:
  // The references must outlive it.
  Backend(sim::Host& host, sim::Connection connection, std::uint32_t process_id, syntax::StatementCache& cache,
          CancelKeys& keys);
  ~Backend();
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  // Reads the startup message and opens the session; false if there is nothing more to do. `crowded`: turn the client
  // away with 53300.
  bool start(const SessionFactory& factory, bool crowded);
  // Serves until the client leaves or is lost, then closes the session.
  void run();

 private:
  friend class CopyExchange;
  struct Portal {
    PreparedStatement prepared;
    std::vector<Value> parameters;
    Formats formats;             // of the result
    std::size_t savepoints = 0;  // that were set when it was made, and still are
    bool ran = false;
    QueryResult result;    // once it ran; without its rows when all have been sent
    std::size_t next = 0;  // of its rows
  };

  // False at the end of the stream. Throws SessionTerminated at the deadline.
  bool fill(sim::Time deadline = sim::never);
  bool flush();
  void send(const BackendMessage& message) { append(out_, message); }
  void report_error(const SqlError& error, const char* severity);
  std::optional<FrontendMessage> receive_startup();
  std::optional<FrontendMessage> receive();
  void greet();
  void take_startup_settings(const Startup& startup);
  // Tells the client what has changed of the settings that it wants to know.
  void report_settings();
  sim::Time idle_deadline() const;
  // Somebody wants the session to end: an idle one does not look by itself.
  void on_interrupt();

  // One message taken and done; false at the end of the connection.
  bool take_message();
  // False when the conversation is over.
  bool handle(const FrontendMessage& message);
  bool handle_malformed(const MalformedMessage& error);
  // An error is told to the client, and what follows is skipped up to the next Sync.
  void answer(const std::function<void()>& work);
  void run_simple(const std::string& text);
  void run_and_tell(const StatementRequest& request);
  void run_several(const std::vector<syntax::StatementPtr>& statements, const std::string& text);
  class SeveralStatements;  // backend_several.cpp
  // Sees what comes after a statement outside of any block: unless that is Sync, a block begins here that lasts up to
  // it. False if nothing comes any more: what no Sync ends is not done.
  bool begin_pipeline(const Execute& message);
  void end_pipeline();
  void handle_extended(const FrontendMessage& message);
  // The extended protocol's messages (backend_extended.cpp).
  void parse(const Parse& message);
  // Throws 26000.
  PreparedStatement& find_prepared(const std::string& name);
  std::vector<Value> parameters_of(const Bind& message, const PreparedStatement& prepared);
  void bind(const Bind& message);
  void describe(const Describe& message);
  // Says what describe() has put off: see described_.
  void settle_description();
  StatementDescription send_description(const PreparedStatement& prepared, bool with_parameters,
                                        const Formats& formats);
  void execute(const Execute& message);
  void close_named(const Close& message);
  QueryResult run_statement(const StatementRequest& request);
  // What a statement that was done, and answered, means to savepoints_ and to portals.
  void follow(const syntax::Statement& done);
  enum class Describing : std::uint8_t { nothing, rows, portal };
  void run_portal(Portal& portal, Describing describing);
  static bool gives_rows(const syntax::Statement& statement, const QueryResult& result);
  // Of identifiers that the grammar has cut.
  void send_notices_of(std::string_view text);
  // After its notices.
  void describe_rows(const QueryResult& result, Describing describing, bool rows, const Formats& formats = {});
  // As the session writes values now: names of objects and settings may change with the next statement.
  void write_rows(std::span<const Row> rows, const std::vector<ResultColumn>& columns, const Formats& formats,
                  const std::function<void(const DataRow&)>& each) const;
  void write_rows(const QueryResult& result, const Formats& formats,
                  const std::function<void(const DataRow&)>& each) const {
    write_rows(result.rows, result.columns, formats, each);
  }
  void ready();
  // After a statement's error has been reported: throws SessionTerminated if the next message cannot be found.
  void check_synchronization() const;

  sim::Host& host_;
  std::shared_ptr<sim::Connection> connection_;  // shared with who says the last word in on_interrupt()
  std::uint32_t process_id_;
  syntax::StatementCache& cache_;
  CancelKeys& keys_;
  std::unique_ptr<Session> session_;
  Decoder decoder_;
  std::string out_;
  CopyExchange copy_{*this};
  bool skipping_to_sync_ = false;
  // A portal that the client has asked to be described just now. Most clients execute it next, and the rows tell what
  // they are: analysis is then not done twice.
  std::optional<std::string> described_;
  bool at_rest_ = false;    // the client was told that the server is ready, and has said nothing since
  bool receiving_ = false;  // waits for a message
  bool farewell_said_ = false;
  ImplicitBlock pipeline_{session_};
  std::optional<PreparedStatement> unnamed_;  // the others are the session's
  // Those last as long as their transaction, or up to ROLLBACK TO a savepoint that is older.
  std::map<std::string, Portal> portals_;
  std::vector<std::string> savepoints_;        // of the block
  std::map<std::string, std::string> told_;    // settings that the client was told of
  std::shared_ptr<const void> settings_told_;  // when it was
};

}  // namespace polarsim::engine::pgwire
