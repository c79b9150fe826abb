#include "engine/cluster/select_plan.h"

#include <algorithm>
#include <array>
#include <set>

#include "engine/cluster/rewrite.h"
#include "engine/exec/projection.h"
#include "engine/sql/parser.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::cluster {

namespace {

using sql::Expression;
using sql::ExpressionPtr;

constexpr std::array<std::string_view, 7> mergeable_aggregates{"count",    "sum",     "min",  "max",
                                                               "bool_and", "bool_or", "every"};

bool is_mergeable_aggregate(const sql::SelectItem& item) {
  return item.expression && item.expression->kind == Expression::Kind::function && !item.expression->distinct &&
         std::find(mergeable_aggregates.begin(), mergeable_aggregates.end(), item.expression->name) !=
             mergeable_aggregates.end();
}

bool only_aggregates(const sql::Select& select) {
  return select.group_by.empty() && !select.having && !select.distinct && select.order_by.empty() && !select.limit &&
         !select.offset && !select.items.empty() &&
         std::all_of(select.items.begin(), select.items.end(), is_mergeable_aggregate);
}

sql::EvaluationContext evaluation(const StatementInputs& inputs) {
  sql::EvaluationContext context;
  context.parameters = inputs.parameters;
  context.transaction_start_us = inputs.transaction_start_us;
  return context;
}

std::vector<Task> tasks_for(const DistributedTable& table, const sql::TableName& from,
                            const std::vector<std::size_t>& shards, sql::Select pushed, const StatementInputs& inputs) {
  ParameterRenumbering parameters(inputs.parameters);
  map_expressions(pushed, parameters.mapper());
  std::vector<Task> tasks;
  for (const std::size_t shard : shards) {
    pushed.from = shard_table_name(from, table.shard_name(shard));
    sql::Statement statement;
    statement.parameters = static_cast<int>(parameters.values().size());
    statement.body = pushed;
    const bool locks = pushed.lock != sql::LockStrength::none;
    tasks.push_back(Task{table.shards[shard].group_id, sql::deparse(statement), parameters.values(), false, locks});
  }
  return tasks;
}

// Everything but WHERE: what the coordinator still evaluates.
std::vector<std::size_t> columns_needed(const DistributedTable& table, const sql::Select& select) {
  const auto& columns = table.definition.columns;
  std::set<std::size_t> needed;
  sql::Select rest = select;
  rest.where = nullptr;
  for (const sql::SelectItem& item : rest.items) {
    if (item.expression) continue;
    for (std::size_t i = 0; i < columns.size(); ++i) needed.insert(i);
  }
  map_expressions(rest, [&](const ExpressionPtr& expression) -> ExpressionPtr {
    if (expression->kind == Expression::Kind::column) {
      for (std::size_t i = 0; i < columns.size(); ++i) {
        if (columns[i].name == expression->name) needed.insert(i);
      }
    }
    return nullptr;
  });
  // Rows without columns could not be counted.
  if (needed.empty()) needed.insert(static_cast<std::size_t>(table.distribution_column));
  return {needed.begin(), needed.end()};
}

// ORDER BY means the same on a shard if it names columns of the table that no output name hides.
bool order_can_be_pushed(const DistributedTable& table, const sql::Select& select) {
  const auto& columns = table.definition.columns;
  return std::all_of(select.order_by.begin(), select.order_by.end(), [&](const sql::OrderItem& item) {
    if (item.expression->kind != Expression::Kind::column) return false;
    const std::string& name = item.expression->name;
    const bool hidden = std::any_of(select.items.begin(), select.items.end(), [&name](const sql::SelectItem& output) {
      if (output.alias != name || !output.expression) return false;
      return output.expression->kind != Expression::Kind::column || output.expression->name != name;
    });
    return !hidden &&
           std::any_of(columns.begin(), columns.end(), [&name](const sql::ColumnInfo& c) { return c.name == name; });
  });
}

void push_limit(const DistributedTable& table, const sql::Select& select, const sql::AnalyzedSelect& analyzed,
                const StatementInputs& inputs, sql::Select& pushed) {
  if (!select.limit || analyzed.grouped || analyzed.distinct || !order_can_be_pushed(table, select)) return;
  const sql::RowWindow window = sql::row_window(analyzed, evaluation(inputs));
  if (window.limit < 0) return;
  std::int64_t most = 0;
  if (__builtin_add_overflow(window.limit, window.offset, &most)) return;
  pushed.limit = make_constant(Value::integer(most), TypeId::int8);
  pushed.order_by = select.order_by;
}

// A node's sum of bigints is a numeric.
Value whole(const Value& part) {
  if (!part.is_numeric()) return part;
  return input_value(output_value(part, TypeId::numeric, {}), TypeId::int8, {});
}

// The values that one column of partial aggregates adds up to.
Value merge_aggregate(const std::string& function, Value sum, const Value& part) {
  if (part.is_null()) return sum;
  if (sum.is_null()) return part;
  if (function == "count" || function == "sum") {
    std::int64_t total = 0;
    if (__builtin_add_overflow(sum.as_integer(), part.as_integer(), &total)) {
      throw SqlError(sqlstate::numeric_value_out_of_range, "bigint out of range");
    }
    return Value::integer(total);
  }
  if (function == "min") return compare(part, sum) < 0 ? part : sum;
  if (function == "max") return compare(part, sum) > 0 ? part : sum;
  if (function == "bool_or") return Value::boolean(sum.as_boolean() || part.as_boolean());
  return Value::boolean(sum.as_boolean() && part.as_boolean());
}

}  // namespace

