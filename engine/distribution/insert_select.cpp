// INSERT ... SELECT into distributed tables: each shard inserts its own rows; or rows are sent to the shards that they
// belong to by the nodes that have them; or they come together here first (the relative's insert_select_planner.c,
// repartition_executor.c).
#include <algorithm>

#include "engine/distribution/change.h"
#include "engine/distribution/change_checks.h"
#include "engine/distribution/entries.h"
#include "engine/distribution/insert_source.h"
#include "engine/distribution/job.h"
#include "engine/distribution/locator.h"
#include "engine/distribution/reference_change.h"
#include "engine/distribution/select.h"
#include "engine/distribution/subplans.h"
#include "engine/query/analysis.h"
#include "engine/query/expression_walk.h"

namespace polarsim::engine::distribution {
namespace {

using query::ExpressionPtr;
using query::Query;
using query::QueryPtr;

ExpressionPtr both(const ExpressionPtr& a, ExpressionPtr b) {
  if (!a) return b;
  std::vector<ExpressionPtr> arguments{a, std::move(b)};
  return query::make_expression(query::Logical{query::Logical::Kind::conjunction, std::move(arguments)},
                                TypeId::boolean);
}

class InsertSelectPlanner {
 public:
  InsertSelectPlanner(const QueryPtr& query, const TableDistributionPtr& table, const DistributionInputs& inputs)
      : query_(query), table_(*table), inputs_(inputs), plan_(std::make_shared<DistributedPlan>()) {
    plan_->id = inputs.numbers.next();
    plan_->command = query->command;
    plan_->columns = query::output_columns(*query);
  }

  DistributedPlanPtr run() {
    check();
    source_ = source_query(*query_);
    if (!push_down()) through_results();
    return plan_;
  }

 private:
  void check() {
    check_conflict_clause(*query_, table_);
    check_returning(*query_);
    const auto refuse = [](const ExpressionPtr& expression) {
      if (!expression) return;
      for_each_subquery(expression, [](const query::Subquery&) {
        throw SqlError(sqlstate::feature_not_supported,
                       "subqueries are not supported in the ON CONFLICT and RETURNING clauses of distributed INSERTs");
      });
    };
    for (const query::Target& target : query_->returning) refuse(target.expression);
    if (query_->on_conflict) {
      for (const query::Target& target : query_->on_conflict->assignments) refuse(target.expression);
      refuse(query_->on_conflict->where);
    }
    if (table_.is_reference()) refuse_system_columns(*query_);
    if (table_.method != Method::hash) return;
    const auto found = std::find_if(query_->targets.begin(), query_->targets.end(),
                                    [&](const query::Target& target) { return target.column == table_.column; });
    if (found == query_->targets.end()) {
      throw SqlError(
          sqlstate::null_value_not_allowed,
          "the partition column of table " + qualified_name(changed_relation(*query_)) + " should have a value");
    }
    target_ = static_cast<std::size_t>(found - query_->targets.begin());
  }

  // --- where the rows are ---

  bool push_down() {
    if (!source_.as_written || has_volatile_functions(*source_.query) || changes_data(*source_.query)) return false;
    return table_.method == Method::hash ? to_shards() : to_only_shard();
  }

  // All that the SELECT reads is where the target is.
  bool to_only_shard() {
    if (table_.is_reference() && reads_in_order()) return false;
    const RoutedQuery routed = route_query(source_.query, inputs_);
    if (!routed.job || routed.job->on_coordinator || routed.job->tables.empty()) return false;
    const bool together = std::all_of(routed.job->tables.begin(), routed.job->tables.end(), [&](const JobTable& each) {
      if (each.distribution->is_reference()) return true;
      return each.distribution->method == table_.method && each.distribution->colocation_id == table_.colocation_id;
    });
    const bool any_sharded = !routed.job->tables[0].distribution->is_reference();
    if (!together || any_sharded == table_.is_reference()) return false;
    JobOptions options;
    options.router = true;
    ChoiceOfTable choice_of;
    for (const JobTable& each : routed.job->tables) choice_of[each.relation->id] = 0;
    make_insert(source_.query, table_.is_reference() ? std::vector<ShardChoicePtr>() : std::vector{only_shard()},
                std::move(choice_of), options);
    plan_->tier = Tier::router;
    return true;
  }

  // Each copy's node could find other rows; of those that are in conflict with each other the first is inserted.
  bool reads_in_order() const {
    bool found = query_->on_conflict.has_value() || uses_system_columns(*source_.query);
    for_each_query_within(*source_.query, [&](const Query& each) { found = found || depends_on_order(each); });
    return found;
  }

