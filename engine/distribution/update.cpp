// UPDATE and DELETE of tables with shards: one task, or one for each shard, after what has to be computed first (the
// relative's multi_router_planner.c; distributed_planner.c for the order of attempts).
#include <algorithm>

#include "engine/distribution/change.h"
#include "engine/distribution/change_checks.h"
#include "engine/distribution/entries.h"
#include "engine/distribution/job.h"
#include "engine/distribution/locator.h"
#include "engine/distribution/reference_change.h"
#include "engine/distribution/select.h"
#include "engine/distribution/subplans.h"
#include "engine/query/analysis.h"
#include "engine/query/expression_walk.h"
#include "engine/query/system_columns.h"

namespace polarsim::engine::distribution {
namespace {

using query::ExpressionPtr;
using query::Query;
using query::QueryPtr;

class ShardChangePlanner {
 public:
  ShardChangePlanner(QueryPtr query, const TableDistribution& table, const DistributionInputs& inputs)
      : query_(std::move(query)), table_(table), inputs_(inputs), plan_(std::make_shared<DistributedPlan>()) {
    plan_->id = inputs_.numbers.next();
    plan_->command = query_->command;
    plan_->columns = query::output_columns(*query_);
  }

  DistributedPlanPtr run() {
    if (route() || !plan_->generic) return plan_;
    SubplanList subplans(inputs_, plan_->id);
    query_ = replace_common_tables(query_, subplans, inputs_);
    while (!plan_->job && plan_->generic) {
      if (!subplans.empty() && (route() || !plan_->generic)) break;
      step(subplans);
    }
    if (!subplans.empty()) refuse_row_positions();
    plan_->generic = plan_->generic && subplans.generic();
    plan_->subplans = subplans.take();
    return plan_;
  }

 private:
  bool route() {
    if (has_volatile_functions(*query_)) return false;
    RoutedQuery routed = route_query(query_, inputs_);
    plan_->generic = routed.generic && routed.settled;
    if (!routed.job) return false;
    for (const JobTable& each : routed.job->tables) {
      if (each.distribution->is_reference() || each.distribution->colocation_id == table_.colocation_id) continue;
      check_assignments_and_condition(*query_, table_);
      throw SqlError(sqlstate::feature_not_supported,
                     "router planner does not support queries that reference non-colocated distributed tables");
    }
    check_assignments_and_condition(*query_, table_);
    plan_->tier = Tier::router;
    plan_->job = std::move(routed.job);
    return true;
  }

  // Either the plan is found, or one part more is computed first.
  void step(SubplanList& subplans) {
    Locator locator(inputs_, false);
    const Location location = locator.locate(*query_);
    if (!locator.problem()) return push_down(locator, location);
    const Problem& problem = *locator.problem();
    const bool of_target = problem.query == query_.get() && problem.entry == query_->result_entry;
    switch (problem.kind) {
      case Problem::Kind::subquery:
        query_ = replace_subquery(query_, problem.query, subplans);
        return;
      case Problem::Kind::entry:
        if (of_target) throw refusal(complex_joins_error());
        query_ = replace_entry(query_, problem.query, problem.entry, subplans);
        return;
      case Problem::Kind::error:
        throw refusal(*problem.error);
      case Problem::Kind::repartition:
        throw refusal(not_together());
    }
  }

  // What is wrong with the statement's own clauses is said first.
  SqlError refusal(SqlError error) const {
    check_assignments_and_condition(*query_, table_);
    check_volatility(*query_);
    return error;
  }

  SqlError not_together() const {
    for (const query::RangeTableEntry& entry : query_->entries) {
      const auto* source = std::get_if<query::TableSource>(&entry.source);
      const TableDistributionPtr other = source ? inputs_.source.find(*source->relation) : nullptr;
      if (!other || other->is_reference() || other->colocation_id == table_.colocation_id) continue;
      return {sqlstate::feature_not_supported, "cannot push down this subquery",
              changed_relation(*query_).name + " and " + source->relation->name + " are not colocated"};
    }
    return complex_joins_error();
  }

  void push_down(const Locator& locator, const Location& location) {
    if (!location.sharded || location.failed) throw refusal(complex_joins_error());
    check_assignments_and_condition(*query_, table_);
    check_volatility(*query_);
    if (locks_rows(*query_)) {
      throw SqlError(sqlstate::feature_not_supported, "could not run distributed query with FOR UPDATE/SHARE commands",
                     "", "Consider using an equality filter on the distributed table's partition column.");
    }
    ChoiceOfTable choice_of;
    for (const auto& [relation, root] : locator.tables()) choice_of[relation] = 0;
    plan_->tier = Tier::pushed_down;
    plan_->job = make_job(query_, {locator.component(locator.root_of(location.component)).choice}, choice_of, inputs_);
  }

  // Where a row is may change between the parts of the plan.
  void refuse_row_positions() const {
    bool found = false;
    if (query_->where) {
      query::walk(query_->where, [&](const query::Expression& each, int) {
        found = found ||
                (each.as<query::Column>() != nullptr && each.as<query::Column>()->column == query::system_column_ctid);
        return !found;
      });
    }
    if (!found) return;
    throw SqlError(sqlstate::feature_not_supported, "cannot perform distributed planning for the given modification",
                   "Recursively planned distributed modifications with ctid on where clause are not supported.");
  }

  QueryPtr query_;
  const TableDistribution& table_;
  const DistributionInputs& inputs_;
  std::shared_ptr<DistributedPlan> plan_;
};

}  // namespace

DistributedPlanPtr plan_update_or_delete(const QueryPtr& query, const TableDistributionPtr& table,
                                         const DistributionInputs& inputs) {
  const auto plan = [&](const QueryPtr& form) {
    if (table->is_reference()) return plan_reference_change(form, *table, inputs);
    return ShardChangePlanner(form, *table, inputs).run();
  };
  if (query->common_tables.empty()) return plan(inline_common_tables(query));
  // What cannot be done with a common table in the place of its use may be possible once that is computed first.
  try {
    return plan(inline_common_tables(query));
  } catch (const SqlError& error) {
    if (error.sqlstate() != sqlstate::feature_not_supported) throw;
  }
  return plan(query);
}

}  // namespace polarsim::engine::distribution
