// UPDATE and DELETE: the statement itself, renamed, on every shard that its WHERE clause leaves.
#include <algorithm>

#include "engine/cluster/planner.h"
#include "engine/cluster/rewrite.h"
#include "engine/sql/parser.h"

namespace polarsim::engine::cluster {

namespace {

using sql::Expression;
using sql::ExpressionPtr;

// The distribution column may be assigned what it has already: SET id = id, SET id = 1 WHERE id = 1.
bool keeps_distribution_value(const DistributedTable& table, const sql::Update& update, const ExpressionPtr& value,
                              const StatementInputs& inputs) {
  const std::string& column = table.distribution_info().name;
  if (!value) return false;
  if (value->kind == Expression::Kind::column && value->name == column) return true;
  const std::optional<Value> assigned = distribution_value(table, value, inputs);
  const ExpressionPtr equal_to =
      update.where ? sql::find_equality(update.where, update.table.reference(), column) : nullptr;
  if (!assigned || !equal_to) return false;
  const std::optional<Value> present = distribution_value(table, equal_to, inputs);
  return present && !present->is_null() && *present == *assigned;
}

void check_assignments(const DistributedTable& table, const sql::Update& update, const StatementInputs& inputs) {
  const auto& columns = table.definition.columns;
  for (const sql::Assignment& assignment : update.assignments) {
    if (std::none_of(columns.begin(), columns.end(),
                     [&](const sql::ColumnInfo& c) { return c.name == assignment.column; })) {
      throw SqlError(sqlstate::undefined_column,
                     "column \"" + assignment.column + "\" of relation \"" + table.name() + "\" does not exist")
          .at(assignment.position);
    }
    if (assignment.column == table.distribution_info().name &&
        !keeps_distribution_value(table, update, assignment.value, inputs)) {
      throw SqlError(sqlstate::feature_not_supported, "modifying the partition value of rows is not allowed");
    }
    if (calls_volatile_function(assignment.value)) {
      throw SqlError(sqlstate::feature_not_supported,
                     "functions used in UPDATE queries on distributed tables must not be VOLATILE");
    }
  }
}

void check_where(const ExpressionPtr& where) {
  if (calls_volatile_function(where)) {
    throw SqlError(sqlstate::feature_not_supported,
                   "functions used in the WHERE/ON/WHEN clause of modification queries on distributed tables must not "
                   "be VOLATILE");
  }
}

template <typename Modification>
std::vector<Task> tasks_for_shards(const DistributedTable& table, const Modification& original,
                                   const StatementInputs& inputs) {
  const std::string reference = original.table.reference();
  const std::vector<std::size_t> shards = prune_shards(table, reference, original.where, inputs);
  ParameterRenumbering parameters(inputs.parameters);
  Modification for_shard = original;
  map_expressions(for_shard, parameters.mapper());
  std::vector<Task> tasks;
  for (const std::size_t shard : shards) {
    for_shard.table = shard_table_name(original.table, table.shard_name(shard));
    sql::Statement statement;
    statement.parameters = static_cast<int>(parameters.values().size());
    statement.body = for_shard;
    tasks.push_back(Task{table.shards[shard].group_id, sql::deparse(statement), parameters.values(), true});
  }
  return tasks;
}

}  // namespace

std::vector<Task> plan_update(const DistributedTable& table, const sql::Update& update, const StatementInputs& inputs) {
  check_assignments(table, update, inputs);
  check_where(update.where);
  return tasks_for_shards(table, update, inputs);
}

std::vector<Task> plan_delete(const DistributedTable& table, const sql::Delete& removal,
                              const StatementInputs& inputs) {
  check_where(removal.where);
  return tasks_for_shards(table, removal, inputs);
}

QueryResult combine_modifications(std::vector<QueryResult> results) {
  QueryResult combined = std::move(results.front());
  const std::string prefix = combined.tag.substr(0, combined.tag.rfind(' ') + 1);
  std::int64_t count = 0;
  const auto count_of = [](const std::string& tag) {
    return from_text(tag.substr(tag.rfind(' ') + 1), TypeId::int8).as_integer();
  };
  count += count_of(combined.tag);
  for (std::size_t i = 1; i < results.size(); ++i) {
    count += count_of(results[i].tag);
    std::move(results[i].rows.begin(), results[i].rows.end(), std::back_inserter(combined.rows));
    std::move(results[i].notices.begin(), results[i].notices.end(), std::back_inserter(combined.notices));
  }
  combined.tag = prefix + std::to_string(count);
  return combined;
}

}  // namespace polarsim::engine::cluster
