// A session's connections to other nodes, and the execution of tasks over them.
// Statements of tasks are evaluated in the time zone of the client's session, of which a connection is told when it
// next has a task.
//
// One connection per node, opened when first needed and kept for the session. All shards of a node are read and written
// over it, one statement at a time; different nodes work in parallel. Inside a transaction block a connection gets
// BEGIN with its first task.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/cluster/metadata.h"
#include "engine/pgwire/client.h"
#include "engine/txn/backend.h"
#include "sim/host.h"
#include "sim/time.h"

namespace polarsim::engine::cluster {

// One statement for one node.
struct Task {
  int group_id = 0;
  std::string sql;
  std::vector<Value> parameters = {};  // texts
  bool modifies = false;
  bool locks = false;  // takes row locks without changing anything
  // The statement is COPY ... FROM STDIN, and these are its bytes. They outlive the run.
  std::optional<std::string_view> rows = std::nullopt;
};

struct RemoteConnection {
  NodeInfo node;
  pgwire::Client client;
  int number = 0;                             // from 1, in order of opening; the last part of a gid
  bool in_block = false;                      // BEGIN was sent
  bool wrote = false;                         // a task that modifies was sent in the open block
  bool locked = false;                        // a task that takes row locks was sent in the open block
  std::string time_zone = default_time_zone;  // as the node was told; empty: not known any more
  bool time_zone_in_block = false;            // told in the open block: what is rolled back takes it along
  int parts_of = 0;                           // the statement whose parts the node runs (Executor::begin_parts())

  static constexpr const char* default_time_zone = "UTC";
  // Some of the open block may have been rolled back.
  void forget_time_zone() {
    if (std::exchange(time_zone_in_block, false)) time_zone.clear();
  }
};

// An error that a node reported or that the way to it caused, told to the client with its place.
SqlError remote_error(const NodeInfo& node, ErrorFields fields);
// The text of an error with class 08, as the closest relative words it.
std::string connection_failure_text(const NodeInfo& node, const std::string& reason);

class Executor {
 public:
  // `application_name` tells a node that its peer is a coordinator, whose statements are to run on the node's own
  // tables.
  static constexpr const char* application_name = "polar_internal";

  Executor(sim::Host& host, const NodeConfig& config) : host_(host), config_(config) {}
  // Who is told whenever a connection is about to be used for a task: the node, and the process id of its backend.
  using ConnectionListener = std::function<void(const std::string& node, std::uint32_t process_id)>;
  void set_connection_listener(ConnectionListener listener) { connection_listener_ = std::move(listener); }

  // Runs the tasks; results in the tasks' order. Tasks of one node run in their order, and none starts there after any
  // node has failed. The error that came first in time is thrown when all nodes have come to rest. `in_block`: inside
  // the transaction block of each node.
  std::vector<QueryResult> run(const Metadata& metadata, const std::vector<Task>& tasks, bool in_block,
                               const std::string& begin = "BEGIN");
  // Never blocks: cancels what run() has under way on other nodes, and what it has yet to start. run() ends with the
  // error that belongs to the reason (txn/backend.h).
  void cancel(txn::CancelReason reason);
  // An old request to cancel has nothing to cancel any more. What run() has under way at `deadline` is cancelled, and
  // ends with 57014, too.
  void begin_statement(const std::string& time_zone, sim::Time deadline = sim::never) {
    time_zone_ = time_zone;
    cancelled_ = false;
    timed_out_ = false;
    deadline_ = deadline;
    parts_of_ = 0;
  }
  // What nodes are asked from here on, up to end_parts() or the next statement, are parts of one statement there
  // (LocalSession::begin_parts()): each is told before its first task, in its block.
  void begin_parts() { parts_of_ = ++last_parts_; }
  // Foreign keys are checked. Throws as run() does.
  void end_parts(const Metadata& metadata);
  // A bare statement outside any block.
  QueryResult run_on(const NodeInfo& node, const std::string& sql, std::span<const Value> parameters = {});

  // Backends of other nodes that have a block open or are at work, in order of their group.
  std::vector<txn::RemoteWork::Worker> workers() const;
  // Connections with an open block, in order of their group.
  std::vector<RemoteConnection*> in_block();
  // Forgets a connection that is of no further use; the node rolls back what it has open there.
  void drop(RemoteConnection& connection);
  // Says goodbye to all.
  void close();

 private:
  RemoteConnection& connection_to(const NodeInfo& node);
  RemoteConnection& open_connection_to(const NodeInfo& node);
  void enter_block(RemoteConnection& connection, const std::string& begin);
  void tell_time_zone(RemoteConnection& connection);
  static void tell_parts(RemoteConnection& connection);
  void cancel_tasks();
  void check_cancelled() const;
  QueryResult run_task(const NodeInfo& node, const Task& task, bool in_block, const std::string& begin);

  sim::Host& host_;
  const NodeConfig& config_;
  std::map<int, std::unique_ptr<RemoteConnection>> connections_;  // by group
  std::string time_zone_ = RemoteConnection::default_time_zone;
  int opened_ = 0;
  int last_parts_ = 0;
  int parts_of_ = 0;  // 0: of none
  int running_ = 0;   // calls of run()
  bool cancelled_ = false;
  txn::CancelReason cancel_reason_ = txn::CancelReason::user;
  bool timed_out_ = false;
  sim::Time deadline_ = sim::never;
  ConnectionListener connection_listener_;
};

}  // namespace polarsim::engine::cluster
