#include "engine/cluster/executor.h"

#include <functional>
#include <utility>

#include "engine/pgwire/connection_options.h"
#include "engine/types/quote.h"
#include "sim/simulation.h"
#include "sim/sync.h"

namespace polarsim::engine::cluster {

std::string connection_failure_text(const NodeInfo& node, const std::string& reason) {
  return "connection to the remote node " + node.address().text() + " failed with the following error: " + reason;
}

SqlError remote_error(const NodeInfo& node, ErrorFields fields) {
  if (fields.sqlstate.starts_with("08") && fields.sqlstate != sqlstate::protocol_violation) {
    const std::size_t reason = fields.message.rfind("failed: ");
    fields.message =
        connection_failure_text(node, reason == std::string::npos ? fields.message : fields.message.substr(reason + 8));
    return SqlError(std::move(fields));
  }
  if (!fields.context.empty()) fields.context += "\n";
  fields.context += "while executing command on " + node.address().text();
  fields.position = 0;  // it counts in a text the client never saw
  return SqlError(std::move(fields));
}

namespace {

SqlError statement_timed_out() { return {sqlstate::query_canceled, "canceling statement due to statement timeout"}; }

// Counts a call for as long as it lasts.
struct Running {
  int& calls;
  explicit Running(int& counter) : calls(counter) { ++calls; }
  ~Running() { --calls; }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
};

// Does something at a time, unless it is gone by then.
class Alarm {
 public:
  Alarm(sim::Host& host, sim::Time when, const std::function<void()>& work)
      : host_(host), timer_(when == sim::never ? 0 : host.scheduler().call_at(when, work)) {}
  ~Alarm() {
    if (timer_ != 0) host_.scheduler().cancel_timer(timer_);
  }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

 private:
  sim::Host& host_;
  sim::TimerId timer_;
};

}  // namespace

RemoteConnection& Executor::connection_to(const NodeInfo& node) {
  RemoteConnection& connection = open_connection_to(node);
  if (connection_listener_) connection_listener_(node.name, connection.client.backend_process_id());
  return connection;
}

RemoteConnection& Executor::open_connection_to(const NodeInfo& node) {
  std::unique_ptr<RemoteConnection>& slot = connections_[node.group_id];
  if (slot != nullptr) {
    // In a block the loss of the connection is the loss of the transaction, and the statement will meet it.
    if (slot->in_block || slot->client.peer_is_there()) return *slot;
    host_.reached("executor/stale-connection-replaced");
    slot.reset();
  }
  pgwire::ClientOptions options;
  options.application_name = application_name;
  options.connection = pgwire::connection_options(config_);
  auto client = pgwire::Client::connect(host_, node.address(), options);
  if (!client) throw remote_error(node, std::move(client.error()));
  auto connection = std::make_unique<RemoteConnection>(RemoteConnection{node, std::move(*client)});
  connection->number = ++opened_;
  // Another task may not have opened it meanwhile: a session has one task per node.
  connections_[node.group_id] = std::move(connection);
  return *connections_[node.group_id];
}

void Executor::enter_block(RemoteConnection& connection, const std::string& begin) {
  if (connection.in_block) return;
  connection.in_block = true;
  const auto begun = connection.client.simple_query(begin);
  if (!begun) throw remote_error(connection.node, begun.error());
}

// Outside the block, if it can be: there it outlives whatever is rolled back.
void Executor::tell_time_zone(RemoteConnection& connection) {
  if (connection.time_zone == time_zone_) return;
  const auto told = connection.client.simple_query("SET timezone = " + quote_literal(time_zone_));
  if (!told) throw remote_error(connection.node, told.error());
  connection.time_zone = time_zone_;
  connection.time_zone_in_block = connection.in_block;
}

void Executor::tell_parts(RemoteConnection& connection) {
  const auto told = connection.client.simple_query("SELECT pg_catalog.run_in_parts(true)");
  if (!told) throw remote_error(connection.node, told.error());
}

void Executor::end_parts(const Metadata& metadata) {
  if (parts_of_ == 0) return;
  std::vector<Task> tasks;
  for (const auto& [group, connection] : connections_) {
    if (connection != nullptr && connection->in_block && connection->parts_of == parts_of_)
      tasks.push_back({group, "SELECT pg_catalog.run_in_parts(false)"});
  }
  if (!tasks.empty()) run(metadata, tasks, true);
  parts_of_ = 0;
}

void Executor::cancel(txn::CancelReason reason) {
  if (running_ == 0) return;
  cancelled_ = true;
  cancel_reason_ = reason;
  cancel_tasks();
}

void Executor::cancel_tasks() {
  for (const auto& [group, connection] : connections_) {
    if (connection == nullptr || connection->client.usable()) continue;
    // Nobody waits for the outcome: it shows in the statement's answer.
    host_.spawn("cancel on " + connection->node.name,
                [&host = host_, key = connection->client.cancel_key(), options = pgwire::connection_options(config_)] {
                  static_cast<void>(pgwire::request_cancel(host, key, options));
                });
  }
}

void Executor::check_cancelled() const {
  if (cancelled_) throw txn::cancelled_because(cancel_reason_);
  if (timed_out_) throw statement_timed_out();
}

namespace {

class Pieces final : public CopySource {
 public:
  explicit Pieces(std::string_view bytes) : bytes_(bytes) {}
  bool read(std::string& chunk) override {
    constexpr std::size_t piece_bytes = 64 * 1024;
    chunk = bytes_.substr(0, piece_bytes);
    bytes_.remove_prefix(chunk.size());
    return !chunk.empty();
  }

