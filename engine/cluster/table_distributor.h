// The parts of which changes of a table's distribution are made: plans, shards, shells, rows and metadata. Private to
// table_change.h.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/cluster/cluster_work.h"
#include "engine/cluster/metadata_tables.h"

namespace polarsim::engine::cluster {

// How a table is to be distributed, and the colocation group that is to be made for it.
struct DistributionPlan {
  distribution::TableDistribution distribution;
  std::optional<ColocationGroup> new_group;
};

class TableDistributor {
 public:
  explicit TableDistributor(ClusterCommands& cluster) : work_(cluster) {}
  const ClusterWork& work() const { return work_; }
  ClusterCommands& cluster() const { return work_.cluster(); }

  // --- looking; what this object has planned counts as done ---
  // Null: a table of this node alone.
  distribution::TableDistributionPtr find(RelationId table) const;
  // XX000 "relation t is not distributed".
  DistributedParts require(RelationId table) const;
  std::vector<RelationId> tables_of_group(int colocation_id) const;
  // As regclass reads it; 42P01.
  RelationId relation_by_name(const std::string& written) const;
  // A distributed table, a relation of the system, or a view of nothing else.
  bool is_on_all_coordinators(RelationId relation) const;
  bool is_in_distributed_schema(const catalog::Definition& table) const;

  // --- checks ---
  // A table that is not distributed yet.
  void check_table(RelationId table) const;
  // The number of the column, which can be distributed by.
  int check_column(const catalog::Definition& table, const std::string& column) const;
  // Keys, unique indexes and foreign keys of the table.
  void check_constraints(const TableParts& parts, const distribution::TableDistribution& distribution) const;

  // XX000 "cannot colocate tables a and b" unless the shards of both lie alike.
  void check_same_placement(const DistributedParts& a, const DistributedParts& b) const;

  // --- plans ---
  // `colocate_with`: "default", "none" or a table's name. `shard_count`: none: the setting's, or the group's.
  DistributionPlan plan_hash(const catalog::Definition& table, int column, const std::string& colocate_with,
                             std::optional<int> shard_count) const;
  DistributionPlan plan_single_shard(const catalog::Definition& table, const std::string& colocate_with) const;
  // Of a group that is there already, or (with `make`) is to be.
  DistributionPlan plan_single_shard_in(int colocation_id, bool make) const;
  DistributionPlan plan_reference() const;
  // New shards for a table, by its own column, where those of another table of that distribution are.
  distribution::TableDistribution plan_like(const DistributedParts& table,
                                            const distribution::TableDistribution& other) const;

  // --- doing ---
  void make_group(const ColocationGroup& group) const;
  // Schema and shards' tables, without foreign keys.
  void make_shards(const DistributedParts& table) const;
  void drop_shards(const DistributedParts& table) const;
  // The foreign keys of the table, between shards. They must be allowed.
  void link_shards(const DistributedParts& table) const;
  void link_shards(const DistributedParts& table, const catalog::ForeignKey& key) const;
  // Shells on other coordinators with foreign keys, and views on the table that can be there.
  void make_shells(const DistributedParts& table) const;
  void tell_metadata(const DistributedParts& table) const;
  void forget_metadata(const DistributedParts& table) const;
  // Its row goes when no table is in it any more. `leaving` are about to.
  void drop_group_if_empty(int colocation_id, const std::set<RelationId>& leaving) const;

  // All of creating: tables, whose rows move into the shards. What one of them refers to may be among them.
  void distribute(const std::vector<DistributedParts>& tables);
  void plan(RelationId table, const distribution::TableDistribution& distribution) {
    planned_[table] = std::make_shared<const distribution::TableDistribution>(distribution);
  }

 private:
  void require_data_nodes() const;
  std::vector<std::vector<int>> placements(int colocation_id, std::size_t shard_count) const;
  std::vector<distribution::Shard> hash_shards(std::size_t count, const std::vector<std::vector<int>>& placement) const;
  DistributionPlan plan_in_group(distribution::TableDistribution distribution, const ColocationGroup& group,
                                 bool is_new) const;
  DistributionPlan plan_with_table(const catalog::Definition& table, distribution::TableDistribution distribution,
                                   const std::string& other) const;
  std::optional<ColocationGroup> default_group(int shard_count, TypeId type) const;
  bool is_schema_group(int colocation_id) const;
  void make_views(RelationId table) const;
  void copy_rows(const std::vector<DistributedParts>& tables) const;
  bool refers_rows(RelationId table) const;

  ClusterWork work_;
  std::map<RelationId, distribution::TableDistributionPtr> planned_;
};

}  // namespace polarsim::engine::cluster
