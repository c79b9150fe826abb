// What changes of the cluster's tables need from the coordinator session that they run in: the session implements it,
// tests put a recorder in its place.
//
// All that is run here belongs to the session's distributed transaction, whose commit makes it visible on all nodes at
// once. Everything blocks and throws SqlError; the transaction, or its present savepoint, is then to be rolled back.
// The caller holds the coordinator's lock on definitions, so that nobody else on this node changes the cluster's tables
// meanwhile.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog/catalog.h"
#include "engine/distribution/table.h"
#include "engine/node/session.h"
#include "engine/syntax/ast.h"

namespace polarsim::engine::cluster {

using catalog::RelationId;

struct ClusterNode {
  int group = 0;
  std::string name;
  std::uint16_t port = 0;
  bool is_coordinator = false;  // it plans statements, and has a shell of every distributed table
  bool holds_shards = false;    // a data node
};

// One statement for one other node.
struct NodeCommand {
  int group = 0;
  std::string sql;
  bool writes = true;
};

// What one node answered to a statement that was no part of the transaction.
struct NodeAnswer {
  bool success = false;
  std::string text;  // the first column of the first row, the tag of a statement without rows, or the error's message
};

// Tables of one group have equally many shards, that lie on the same nodes.
struct ColocationGroup {
  int id = 0;
  int shard_count = 0;
  int replication_factor = 1;  // -1: a copy on every node
  TypeId type = TypeId::none;  // of the distribution column; none where there is none
};

class ClusterCommands {
 public:
  // --- running ---
  // One statement by the session on this node, as a part of the transaction; it plans nothing over the cluster.
  virtual QueryResult run_here(const std::string& sql, bool writes) = 0;
  // The same for the client's own statement, with the text that positions of its errors are in.
  virtual QueryResult run_statement_here(const syntax::StatementPtr& statement, std::string_view text, bool writes) = 0;
  // On other nodes: those of one node in their order, different nodes at the same time; answers in the commands' order,
  // with values of the columns' types.
  virtual std::vector<QueryResult> run_there(const std::vector<NodeCommand>& commands) = 0;
  // By itself, outside the transaction, on any node, this one included. Throws nothing for errors of node or statement.
  virtual NodeAnswer run_alone(int group, const std::string& sql) = 0;
  // The definition of a relation of this node, in the transaction; `definition` is of the same kind.
  virtual void replace_definition(RelationId relation, catalog::Definition definition) = 0;
  // A relation of this node, until the transaction ends; may wait.
  virtual void lock_here(RelationId /*relation*/, txn::LockMode /*mode*/) {}
  // syntax::parse() where there is stack enough for it.
  virtual std::vector<syntax::StatementPtr> parse(std::string_view text) = 0;
  // Told to the client: NOTICE and WARNING.
  virtual void notice(ErrorFields notice) = 0;

  // --- looking; changes of the transaction are seen ---
  virtual const catalog::Catalog& catalog() const = 0;
  // The open one: the session has joined it. May change with every run_here().
  virtual const txn::Transaction* transaction() = 0;
  // The schemas that names are looked for in.
  virtual std::vector<std::string> search_path() = 0;
  virtual int own_group() const = 0;
  virtual std::vector<ClusterNode> nodes() = 0;  // by group
  // Null for a table of this node alone.
  virtual distribution::TableDistributionPtr find_distribution(RelationId table) = 0;
  virtual std::vector<RelationId> distributed_tables() = 0;      // in ascending order
  virtual std::vector<ColocationGroup> colocation_groups() = 0;  // by id
  // Of a schema whose tables lie wholly on one data node (pg_dist_schema); 0 for others.
  virtual int colocation_of_schema(std::string_view schema) = 0;
  // Whether the client has opened a block.
  virtual bool in_transaction_block() = 0;
  // polar_cluster.next_shard_id, which moves on by `count`; null if it is not set.
  virtual std::optional<std::int64_t> take_shard_ids(std::size_t /*count*/) { return std::nullopt; }
  // polar_cluster.shard_count.
  virtual int default_shard_count() = 0;
  // What is in the texts of values (time zone, ...) as this session reads and writes them.
  virtual CallContext call_context() = 0;

 protected:
  ~ClusterCommands() = default;
};

}  // namespace polarsim::engine::cluster
