#include "engine/pgwire/client.h"

#include <optional>
#include <utility>

#include "engine/pgwire/message.h"
#include "engine/types/text_form.h"
#include "sim/simulation.h"

namespace polarsim::engine::pgwire {

namespace {

constexpr std::size_t receive_bytes = 64 * 1024;

ErrorFields connection_error(const char* state, std::string message) {
  return ErrorFields{state, std::move(message), "", "", "", 0};
}

const char* describe(sim::NetError error) {
  switch (error) {
    case sim::NetError::refused:
      return "Connection refused";
    case sim::NetError::timed_out:
      return "Connection timed out";
    case sim::NetError::reset:
      return "Connection reset by peer";
    case sim::NetError::closed:
      return "the connection is closed";
  }
  return "unknown error";
}

WireValue to_wire(const Value& value) {
  if (value.is_null()) return std::nullopt;
  return plain_text(value);
}

}  // namespace

struct Client::Implementation {
  sim::Host& host;
  sim::Connection connection;
  Decoder decoder;
  TransactionStatus status = TransactionStatus::idle;
  CancelKey key;
  int answers_due = 0;
  bool lost = false;
  bool extended = false;                // the answer under way is one to the extended protocol
  std::optional<BackendMessage> ahead;  // has been read, and is to be read again

  explicit Implementation(sim::Host& on) : host(on) {}

  ErrorFields lose(std::string message) {
    lost = true;
    connection.abort();
    return connection_error(sqlstate::connection_failure, std::move(message));
  }

  tl::expected<void, ErrorFields> send(const std::string& bytes) {
    if (lost) return tl::unexpected(connection_error(sqlstate::connection_failure, "no connection to the server"));
    const auto sent = connection.send(bytes);
    if (!sent) return tl::unexpected(lose(std::string("could not send data to server: ") + describe(sent.error())));
    return {};
  }

  // The next message; an error means that the connection is lost.
  tl::expected<BackendMessage, ErrorFields> receive(sim::Time deadline) {
    if (ahead) return *std::exchange(ahead, std::nullopt);
    try {
      while (true) {
        if (auto message = decoder.next_backend()) return std::move(*message);
        std::string bytes;
        const auto received = connection.receive(bytes, receive_bytes, deadline);
        if (!received) {
          const bool by_deadline = received.error() == sim::NetError::timed_out && connection.open();
          return tl::unexpected(
              lose(by_deadline ? std::string("no answer from the server in time")
                               : std::string("could not receive data from server: ") + describe(received.error())));
        }
        if (*received == 0) return tl::unexpected(lose("server closed the connection unexpectedly"));
        decoder.feed(bytes);
      }
    } catch (const SqlError& error) {
      return tl::unexpected(lose("lost synchronization with server: " + error.fields().message));
    }
  }

  tl::expected<void, ErrorFields> start(const ClientOptions& options);
  ClientResult read_answer(sim::Time deadline);
  tl::expected<void, ErrorFields> send_simple(std::string_view sql);
  tl::expected<void, ErrorFields> end_copy_in(const FrontendMessage& end);
  tl::expected<void, ErrorFields> refuse_copy_in();
  // To the response that begins a COPY; an error if none comes.
  template <typename Response>
  tl::expected<std::size_t, ErrorFields> start_copy(std::string_view sql, const char* what, sim::Time deadline);
};

namespace {

// Types whose texts mean something without the server's catalog; others stay texts.
TypeId readable(TypeId type) {
  if (type == TypeId::unknown || type == TypeId::record || is_pseudo_type(type)) return TypeId::text;
  const std::string_view name = type_info(type).name;
  return name.starts_with("reg") || name.starts_with("_reg") || name == "_record" ? TypeId::text : type;
}

// Puts one answer together from its messages.
class AnswerBuilder {
 public:
  // An error text if the message does not belong here.
  const char* add(BackendMessage message) {
    if (auto* m = std::get_if<RowDescription>(&message)) {
      keep_only_notices();
      described_since_completion_ = true;
      for (FieldDescription& field : m->fields) {
        result_.columns.push_back(ResultColumn{std::move(field.name), readable(type_from_oid(field.type_oid))});
        result_.columns.back().type.modifier = field.type_modifier;
        result_.columns.back().table = field.table_oid;
        result_.columns.back().number = field.column_number;
      }
    } else if (auto* row = std::get_if<DataRow>(&message)) {
      if (row->values.size() != result_.columns.size()) return "a row has another number of columns than described";
      result_.rows.push_back(convert(*row));
    } else if (auto* complete = std::get_if<CommandComplete>(&message)) {
      if (!described_since_completion_) keep_only_notices();
      described_since_completion_ = false;
      result_.tag = std::move(complete->tag);
    } else if (auto* report = std::get_if<Report>(&message)) {
      if (report->notice) {
        // Nothing said: a WARNING.
        if (report->severity != "WARNING") report->fields.severity = report->severity;
        result_.notices.push_back(std::move(report->fields));
      } else if (!error_) {
        error_ = std::move(report->fields);
        fatal_ = report->severity != "ERROR";
      }
    } else if (std::holds_alternative<AuthenticationOk>(message) || std::holds_alternative<BackendKeyData>(message)) {
      return "a message of the start of a connection came later";
    }
    return nullptr;
  }
  bool fatal() const { return fatal_; }
  ClientResult finish() {
    if (error_) return tl::unexpected(std::move(*error_));
    return std::move(result_);
  }

