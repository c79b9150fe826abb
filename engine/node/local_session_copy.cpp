// COPY: a part of LocalSession.
#include "engine/executor/copy.h"
#include "engine/node/local_session.h"
#include "engine/node/session_checks.h"

namespace polarsim::engine {

QueryResult LocalSession::run_copy(const syntax::Copy& statement) {
  const std::vector<std::string> path = search_path();
  executor::CatalogRelations relations(database_, relations_, *transaction_, path);
  executor::StatementSnapshot snapshot(database_, *transaction_);
  if (statement.from && !allows_catalog_changes()) {
    const query::RelationPtr table =
        relations.open(statement.table.schema, statement.table.name, syntax::TableLockMode::row_exclusive);
    if (table != nullptr) refuse_catalog_change(*table);
  }
  const plan::PlannerSettings planner = settled_.in_force->planner_settings();
  const auto check = [&](const query::QueryPtr& query) {
    refuse_change_if_read_only(*query);
    if (hook_ != nullptr && hook_->plan(query) != nullptr)
      throw SqlError(sqlstate::feature_not_supported, "COPY of a distributed table is not supported");
  };
  return executor::copy(statement, {.database = database_,
                                    .transaction = *transaction_,
                                    .call = call_,
                                    .relations = relations,
                                    .snapshot = snapshot,
                                    .planner = planner,
                                    .stream = copy_stream_,
                                    .read_only = settled_.read_only,
                                    .check = check,
                                    .work_memory_bytes = settled_.in_force->work_memory_bytes()});
}

}  // namespace polarsim::engine
