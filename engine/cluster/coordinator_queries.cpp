// Queries over distributed tables: the part of CoordinatorSession that its local session asks (node/query_hook.h).
#include <utility>

#include "engine/cluster/coordinator_session.h"
#include "engine/cluster/distributed_copy.h"
#include "engine/cluster/local_keys.h"
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

distribution::DistributionSettings CoordinatorSession::distribution_settings() const {
  const ClusterSettings& settings = local_->settings().cluster_settings();
  return {settings.enable_repartition_joins, settings.enable_single_hash_repartition_joins,
          settings.repartition_join_bucket_count_per_node};
}

std::uint64_t CoordinatorSession::version() { return metadata()->version; }

QueryHook::PlanPtr CoordinatorSession::plan(const query::QueryPtr& query) {
  auto made = std::make_shared<ClusterPlan>();
  made->query = query;
  made->metadata = metadata();
  MetadataSource source(*made->metadata, coordinator_.group_id());
  if (!distribution::uses_distributed_tables(*query, source)) return nullptr;
  const distribution::DistributionSettings settings = distribution_settings();
  made->plan = distribution::plan_distributed(query, {source, local_->call_context(), settings, plan_numbers_, {}});
  return made;
}

// A plan that is not right for all values is made anew for these.
distribution::DistributedPlanPtr CoordinatorSession::plan_for(const Run& run, const Metadata& metadata) {
  const auto& known = static_cast<const ClusterPlan&>(run.plan);
  if (known.plan->generic) return known.plan;
  MetadataSource source(metadata, coordinator_.group_id());
  const distribution::DistributionSettings settings = distribution_settings();
  return distribution::plan_distributed(known.query,
                                        {source, local_->call_context(), settings, plan_numbers_, run.parameters});
}

void CoordinatorSession::check_local_keys(const Run& run) const {
  LocalKeys::check_change(local_->catalog(), local_->transaction(), *static_cast<const ClusterPlan&>(run.plan).query);
}

QueryResult CoordinatorSession::run(const Run& run) {
  const auto& known = static_cast<const ClusterPlan&>(run.plan);
  const std::shared_ptr<const Metadata> metadata = known.metadata;
  check_local_keys(run);
  const distribution::DistributedPlanPtr plan = plan_for(run, *metadata);
  const distribution::StatementValues values{local_->call_context(), run.parameters};
  const ExecutionPlace place = place_of(*metadata);
  DistributedExecution execution(place, values, run.types);
  return execute_plan(execution, *plan);
}

// The answer to COPY TO: as many tasks at a time as there are nodes, unless this node has to merge their rows.
class CoordinatorSession::RowsOfTasks final : public executor::CopiedRows {
 public:
  RowsOfTasks(CoordinatorSession& session, const Run& run)
      : session_(session),
        metadata_(static_cast<const ClusterPlan&>(run.plan).metadata),
        plan_(session.plan_for(run, *metadata_)),
        values_{session.local_->call_context(), run.parameters},
        place_(session.place_of(*metadata_)),
        execution_(place_, values_, run.types) {}

  bool next(std::vector<Row>& rows) override {
    rows.clear();
    if (ended_) return false;
    // While rows are written nobody else looks, and no task is there that could be told.
    session_.local_->check_interrupts();
    if (!DistributedExecution::can_stream(*plan_)) {
      rows = session_.execute_plan(execution_, *plan_).rows;
      ended_ = true;
      return true;
    }
    if (execution_.next_rows(*plan_, rows)) return true;
    if (session_.in_block()) execution_.take_back_results();
    ended_ = true;
    return false;
  }

 private:
  CoordinatorSession& session_;
  const std::shared_ptr<const Metadata> metadata_;
  const distribution::DistributedPlanPtr plan_;
  const distribution::StatementValues values_;
  const ExecutionPlace place_;
  DistributedExecution execution_;
  bool ended_ = false;
};

