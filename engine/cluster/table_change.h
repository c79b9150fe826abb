// Changes of how tables are distributed, on the primary coordinator: create_distributed_table and its kin (the
// relative's commands/create_distributed_table.c, alter_table.c, schema_based_sharding.c, whose checks and texts these
// are).
//
// A table that is distributed keeps its definition, number, views and privileges here, and becomes a shell: its rows
// are in its shards. Other coordinators get a shell of it. Rows that it has move by INSERT in batches, once the shards
// are there; the table is locked against writers everywhere from before they are read until the transaction ends.
// Hash-distributed tables: shards are placed round robin over the data nodes sorted by name. A colocated table takes
// the placement of its group. Reference tables have a copy on every node, coordinators included. A single-shard table
// lies on the data node that its group's number says.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/cluster/cluster_commands.h"
#include "engine/cluster/metadata_tables.h"
#include "engine/cluster/shard_definition.h"

namespace polarsim::engine::cluster {

struct DistributionRequest {
  std::optional<std::string> column;  // NULL: a single-shard table
  std::string distribution_type = "hash";
  std::string colocate_with = "default";  // "default", "none" or a table
  std::optional<int> shard_count;
};

struct AlterRequest {
  std::optional<std::string> column;
  std::optional<int> shard_count;
  std::optional<std::string> colocate_with;
  std::optional<bool> cascade_to_colocated;
};

class TableChange {
 public:
  explicit TableChange(ClusterCommands& cluster) : cluster_(cluster) {}

  void create_distributed_table(RelationId table, const DistributionRequest& request);
  void create_reference_table(RelationId table);
  void undistribute_table(RelationId table, bool cascade_via_foreign_keys);
  void alter_distributed_table(RelationId table, const AlterRequest& request);
  void update_colocation(RelationId table, const std::string& colocate_with);
  // Its tables become single-shard tables on one data node, and so do those that are made in it later.
  void distribute_schema(RelationId schema);
  void undistribute_schema(RelationId schema);
  // After CREATE TABLE in such a schema has made the table here.
  void distribute_new_table(RelationId table, int colocation_id);
  // Before the table is dropped here: its shards, its metadata and the shells of other coordinators go. `names`: so
  // that several go at once, with what depends on them.
  void drop_distributed(const std::vector<RelationId>& tables);

  struct Implementation;

 private:
  ClusterCommands& cluster_;
};

}  // namespace polarsim::engine::cluster
