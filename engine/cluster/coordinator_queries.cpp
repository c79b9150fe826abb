// Queries over distributed tables: the part of CoordinatorSession that its local session asks (node/query_hook.h).
#include <utility>

#include "engine/cluster/coordinator_session.h"
#include "engine/distribution/explain.h"
#include "engine/distribution/planner.h"

namespace polarsim::engine::cluster {

namespace {

struct ClusterPlan final : QueryHook::Plan {
  // Subplans' results have names that are those of one session.
  bool is_common() const override { return plan->generic && plan->subplans.empty(); }

  query::QueryPtr query;
  std::shared_ptr<const Metadata> metadata;
  distribution::DistributedPlanPtr plan;
};

class MetadataSource final : public distribution::DistributionSource {
 public:
  MetadataSource(const Metadata& metadata, int own_group) : metadata_(metadata), own_group_(own_group) {}
  distribution::TableDistributionPtr find(const query::Relation& relation) override {
    return metadata_.find(relation.id);
  }
  int own_group() const override { return own_group_; }
  std::vector<int> groups() const override {
    std::vector<int> groups;
    for (const auto& [group, node] : metadata_.nodes) {
      if (node.holds_shards) groups.push_back(group);
    }
    return groups;
  }

 private:
  const Metadata& metadata_;
  int own_group_;
};

}  // namespace

std::uint64_t CoordinatorSession::version() { return metadata()->version; }

QueryHook::PlanPtr CoordinatorSession::plan(const query::QueryPtr& query) {
  auto made = std::make_shared<ClusterPlan>();
  made->query = query;
  made->metadata = metadata();
  MetadataSource source(*made->metadata, coordinator_.group_id());
  if (!distribution::uses_distributed_tables(*query, source)) return nullptr;
  const distribution::DistributionSettings settings;
  made->plan = distribution::plan_distributed(query, {source, local_->call_context(), settings, plan_numbers_, {}});
  return made;
}

// A plan that is not right for all values is made anew for these.
distribution::DistributedPlanPtr CoordinatorSession::plan_for(const Run& run, const Metadata& metadata) {
  const auto& known = static_cast<const ClusterPlan&>(run.plan);
  if (known.plan->generic) return known.plan;
  MetadataSource source(metadata, coordinator_.group_id());
  const distribution::DistributionSettings settings;
  return distribution::plan_distributed(known.query,
                                        {source, local_->call_context(), settings, plan_numbers_, run.parameters});
}

QueryResult CoordinatorSession::run(const Run& run) {
  const std::shared_ptr<const Metadata> metadata = static_cast<const ClusterPlan&>(run.plan).metadata;
  return execute_plan(*plan_for(run, *metadata), run);
}

QueryResult CoordinatorSession::execute_plan(const distribution::DistributedPlan& plan, const Run& run) {
  const std::shared_ptr<const Metadata> metadata = static_cast<const ClusterPlan&>(run.plan).metadata;
  const distribution::StatementValues values{local_->call_context(), run.parameters};
  const bool block = block_needed() || needs_block(plan, values);
  const ExecutionPlace place{coordinator_, executor_, *local_, *metadata, block, block ? begin_text() : std::string()};
  const auto work = [&] { return DistributedExecution(place, values, run.types).run(plan); };
  if (block || plan.command == query::Command::select) return work();
  return run_bare(work);
}

QueryResult CoordinatorSession::run_bare(const std::function<QueryResult()>& work) {
  try {
    return work();
  } catch (const SqlError& error) {
    // A node that failed inside its commit cannot say how far it came.
    if (!outcome_unknown(error.sqlstate()) || error.sqlstate().starts_with("08") || error.sqlstate().starts_with("57"))
      throw;
    ErrorFields fields = error.fields();
    fields.sqlstate = "08007";
    throw SqlError(std::move(fields));
  }
}

std::vector<std::string> CoordinatorSession::explain(const Run& run, const plan::ExplainOptions& options) {
  if (options.analyze)
    throw SqlError(sqlstate::feature_not_supported, "EXPLAIN ANALYZE of distributed tables is not supported");
  const std::shared_ptr<const Metadata> metadata = static_cast<const ClusterPlan&>(run.plan).metadata;
  const distribution::DistributedPlanPtr plan = plan_for(run, *metadata);
  const distribution::StatementValues values{local_->call_context(), run.parameters};
  const plan::PlannerSettings settings;
  const plan::PlannerInputs planner{local_->call_context(), settings, {}};
  const auto node_name = [&](int group) {
    const NodeInfo& node = metadata->node(group);
    return "host=" + node.name + " port=" + std::to_string(node.port) + " dbname=" + database_name;
  };
  const auto task_plan = [&](const distribution::Task& task) {
    std::string text = "EXPLAIN (";
    text += options.verbose ? "VERBOSE, " : "";
    text += options.costs ? "COSTS) " : "COSTS OFF) ";
    const std::string sql = text + *task.sql;
    const int group = task.groups.at(0);
    std::vector<std::string> lines;
    const bool here = group == coordinator_.group_id();
    const QueryResult answer =
        here ? local_->run_here(StatementRequest{coordinator_.statements().parse(sql).at(0), sql, *task.parameters})
             : executor_.run(*metadata, {Task{group, sql, *task.parameters}}, block_needed(), begin_text()).at(0);
    for (const Row& row : answer.rows) lines.emplace_back(row.at(0).as_text());
    return lines;
  };
  return distribution::explain(
      *plan, {.options = options, .planner = planner, .values = values, .node = node_name, .task_plan = task_plan});
}

}  // namespace polarsim::engine::cluster
