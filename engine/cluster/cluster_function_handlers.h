// What the functions of the cluster do: the handlers of cluster_calls.h. They block and throw SqlError.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/cluster/cluster_calls.h"
#include "engine/cluster/cluster_work.h"

namespace polarsim::engine::cluster {

class ClusterFunctions {
 public:
  explicit ClusterFunctions(const ClusterCallServices& services) : services_(services), work_(services.cluster) {}

  using Rows = std::vector<Row>;
  using Values = std::span<const Value>;
  using Types = std::span<const Type>;

  // --- distribution ---
  Rows create_distributed_table(Values arguments, Types types);
  Rows create_reference_table(Values arguments, Types types);
  Rows undistribute_table(Values arguments, Types types);
  Rows alter_distributed_table(Values arguments, Types types);
  Rows update_colocation(Values arguments, Types types);
  Rows truncate_local_data(Values arguments, Types types);
  Rows distribute_schema(Values arguments, Types types);
  Rows undistribute_schema(Values arguments, Types types);

  // --- looking ---
  Rows shard_of_value(Values arguments, Types types);
  Rows relation_size(Values arguments, Types types);
  Rows table_size(Values arguments, Types types);
  Rows total_relation_size(Values arguments, Types types);
  Rows version(Values arguments, Types types);
  Rows is_coordinator(Values arguments, Types types);
  Rows active_data_nodes(Values arguments, Types types);

  // --- running ---
  Rows recover_prepared_transactions(Values arguments, Types types);
  Rows run_on_data_nodes(Values arguments, Types types);
  Rows run_on_all_nodes(Values arguments, Types types);
  Rows run_on_coordinator(Values arguments, Types types);
  Rows run_on_shards(Values arguments, Types types);
  Rows run_on_placements(Values arguments, Types types);

 private:
  // The sum of what a function of sizes says about all placements.
  Rows size_of(RelationId table, std::string_view function) const;
  DistributedParts distributed(RelationId table) const;
  ClusterCommands& cluster() const { return services_.cluster; }

  const ClusterCallServices& services_;
  ClusterWork work_;
};

}  // namespace polarsim::engine::cluster
