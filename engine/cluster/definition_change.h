// Statements that change definitions, run over the cluster: on this coordinator as they are, on the other coordinators'
// shells, and on every shard (ddl_rewrite.h).
//
// The statement runs here first: what PostgreSQL would refuse, this node refuses, and names that are made up are known
// then. Schemas are made and dropped on all nodes; views on all coordinators, if all they use is there.
#pragma once

#include <optional>
#include <string>

#include "engine/cluster/cluster_commands.h"
#include "engine/syntax/ast.h"

namespace polarsim::engine::cluster {

class DefinitionChange {
 public:
  explicit DefinitionChange(ClusterCommands& cluster) : cluster_(cluster) {}

  // Whether the statement concerns more than this node: then run() is to be called instead of running it here. Looks
  // names up without locking them. CREATE TABLE concerns others if it is made in a distributed schema.
  bool concerns_cluster(const syntax::Statement& statement);
  // Whether other coordinators may run it, too: TRUNCATE. Everything else is for the primary coordinator.
  static bool is_for_every_coordinator(const syntax::Statement& statement);
  // All of it. The result has the command's tag and the notices of this node.
  QueryResult run(const syntax::Statement& statement, const std::string& text);

 private:
  ClusterCommands& cluster_;
};

}  // namespace polarsim::engine::cluster
