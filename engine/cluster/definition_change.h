// Statements that change definitions, run over the cluster: on this coordinator as they are, on the other coordinators'
// shells, and on every shard (ddl_rewrite.h).
//
// The statement runs here first: what PostgreSQL would refuse, this node refuses, and names that are made up are known
// then. Schemas are made and dropped on all nodes; views on all coordinators, if all that they use is there: a view
// that uses a table of this node alone is this node's alone, too.
//
// Sequences that no column of a distributed table owns concern this node alone, even where such a column counts by
// them, until they are dropped or get another name: then their copies go along (sequence_copies.h).
//
// What is dropped here is dropped elsewhere as the user has said: without CASCADE, whatever another node has by itself
// and that depends on it (a table in the schema, a foreign key) is an error of the whole.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/cluster/cluster_commands.h"
#include "engine/cluster/table_distributor.h"
#include "engine/syntax/ast.h"

namespace polarsim::engine::cluster {

class DefinitionChange {
 public:
  explicit DefinitionChange(ClusterCommands& cluster) : cluster_(cluster), distributor_(cluster) {}

  // Locks what the statement names as it is going to, so that nobody can be distributing it while concerns_cluster()
  // looks: a table that is being distributed is a table of this node until that is committed.
  void lock_targets(const syntax::Statement& statement);
  // Whether the statement concerns more than this node: then run() is to be called instead of running it here. Looks
  // names up without locking them. Throws XX000 for changes of a shard that lies here.
  bool concerns_cluster(const syntax::Statement& statement);
  // Whether other coordinators than the primary may run it, too: TRUNCATE and LOCK TABLE.
  static bool is_for_every_coordinator(const syntax::Statement& statement);
  // Whether the table holds rows of another one.
  bool is_own_shard(RelationId table) const;
  // All of it. The result is that of the statement here: tag and notices.
  QueryResult run(const syntax::StatementPtr& statement, std::string_view text);

 private:
  // What a statement names, if it is there.
  struct Target {
    syntax::TableName written;
    catalog::Relation relation;
    RelationId table = 0;  // itself, the index's, or the one whose column owns the sequence; 0: none
    distribution::TableDistributionPtr distribution;
  };
  // What runs it here.
  struct Request {
    const syntax::StatementPtr& statement;
    std::string_view text;
  };

  std::optional<catalog::Relation> find(const syntax::TableName& name) const;
  std::optional<Target> find_target(const syntax::TableName& name) const;
  std::vector<Target> targets_of(const syntax::Statement& statement) const;
  // Of a sequence: the columns of distributed tables whose defaults name it. Other coordinators' shells count by one of
  // the same name, of their own or copied from this one.
  std::vector<std::pair<storage::RelationId, std::string>> columns_that_count_by(const Target& target) const;
  // The sequences that go with what the statement drops: those it names, and those that tables of this node, or columns
  // of theirs, own.
  std::vector<Target> dropped_sequences(const syntax::Statement& statement) const;
  // What such sequences are to other coordinators, found while they are still there.
  struct Counters {
    std::vector<std::string> without_default;  // statements that take the defaults away that count by them
    std::vector<catalog::Relation> copied;
  };
  Counters counters_of(const std::vector<Target>& sequences) const;
  // Only the cluster's own copies of a counter: another coordinator may have a sequence of that name for itself.
  void drop_copies_of(const Counters& counters, bool cascade, const QueryResult& here) const;
  // A sequence that no column of a distributed table owns, on the coordinator whose sequences others have copies of.
  bool may_have_copies(const Target& target) const;
  // Whether the statement has to be told to copies of such a sequence.
  static bool changes_copies(const syntax::Statement& statement);
  bool makes_in_distributed_schema(const syntax::TableName& name) const;
  // The schema where a new relation of the name is made; empty if there is none.
  std::string schema_of_new(const syntax::TableName& name) const;

  QueryResult run_here(const Request& request) const;
  // The same on other coordinators, whatever their search path is.
  void on_other_coordinators(const syntax::Statement& statement) const;
  // `here`: what this node has told, if it may have taken along more than it names.
  void on_other_coordinators(const syntax::Statement& statement, const QueryResult& here) const;
  syntax::Statement qualified(const syntax::Statement& statement) const;
  void on_shards(const syntax::Statement& statement, const Target& target) const;

  // One of each kind (definition_change.cpp).
  QueryResult change(const syntax::CreateSchema& create, const Request& request);
  QueryResult change(const syntax::CreateTable& create, const Request& request);
  QueryResult change(const syntax::CreateTableAs& create, const Request& request);
  QueryResult change(const syntax::CreateView& create, const Request& request);
  QueryResult change(const syntax::Drop& drop, const Request& request);
  QueryResult change(const syntax::Truncate& truncate, const Request& request);
  QueryResult change(const syntax::LockTable& lock, const Request& request);
  QueryResult change(const syntax::Comment& comment, const Request& request);
  QueryResult change(const syntax::AlterSequence& alter, const Request& request);
  // Those that change what shards are (definition_change_shards.cpp).
  QueryResult change(const syntax::CreateIndex& create, const Request& request);
  QueryResult change(const syntax::AlterTable& alter, const Request& request);
  QueryResult change(const syntax::Rename& rename, const Request& request);
  QueryResult change(const syntax::AlterSchema& alter, const Request& request);
  template <typename Other>
  QueryResult change(const Other& /*other*/, const Request& request) {
    return run_here(request);
  }

  QueryResult distribute_new(const syntax::TableName& name, const Request& request);
  QueryResult drop_schemas(const syntax::Drop& drop, const Request& request);
  void drop_copied_sequences(const std::vector<std::string>& schemas) const;
  QueryResult drop_views_or_sequences(const syntax::Drop& drop, const Request& request);
  QueryResult drop_tables(const syntax::Drop& drop, const Request& request);
  QueryResult drop_indexes(const syntax::Drop& drop, const Request& request);
  void truncate_shells(const syntax::Truncate& truncate, const std::set<RelationId>& tables,
                       const QueryResult& here) const;
  void warn_of_local_view(const catalog::Definition& view) const;
  std::vector<RelationId> tables_in(const std::string& schema) const;

  void check_new_constraints(const TableParts& before, const TableParts& after,
                             const distribution::TableDistribution& distribution) const;
  void refuse_counted_column(const syntax::AlterTable& alter, const Target& target) const;
  void count_elsewhere(const TableParts& before, const TableParts& after) const;

  const ClusterWork& work() const { return distributor_.work(); }

  ClusterCommands& cluster_;
  TableDistributor distributor_;
};

}  // namespace polarsim::engine::cluster
