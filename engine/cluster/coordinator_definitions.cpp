// The cluster's functions, and statements that change definitions: a part of CoordinatorSession.
#include <utility>

#include "engine/cluster/cluster_calls.h"
#include "engine/cluster/coordinator_session.h"
#include "engine/cluster/definition_change.h"
#include "engine/cluster/local_keys.h"
#include "engine/cluster/recovery.h"
#include "engine/cluster/session_commands.h"
#include "engine/commands/command.h"
#include "engine/syntax/parser.h"

namespace polarsim::engine::cluster {

SessionCommands CoordinatorSession::cluster_commands() {
  return SessionCommands({coordinator_, executor_, *local_, in_block(), [this] { return begin_text(); },
                          [this] { return metadata(); },
                          [this] {
                            changes_metadata_ = true;
                            own_metadata_ = nullptr;
                          }});
}

void CoordinatorSession::require_primary() const {
  if (coordinator_.is_primary()) return;
  throw SqlError(sqlstate::internal_error, "operation is not allowed on this node", "",
                 "Connect to the coordinator and run it again.");
}

// Until the end of the transaction on all nodes nobody else changes the cluster's tables. Inside a statement.
void CoordinatorSession::hold_definitions() { local_->lock_definitions(); }

QueryResult CoordinatorSession::run_command(const StatementRequest& request) {
  const syntax::Statement& statement = *request.statement;
  SessionCommands cluster = cluster_commands();
  DefinitionChange change(cluster);
  const bool locks = std::holds_alternative<syntax::LockTable>(statement.body);
  // Outside a block there is nothing that it could hold for, as the local session says.
  if (locks && !in_block()) return local_->execute(request);
  bool concerns_cluster = change.concerns_cluster(statement);
  if (concerns_cluster && !DefinitionChange::is_for_every_coordinator(statement)) require_primary();
  if (commands::is_command(statement)) {
    // The right to change definitions comes before any table, for everybody who is known to need it.
    local_->run_as_statement(request, [&] {
      if (concerns_cluster && !locks) hold_definitions();
      change.lock_targets(statement);
    });
    concerns_cluster = change.concerns_cluster(statement);
    if (concerns_cluster && !DefinitionChange::is_for_every_coordinator(statement)) require_primary();
  }
  // A coordinator may have tables of its own.
  if (!concerns_cluster) {
    return LocalKeys::makes_keys(statement) ? change_local_table(request, cluster) : local_->execute(request);
  }
  if (std::holds_alternative<syntax::CreateTableAs>(statement.body)) {
    throw SqlError(sqlstate::feature_not_supported,
                   "CREATE TABLE AS in a schema that lies on one data node is not supported", "",
                   "Create the table first, and INSERT ... SELECT into it.");
  }
  QueryResult result;
  const std::vector<ErrorFields> notices = local_->run_as_statement(request, [&] {
    if (!locks) hold_definitions();
    result = change.run(request.statement, request.text);
  });
  result.notices.insert(result.notices.end(), notices.begin(), notices.end());
  for (ErrorFields& notice : cluster.take_notices()) result.notices.push_back(std::move(notice));
  return result;
}

bool CoordinatorSession::is_shard(std::uint32_t relation) {
  SessionCommands cluster = cluster_commands();
  const auto found = cluster.catalog().find(cluster.transaction(), relation);
  const bool is_index = found && found->description->kind == catalog::RelationKind::index;
  return DefinitionChange(cluster).is_own_shard(is_index ? found->description->index.table : relation);
}

QueryResult CoordinatorSession::change_local_table(const StatementRequest& request, SessionCommands& cluster) {
  QueryResult result;
  const std::vector<ErrorFields> notices =
      local_->run_as_statement(request, [&] { result = LocalKeys(cluster).run(request.statement, request.text); });
  result.notices.insert(result.notices.end(), notices.begin(), notices.end());
  return result;
}

namespace {

// Before anything is looked up: most queries name tables.
bool may_call_cluster_function(const syntax::Select& select) {
  if (select.from.empty()) return !select.items.empty();
  return select.from.size() == 1 && std::holds_alternative<syntax::FromFunction>(select.from[0]->source);
}

}  // namespace

std::optional<QueryResult> CoordinatorSession::run_cluster_function(const StatementRequest& request) {
  const auto* const select = std::get_if<syntax::Select>(&request.statement->body);
  if (select == nullptr || !may_call_cluster_function(*select)) return std::nullopt;
  std::optional<QueryResult> result;
  SessionCommands cluster = cluster_commands();
  const auto recover = [this] {
    const RecoveryCounts counts = Recovery(coordinator_).run();
    return std::int64_t{counts.committed} + counts.rolled_back;
  };
  const auto take_hold = [this] {
    require_primary();
    hold_definitions();
  };
  const std::vector<ErrorFields> notices = local_->run_as_statement(request, [&] {
    local_->with_analysis([&](const query::AnalysisContext& context) {
      const std::optional<ClusterQuery> query = find_cluster_query(*request.statement, context);
      if (query)
        result =
            run_cluster_query(*request.statement, *query, context, {cluster, request.parameters, recover, take_hold});
    });
    if (result && local_->has_locked_definitions()) LocalKeys(cluster).settle();
  });
  if (result) {
    result->notices.insert(result->notices.end(), notices.begin(), notices.end());
    for (ErrorFields& notice : cluster.take_notices()) result->notices.push_back(std::move(notice));
  }
  return result;
}

StatementDescription CoordinatorSession::describe(const StatementRequest& request) {
  if (!termination_requested()) {
    if (status_ == TransactionStatus::failed &&
        !std::holds_alternative<syntax::TransactionControl>(request.statement->body)) {
      throw SqlError(sqlstate::in_failed_sql_transaction,
                     "current transaction is aborted, commands ignored until end of transaction block");
    }
    const bool alone = status_ == TransactionStatus::idle;
    if (alone) modes_ = local_->default_modes();
    try {
      StatementDescription description = describe_statement(request);
      if (alone) transaction_.rollback();
      return description;
    } catch (const SqlError&) {
      if (alone) {
        transaction_.rollback();
      } else if (in_block()) {
        after_error();
      }
      if (!termination_requested()) throw;
    }
  }
  close();
  throw SessionTerminated::by_administrator();
}

// A call of one of the cluster's functions is unknown to the local session. Of distributed tables, it has shells.
StatementDescription CoordinatorSession::describe_statement(const StatementRequest& request) {
  const auto* const select = std::get_if<syntax::Select>(&request.statement->body);
  if (select == nullptr || !may_call_cluster_function(*select)) return local_->describe(request);
  std::optional<StatementDescription> description;
  enter_local_block();
  local_->run_as_statement(request, [&] {
    local_->with_analysis([&](const query::AnalysisContext& context) {
      const std::optional<ClusterQuery> query = find_cluster_query(*request.statement, context);
      if (!query) return;
      description = query->has_rest ? local_->describe_here({shape_of_rest(*request.statement), request.text})
                                    : StatementDescription{{}, columns_of(*query)};
    });
  });
  return description ? std::move(*description) : local_->describe(request);
}

}  // namespace polarsim::engine::cluster