  bool to_shards() {
    const QueryPtr query = inline_common_tables(source_.query);
    if (query->set_operation) return false;
    Locator locator(inputs_, false);
    const Location location = locator.locate(*query);
    if (locator.problem() || !location.sharded || location.failed || location.correlated) return false;
    const Locator::Component& place = locator.component(locator.root_of(location.component));
    if (locator.roots().size() != 1 || locator.has_local_tables()) return false;
    if (place.table->method != Method::hash || place.table->colocation_id != table_.colocation_id) return false;
    const bool single = is_single(*place.choice);
    if (!single && (!location.whole || locks_rows(*query))) return false;
    const bool by_key = std::any_of(location.outputs.begin(), location.outputs.end(), [&](const OutputKey& key) {
      return key.strong && key.column == static_cast<int>(target_) + 1;
    });
    if (!by_key) return false;
    // The vendor's rule: rows that are to be in some order come together first, and are inserted in it.
    if (!single && !query->order_by.empty()) return false;
    ChoiceOfTable choice_of;
    for (const auto& [relation, root] : locator.tables()) choice_of[relation] = 0;
    make_insert(of_shard(*query), {place.choice}, std::move(choice_of), {});
    plan_->tier = single ? Tier::router : Tier::pushed_down;
    return true;
  }

  // What each shard selects: nothing without a place.
  QueryPtr of_shard(const Query& query) const {
    auto copy = std::make_shared<Query>(query);
    copy->where = both(
        copy->where, query::make_expression(query::NullTest{copy->targets[target_].expression, true}, TypeId::boolean));
    return copy;
  }

  std::shared_ptr<Job> make_insert(const QueryPtr& rows, std::vector<ShardChoicePtr> choices, ChoiceOfTable choice_of,
                                   const JobOptions& options) {
    auto insert = std::make_shared<Query>(*with_source(query_, rows));
    give_alias(*insert);
    if (!choices.empty()) choice_of[changed_relation(*insert).id] = 0;
    auto job = make_job(insert, std::move(choices), choice_of, inputs_, options);
    plan_->job = job;
    return job;
  }

  // --- rows that have to be sent ---

  // Whether the nodes that have the rows can send each where it belongs.
  bool can_repartition(const DistributedPlan& select) const {
    if (table_.method != Method::hash || !select.job || select.merge) return false;
    const Job& job = *select.job;
    if (job.router || job.partitions > 0 || job.choices.size() != 1 || job.tables.empty()) return false;
    const ShardChoice& choice = *job.choices[0];
    if (depends_on_values(choice)) return !is_single(choice);
    return chosen_shards(choice, *job.tables[0].distribution, {inputs_.call, {}}).size() > 1;
  }

  Partitioning partitioning(bool repartitioned) const {
    Partitioning result;
    result.column = static_cast<int>(target_) + 1;
    result.type = table_.type.id;
    for (const Shard& shard : table_.shards) result.ranges.push_back({shard.low, shard.high});
    result.null_error = repartitioned ? "the partition column value cannot be NULL"
                                      : "the partition column of table " + qualified_name(changed_relation(*query_)) +
                                            " cannot be NULL";
    return result;
  }

  void through_results() {
    DistributedPlanPtr select = plan_distributed(source_.query, inputs_);
    if (!source_.computed_later.empty())
      select = with_targets(select, source_.computed_later, "insert_select_subquery");
    plan_->generic = select->generic;
    if (!select->job && !select->merge) return;
    const bool repartitioned = can_repartition(*select);
    plan_->tier = repartitioned ? Tier::repartitioned : Tier::pulled;
    SubplanList subplans(inputs_, plan_->id);
    JobOptions options;
    std::shared_ptr<Job> job;
    if (table_.method == Method::hash) {
      job = make_insert(subplans.make_of(select, partitioning(repartitioned)), {all_shards()}, {}, options);
      job->partition_by_shard = true;
    } else {
      options.router = true;
      job = make_insert(subplans.make_of(select),
                        table_.is_reference() ? std::vector<ShardChoicePtr>() : std::vector{only_shard()}, {}, options);
    }
    job->inserts = true;
    plan_->subplans = subplans.take();
  }

  const QueryPtr& query_;
  const TableDistribution& table_;
  const DistributionInputs& inputs_;
  std::shared_ptr<DistributedPlan> plan_;
  SourceQuery source_;
  std::size_t target_ = 0;  // the distribution column's
};

}  // namespace

DistributedPlanPtr plan_insert_select(const QueryPtr& query, const TableDistributionPtr& table,
                                      const DistributionInputs& inputs) {
  return InsertSelectPlanner(query, table, inputs).run();
}

}  // namespace polarsim::engine::distribution
