// Changes of the cluster's tables: create_distributed_table and DROP TABLE, on the primary coordinator.
//
// Both only do their work on every node, inside the session's distributed transaction; its commit (two-phase, as every
// node writes) makes them visible. The caller holds the coordinator's DDL mutex until then. Shards are placed round
// robin over the data nodes sorted by name; their numbers come from pg_dist_shardid_seq and are never used twice.
//
// Not provided: colocation with a named table, reference tables, a lock against writers of the table while it is being
// distributed (a row that another session commits into it during that moment stays in the coordinator's shell table,
// unseen).
#pragma once

#include <string>

#include "engine/cluster/coordinator.h"
#include "engine/cluster/distributed_transaction.h"
#include "engine/cluster/executor.h"

namespace polarsim::engine::cluster {

class SchemaChange {
 public:
  SchemaChange(Coordinator& coordinator, Executor& executor, DistributedTransaction& transaction, Session& local)
      : coordinator_(coordinator),
        executor_(executor),
        transaction_(transaction),
        local_(local),
        metadata_(coordinator.metadata()) {}

  // Rows that the table has already move into its shards. Throws SqlError: 42P01, 42P16, 42703, 0A000, XX000, 22004
  // with the relative's texts.
  void create_distributed_table(const std::string& relation, const std::string& column, std::int64_t shard_count);
  // Distributed and local tables alike.
  void drop_tables(const syntax::Drop& statement);

 private:
  DistributedTable plan_table(const std::string& relation, const std::string& column, std::int64_t shard_count);
  void check_distributable(const TableDefinition& definition, const std::string& column) const;
  int colocation_group(const DistributedTable& table, bool& is_new);
  void create_everywhere(const DistributedTable& table, bool new_colocation);
  void move_rows(const DistributedTable& table);
  void drop_distributed(const DistributedTable& table);
  // On every coordinator but this one, and here.
  void run_on_coordinators(const std::vector<std::string>& remote, const std::vector<std::string>& local);
  QueryResult run_local(const std::string& sql);

  Coordinator& coordinator_;
  Executor& executor_;
  DistributedTransaction& transaction_;
  Session& local_;
  std::shared_ptr<const Metadata> metadata_;
};

}  // namespace polarsim::engine::cluster