std::unique_ptr<executor::CopiedRows> CoordinatorSession::rows_to_copy(const Run& run) {
  check_local_keys(run);
  return std::make_unique<RowsOfTasks>(*this, run);
}

ExecutionPlace CoordinatorSession::place_of(const Metadata& metadata) {
  return {coordinator_, executor_, *local_, metadata, block_needed(), [this] { return begin_text(); }};
}

// A single task outside any block is its own COMMIT.
QueryResult CoordinatorSession::execute_plan(DistributedExecution& execution,
                                             const distribution::DistributedPlan& plan) {
  try {
    QueryResult result = execution.run(plan);
    if (in_block()) execution.take_back_results();
    return result;
  } catch (const SqlError& error) {
    const std::string& state = error.sqlstate();
    const bool committed_itself = !execution.in_block() && plan.command != query::Command::select;
    // A node that failed inside its commit cannot say how far it came.
    if (!committed_itself || !outcome_unknown(state) || state.starts_with("08") || state.starts_with("57")) throw;
    ErrorFields fields = error.fields();
    fields.sqlstate = "08007";
    throw SqlError(std::move(fields));
  }
}

std::vector<std::string> CoordinatorSession::explain(const Run& run, const plan::ExplainOptions& options) {
  if (options.analyze) check_local_keys(run);
  const std::shared_ptr<const Metadata> metadata = static_cast<const ClusterPlan&>(run.plan).metadata;
  const distribution::DistributedPlanPtr plan = plan_for(run, *metadata);
  const distribution::StatementValues values{local_->call_context(), run.parameters, !options.analyze};
  const plan::PlannerInputs planner{local_->call_context(), local_->settings().planner_settings(), {}};
  const auto node_name = [&](int group) {
    const NodeInfo& node = metadata->node(group);
    return "host=" + node.name + " port=" + std::to_string(node.port) + " dbname=" + database_name;
  };
  const auto task_plan = [&](const distribution::Task& task) {
    std::string text = "EXPLAIN (";
    text += options.verbose ? "VERBOSE, " : "";
    text += options.summary ? "SUMMARY, " : "";
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
  distribution::DistributedExplainContext context{

      .options = options,
      .all_tasks = local_->settings().cluster_settings().explain_all_tasks,
      .planner = planner,
      .values = values,
      .node = node_name,
      .task_plan = task_plan};
  // Those whose rows do not stay where they are cannot be measured, which is said instead of running them.
  if (!options.analyze || distribution::insert_select_method(*plan) != nullptr)
    return distribution::explain(*plan, context);
  const ExecutionPlace place = place_of(*metadata);
  DistributedExecution execution(place, values, run.types);
  execution.measure(options);
  execute_plan(execution, *plan);
  context.measured = [&execution](const distribution::Subplan* subplan) {
    const DistributedExecution::Measured* found = execution.measured(subplan);
    return found == nullptr ? nullptr : &found->measurements;
  };
  context.local_plan = [&execution](const distribution::Subplan* subplan) -> plan::PlannedStatementPtr {
    const DistributedExecution::Measured* found = execution.measured(subplan);
    return found == nullptr || found->merge == nullptr ? nullptr : found->merge->planned;
  };
  return distribution::explain(*plan, context);
}

std::unique_ptr<executor::CopyDestination> CoordinatorSession::copy_into(const query::RelationPtr& relation,
                                                                         const syntax::Copy& statement) {
  const std::shared_ptr<const Metadata> known = metadata();
  distribution::TableDistributionPtr distribution = known->find(relation->id);
  if (distribution == nullptr) return nullptr;
  // The closest relative's words, for who knows them.
  if (statement.where != nullptr)
    throw SqlError(sqlstate::internal_error, "PolarCluster does not support COPY FROM with WHERE");
  ExecutionPlace place = place_of(*known);
  place.in_block = true;
  return std::make_unique<DistributedCopy>(place, known, relation, std::move(distribution));
}

}  // namespace polarsim::engine::cluster
