#include "scenarios/workload_session.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "scenarios/transaction_watch.h"
#include "sim/assert.h"

namespace polarsim::scenarios {
namespace {

using namespace std::chrono_literals;
using checkers::EventType;

std::string edn_string(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c == '\n' ? ' ' : c;
  }
  return quoted + "\"";
}

engine::ErrorFields error_of(std::string sqlstate, std::string message) {
  engine::ErrorFields error;
  error.sqlstate = std::move(sqlstate);
  error.message = std::move(message);
  return error;
}

}  // namespace

bool is_definite_failure(std::string_view sqlstate) {
  if (sqlstate == "08001") return true;  // could not connect to a node: nothing was sent
  // No answer; connection exceptions; a server that shuts down or starts; a system error; an internal error; and the
  // one member of class 40 that says "statement completion unknown".
  if (sqlstate.empty() || sqlstate == "40003") return false;
  for (const std::string_view family : {"08", "57P", "58", "XX"}) {
    if (sqlstate.starts_with(family)) return false;
  }
  return true;
}

WorkloadSession::WorkloadSession(const WorkloadContext& context, sim::Host& host, std::string name)
    : simulation_(context.simulation),
      host_(host),
      name_(std::move(name)),
      coordinators_(context.cluster.coordinator_names()),
      operation_deadline_(std::llround(context.parameters.reals.at("operation_deadline_s") * 1e9)),
      watch_(context.watch) {}

sim::RandomStream& WorkloadSession::random(std::string_view purpose) {
  return simulation_.random(name_ + "/" + std::string(purpose));
}

std::optional<engine::ErrorFields> WorkloadSession::try_connect(const std::string& coordinator) {
  client_.reset();
  engine::pgwire::ClientOptions options;
  options.application_name = name_;
  auto connected = engine::pgwire::Client::connect(host_, sim::Address{coordinator, engine::default_port}, options);
  if (!connected) return connected.error();
  client_.emplace(std::move(*connected));
  coordinator_ = coordinator;
  if (watch_ != nullptr) watched_as_ = watch_->connected(coordinator, client_->backend_process_id());
  return std::nullopt;
}

bool WorkloadSession::connect(const std::function<bool()>& stop) {
  sim::Duration pause = 20ms;
  while (!stop()) {
    if (client_ && client_->usable()) return true;
    const std::string& coordinator = random("connect").pick(coordinators_);
    if (!try_connect(coordinator)) return !stop();
    const sim::Duration jitter = random("connect").between(sim::Duration(0), pause);
    host_.sleep_for(pause + jitter);
    pause = std::min<sim::Duration>(pause * 2, 1s);
  }
  return false;
}

void WorkloadSession::connect_to(const std::string& coordinator) {
  if (client_ && client_->usable() && coordinator_ == coordinator) return;
  const std::optional<engine::ErrorFields> error = try_connect(coordinator);
  if (error) throw engine::SqlError(*error);
}

engine::QueryResult WorkloadSession::execute(std::string_view sql, std::initializer_list<engine::Value> parameters) {
  POLARSIM_ASSERT(client_.has_value(), "a statement without a connection");
  if (watch_ != nullptr) watch_->statement_begun(watched_as_);
  auto result = client_->query(sql, std::span(parameters.begin(), parameters.size()), deadline_);
  if (!result) throw OperationFailed{result.error()};
  return std::move(*result);
}

void WorkloadSession::abandon(std::string reason) { throw OperationFailed{error_of("", std::move(reason))}; }

engine::QueryResult WorkloadSession::command(std::string_view sql, std::initializer_list<engine::Value> parameters) {
  POLARSIM_ASSERT(client_.has_value(), "a statement without a connection");
  const sim::Time deadline = sim::deadline_after(simulation_.now(), 60s);
  auto result = client_->query(sql, std::span(parameters.begin(), parameters.size()), deadline);
  if (!result) throw engine::SqlError(result.error());
  return std::move(*result);
}

WorkloadSession::Outcome WorkloadSession::run(Mode mode, bool writes, const std::function<void()>& body) {
  deadline_ = sim::deadline_after(simulation_.now(), operation_deadline_);
  std::optional<engine::ErrorFields> failure;
  try {
    if (mode == Mode::transaction) execute("BEGIN");
    body();
  } catch (OperationFailed& failed) {
    failure = std::move(failed.error);
  }
  if (!failure) return mode == Mode::transaction ? commit(writes) : Outcome{};
  roll_back();
  const bool nothing_done = mode == Mode::transaction || !writes || is_definite_failure(failure->sqlstate);
  return Outcome{nothing_done ? EventType::fail : EventType::info, std::move(*failure)};
}