SelectPlan plan_select(const DistributedTable& table, const sql::Select& select, const StatementInputs& inputs) {
  const std::string reference = select.from->reference();
  const std::vector<std::size_t> shards = prune_shards(table, reference, select.where, inputs);
  SelectPlan plan;
  if (shards.size() == 1) {
    plan.tasks = tasks_for(table, *select.from, shards, select, inputs);
    return plan;
  }
  if (select.lock != sql::LockStrength::none) {
    throw SqlError(sqlstate::feature_not_supported, "could not run distributed query with FOR UPDATE/SHARE commands",
                   "", "Consider using an equality filter on the distributed table's partition column.");
  }
  const sql::TableShape shape = table.shape(reference);
  const std::vector<TypeId> parameter_types(inputs.parameters.size(), TypeId::unknown);
  plan.analyzed = sql::analyze_select(select, &shape, parameter_types);
  if (only_aggregates(select)) {
    plan.method = SelectMethod::partial_aggregates;
    for (const sql::SelectItem& item : select.items) plan.aggregates.push_back(item.expression->name);
    plan.tasks = tasks_for(table, *select.from, shards, select, inputs);
    return plan;
  }
  plan.method = SelectMethod::pulled_rows;
  plan.pulled_columns = columns_needed(table, select);
  sql::Select pushed;
  for (const std::size_t column : plan.pulled_columns) {
    pushed.items.push_back(sql::SelectItem{make_column("", table.definition.columns[column].name), "", ""});
  }
  pushed.where = select.where;
  push_limit(table, select, plan.analyzed, inputs, pushed);
  plan.tasks = tasks_for(table, *select.from, shards, std::move(pushed), inputs);
  return plan;
}

QueryResult merge_select(const DistributedTable& table, const SelectPlan& plan, const StatementInputs& inputs,
                         std::vector<QueryResult> results) {
  if (plan.method == SelectMethod::router) return std::move(results.front());
  QueryResult merged;
  merged.columns = exec::result_columns(plan.analyzed.columns);
  if (plan.method == SelectMethod::partial_aggregates) {
    Row row(merged.columns.size());
    for (const QueryResult& result : results) {
      for (std::size_t i = 0; i < row.size(); ++i)
        row[i] = merge_aggregate(plan.aggregates[i], std::move(row[i]), whole(result.rows.at(0).at(i)));
    }
    merged.rows.push_back(std::move(row));
  } else {
    exec::Projection projection(plan.analyzed, evaluation(inputs));
    // The analysis knows the table's full width; columns that nothing looks at stay NULL.
    Row full(table.definition.columns.size());
    for (QueryResult& result : results) {
      for (Row& row : result.rows) {
        if (projection.satisfied()) break;
        for (std::size_t i = 0; i < plan.pulled_columns.size(); ++i) full[plan.pulled_columns[i]] = std::move(row[i]);
        projection.add(full);
      }
    }
    merged.rows = projection.finish();
  }
  merged.tag = "SELECT " + std::to_string(merged.rows.size());
  return merged;
}

}  // namespace polarsim::engine::cluster
