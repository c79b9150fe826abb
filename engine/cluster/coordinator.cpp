#include "engine/cluster/coordinator.h"

#include "engine/sql/error.h"
#include "engine/syntax/parser.h"

namespace polarsim::engine::cluster {

namespace {

constexpr std::size_t planner_statements_kept = 1000;

}  // namespace

Coordinator::Coordinator(sim::Host& host, Instance& instance, const ClusterConfig& config,
                         syntax::StatementCache& statements)
    : host_(host),
      instance_(instance),
      config_(config),
      statements_(statements),
      planner_statements_(host.scheduler(), planner_statements_kept),
      metadata_(instance, statements),
      ddl_mutex_(host.scheduler()),
      recovery_mutex_(host.scheduler()) {
  for (const auto& [group, node] : metadata_.current()->nodes) {
    if (node.name == host.name()) group_id_ = group;
  }
  if (group_id_ < 0) throw SqlError(sqlstate::internal_error, "node " + host.name() + " is not in pg_dist_node");
}

sql::StatementPtr Coordinator::planner_statement(const syntax::Statement& statement) {
  try {
    return planner_statements_.parse(syntax::deparse(statement)).at(0);
  } catch (const SqlError&) {
    return nullptr;
  }
}

}  // namespace polarsim::engine::cluster
