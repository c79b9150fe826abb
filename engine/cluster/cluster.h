// A whole cluster on simulated hosts: cn1 (primary), cn2, ..., dn1, dn2, ...
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/config.h"
#include "engine/node/inspect.h"
#include "sim/simulation.h"

namespace polarsim::engine {

// What remains prepared on a node: the end-state question of the prepared-residue checker.
struct PreparedTransactionInfo {
  std::string node;
  std::string gid;
};

class ClusterObserver;

class Cluster {
 public:
  // Adds the hosts to the simulation and gives them their programs; nothing runs yet.
  Cluster(sim::Simulation& simulation, const ClusterConfig& config);
  ~Cluster();

  const ClusterConfig& config() const;
  std::vector<std::string> coordinator_names() const;
  std::vector<std::string> data_node_names() const;
  std::vector<std::string> node_names() const;  // coordinators, then data nodes

  // Boots every node. Each initialises its storage if its disk is empty (initdb) and recovers otherwise.
  void boot_all();
  // For the running task: blocks until every node answers `SELECT 1`, or the deadline.
  bool wait_until_ready(sim::Host& from, sim::Time deadline);

  // Looks into the nodes from outside the world (no messages): for waiting until a run is at rest. A node that is down
  // reports nothing.
  std::vector<PreparedTransactionInfo> prepared_transactions() const;
  // True while a distributed transaction of any coordinator has not reached its end on every node, or may not have: a
  // node that is down may hold one prepared.
  bool has_open_distributed_transactions() const;

  // A node's insides as text, also of a node that is down. `node` is one of node_names(). Throws as inspect().
  std::string inspect(const std::string& node, const InspectRequest& request) const;

  // From the next boot of each node on; null: nobody. It must outlive the hosts' programs.
  void observe(ClusterObserver* observer);

  struct Implementation;

 private:
  std::shared_ptr<Implementation> impl_;
};

}  // namespace polarsim::engine
