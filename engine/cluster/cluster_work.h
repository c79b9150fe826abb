// What all changes of the cluster's tables do over and over: looking things up, running statements in several places,
// moving rows.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/cluster/cluster_commands.h"
#include "engine/cluster/shard_definition.h"
#include "engine/distribution/table.h"

namespace polarsim::engine::cluster {

// A table, and how it is distributed.
struct DistributedParts {
  TableParts parts;
  distribution::TableDistribution distribution;
};

// A foreign key of one table.
struct TableKey {
  RelationId table = 0;
  catalog::ForeignKey key;
};

// What a statement has told on this node, and the search path that it named things by.
struct ToldHere {
  std::vector<std::string> search_path;
  std::vector<ErrorFields> notices;
};

class ClusterWork {
 public:
  explicit ClusterWork(ClusterCommands& cluster) : cluster_(cluster) {}
  ClusterCommands& cluster() const { return cluster_; }

  // --- looking ---
  // The relation must exist: XX000 "could not open relation with OID 5".
  catalog::DefinitionPtr definition(RelationId id) const;
  TableParts parts(RelationId table) const;
  // Sorted by name, dn2 before dn10: the order of placement.
  std::vector<ClusterNode> data_nodes() const;
  // Every node, in order; every coordinator but this one.
  std::vector<int> all_groups() const;
  std::vector<int> other_coordinators() const;
  // All foreign keys that lead to the table, from others or from itself; in order of their tables.
  std::vector<TableKey> keys_to(RelationId table) const;
  // The views that use the relation, directly or by other views: each after what it uses.
  std::vector<catalog::Relation> views_on(RelationId relation) const;

  // --- running ---
  QueryResult here(const std::string& sql) const { return cluster_.run_here(sql, true); }
  QueryResult look(const std::string& sql) const { return cluster_.run_here(sql, false); }
  void here(const std::vector<std::string>& statements) const;
  // Each on every coordinator; first here.
  void on_coordinators(const std::vector<std::string>& statements) const;
  void on_other_coordinators(const std::vector<std::string>& statements) const;
  // Statements that take more along than they name: what goes on other coordinators, and has not gone here, the client
  // is told, too.
  void cascade_there(const std::vector<NodeCommand>& commands, const ToldHere& here) const;
  // Those for this node run here.
  void run(const std::vector<NodeCommand>& commands) const;
  // A statement for every placement of every shard.
  using ShardText = std::function<std::vector<std::string>(std::size_t position, const distribution::Shard& shard)>;
  void on_shards(const distribution::TableDistribution& table, const ShardText& text) const;
  // The table, so that nobody reads or writes it until the end of the transaction: here, and its shell on other
  // coordinators if it has one.
  void lock(const catalog::Definition& table, bool distributed) const;

  // --- numbers ---
  std::vector<std::int64_t> new_shard_ids(std::size_t count) const;
  int new_colocation_id() const;

  // --- rows ---
  // All rows of a table of this node, or of a distributed one; columns that are generated are left out.
  std::vector<Row> rows(const catalog::Definition& table) const;
  std::vector<Row> rows(const DistributedParts& table) const;
  bool is_empty(const DistributedParts& table) const;
  // In the table of this node, which for a distributed one nobody sees.
  bool has_rows_here(const catalog::Definition& table) const;
  // Throws 22004 for NULL in the distribution column.
  void insert(const DistributedParts& table, const std::vector<Row>& rows) const;
  void insert_here(const catalog::Definition& table, const std::vector<Row>& rows) const;

  // --- telling ---
  void notice(std::string message) const;
  void warning(std::string message) const;

 private:
  // "INSERT INTO name (a, b) VALUES " and the rows, cut where the text gets long.
  std::vector<std::string> insert_statements(const catalog::Definition& table, const std::string& name,
                                             const std::vector<const Row*>& rows, bool overriding) const;

  ClusterCommands& cluster_;
};

}  // namespace polarsim::engine::cluster
