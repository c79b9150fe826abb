// Changes of how tables are distributed, on the primary coordinator: create_distributed_table and its kin (the
// relative's commands/create_distributed_table.c, alter_table.c, schema_based_sharding.c, whose checks and texts these
// are).
//
// A table that is distributed keeps its definition, number and views here, and becomes a shell: its rows are in its
// shards. Other coordinators get a shell of it. Rows that it has move by INSERT in batches, once the shards are there,
// and are held in memory meanwhile; the table is locked against everybody, on all coordinators, from before they are
// read until the transaction ends. Foreign keys are made after the rows have moved.
// Hash-distributed tables: shards are placed round robin over the data nodes sorted by name. A colocated table takes
// the placement of its group. Reference tables have a copy on every node, coordinators included. A single-shard table
// lies on the data node that its group's number says.
//
// Differences from the relative: the rows that a table had on this node are gone once it is distributed, unless rows of
// tables that are not distributed refer to them; such a table cannot get rows that refer to others.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/cluster/cluster_work.h"

namespace polarsim::engine::cluster {

struct DistributionRequest {
  std::optional<std::string> column;  // none: a single-shard table
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
  void distribute_schema(const std::string& name);
  void undistribute_schema(const std::string& name);
  // After CREATE TABLE in such a schema has made the table here.
  void distribute_new_table(RelationId table, int colocation_id);

  // Around the command that drops tables here. Before it: their rows in the metadata of this node go, and this node's
  // copies of reference tables. After it: everything of them on other nodes, where without `cascade` 2BP01 says what
  // only another coordinator has that depends on its shell.
  void before_drop(const std::vector<RelationId>& tables, bool cascade);
  void after_drop(const ToldHere& here);

 private:
  void undistribute(const std::vector<RelationId>& tables);

  ClusterCommands& cluster_;
  std::vector<NodeCommand> drop_shards_;  // after_drop()
  std::vector<NodeCommand> drop_shells_;
  bool cascade_ = false;
};

}  // namespace polarsim::engine::cluster
