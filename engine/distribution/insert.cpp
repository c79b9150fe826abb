// INSERT ... VALUES: one task for a row, or one for the rows of each shard (the relative's multi_router_planner.c,
// BuildRoutesForInsert() and RouterInsertTaskList()).
#include <algorithm>

#include "engine/distribution/change.h"
#include "engine/distribution/change_checks.h"
#include "engine/distribution/insert_rows.h"
#include "engine/distribution/insert_source.h"
#include "engine/distribution/job.h"
#include "engine/distribution/reference_change.h"
#include "engine/distribution/subplans.h"
#include "engine/query/analysis.h"
#include "engine/query/expression_walk.h"

namespace polarsim::engine::distribution {
namespace {

using query::ExpressionPtr;
using query::Query;
using query::QueryPtr;
using Rows = std::vector<std::vector<ExpressionPtr>>;

// Which target is the table's distribution column.
std::size_t distribution_target(const Query& query, const TableDistribution& table) {
  const auto found = std::find_if(query.targets.begin(), query.targets.end(),
                                  [&](const query::Target& target) { return target.column == table.column; });
  if (found == query.targets.end()) {
    throw SqlError(sqlstate::null_value_not_allowed, "cannot perform an INSERT without a partition column value");
  }
  return static_cast<std::size_t>(found - query.targets.begin());
}

void refuse_nulls(const Rows& rows, std::size_t column) {
  for (const auto& row : rows) {
    const auto* constant = row[column]->as<query::Constant>();
    if (constant != nullptr && constant->value.is_null()) throw null_in_distribution_column();
  }
}

void refuse_set_functions(const Rows& rows) {
  for (const auto& row : rows) {
    for (const ExpressionPtr& value : row) {
      const bool found = query::contains(value, [](const query::Expression& each) {
        const auto* call = each.as<query::Call>();
        return call != nullptr && call->function->kind != FunctionKind::scalar;
      });
      if (!found) continue;
      throw SqlError(sqlstate::feature_not_supported, "set-valued function called in context that cannot accept a set");
    }
  }
}

// INSERT INTO t (...) VALUES (...).
QueryPtr of_one_row(const QueryPtr& insert, std::vector<ExpressionPtr> row) {
  auto query = std::make_shared<Query>(*insert);
  query->from.clear();
  for (std::size_t i = 0; i < row.size(); ++i) query->targets[i].expression = std::move(row[i]);
  if (query->on_conflict) give_alias(*query);
  return query;
}

// INSERT INTO t (...) VALUES (...), (...), ...: with a value for each of the targets.
QueryPtr of_rows(const QueryPtr& insert, Rows rows) {
  auto query = std::make_shared<Query>(*insert);
  const int number = query->from.at(0)->entry;
  query::RangeTableEntry& entry = query->entries[static_cast<std::size_t>(number)];
  entry.source = query::ValuesSource{std::move(rows)};
  entry.columns.clear();
  for (std::size_t i = 0; i < query->targets.size(); ++i) {
    query::Target& target = query->targets[i];
    const Type type = target.expression->type;
    entry.columns.push_back({"column" + std::to_string(i + 1), type});
    target.expression = query::make_expression(query::Column{number, static_cast<int>(i) + 1, 0}, type);
  }
  give_alias(*query);
  return query;
}

class InsertPlanner {
 public:
  InsertPlanner(const QueryPtr& query, const TableDistribution& table, const DistributionInputs& inputs)
      : query_(query), table_(table), inputs_(inputs) {}

  std::shared_ptr<Job> run() {
    check_insert(*query_, table_);
    if (table_.is_reference()) refuse_system_columns(*query_);
    Rows rows = rows_of_values(*query_);
    refuse_set_functions(rows);
    if (table_.method != Method::hash) return on_one_shard(std::move(rows));
    const std::size_t column = distribution_target(*query_, table_);
    refuse_nulls(rows, column);
    return rows.size() == 1 ? of_key(std::move(rows[0]), column) : by_shards(std::move(rows), column);
  }

 private:
  std::shared_ptr<Job> job_of(const QueryPtr& query, std::vector<ShardChoicePtr> choices) {
    JobOptions options;
    options.router = true;
    options.inserts = true;
    return make_job(query, std::move(choices), {{changed_relation(*query).id, 0}}, inputs_, options);
  }

  std::shared_ptr<Job> on_one_shard(Rows rows) {
    const QueryPtr query = rows.size() == 1 ? of_one_row(query_, std::move(rows[0])) : of_rows(query_, std::move(rows));
    std::vector<ShardChoicePtr> choices;
    if (!table_.is_reference()) choices.push_back(only_shard());
    return job_of(query, std::move(choices));
  }

  std::shared_ptr<Job> of_key(std::vector<ExpressionPtr> row, std::size_t column) {
    auto job = job_of(of_one_row(query_, std::move(row)), {all_shards()});
    job->choices = {shard_of_value(job->query->targets[column].expression, table_.type.id)};
    return job;
  }

  std::shared_ptr<Job> by_shards(Rows rows, std::size_t column) {
    auto job = job_of(of_rows(query_, std::move(rows)), {all_shards()});
    job->router = false;
    job->rows = RowsByShard{column};
    return job;
  }

  const QueryPtr& query_;
  const TableDistribution& table_;
  const DistributionInputs& inputs_;
};

}  // namespace

DistributedPlanPtr plan_insert_values(const QueryPtr& query, const TableDistributionPtr& table,
                                      const DistributionInputs& inputs) {
  auto plan = std::make_shared<DistributedPlan>();
  plan->id = inputs.numbers.next();
  plan->command = query->command;
  plan->columns = query::output_columns(*query);
  SubplanList subplans(inputs, plan->id);
  const QueryPtr alone = replace_common_tables(inline_common_tables(query), subplans, inputs);
  std::shared_ptr<Job> job = InsertPlanner(alone, *table, inputs).run();
  plan->tier = job->rows ? Tier::pushed_down : Tier::router;
  plan->job = std::move(job);
  plan->generic = subplans.generic();
  plan->subplans = subplans.take();
  return plan;
}

}  // namespace polarsim::engine::distribution
