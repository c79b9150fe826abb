#include "engine/pgwire/backend.h"

#include <algorithm>

#include "engine/pgwire/backend_values.h"
#include "engine/pgwire/long_identifiers.h"

namespace polarsim::engine::pgwire {

namespace {

constexpr std::size_t receive_bytes = 64 * 1024;

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

void Backend::take_startup_settings(const Startup& startup) {
  for (const auto& [name, value] : startup.parameters) {
    if (name == "user" || name == "database" || name.starts_with("_pq_.")) continue;
    if (name == "replication") {
      if (value != "false" && value != "off" && value != "0" && value != "no")
        throw SqlError(sqlstate::feature_not_supported, "replication connections are not supported");
    } else if (name == "options") {
      for (const auto& [option, chosen] : startup_options(value)) session_->set_at_start(option, chosen);
    } else {
      session_->set_at_start(name, value);
    }
  }
}

void Backend::report_settings() {
  struct Reported {
    const char* name;
    const char* of_others;  // for a session without settings; null: such a session has none
  };
  // PostgreSQL's GUC_REPORT.
  static constexpr Reported reported[] = {{"application_name", nullptr},
                                          {"client_encoding", "UTF8"},
                                          {"DateStyle", "ISO, MDY"},
                                          {"default_transaction_read_only", nullptr},
                                          {"in_hot_standby", nullptr},
                                          {"integer_datetimes", "on"},
                                          {"IntervalStyle", nullptr},
                                          {"is_superuser", nullptr},
                                          {"server_encoding", "UTF8"},
                                          {"server_version", "15.0"},
                                          {"session_authorization", nullptr},
                                          {"standard_conforming_strings", "on"},
                                          {"TimeZone", "UTC"}};
  const std::shared_ptr<const void> now = session_->settings_in_force();
  const bool first = told_.empty();
  if (!first && now == settings_told_) return;
  settings_told_ = now;
  for (const Reported& setting : reported) {
    if (now == nullptr && setting.of_others == nullptr) continue;
    const std::string value = now != nullptr ? session_->setting(setting.name) : setting.of_others;
    std::string& told = told_[setting.name];
    if (!first && told == value) continue;
    told = value;
    send(ParameterStatus{setting.name, value});
  }
}

void Backend::greet() {
  send(AuthenticationOk{});
  report_settings();
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
      take_startup_settings(startup);
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
    while (take_message()) {
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

bool Backend::take_message() {
  try {
    const auto message = receive();
    return message && handle(*message);
  } catch (const MalformedMessage& error) {
    at_rest_ = false;
    return handle_malformed(error);
  }
}

// An error of its statement, as PostgreSQL has it (PostgresMain()): what follows is still understood. Of messages that
// are passed over anyway, nobody looks at the body.
bool Backend::handle_malformed(const MalformedMessage& error) {
  const char type = error.type();
  if (type == 'X') return false;
  if (type == 'S') skipping_to_sync_ = false;
  if (skipping_to_sync_ || type == 'd' || type == 'c' || type == 'f') return true;
  answer([&] { throw SqlError(error); });
  if (type != 'Q' && type != 'F' && type != 'S') return true;
  end_pipeline();
  skipping_to_sync_ = false;
  ready();
  return flush();
}

bool Backend::handle(const FrontendMessage& message) {
  if (std::holds_alternative<Terminate>(message)) return false;
  if (std::holds_alternative<Sync>(message)) {
    answer([this] {
      if (!skipping_to_sync_) settle_description();
    });
    described_.reset();
    end_pipeline();
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
    // Its portal may go with the Query.
    answer([this] { settle_description(); });
    if (skipping_to_sync_) return true;
    run_simple(query->text);
    end_pipeline();
    skipping_to_sync_ = false;
    ready();
    return flush();
  }
  if (const auto* executed = std::get_if<Execute>(&message)) {
    if (!begin_pipeline(*executed)) return false;
    if (skipping_to_sync_) return true;
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
  if (session_->status() == TransactionStatus::idle) portals_.clear();
  report_settings();
  send(ReadyForQuery{static_cast<char>(session_->status())});
}

void Backend::run_simple(const std::string& text) {
  try {
    // As in PostgreSQL, the unnamed ones are only for the extended protocol.
    unnamed_.reset();
    portals_.erase("");
    const std::vector<syntax::StatementPtr> statements = cache_.parse(text);
    send_notices_of(text);
    if (statements.empty()) {
      send(EmptyQueryResponse{});
      return;
    }
    if (statements.size() > 1) {
      run_several(statements, text);
    } else {
      run_and_tell({statements.front(), text});
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

void Backend::run_and_tell(const StatementRequest& request) {
  const QueryResult result = run_statement(request);
  describe_rows(result, Describing::rows, gives_rows(*request.statement, result));
  write_rows(result, {}, [this](const DataRow& row) { send(row); });
  send(CommandComplete{result.tag});
  follow(*request.statement);
}

QueryResult Backend::run_statement(const StatementRequest& request) {
  QueryResult result;
  try {
    const auto* control = std::get_if<syntax::TransactionControl>(&request.statement->body);
    result = control != nullptr && pipeline_.is_open() ? pipeline_.control(request) : session_->execute(request);
  } catch (const SqlError&) {
    copy_.finish(false);
    throw;
  }
  copy_.finish(true);
  return result;
}

void Backend::follow(const syntax::Statement& done) {
  using Kind = syntax::TransactionControl::Kind;
  const auto* control = std::get_if<syntax::TransactionControl>(&done.body);
  if (control == nullptr) return;
  if (control->kind == Kind::savepoint) return savepoints_.push_back(control->savepoint);
  if (control->kind != Kind::rollback_to && control->kind != Kind::release) return savepoints_.clear();
  while (!savepoints_.empty() && savepoints_.back() != control->savepoint) savepoints_.pop_back();
  if (savepoints_.empty()) return;
  if (control->kind == Kind::rollback_to) {
    std::erase_if(portals_, [this](const auto& each) { return each.second.savepoints >= savepoints_.size(); });
  } else {
    savepoints_.pop_back();
  }
  for (auto& [name, portal] : portals_) portal.savepoints = std::min(portal.savepoints, savepoints_.size());
}

void Backend::send_notices_of(std::string_view text) {
  const std::vector<ErrorFields> notices = notices_of_long_identifiers(text);
  if (notices.empty()) return;
  const std::string least = session_->settings_in_force() != nullptr ? session_->setting("client_min_messages") : "";
  if (least == "warning" || least == "error") return;
  for (const ErrorFields& notice : notices) send(Report{true, notice.severity, notice});
}

bool Backend::gives_rows(const syntax::Statement& statement, const QueryResult& result) {
  // A SELECT may have no columns, and gives rows nevertheless.
  return !result.columns.empty() || !result.rows.empty() || std::holds_alternative<syntax::Select>(statement.body);
}

void Backend::describe_rows(const QueryResult& result, Describing describing, bool rows, const Formats& formats) {
  for (const ErrorFields& notice : result.notices)
    send(Report{true, notice.severity.empty() ? "WARNING" : notice.severity, notice});
  if (describing != Describing::nothing && rows) send(describe_columns(result.columns, formats));
  if (describing == Describing::portal && !rows) send(NoData{});
}

}  // namespace polarsim::engine::pgwire
