#include "engine/cluster/coordinator.h"

#include <fmt/format.h>

#include "engine/node/known_settings.h"
#include "engine/types/error.h"

namespace polarsim::engine::cluster {

Coordinator::Coordinator(sim::Host& host, Instance& instance, const ClusterConfig& config,
                         syntax::StatementCache& statements)
    : host_(host),
      instance_(instance),
      config_(config),
      statements_(statements),
      metadata_(instance, statements),
      recovery_mutex_(host.scheduler()) {
  for (const auto& [group, node] : metadata_.current()->nodes) {
    if (node.name == host.name()) group_id_ = group;
  }
  metadata_.set_own_group(group_id_);
  instance.set_default("polar_cluster.shard_count", std::to_string(config.shard_count));
  instance.set_default("polar_cluster.recover_2pc_interval", show_timeout(config.recover_2pc_interval));
  instance.set_default("polar_cluster.distributed_deadlock_detection_factor",
                       fmt::format("{}", config.distributed_deadlock_detection_factor));
  if (group_id_ < 0) throw SqlError(sqlstate::internal_error, "node " + host.name() + " is not in pg_dist_node");
}

}  // namespace polarsim::engine::cluster
