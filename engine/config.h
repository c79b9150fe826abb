// Settings of nodes and of the cluster, by PostgreSQL's names where PostgreSQL has one.
#pragma once

#include <cstdint>

#include "engine/planted_bugs.h"
#include "sim/time.h"

namespace polarsim::engine {

inline constexpr std::uint16_t default_port = 5432;

struct NodeConfig {
  sim::Duration deadlock_timeout{1'000'000'000};
  sim::Duration lock_timeout{0};                         // 0: wait forever
  sim::Duration statement_timeout{0};                    // 0: none
  sim::Duration idle_in_transaction_session_timeout{0};  // 0: none
  sim::Duration tcp_user_timeout{10'000'000'000};
  sim::Duration tcp_keepalive{5'000'000'000};
  sim::Duration connect_timeout{5'000'000'000};
  int max_connections = 200;

  // Storage. shared_buffers counts pages of 8 KiB; 16 is the least.
  std::uint32_t shared_buffers = 2048;
  bool full_page_writes = true;
  sim::Duration checkpoint_timeout{300'000'000'000};
  double checkpoint_completion_target = 0.9;
  std::uint64_t max_wal_size_bytes = 64ULL << 20;  // a checkpoint starts when this much was logged since the last one
  std::uint64_t wal_segment_bytes = 16ULL << 20;
  sim::Duration wal_lazy_flush_delay{200'000'000};

  // Vacuum in the background: looks at each table every autovacuum_naptime, and works when dead row versions are more
  // than threshold + scale_factor * rows, or the table is old enough to need freezing.
  bool autovacuum = true;
  sim::Duration autovacuum_naptime{60'000'000'000};
  std::uint32_t autovacuum_vacuum_threshold = 50;
  double autovacuum_vacuum_scale_factor = 0.2;
  std::uint32_t vacuum_freeze_min_age = 50'000'000;
  std::uint32_t autovacuum_freeze_max_age = 200'000'000;

  // The first transaction identifier of a new node: for tests near the wraparound.
  std::uint32_t initial_xid = 3;

  PlantedBugs planted;
};

struct ClusterConfig {
  int coordinators = 1;  // cn1 is the primary
  int data_nodes = 2;
  int shard_count = 32;  // polar_cluster.shard_count
  sim::Duration recover_2pc_interval{60'000'000'000};
  double distributed_deadlock_detection_factor = 2;  // of deadlock_timeout; -1: deadlocks over nodes are not looked for
  NodeConfig node;
};

}  // namespace polarsim::engine
