// Who waits for whom over all nodes, and which transactions that makes wait for themselves.
//
// A process is a backend of one node. What works for a session of a coordinator waits in its name, and holds in its
// name: sessions and their workers are one vertex, so that a cycle may run through several nodes. The search is that of
// the closest relative (its src/backend/distributed/transaction/distributed_deadlock_detection.c): from every
// transaction of the coordinator that looks, along all edges, once each; the youngest of its own transactions on a
// cycle is to go. Unlike there, processes that belong to no distributed transaction keep their identities.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace polarsim::engine::cluster {

struct Process {
  int group_id = 0;  // of its node
  std::uint32_t process_id = 0;
  friend auto operator<=>(const Process&, const Process&) = default;
};

class WaitGraph {
 public:
  // `worker` is a backend that works for `session`, whose transaction began at `start_us`.
  void add_worker(const Process& session, std::int64_t start_us, const Process& worker);
  // `waiter` has been waiting for a lock since `since_us`, by the clock of its node, and `blocker`, of the same node,
  // is in its way.
  void add_wait(const Process& waiter, const Process& blocker, std::int64_t since_us);

  // Leaves only waits that `earlier` has, too. What waits in two graphs since the same time, for the same process, has
  // waited for it all the while: locks are given up at the end of a transaction only, and who asks for one again queues
  // behind those who wait. So the waits that are left have all been there at one instant, if the second graph was asked
  // for after the first was complete, although each node was asked at another one.
  void keep_common(const WaitGraph& earlier);

  // Sessions of the coordinator `group_id` that are to go, in order: the youngest of each cycle found, of two that are
  // as young the one with the greater process id. A transaction that is to go takes its edges with it: what remains is
  // searched again.
  std::vector<Process> victims(int group_id) const;

 private:
  struct Session {
    std::int64_t start_us = 0;
  };
  struct Wait {
    Process waiter;
    Process blocker;
    std::int64_t since_us = 0;
    friend auto operator<=>(const Wait&, const Wait&) = default;
  };
  using Edges = std::map<Process, std::set<Process>>;

  const Process& vertex(const Process& process) const;
  static bool find_cycle(const Edges& edges, const Process& start, std::vector<Process>& path,
                         std::set<Process>& visited);

  std::map<Process, Session> sessions_;
  std::map<Process, Process> session_of_;  // by worker
  std::set<Wait> waits_;
};

}  // namespace polarsim::engine::cluster