WorkloadSession::Outcome WorkloadSession::commit(bool writes) {
  auto result = client_->simple_query("COMMIT", deadline_);
  if (result && result->tag == "COMMIT") return Outcome{};
  if (result) return Outcome{EventType::fail, error_of("25P02", "COMMIT was answered with " + result->tag)};
  engine::ErrorFields error = std::move(result.error());
  roll_back();
  const bool nothing_done = !writes || is_definite_failure(error.sqlstate);
  return Outcome{nothing_done ? EventType::fail : EventType::info, std::move(error)};
}

void WorkloadSession::roll_back() {
  if (client_ && client_->usable()) {
    if (client_->status() == engine::TransactionStatus::idle) return;
    const auto result = client_->simple_query("ROLLBACK", sim::deadline_after(simulation_.now(), 5s));
    if (result && client_->usable()) return;
  }
  client_.reset();
}

std::vector<std::pair<std::string, std::string>> WorkloadSession::fields() const {
  return {{"node", edn_string(coordinator_)}};
}

std::vector<std::pair<std::string, std::string>> WorkloadSession::fields(const Outcome& outcome) const {
  auto fields = this->fields();
  if (outcome.type == EventType::ok) return fields;
  if (!outcome.error.sqlstate.empty()) fields.emplace_back("error", edn_string(outcome.error.sqlstate));
  fields.emplace_back("message", edn_string(outcome.error.message));
  return fields;
}

ParameterInfo integer_parameter(std::string name, std::int64_t otherwise, std::int64_t minimum, std::int64_t maximum,
                                std::string summary) {
  ParameterInfo info{};
  info.kind = ParameterInfo::Kind::integer;
  info.name = std::move(name);
  info.summary = std::move(summary);
  info.integer_default = otherwise;
  info.minimum = minimum;
  info.maximum = maximum;
  return info;
}

ParameterInfo real_parameter(std::string name, double otherwise, std::int64_t minimum, std::int64_t maximum,
                             std::string summary) {
  ParameterInfo info = integer_parameter(std::move(name), 0, minimum, maximum, std::move(summary));
  info.kind = ParameterInfo::Kind::real;
  info.real_default = otherwise;
  return info;
}

ParameterInfo boolean_parameter(std::string name, bool otherwise, std::string summary) {
  ParameterInfo info = integer_parameter(std::move(name), 0, 0, 0, std::move(summary));
  info.kind = ParameterInfo::Kind::boolean;
  info.boolean_default = otherwise;
  return info;
}

ParameterInfo text_parameter(std::string name, std::string otherwise, std::vector<std::string> choices,
                             std::string summary) {
  ParameterInfo info = integer_parameter(std::move(name), 0, 0, 0, std::move(summary));
  info.kind = ParameterInfo::Kind::text;
  info.text_default = std::move(otherwise);
  info.choices = std::move(choices);
  return info;
}

std::vector<ParameterInfo> common_parameters() {
  return {
      integer_parameter("clients", 8, 1, 1000, "clients at work at the same time"),
      real_parameter("pause_ms", 50, 0, 3'600'000, "mean pause of a client between two operations, in milliseconds"),
      real_parameter("operation_deadline_s", 20, 1, 3600, "after this long a client gives an operation up, in seconds"),
  };
}

void think(const WorkloadContext& context, WorkloadSession& session) {
  const double pause_ns = session.random("pause").exponential(context.parameters.reals.at("pause_ms") * 1e6);
  context.simulation.scheduler().sleep_for(sim::Duration(static_cast<std::int64_t>(pause_ns)));
}

void read_until_ok(WorkloadSession& session, sim::Simulation& simulation, const std::string& coordinator,
                   const std::function<WorkloadSession::Outcome()>& attempt) {
  constexpr int attempts = 8;
  engine::ErrorFields last;
  for (int i = 0; i < attempts; ++i) {
    if (i > 0) simulation.scheduler().sleep_for(1s);
    try {
      session.connect_to(coordinator);
      WorkloadSession::Outcome outcome = attempt();
      if (outcome.type == EventType::ok) return;
      last = std::move(outcome.error);
    } catch (const engine::SqlError& error) {
      last = error.fields();
    }
  }
  throw engine::SqlError(last);
}

}  // namespace polarsim::scenarios