 private:
  void keep_only_notices() {
    QueryResult next;
    next.notices = std::move(result_.notices);
    result_ = std::move(next);
  }
  Row convert(const DataRow& data) const {
    Row row;
    row.reserve(data.values.size());
    for (std::size_t i = 0; i < data.values.size(); ++i) {
      row.push_back(data.values[i] ? input_value(*data.values[i], result_.columns[i].type, {}) : Value::null());
    }
    return row;
  }

  QueryResult result_;
  std::optional<ErrorFields> error_;
  bool fatal_ = false;
  // Of several statements only the last one's rows are kept, also when it has none.
  bool described_since_completion_ = false;
};

}  // namespace

tl::expected<void, ErrorFields> Client::Implementation::start(const ClientOptions& options) {
  Startup startup;
  startup.parameters.emplace_back("user", options.user);
  startup.parameters.emplace_back("database", options.database);
  if (!options.application_name.empty()) startup.parameters.emplace_back("application_name", options.application_name);
  std::string bytes;
  append(bytes, FrontendMessage(startup));
  if (auto sent = send(bytes); !sent) return sent;
  const sim::Time deadline = sim::deadline_after(host.simulation().now(), options.connection.connect_timeout);
  while (true) {
    auto message = receive(deadline);
    if (!message) return tl::unexpected(std::move(message.error()));
    if (const auto* data = std::get_if<BackendKeyData>(&*message)) {
      key.process_id = data->process_id;
      key.secret = data->secret;
    }
    if (const auto* ready = std::get_if<ReadyForQuery>(&*message)) {
      status = static_cast<TransactionStatus>(ready->status);
      return {};
    }
    if (auto* report = std::get_if<Report>(&*message); report != nullptr && !report->notice) {
      lost = true;
      connection.close();
      return tl::unexpected(std::move(report->fields));
    }
  }
}

ClientResult Client::Implementation::read_answer(sim::Time deadline) {
  AnswerBuilder answer;
  while (true) {
    auto message = receive(deadline);
    if (!message) {
      // A server that says why it ends the connection is more to the point than the end itself.
      if (answer.fatal()) return answer.finish();
      return tl::unexpected(std::move(message.error()));
    }
    if (const auto* ready = std::get_if<ReadyForQuery>(&*message)) {
      status = static_cast<TransactionStatus>(ready->status);
      --answers_due;
      return answer.finish();
    }
    if (std::holds_alternative<CopyInResponse>(*message)) {
      if (auto refused = refuse_copy_in(); !refused) return tl::unexpected(std::move(refused.error()));
      continue;
    }
    try {
      if (const char* problem = answer.add(std::move(*message))) return tl::unexpected(lose(problem));
    } catch (const SqlError& error) {
      return tl::unexpected(lose("the server sent a value that is not of its type: " + error.fields().message));
    }
  }
}

Client::Client(std::unique_ptr<Implementation> implementation) : impl_(std::move(implementation)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

tl::expected<void, ErrorFields> request_cancel(sim::Host& host, const CancelKey& key,
                                               const sim::ConnectionOptions& options) {
  auto connection = host.connect(key.address, options);
  if (!connection) {
    return tl::unexpected(connection_error(
        "08001", "connection to server at \"" + key.address.text() + "\" failed: " + describe(connection.error())));
  }
  std::string bytes;
  append(bytes, FrontendMessage(CancelRequest{key.process_id, key.secret}));
  if (const auto sent = connection->send(bytes); !sent) {
    return tl::unexpected(connection_error(sqlstate::connection_failure,
                                           std::string("could not send data to server: ") + describe(sent.error())));
  }
  // The server answers by closing the connection, or not at all.
  std::string nothing;
  const sim::Time deadline = sim::deadline_after(host.simulation().now(), options.connect_timeout);
  const auto closed = connection->receive(nothing, receive_bytes, deadline);
  if (!closed) {
    return tl::unexpected(connection_error(
        sqlstate::connection_failure, std::string("could not receive data from server: ") + describe(closed.error())));
  }
  return {};
}

tl::expected<Client, ErrorFields> Client::connect(sim::Host& host, const sim::Address& address,
                                                  const ClientOptions& options) {
  auto implementation = std::make_unique<Implementation>(host);
  auto connected = host.connect(address, options.connection);
  if (!connected) {
    return tl::unexpected(connection_error(
        "08001", "connection to server at \"" + address.text() + "\" failed: " + describe(connected.error())));
  }
  implementation->connection = std::move(*connected);
  implementation->key.address = address;
  if (auto started = implementation->start(options); !started) {
    ErrorFields fields = std::move(started.error());
    // Losing a connection that has not carried a statement is a failure to connect.
    if (fields.sqlstate == sqlstate::connection_failure) {
      fields =
          connection_error("08001", "connection to server at \"" + address.text() + "\" failed: " + fields.message);
    }
    return tl::unexpected(std::move(fields));
  }
  return Client(std::move(implementation));
}

tl::expected<void, ErrorFields> Client::send_query(std::string_view sql, std::span<const Value> parameters) {
  std::string bytes;
  try {
    append(bytes, FrontendMessage(Parse{"", std::string(sql), {}}));
    Bind bind;
    for (const Value& value : parameters) bind.parameters.push_back(to_wire(value));
    append(bytes, FrontendMessage(bind));
    append(bytes, FrontendMessage(Describe{'P', ""}));
    append(bytes, FrontendMessage(Execute{"", 0}));
    append(bytes, FrontendMessage(Sync{}));
  } catch (const SqlError& error) {
    return tl::unexpected(error.fields());
  }
  auto sent = impl_->send(bytes);
  if (sent) ++impl_->answers_due;
  impl_->extended = true;
  return sent;
}

ClientResult Client::receive_result(sim::Time deadline) {
  if (impl_->lost) return tl::unexpected(connection_error(sqlstate::connection_failure, "no connection to the server"));
  return impl_->read_answer(deadline);
}

ClientResult Client::query(std::string_view sql, std::span<const Value> parameters, sim::Time deadline) {
  if (auto sent = send_query(sql, parameters); !sent) return tl::unexpected(std::move(sent.error()));
  return receive_result(deadline);
}

tl::expected<void, ErrorFields> Client::Implementation::send_simple(std::string_view sql) {
  std::string bytes;
  try {
    append(bytes, FrontendMessage(Query{std::string(sql)}));
  } catch (const SqlError& error) {
    return tl::unexpected(error.fields());
  }
  auto sent = send(bytes);
  if (sent) ++answers_due;
  extended = false;
  return sent;
}

ClientResult Client::simple_query(std::string_view sql, sim::Time deadline) {
  if (auto sent = impl_->send_simple(sql); !sent) return tl::unexpected(std::move(sent.error()));
  return receive_result(deadline);
}

// --- COPY ---

tl::expected<void, ErrorFields> Client::Implementation::end_copy_in(const FrontendMessage& end) {
  std::string bytes;
  try {
    append(bytes, end);
  } catch (const SqlError&) {
    append(bytes, FrontendMessage(CopyFail{"the reason cannot be shown"}));
  }
  // The one that came with the statement was passed over.
  if (extended) append(bytes, FrontendMessage(Sync{}));
  return send(bytes);
}

tl::expected<void, ErrorFields> Client::Implementation::refuse_copy_in() {
  return end_copy_in(CopyFail{"the client has no rows to send"});
}

template <typename Response>
tl::expected<std::size_t, ErrorFields> Client::Implementation::start_copy(std::string_view sql, const char* what,
                                                                          sim::Time deadline) {
  if (auto sent = send_simple(sql); !sent) return tl::unexpected(std::move(sent.error()));
  auto message = receive(deadline);
  // What is worth telling before the rows are notices; nobody has asked for them.
  while (message && std::holds_alternative<Report>(*message) && std::get<Report>(*message).notice)
    message = receive(deadline);
  if (!message) return tl::unexpected(std::move(message.error()));
  if (const auto* response = std::get_if<Response>(&*message)) return response->formats.size();
  ahead = std::move(*message);
  ClientResult answer = read_answer(deadline);
  if (!answer) return tl::unexpected(std::move(answer.error()));
  return tl::unexpected(connection_error(sqlstate::protocol_violation, what));
}

tl::expected<std::size_t, ErrorFields> Client::start_copy_in(std::string_view sql, sim::Time deadline) {
  return impl_->start_copy<CopyInResponse>(sql, "the statement is no COPY FROM STDIN", deadline);
}

tl::expected<void, ErrorFields> Client::send_copy(std::string_view bytes) {
  std::string message;
  append_copy_data(message, bytes);
  return impl_->send(message);
}

ClientResult Client::finish_copy_in(sim::Time deadline) {
  if (auto sent = impl_->end_copy_in(CopyDone{}); !sent) return tl::unexpected(std::move(sent.error()));
  return receive_result(deadline);
}

ClientResult Client::abandon_copy_in(std::string_view reason, sim::Time deadline) {
  if (auto sent = impl_->end_copy_in(CopyFail{std::string(reason)}); !sent)
    return tl::unexpected(std::move(sent.error()));
  return receive_result(deadline);
}

ClientResult Client::copy_in(std::string_view sql, CopySource& source, sim::Time deadline) {
  if (auto started = start_copy_in(sql, deadline); !started) return tl::unexpected(std::move(started.error()));
  try {
    for (std::string chunk; source.read(chunk);) {
      if (auto sent = send_copy(chunk); !sent) return tl::unexpected(std::move(sent.error()));
    }
  } catch (const SqlError& error) {
    return abandon_copy_in(error.fields().message, deadline);
  }
  return finish_copy_in(deadline);
}

tl::expected<std::size_t, ErrorFields> Client::start_copy_out(std::string_view sql, sim::Time deadline) {
  return impl_->start_copy<CopyOutResponse>(sql, "the statement is no COPY TO STDOUT", deadline);
}

tl::expected<bool, ErrorFields> Client::receive_copy(std::string& lines, sim::Time deadline) {
  while (true) {
    auto message = impl_->receive(deadline);
    if (!message) return tl::unexpected(std::move(message.error()));
    if (auto* data = std::get_if<CopyData>(&*message)) {
      lines = std::move(data->bytes);
      return true;
    }
    const auto* report = std::get_if<Report>(&*message);
    if (report != nullptr && report->notice) continue;
    impl_->ahead = std::move(*message);
    lines.clear();
    return false;
  }
}

ClientResult Client::copy_out(std::string_view sql, CopySink& sink, sim::Time deadline) {
  if (auto started = start_copy_out(sql, deadline); !started) return tl::unexpected(std::move(started.error()));
  std::string lines;
  while (true) {
    auto received = receive_copy(lines, deadline);
    if (!received) return tl::unexpected(std::move(received.error()));
    if (!*received) return receive_result(deadline);
    try {
      sink.write(lines);
    } catch (...) {
      impl_->lose("the rows of a COPY were given up");
      throw;
    }
  }
}

bool Client::usable() const {
  return impl_ != nullptr && !impl_->lost && impl_->answers_due == 0 && impl_->connection.open();
}

bool Client::peer_is_there() {
  if (!usable()) return false;
  std::string bytes;
  const auto received = impl_->connection.receive(bytes, receive_bytes, impl_->host.simulation().now());
  if (!received && received.error() == sim::NetError::timed_out && impl_->connection.open()) return true;
  // An idle server says nothing except farewell.
  impl_->lose("the server has left");
  return false;
}

TransactionStatus Client::status() const { return impl_->status; }
std::uint32_t Client::backend_process_id() const { return impl_->key.process_id; }
CancelKey Client::cancel_key() const { return impl_->key; }

void Client::close() {
  if (impl_ == nullptr || impl_->lost) return;
  impl_->lost = true;
  std::string bytes;
  append(bytes, FrontendMessage(Terminate{}));
  if (impl_->connection.send(bytes)) impl_->connection.shutdown_send();
  impl_->connection.close();
}

}  // namespace polarsim::engine::pgwire
