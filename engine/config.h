// Settings of nodes and of the cluster, by PostgreSQL's names where PostgreSQL has one.
#pragma once

#include <cstdint>

#include "engine/planted_bugs.h"
#include "sim/time.h"

namespace polarsim::engine {

inline constexpr std::uint16_t default_port = 5432;

struct NodeConfig {
  sim::Duration deadlock_timeout{1'000'000'000};
  sim::Duration lock_timeout{0};              // 0: wait forever
  sim::Duration statement_timeout{0};         // 0: none
  sim::Duration tcp_user_timeout{10'000'000'000};
  sim::Duration tcp_keepalive{5'000'000'000};
  sim::Duration connect_timeout{5'000'000'000};
  int max_connections = 200;
  PlantedBugs planted;
};

struct ClusterConfig {
  int coordinators = 1;   // cn1 is the primary
  int data_nodes = 2;
  int shard_count = 32;   // polar_cluster.shard_count
  sim::Duration recover_2pc_interval{60'000'000'000};
  NodeConfig node;
};

}  // namespace polarsim::engine
