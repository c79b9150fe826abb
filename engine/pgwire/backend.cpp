#include "engine/pgwire/backend.h"

#include <algorithm>

#include "engine/types/text_form.h"

namespace polarsim::engine::pgwire {

namespace {

constexpr std::size_t receive_bytes = 64 * 1024;

bool works_on_rows(const syntax::Statement& statement) {
  if (const auto* select = std::get_if<syntax::Select>(&statement.body)) return !select->from.empty();
  return std::holds_alternative<syntax::Insert>(statement.body) ||
         std::holds_alternative<syntax::Update>(statement.body) ||
         std::holds_alternative<syntax::Delete>(statement.body);
}

syntax::StatementPtr control_statement(syntax::TransactionControl::Kind kind) {
  auto statement = std::make_shared<syntax::Statement>();
  syntax::TransactionControl control;
  control.kind = kind;
  statement->body = std::move(control);
  return statement;
}

RowDescription describe_columns(const std::vector<ResultColumn>& columns) {
  RowDescription description;
  for (const ResultColumn& column : columns) {
    // What is still an untyped literal is sent as text.
    const TypeId type = column.type == TypeId::unknown ? TypeId::text : column.type.id;
    FieldDescription field;
    field.name = column.name;
    field.type_oid = type_oid(type);
    field.type_size = type_info(type).length;
    field.type_modifier = column.type.modifier;
    description.fields.push_back(std::move(field));
  }
  return description;
}

// A simple query has none.
void refuse_parameters(const syntax::Statement& statement) {
  if (statement.parameters == 0 || std::holds_alternative<syntax::Prepare>(statement.body)) return;
  throw SqlError(sqlstate::undefined_parameter, "there is no parameter $" + std::to_string(statement.parameters));
}

// Blanks and comments aside. False for a text that begins with anything else.
bool begins_with_start(std::string_view text) {
  while (!text.empty()) {
    if (text.starts_with("--")) {
      text.remove_prefix(std::min(text.find('\n'), text.size()));
    } else if (text.starts_with("/*")) {
      std::size_t depth = 0;
      do {
        const bool opens = text.starts_with("/*");
        const bool closes = text.starts_with("*/");
        if (opens) ++depth;
        if (closes) --depth;
        text.remove_prefix(opens || closes ? 2 : 1);
      } while (depth > 0 && !text.empty());
    } else if (std::string_view(" \t\n\r\f\v;").find(text.front()) != std::string_view::npos) {
      text.remove_prefix(1);
    } else {
      break;
    }
  }
  static constexpr std::string_view word = "start";
  return text.size() >= word.size() && std::equal(word.begin(), word.end(), text.begin(), [](char a, char b) {
           return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b - 'A' + 'a') : b);
         });
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

Backend::Backend(sim::Host& host, sim::Connection connection, std::uint32_t process_id, syntax::StatementCache& cache,
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
    return;
  }
  session_->close();
}

bool Backend::handle(const FrontendMessage& message) {
  if (std::holds_alternative<Terminate>(message)) return false;
  if (std::holds_alternative<Sync>(message)) {
    answer([this] {
      if (!skipping_to_sync_) settle_description();
    });
    described_.reset();
    portals_.clear();
    skipping_to_sync_ = false;
    ready();
    return flush();
  }
  if (skipping_to_sync_ || belongs_to_copy(message)) return true;
  if (std::holds_alternative<Flush>(message)) {
    answer([this] { settle_description(); });
    return flush();
  }
  if (const auto* query = std::get_if<Query>(&message)) {
    run_simple(query->text);
    ready();
    return flush();
  }
  answer([&] { handle_extended(message); });
  return true;
}

void Backend::answer(const std::function<void()>& work) {
  try {
    work();
  } catch (const SessionTerminated&) {
    throw;
  } catch (const SqlError& error) {
    report_error(error, "ERROR");
    session_->fail();
    skipping_to_sync_ = true;
    described_.reset();
    check_synchronization();
  }
}

void Backend::ready() {
  at_rest_ = true;
  send(ReadyForQuery{static_cast<char>(session_->status())});
}

void Backend::run_simple(const std::string& text) {
  try {
    const std::vector<syntax::StatementPtr> statements = cache_.parse(text);
    if (statements.empty()) {
      send(EmptyQueryResponse{});
      return;
    }
    const bool one_transaction =
        statements.size() > 1 && session_->status() == TransactionStatus::idle &&
        std::all_of(statements.begin(), statements.end(),
                    [](const syntax::StatementPtr& statement) { return works_on_rows(*statement); });
    if (one_transaction) {
      run_as_one(statements, text);
      return;
    }
    bool first = true;
    for (const syntax::StatementPtr& statement : statements) {
      // In a failed block that is the error that counts.
      if (session_->status() != TransactionStatus::failed) refuse_parameters(*statement);
      send_rows(run_statement({statement, text}, std::exchange(first, false)), Describing::rows);
    }
  } catch (const SessionTerminated&) {
    throw;
  } catch (const SqlError& error) {
    report_error(error, "ERROR");
    // Nothing if the statement's own execution has failed: the session knows.
    session_->fail();
    check_synchronization();
  }
}

void Backend::check_synchronization() const {
  if (!copy_.synchronization_lost()) return;
  throw SessionTerminated(sqlstate::protocol_violation,
                          "terminating connection because protocol synchronization was lost");
}

