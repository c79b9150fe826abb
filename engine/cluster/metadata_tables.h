// The tables in which every coordinator keeps what the cluster is: pg_dist_node, pg_dist_partition, pg_dist_shard,
// pg_dist_placement, pg_dist_colocation, pg_dist_schema, pg_dist_transaction (the relative's, with its columns), the
// view polar_cluster_tables, and the statements that change their rows.
//
// Relations are named by regclass, whose numbers differ from node to node: statements for all coordinators say
// 'schema.t'::regclass. pg_dist_partition.partkey is the name of the distribution column, NULL where there is none
// (the relative keeps an expression there).
//
//   partmethod repmodel   what it is
//   h          s          a hash-distributed table
//   n          t          a reference table: pg_dist_colocation.replicationfactor is -1
//   n          s          a single-shard table
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/catalog/catalog.h"
#include "engine/cluster/cluster_commands.h"
#include "engine/distribution/table.h"

namespace polarsim::engine::cluster {

// The first number of a shard.
inline constexpr std::int64_t lowest_shard_id = 102008;

// The statements that make the tables and sequences, in order, for initdb; without rows. They need the right to make
// tables in pg_catalog.
std::vector<std::string> metadata_table_statements();
// The row of one node.
// pg_dist_node.nodeid.
inline int node_id(const ClusterNode& node) { return node.group + 1; }
std::string node_statement(const ClusterNode& node);

// A distributed table as its rows tell of it.
struct TableMetadata {
  catalog::DefinitionPtr table;
  distribution::TableDistribution distribution;
};
// The statements that tell of a table; the rows of its colocation group are apart.
std::vector<std::string> table_metadata_statements(const TableMetadata& table);
std::vector<std::string> forget_table_statements(const TableMetadata& table);
std::string colocation_statement(const ColocationGroup& group);
std::string forget_colocation_statement(int id);
std::string schema_metadata_statement(const std::string& schema, int colocation_id);
std::string forget_schema_statement(const std::string& schema);
std::string rename_distribution_column_statement(const catalog::Definition& table, const std::string& column);
std::string change_colocation_statement(const catalog::Definition& table, int colocation_id);

// All of it, read back. `run` executes a query on this node.
struct StoredMetadata {
  std::vector<ClusterNode> nodes;  // by group
  std::map<RelationId, distribution::TableDistributionPtr> tables;
  std::vector<ColocationGroup> colocation_groups;  // by id
  std::map<RelationId, int> schemas;               // pg_namespace.oid to colocation group
};
// The distribution column's number and type are looked up in the catalog, as `reader` sees it.
StoredMetadata load_metadata(const std::function<QueryResult(const std::string& sql)>& run,
                             const catalog::Catalog& catalog, const txn::Transaction* reader, int own_group);

}  // namespace polarsim::engine::cluster
