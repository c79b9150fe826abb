// Foreign keys of tables that this node alone has, to tables that are distributed.
//
// The rows of a distributed table are in its shards, not in the table of its name that they are checked against. A key
// to a reference table is checked in this node's copy, whose changes are checked against the table of the key in turn,
// wherever they come from. Of any other distributed table the rows are on other nodes: what would have to be checked is
// refused (0A000) until the table of the key is distributed, too; changes of the referenced table as far as this
// coordinator knows of the key. (In the closest relative such keys are checked against the rows that were there before,
// which nobody sees.)
#pragma once

#include <set>
#include <string>
#include <vector>

#include "engine/cluster/table_distributor.h"
#include "engine/query/query.h"
#include "engine/syntax/ast.h"

namespace polarsim::engine::cluster {

class LocalKeys {
 public:
  explicit LocalKeys(ClusterCommands& cluster) : cluster_(cluster), distributor_(cluster) {}

  // Brings all keys up to date; to be called after statements that may have changed what is distributed or referenced.
  void settle();
  // Whether it is CREATE TABLE or ALTER TABLE with foreign keys.
  static bool makes_keys(const syntax::Statement& statement);
  // Throws if the statement changes what a key of a table of this node leads to, on other nodes.
  static void check_change(const catalog::Catalog& catalog, const txn::Transaction* reader, const query::Query& query);
  // Runs such a statement of a table of this node. Rows that are there already are checked after new keys are settled.
  QueryResult run(const syntax::StatementPtr& statement, std::string_view text);

 private:
  RelationId rows_of(RelationId referenced) const;
  std::set<std::string> keys_of(const syntax::TableName& table) const;

  ClusterCommands& cluster_;
  TableDistributor distributor_;
};

}  // namespace polarsim::engine::cluster
