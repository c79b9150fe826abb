#include "scenarios/cli/prompt/simulated_connection.h"

#include <charconv>
#include <cstdio>
#include <map>
#include <utility>

#include "engine/pgwire/client.h"
#include "engine/pgwire/connection_options.h"
#include "engine/pgwire/message.h"
#include "scenarios/cli/prompt/simulated_server.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

namespace pgwire = engine::pgwire;

constexpr std::size_t receive_bytes = 64 * 1024;

const char* describe_error(sim::NetError error) {
  switch (error) {
    case sim::NetError::refused:
      return "Connection refused";
    case sim::NetError::timed_out:
      return "Connection timed out";
    case sim::NetError::reset:
      return "Connection reset by peer";
    case sim::NetError::closed:
      break;
  }
  return "the connection is closed";
}

ServerReport report_of(const pgwire::Report& message) {
  ServerReport report;
  report.severity = message.severity;
  report.sqlstate = message.fields.sqlstate;
  report.message = message.fields.message;
  report.detail = message.fields.detail;
  report.hint = message.fields.hint;
  report.context = message.fields.context;
  report.position = message.fields.position;
  const engine::ErrorObject& object = message.fields.object;
  report.schema = object.schema;
  report.table = object.table;
  report.column = object.column;
  report.data_type = object.data_type;
  report.constraint = object.constraint;
  return report;
}

std::uint16_t port_of(const std::string& text) {
  unsigned port = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || stop != text.data() + text.size() || port == 0 || port > 65535) {
    throw ConnectionLost{"invalid port number: \"" + text + "\""};
  }
  return static_cast<std::uint16_t>(port);
}

class SimulatedConnection : public Connection {
 public:
  SimulatedConnection(SimulatedServer& server, ConnectionInfo info) : server_(server), info_(std::move(info)) {
    address_ = sim::Address{info_.host, port_of(info_.port)};
    const auto refused = [&](const std::string& why) {
      return ConnectionLost{"connection to server at \"" + info_.host + "\", port " + info_.port + " failed: " + why};
    };
    run("connect", [&] {
      auto connected = server_.client_host().connect(address_, pgwire::connection_options(server_.config().node));
      if (!connected) throw refused(describe_error(connected.error()));
      connection_ = std::move(*connected);
      pgwire::Startup startup;
      startup.parameters.emplace_back("user", info_.user);
      startup.parameters.emplace_back("database", info_.database);
      startup.parameters.emplace_back("application_name", "polarsim sql");
      send(startup);
      Answer answer;
      while (auto message = receive()) {
        if (const auto* report = std::get_if<pgwire::Report>(&*message); report != nullptr && !report->notice) {
          throw refused(shown_report(report_of(*report), "", Verbosity::standard, ShowContext::never));
        }
        if (is_end(*message)) return;
        take_aside(*message);
      }
    });
  }

  ~SimulatedConnection() override {
    try {
      if (!usable()) return;
      run("disconnect", [&] {
        send(pgwire::Terminate{});
        connection_.shutdown_send();
        connection_.close();
      });
    } catch (const std::exception&) {
      // The world has come to its end: there is nobody to say goodbye to.
    } catch (const ConnectionLost&) {
    }
  }
  SimulatedConnection(const SimulatedConnection&) = delete;
  SimulatedConnection& operator=(const SimulatedConnection&) = delete;

  void query(const std::string& statements, const CopyHandlers& copy,
             const std::function<void(Answer)>& on_answer) override {
    exchange(pgwire::Query{statements}, copy, on_answer);
  }

  Answer describe(const std::string& statement) override {
    Answer described;
    run("describe", [&] {
      described_columns_.clear();
      send(pgwire::Parse{"", statement, {}});
      send(pgwire::Describe{'S', ""});
      send(pgwire::Sync{});
      read_answers({}, [&](Answer answer) { described = std::move(answer); });
      if (described.kind == Answer::Kind::empty) described.columns = std::move(described_columns_);
    });
    return described;
  }