void Backend::run_as_one(const std::vector<syntax::StatementPtr>& statements, const std::string& text) {
  session_->execute({control_statement(syntax::TransactionControl::Kind::begin), "BEGIN"});
  std::vector<QueryResult> results;
  std::vector<std::vector<DataRow>> rows;
  try {
    for (const syntax::StatementPtr& statement : statements) {
      refuse_parameters(*statement);
      results.push_back(session_->execute({statement, text}));
      write_rows(results.back(), [&written = rows.emplace_back()](const DataRow& row) { written.push_back(row); });
      results.back().rows.clear();
    }
  } catch (const SessionTerminated&) {
    throw;
  } catch (const SqlError&) {
    session_->execute({control_statement(syntax::TransactionControl::Kind::rollback), "ROLLBACK"});
    throw;
  }
  // Nobody may hear of results before they are decided.
  QueryResult end = session_->execute({control_statement(syntax::TransactionControl::Kind::commit), "COMMIT"});
  auto& notices = results.back().notices;
  notices.insert(notices.end(), end.notices.begin(), end.notices.end());
  for (std::size_t i = 0; i < results.size(); ++i) {
    describe_rows(results[i], Describing::rows);
    for (const DataRow& row : rows[i]) send(row);
    send(CommandComplete{results[i].tag});
  }
}

QueryResult Backend::run_statement(const StatementRequest& request, bool begins_text) {
  QueryResult result;
  try {
    result = session_->execute(request);
  } catch (const SqlError&) {
    copy_.finish(false);
    throw;
  }
  copy_.finish(true);
  // The tree does not tell START TRANSACTION from BEGIN.
  if (begins_text && result.tag == "BEGIN" && begins_with_start(request.text)) result.tag = "START TRANSACTION";
  const auto* discard = std::get_if<syntax::Discard>(&request.statement->body);
  if (discard != nullptr && discard->what == syntax::Discard::What::all) {
    prepared_.clear();
    portals_.clear();
  }
  return result;
}

void Backend::send_rows(const QueryResult& result, Describing describing) {
  describe_rows(result, describing);
  write_rows(result, [this](const DataRow& row) { send(row); });
  send(CommandComplete{result.tag});
}

void Backend::describe_rows(const QueryResult& result, Describing describing) {
  for (const ErrorFields& notice : result.notices)
    send(Report{true, notice.severity.empty() ? "WARNING" : notice.severity, notice});
  if (describing != Describing::nothing && !result.columns.empty()) send(describe_columns(result.columns));
  if (describing == Describing::portal && result.columns.empty()) send(NoData{});
}

void Backend::write_rows(const QueryResult& result, const std::function<void(const DataRow&)>& each) const {
  if (result.rows.empty()) return;
  const CallContext context = session_->output_context();
  DataRow data;
  for (const Row& row : result.rows) {
    data.values.clear();
    for (std::size_t i = 0; i < row.size(); ++i) {
      const Value& value = row[i];
      data.values.push_back(value.is_null() ? WireValue()
                                            : WireValue(output_value(value, result.columns[i].type.id, context)));
    }
    each(data);
  }
}

void Backend::handle_extended(const FrontendMessage& message) {
  const auto* const executed = std::get_if<Execute>(&message);
  if (executed == nullptr || described_ != executed->portal) settle_description();
  if (executed != nullptr) return execute(*executed);
  if (const auto* m = std::get_if<Parse>(&message)) return parse(*m);
  if (const auto* m = std::get_if<Bind>(&message)) return bind(*m);
  if (const auto* m = std::get_if<Describe>(&message)) return describe(*m);
  if (const auto* m = std::get_if<Close>(&message)) return close_named(*m);
}

void Backend::parse(const Parse& message) {
  Prepared prepared;
  prepared.statements = cache_.parse(message.text);
  if (prepared.statements.size() > 1) {
    throw SqlError(sqlstate::syntax_error, "cannot insert multiple commands into a prepared statement");
  }
  prepared.text = message.text;
  for (const std::uint32_t oid : message.parameter_types) {
    const TypeId type = oid == 0 ? TypeId::unknown : type_from_oid(oid);
    if (oid != 0 && type == TypeId::unknown && oid != type_oid(TypeId::unknown))
      throw SqlError(sqlstate::undefined_object, "type with OID " + std::to_string(oid) + " does not exist");
    prepared.types.push_back(type);
  }
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
    if (!portals_.contains(message.name)) throw SqlError("34000", "portal \"" + message.name + "\" does not exist");
    described_ = message.name;
    return;
  }
  const auto found = prepared_.find(message.name);
  if (found == prepared_.end()) throw SqlError("26000", "prepared statement \"" + message.name + "\" does not exist");
  send_description(found->second, true);
}

void Backend::settle_description() {
  if (!described_) return;
  const std::string portal = *std::exchange(described_, std::nullopt);
  send_description(portals_.at(portal).prepared, false);
}

void Backend::send_description(const Prepared& prepared, bool with_parameters) {
  StatementDescription description;
  if (!prepared.statements.empty())
    description = session_->describe({prepared.statements.front(), prepared.text, {}, prepared.types});
  if (with_parameters) {
    ParameterDescription parameters;
    for (const TypeId type : description.parameters) parameters.types.push_back(type_oid(type));
    send(parameters);
  }
  if (description.columns.empty()) {
    send(NoData{});
  } else {
    send(describe_columns(description.columns));
  }
}

void Backend::execute(const Execute& message) {
  const auto found = portals_.find(message.portal);
  if (found == portals_.end()) throw SqlError("34000", "portal \"" + message.portal + "\" does not exist");
  const Portal portal = std::move(found->second);
  portals_.erase(found);
  const Describing describing = described_ ? Describing::portal : Describing::nothing;
  described_.reset();
  if (portal.prepared.statements.empty()) {
    if (describing == Describing::portal) send(NoData{});
    send(EmptyQueryResponse{});
    return;
  }
  send_rows(
      run_statement(
          {portal.prepared.statements.front(), portal.prepared.text, portal.parameters, portal.prepared.types}, true),
      describing);
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
