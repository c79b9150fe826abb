// Deadlocks over nodes, which no node sees by itself (src/backend/distributed/transaction/
// distributed_deadlock_detection.c of the closest relative).
//
// Every coordinator looks, every deadlock_timeout times polar_cluster.distributed_deadlock_detection_factor, if one of
// its statements has been running for deadlock_timeout: it asks all nodes who waits for whom, and all coordinators who
// works for them (wait_graph.h), and cancels the youngest of its own transactions on a cycle: 40P01. Two coordinators
// may each find the same cycle, and each cancel one of theirs.
//
// Nodes answer at different times, so a cycle may be put together from waits that were never there at once. Before
// anybody is cancelled, all are asked again, and only waits that still are the same count: then they were (the relative
// does without this, and cancels now and then somebody who is in no deadlock). Prepared transactions wait for nobody,
// and are on no cycle. A node that does not answer has no edges.
#pragma once

#include <optional>
#include <vector>

#include "engine/cluster/coordinator.h"
#include "engine/cluster/executor.h"
#include "engine/cluster/wait_graph.h"

namespace polarsim::engine::cluster {

class DeadlockDetection {
 public:
  explicit DeadlockDetection(Coordinator& coordinator);
  // One look at all nodes. The transactions that were cancelled, by process id.
  std::vector<std::uint32_t> run();

 private:
  bool is_worth_looking() const;
  WaitGraph ask_all();
  void ask_node(const NodeInfo& node, bool is_coordinator, WaitGraph& graph);

  Coordinator& coordinator_;
  Executor executor_;
};

// For ever. Returns at once if the factor says that nobody is to look.
void run_deadlock_daemon(Coordinator& coordinator);

}  // namespace polarsim::engine::cluster