  BlockStatus block_status() const override {
    if (!usable()) return BlockStatus::unknown;
    return status_ == 'I' ? BlockStatus::idle : status_ == 'T' ? BlockStatus::in_block : BlockStatus::failed;
  }
  bool usable() const override { return !lost_ && connection_.open(); }
  std::string parameter(const std::string& name) const override {
    const auto found = parameters_.find(name);
    return found == parameters_.end() ? "" : found->second;
  }
  std::uint32_t process_id() const override { return key_.process_id; }
  ConnectionInfo info() const override { return info_; }

 private:
  void run(const char* name, const std::function<void()>& body) {
    server_.run(name, body, [this] { cancel(); });
  }

  // In a task of its own.
  void cancel() {
    const auto sent = pgwire::request_cancel(server_.client_host(), {address_, key_.process_id, key_.secret},
                                             pgwire::connection_options(server_.config().node));
    std::fprintf(stderr, "%s\n", sent ? "Cancel request sent" : sent.error().message.c_str());
  }

  [[noreturn]] void lose(const std::string& message) {
    lost_ = true;
    connection_.abort();
    throw ConnectionLost{message};
  }

  // Throws SqlError for what the protocol cannot carry: a NUL byte in a text.
  void send(const pgwire::FrontendMessage& message) {
    std::string bytes;
    append(bytes, message);
    const auto sent = connection_.send(bytes);
    if (!sent) lose(std::string("could not send data to server: ") + describe_error(sent.error()));
  }

  std::optional<pgwire::BackendMessage> receive() {
    try {
      while (true) {
        if (auto message = decoder_.next_backend()) return message;
        std::string bytes;
        const auto received = connection_.receive(bytes, receive_bytes);
        if (!received) lose(std::string("could not receive data from server: ") + describe_error(received.error()));
        if (*received == 0) {
          lose(
              "server closed the connection unexpectedly\n"
              "\tThis probably means the server terminated abnormally\n"
              "\tbefore or while processing the request.");
        }
        decoder_.feed(bytes);
      }
    } catch (const engine::SqlError& error) {
      lose("lost synchronization with server: " + error.fields().message);
    }
  }

  bool is_end(const pgwire::BackendMessage& message) {
    const auto* ready = std::get_if<pgwire::ReadyForQuery>(&message);
    if (ready != nullptr) status_ = ready->status;
    return ready != nullptr;
  }

  // What may come at any time, and belongs to no statement.
  void take_aside(const pgwire::BackendMessage& message) {
    if (const auto* parameter = std::get_if<pgwire::ParameterStatus>(&message)) {
      parameters_[parameter->name] = parameter->value;
    } else if (const auto* key = std::get_if<pgwire::BackendKeyData>(&message)) {
      key_ = {address_, key->process_id, key->secret};
    }
  }

  void exchange(const pgwire::FrontendMessage& message, const CopyHandlers& copy,
                const std::function<void(Answer)>& on_answer) {
    run("statement", [&] {
      try {
        send(message);
      } catch (const engine::SqlError& error) {
        // The protocol cannot carry it: a NUL byte.
        Answer answer;
        answer.kind = Answer::Kind::error;
        answer.error.severity = "ERROR";
        answer.error.sqlstate = error.sqlstate();
        answer.error.message = error.fields().message;
        give(on_answer, std::move(answer));
        return;
      }
      read_answers(copy, on_answer);
    });
  }

  // Whoever prints, or reads what somebody types, may need more stack than a task has.
  void outside(const std::function<void()>& action) { server_.client_host().scheduler().on_scheduler_stack(action); }

  void give(const std::function<void(Answer)>& on_answer, Answer answer) {
    outside([&] { on_answer(std::move(answer)); });
  }

