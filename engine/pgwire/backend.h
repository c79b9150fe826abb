// One connection of the protocol server, from its first byte to its last. Used by server.cpp alone.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/pgwire/message.h"
#include "engine/pgwire/server.h"

namespace polarsim::engine::pgwire {

class Backend {
 public:
  Backend(sim::Connection connection, std::uint32_t process_id, sql::StatementCache& cache);

  // Reads the startup message and opens the session; false if there is nothing more to do. `crowded`: turn the client
  // away with 53300.
  bool start(const SessionFactory& factory, bool crowded);
  // Serves until the client leaves or is lost, then closes the session.
  void run();

 private:
  struct Prepared {
    std::vector<sql::StatementPtr> statements;  // at most one
    std::string text;
    std::vector<std::uint32_t> parameter_types;
  };
  struct Portal {
    Prepared prepared;
    std::vector<Value> parameters;
    bool described = false;  // the row description is owed with the rows
  };

  // False at the end of the stream.
  bool fill();
  bool flush();
  void send(const BackendMessage& message) { append(out_, message); }
  void report_error(const SqlError& error, const char* severity);
  std::optional<FrontendMessage> receive_startup();
  std::optional<FrontendMessage> receive();
  void greet();

  // False when the conversation is over.
  bool handle(const FrontendMessage& message);
  void run_simple(const std::string& text);
  void run_as_one(const std::vector<sql::StatementPtr>& statements, const std::string& text);
  void handle_extended(const FrontendMessage& message);
  void parse(const Parse& message);
  void bind(const Bind& message);
  void describe(const Describe& message);
  void execute(const Execute& message);
  void close_named(const Close& message);
  void send_rows(const QueryResult& result, bool describe);
  void ready();
  void check_owed_description() const;

  sim::Connection connection_;
  std::uint32_t process_id_;
  sql::StatementCache& cache_;
  std::unique_ptr<Session> session_;
  Decoder decoder_;
  std::string out_;
  bool skipping_to_sync_ = false;
  std::map<std::string, Prepared> prepared_;
  std::map<std::string, Portal> portals_;
};

}  // namespace polarsim::engine::pgwire