 private:
  std::string_view bytes_;
};

pgwire::ClientResult copy_rows(pgwire::Client& client, const Task& task) {
  Pieces pieces(*task.rows);
  return client.copy_in(task.sql, pieces);
}

}  // namespace

QueryResult Executor::run_task(const NodeInfo& node, const Task& task, bool in_block, const std::string& begin) {
  check_cancelled();
  RemoteConnection& connection = connection_to(node);
  tell_time_zone(connection);
  if (in_block) {
    enter_block(connection, begin);
    if (parts_of_ != 0 && std::exchange(connection.parts_of, parts_of_) != parts_of_) tell_parts(connection);
    if (task.modifies) connection.wrote = true;
    if (task.locks) connection.locked = true;
  }
  check_cancelled();
  auto result = task.rows ? copy_rows(connection.client, task) : connection.client.query(task.sql, task.parameters);
  if (!result) throw remote_error(node, std::move(result.error()));
  return std::move(*result);
}

std::vector<QueryResult> Executor::run(const Metadata& metadata, const std::vector<Task>& tasks, bool in_block,
                                       const std::string& begin) {
  const Running running(running_);
  const Alarm alarm(host_, deadline_, [this] {
    timed_out_ = true;
    cancel_tasks();
  });
  std::vector<QueryResult> results(tasks.size());
  std::map<int, std::vector<std::size_t>> tasks_of_node;
  for (std::size_t i = 0; i < tasks.size(); ++i) tasks_of_node[tasks[i].group_id].push_back(i);
  std::optional<SqlError> first_failure;
  const auto run_on_node = [&](int group) {
    try {
      for (const std::size_t i : tasks_of_node.at(group)) {
        if (first_failure) return;
        results[i] = run_task(metadata.node(group), tasks[i], in_block, begin);
      }
    } catch (const SqlError& error) {
      if (!first_failure) first_failure = error;
    }
  };
  if (tasks_of_node.size() == 1) {
    run_on_node(tasks_of_node.begin()->first);
  } else {
    sim::Nursery nursery(host_.scheduler(), "distributed statement");
    for (const auto& [group, indexes] : tasks_of_node) {
      const int node_group = group;
      nursery.spawn("tasks on " + metadata.node(node_group).name,
                    [&run_on_node, node_group] { run_on_node(node_group); });
    }
    nursery.wait();
  }
  if (!first_failure) return results;
  // The nodes know only that somebody cancelled.
  if (first_failure->sqlstate() == sqlstate::query_canceled) {
    if (cancelled_ && cancel_reason_ == txn::CancelReason::deadlock) throw txn::cancelled_because(cancel_reason_);
    if (timed_out_ && !cancelled_) throw statement_timed_out();
  }
  throw SqlError(*first_failure);
}

QueryResult Executor::run_on(const NodeInfo& node, const std::string& sql, std::span<const Value> parameters) {
  auto result = connection_to(node).client.query(sql, parameters);
  if (!result) throw remote_error(node, std::move(result.error()));
  return std::move(*result);
}

std::vector<txn::RemoteWork::Worker> Executor::workers() const {
  std::vector<txn::RemoteWork::Worker> result;
  for (const auto& [group, connection] : connections_) {
    if (connection == nullptr || (!connection->in_block && connection->client.usable())) continue;
    result.push_back({group, connection->client.cancel_key().process_id});
  }
  return result;
}

std::vector<RemoteConnection*> Executor::in_block() {
  std::vector<RemoteConnection*> result;
  for (const auto& [group, connection] : connections_) {
    if (connection != nullptr && connection->in_block) result.push_back(connection.get());
  }
  return result;
}

void Executor::drop(RemoteConnection& connection) {
  connection.client.close();
  connections_.erase(connection.node.group_id);
}

void Executor::close() {
  for (const auto& [group, connection] : connections_) {
    if (connection != nullptr) connection->client.close();
  }
  connections_.clear();
}

}  // namespace polarsim::engine::cluster
