#include "engine/pgwire/backend.h"

#include <algorithm>

namespace polarsim::engine::pgwire {

namespace {

constexpr std::size_t receive_bytes = 64 * 1024;

bool returns_rows(const sql::Statement& statement) {
  if (std::holds_alternative<sql::Select>(statement.body) || std::holds_alternative<sql::ShowVariable>(statement.body))
    return true;
  if (const auto* insert = std::get_if<sql::Insert>(&statement.body)) return !insert->returning.empty();
  if (const auto* update = std::get_if<sql::Update>(&statement.body)) return !update->returning.empty();
  if (const auto* removal = std::get_if<sql::Delete>(&statement.body)) return !removal->returning.empty();
  return false;
}

bool works_on_rows(const sql::Statement& statement) {
  if (const auto* select = std::get_if<sql::Select>(&statement.body)) return select->from.has_value();
  return std::holds_alternative<sql::Insert>(statement.body) || std::holds_alternative<sql::Update>(statement.body) ||
         std::holds_alternative<sql::Delete>(statement.body);
}

sql::StatementPtr control_statement(sql::TransactionControl::Kind kind) {
  auto statement = std::make_shared<sql::Statement>();
  sql::TransactionControl control;
  control.kind = kind;
  statement->body = std::move(control);
  return statement;
}

RowDescription describe_columns(const std::vector<ResultColumn>& columns) {
  RowDescription description;
  for (const ResultColumn& column : columns) {
    FieldDescription field;
    field.name = column.name;
    field.type_oid = type_oid(column.type);
    if (column.type == TypeId::boolean) field.type_size = 1;
    if (column.type == TypeId::int4) field.type_size = 4;
    if (column.type == TypeId::int8) field.type_size = 8;
    description.fields.push_back(std::move(field));
  }
  return description;
}

void refuse_binary(const std::vector<std::int16_t>& formats, const char* what) {
  if (std::any_of(formats.begin(), formats.end(), [](std::int16_t format) { return format != 0; })) {
    throw SqlError(sqlstate::feature_not_supported, std::string("binary format is not supported for ") + what);
  }
}

const std::string& parameter_of(const Startup& startup, std::string_view name) {
  static const std::string absent;
  for (const auto& [key, value] : startup.parameters) {
    if (key == name) return value;
  }
  return absent;
}

}  // namespace

void CancelKeys::cancel(const CancelRequest& request) const {
  const auto found = sessions_.find(request.process_id);
  if (found != sessions_.end() && found->second.secret == request.secret) found->second.session->cancel();
}

Backend::Backend(sim::Host& host, sim::Connection connection, std::uint32_t process_id, sql::StatementCache& cache,
                 CancelKeys& keys)
    : host_(host),
      connection_(std::make_shared<sim::Connection>(std::move(connection))),
      process_id_(process_id),
      cache_(cache),
      keys_(keys) {}

Backend::~Backend() {
  if (session_ == nullptr) return;
  keys_.remove(process_id_);
  session_->set_interrupt_listener(nullptr);
  session_->set_copy_stream(nullptr);
}

bool Backend::fill(sim::Time deadline) {
  std::string bytes;
  receiving_ = true;
  const auto received = connection_->receive(bytes, receive_bytes, deadline);
  receiving_ = false;
  if (!received && received.error() == sim::NetError::timed_out && connection_->open()) {
    host_.reached("pgwire/idle-in-transaction-timed-out");
    throw SessionTerminated(sqlstate::idle_in_transaction_session_timeout,
                            "terminating connection due to idle-in-transaction timeout");
  }
  if (farewell_said_ || !received || *received == 0) return false;
  decoder_.feed(bytes);
  return true;
}

bool Backend::flush() {
  if (out_.empty()) return true;
  const auto sent = connection_->send(out_);
  out_.clear();
  return sent.has_value();
}

void Backend::report_error(const SqlError& error, const char* severity) {
  try {
    send(Report{false, severity, error.fields()});
  } catch (const SqlError&) {
    // The message quotes user bytes that the protocol cannot carry.
    send(Report{false, severity, ErrorFields{error.sqlstate(), "error message cannot be shown", "", "", "", 0}});
  }
}

std::optional<FrontendMessage> Backend::receive_startup() {
  while (true) {
    if (auto message = decoder_.next_startup()) return message;
    if (!fill()) return std::nullopt;
  }
}

std::optional<FrontendMessage> Backend::receive() {
  const sim::Time deadline = idle_deadline();
  while (true) {
    if (session_->termination_requested()) throw SessionTerminated::by_administrator();
    if (auto message = decoder_.next_frontend()) {
      if (!belongs_to_copy(*message)) at_rest_ = false;
      return message;
    }
    if (!fill(deadline)) return std::nullopt;
  }
}

sim::Time Backend::idle_deadline() const {
  if (!at_rest_ || session_->status() == TransactionStatus::idle) return sim::never;
  const sim::Duration timeout = session_->idle_in_transaction_timeout();
  return timeout > sim::Duration(0) ? host_.deadline_in(timeout) : sim::never;
}

void Backend::on_interrupt() {
  if (!receiving_ || farewell_said_ || !session_->termination_requested()) return;
  farewell_said_ = true;
  std::string farewell;
  append(farewell, BackendMessage(Report{false, "FATAL", SessionTerminated::by_administrator().fields()}));
  // Sending may block; closing ends the wait for a message.
  host_.spawn("farewell of backend " + std::to_string(process_id_), [connection = connection_, farewell] {
    connection->send(farewell);
    connection->close();
  });
}

void Backend::greet() {
  send(AuthenticationOk{});
  send(ParameterStatus{"server_version", "15.0"});
  send(ParameterStatus{"server_encoding", "UTF8"});
  send(ParameterStatus{"client_encoding", "UTF8"});
  send(ParameterStatus{"DateStyle", "ISO, MDY"});
  send(ParameterStatus{"TimeZone", "UTC"});
  send(ParameterStatus{"integer_datetimes", "on"});
  send(ParameterStatus{"standard_conforming_strings", "on"});
  const auto secret = static_cast<std::uint32_t>(host_.random("pgwire/cancel-secret").next());
  keys_.add(process_id_, secret, *session_);
  send(BackendKeyData{process_id_, secret});
  ready();
}

bool Backend::start(const SessionFactory& factory, bool crowded) {
  try {
    while (true) {
      const auto message = receive_startup();
      if (!message) return false;
      if (const auto* cancel = std::get_if<CancelRequest>(&*message)) {
        keys_.cancel(*cancel);
        return false;
      }
      if (std::holds_alternative<EncryptionRequest>(*message)) {
        if (!connection_->send("N")) return false;
        continue;
      }
      const auto& startup = std::get<Startup>(*message);
      SessionRequest request;
      request.process_id = process_id_;
      request.user = parameter_of(startup, "user");
      request.database = parameter_of(startup, "database");
      request.application_name = parameter_of(startup, "application_name");
      if (request.user.empty()) throw SqlError("28000", "no PostgreSQL user name specified in startup packet");
      if (crowded) throw SqlError("53300", "sorry, too many clients already");
      session_ = factory(request);
      if (session_->process_id() != 0) process_id_ = session_->process_id();
      session_->set_interrupt_listener([this] { on_interrupt(); });
      session_->set_copy_stream(&copy_);
      greet();
      return flush();
    }
  } catch (const SqlError& error) {
    report_error(error, "FATAL");
    flush();
    return false;
  }
}

void Backend::run() {
  try {
    while (true) {
      const auto message = receive();
      if (!message || !handle(*message)) break;
    }
  } catch (const SqlError& error) {
    // The session has ended, or the framing is broken: errors of statements are answered where they happen. Nobody is
    // to wait for what the session holds until the client has heard of it.
    session_->close();
    report_error(error, "FATAL");
    flush();
  }
  session_->close();
}

bool Backend::handle(const FrontendMessage& message) {
  if (std::holds_alternative<Terminate>(message)) return false;
  if (std::holds_alternative<Sync>(message)) {
    try {
      if (!skipping_to_sync_) check_owed_description();
    } catch (const SqlError& error) {
      report_error(error, "ERROR");
    }
    portals_.clear();
    skipping_to_sync_ = false;
    ready();
    return flush();
  }
  if (skipping_to_sync_ || belongs_to_copy(message)) return true;
  if (std::holds_alternative<Flush>(message)) return flush();
  if (const auto* query = std::get_if<Query>(&message)) {
    run_simple(query->text);
    ready();
    return flush();
  }
  try {
    handle_extended(message);
  } catch (const SessionTerminated&) {
    throw;
  } catch (const SqlError& error) {
    report_error(error, "ERROR");
    skipping_to_sync_ = true;
    check_synchronization();
  }
  return true;
}

void Backend::ready() {
  at_rest_ = true;
  send(ReadyForQuery{static_cast<char>(session_->status())});
}

void Backend::run_simple(const std::string& text) {
  try {
    const std::vector<sql::StatementPtr> statements = cache_.parse(text);
    if (statements.empty()) {
      send(EmptyQueryResponse{});
      return;
    }
    const bool one_transaction =
        statements.size() > 1 && session_->status() == TransactionStatus::idle &&
        std::all_of(statements.begin(), statements.end(),
                    [](const sql::StatementPtr& statement) { return works_on_rows(*statement); });
    if (one_transaction) {
      run_as_one(statements, text);
      return;
    }
    for (const sql::StatementPtr& statement : statements) send_rows(run_statement(statement, text, {}), true);
  } catch (const SessionTerminated&) {
    throw;
  } catch (const SqlError& error) {
    report_error(error, "ERROR");
    check_synchronization();
  }
}

void Backend::check_synchronization() const {
  if (!copy_.synchronization_lost()) return;
  throw SessionTerminated(sqlstate::protocol_violation,
                          "terminating connection because protocol synchronization was lost");
}

void Backend::run_as_one(const std::vector<sql::StatementPtr>& statements, const std::string& text) {
  session_->execute(control_statement(sql::TransactionControl::Kind::begin), "BEGIN", {});
  std::vector<QueryResult> results;
  try {
    for (const sql::StatementPtr& statement : statements) results.push_back(session_->execute(statement, text, {}));
  } catch (const SessionTerminated&) {
    throw;
  } catch (const SqlError&) {
    session_->execute(control_statement(sql::TransactionControl::Kind::rollback), "ROLLBACK", {});
    throw;
  }
  // Nobody may hear of results before they are decided.
  QueryResult end = session_->execute(control_statement(sql::TransactionControl::Kind::commit), "COMMIT", {});
  auto& notices = results.back().notices;
  notices.insert(notices.end(), end.notices.begin(), end.notices.end());
  for (const QueryResult& result : results) send_rows(result, true);
}

QueryResult Backend::run_statement(const sql::StatementPtr& statement, const std::string& text,
                                   std::span<const Value> parameters) {
  QueryResult result;
  try {
    result = session_->execute(statement, text, parameters);
  } catch (const SqlError&) {
    copy_.finish(false);
    throw;
  }
  copy_.finish(true);
  const auto* discard = std::get_if<sql::Discard>(&statement->body);
  if (discard != nullptr && discard->what == sql::Discard::What::all) {
    prepared_.clear();
    portals_.clear();
  }
  return result;
}

void Backend::send_rows(const QueryResult& result, bool describe) {
  for (const ErrorFields& notice : result.notices)
    send(Report{true, notice.severity.empty() ? "WARNING" : notice.severity, notice});
  if (describe && !result.columns.empty()) send(describe_columns(result.columns));
  for (const Row& row : result.rows) {
    DataRow data;
    data.values.reserve(row.size());
    for (const Value& value : row) data.values.push_back(value.is_null() ? WireValue() : WireValue(to_text(value)));
    send(data);
  }
  send(CommandComplete{result.tag});
}

void Backend::handle_extended(const FrontendMessage& message) {
  if (const auto* m = std::get_if<Execute>(&message)) return execute(*m);
  check_owed_description();
  if (const auto* m = std::get_if<Parse>(&message)) return parse(*m);
  if (const auto* m = std::get_if<Bind>(&message)) return bind(*m);
  if (const auto* m = std::get_if<Describe>(&message)) return describe(*m);
  if (const auto* m = std::get_if<Close>(&message)) return close_named(*m);
}

void Backend::check_owed_description() const {
  for (const auto& [name, portal] : portals_) {
    if (portal.described) {
      throw SqlError(sqlstate::feature_not_supported,
                     "a portal that returns rows must be executed right after it is described");
    }
  }
}

void Backend::parse(const Parse& message) {
  Prepared prepared;
  prepared.statements = cache_.parse(message.text);
  if (prepared.statements.size() > 1) {
    throw SqlError(sqlstate::syntax_error, "cannot insert multiple commands into a prepared statement");
  }
  prepared.text = message.text;
  prepared.parameter_types = message.parameter_types;
  if (!message.statement.empty() && prepared_.contains(message.statement)) {
    throw SqlError("42P05", "prepared statement \"" + message.statement + "\" already exists");
  }
  prepared_[message.statement] = std::move(prepared);
  send(ParseComplete{});
}

void Backend::bind(const Bind& message) {
  const auto found = prepared_.find(message.statement);
  if (found == prepared_.end())
    throw SqlError("26000", "prepared statement \"" + message.statement + "\" does not exist");
  refuse_binary(message.parameter_formats, "parameters");
  refuse_binary(message.result_formats, "results");
  Portal portal;
  portal.prepared = found->second;
  const std::size_t expected =
      portal.prepared.statements.empty() ? 0 : static_cast<std::size_t>(portal.prepared.statements.front()->parameters);
  if (message.parameters.size() != expected) {
    throw SqlError(sqlstate::protocol_violation, "bind message supplies " + std::to_string(message.parameters.size()) +
                                                     " parameters, but prepared statement \"" + message.statement +
                                                     "\" requires " + std::to_string(expected));
  }
  for (const WireValue& value : message.parameters)
    portal.parameters.push_back(value ? Value::text(*value) : Value::null());
  portals_[message.portal] = std::move(portal);
  send(BindComplete{});
}

void Backend::describe(const Describe& message) {
  if (message.kind == 'P') {
    const auto found = portals_.find(message.name);
    if (found == portals_.end()) throw SqlError("34000", "portal \"" + message.name + "\" does not exist");
    const auto& statements = found->second.prepared.statements;
    if (!statements.empty() && returns_rows(*statements.front())) {
      found->second.described = true;
    } else {
      send(NoData{});
    }
    return;
  }
  const auto found = prepared_.find(message.name);
  if (found == prepared_.end()) throw SqlError("26000", "prepared statement \"" + message.name + "\" does not exist");
  const auto& statements = found->second.statements;
  if (!statements.empty() && returns_rows(*statements.front())) {
    throw SqlError(sqlstate::feature_not_supported,
                   "a prepared statement that returns rows cannot be described before it is executed");
  }
  ParameterDescription parameters;
  parameters.types = found->second.parameter_types;
  if (!statements.empty()) parameters.types.resize(static_cast<std::size_t>(statements.front()->parameters), 0);
  std::replace(parameters.types.begin(), parameters.types.end(), std::uint32_t{0}, type_oid(TypeId::text));
  send(parameters);
  send(NoData{});
}

void Backend::execute(const Execute& message) {
  const auto found = portals_.find(message.portal);
  if (found == portals_.end()) throw SqlError("34000", "portal \"" + message.portal + "\" does not exist");
  const Portal portal = std::move(found->second);
  portals_.erase(found);
  if (portal.prepared.statements.empty()) {
    send(EmptyQueryResponse{});
    return;
  }
  send_rows(run_statement(portal.prepared.statements.front(), portal.prepared.text, portal.parameters),
            portal.described);
}

void Backend::close_named(const Close& message) {
  if (message.kind == 'S') {
    prepared_.erase(message.name);
  } else {
    portals_.erase(message.name);
  }
  send(CloseComplete{});
}

}  // namespace polarsim::engine::pgwire