  // The data of COPY ... FROM STDIN. What the server thinks of them comes as its next message.
  void send_copy(const CopyHandlers& copy) {
    try {
      while (copy.next_piece) {
        std::optional<std::string> piece;
        outside([&] { piece = copy.next_piece(); });
        if (!piece) break;
        send(pgwire::CopyData{std::move(*piece)});
      }
      send(pgwire::CopyDone{});
    } catch (const CopyHandlers::Refusal& refusal) {
      send(pgwire::CopyFail{refusal.message});
    }
  }

  void read_answers(const CopyHandlers& copy, const std::function<void(Answer)>& on_answer) {
    Answer answer;
    const auto finish = [&](Answer::Kind kind) {
      answer.kind = kind;
      give(on_answer, std::exchange(answer, Answer{}));
    };
    bool fatal = false;
    bool described = false;  // rows may follow
    while (true) {
      auto message = fatal ? receive_after_fatal() : receive();
      if (!message) throw ConnectionLost{"server closed the connection unexpectedly"};
      if (is_end(*message)) return;
      if (auto* description = std::get_if<pgwire::RowDescription>(&*message)) {
        take_columns(*description, answer);
        described = true;
      } else if (auto* row = std::get_if<pgwire::DataRow>(&*message)) {
        for (auto& value : row->values) answer.values.push_back(std::move(value));
        ++answer.rows;
      } else if (auto* complete = std::get_if<pgwire::CommandComplete>(&*message)) {
        answer.tag = std::move(complete->tag);
        finish(described ? Answer::Kind::rows : Answer::Kind::command);
        described = false;
      } else if (std::holds_alternative<pgwire::EmptyQueryResponse>(*message) ||
                 std::holds_alternative<pgwire::NoData>(*message)) {
        finish(Answer::Kind::empty);
      } else if (std::holds_alternative<pgwire::CopyInResponse>(*message)) {
        finish(Answer::Kind::copy_in);
        send_copy(copy);
      } else if (std::holds_alternative<pgwire::CopyOutResponse>(*message)) {
        finish(Answer::Kind::copy_out);
      } else if (const auto* data = std::get_if<pgwire::CopyData>(&*message)) {
        if (copy.take_piece) outside([&] { copy.take_piece(data->bytes); });
      } else if (std::holds_alternative<pgwire::CopyDone>(*message)) {
        if (copy.all_taken) outside(copy.all_taken);
      } else if (auto* report = std::get_if<pgwire::Report>(&*message)) {
        if (report->notice) {
          answer.notices.push_back(report_of(*report));
          continue;
        }
        answer.columns.clear();
        answer.values.clear();
        described = false;
        answer.error = report_of(*report);
        fatal = report->severity != "ERROR";
        finish(Answer::Kind::error);
      } else {
        take_aside(*message);
      }
    }
  }

  // The server has said why it goes; that it goes is no news.
  std::optional<pgwire::BackendMessage> receive_after_fatal() {
    try {
      return receive();
    } catch (const ConnectionLost&) {
      return std::nullopt;
    }
  }

  void take_columns(const pgwire::RowDescription& description, Answer& answer) {
    answer.columns.clear();
    for (const pgwire::FieldDescription& field : description.fields) {
      answer.columns.push_back(AnswerColumn{field.name, field.type_oid, field.type_modifier});
    }
    described_columns_ = answer.columns;
  }

  SimulatedServer& server_;
  ConnectionInfo info_;
  sim::Address address_;
  sim::Connection connection_;
  pgwire::Decoder decoder_;
  std::map<std::string, std::string> parameters_;
  pgwire::CancelKey key_;
  char status_ = 'I';
  bool lost_ = false;
  std::vector<AnswerColumn> described_columns_;
};

}  // namespace

std::unique_ptr<Connection> open_simulated_connection(SimulatedServer& server, const ConnectionInfo& wanted) {
  return std::make_unique<SimulatedConnection>(server, wanted);
}

}  // namespace polarsim::scenarios::cli::prompt
