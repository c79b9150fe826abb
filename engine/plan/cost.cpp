#include <algorithm>
#include <cmath>

#include "engine/plan/estimate.h"
#include "engine/query/system_columns.h"
#include "engine/types/array.h"

namespace polarsim::engine::plan {
namespace {

constexpr double page_bytes = 8192;
constexpr double page_header_bytes = 24;
constexpr double tuple_overhead_bytes = 28;  // header and line pointer, aligned

int average_width(Type type) {
  const TypeInfo& info = type_info(type.id);
  if (info.length > 0) return info.length;
  if (type.modifier > 4 && (type.id == TypeId::varchar || type.id == TypeId::bpchar)) {
    const int most = type.modifier - 4;
    if (type.id == TypeId::bpchar || most <= 32) return most + 4;
    return most < 1000 ? 32 + (most - 32) / 2 : 516;
  }
  return 32;
}

double bytes_of(double rows, int width) { return rows * (std::ceil(width / 8.0) * 8 + 24); }

}  // namespace

int width_of(const Level& level, const ExpressionPtr& expression) {
  const auto* column = expression->as<Column>();
  if (column && column->levels_up == 0 && column->column > 0) {
    const int base = level.base_of_entry[static_cast<std::size_t>(column->entry)];
    if (base >= 0 && level.bases[static_cast<std::size_t>(base)].relation) {
      const auto& statistics = level.bases[static_cast<std::size_t>(base)].relation->statistics;
      const auto position = static_cast<std::size_t>(column->column - 1);
      if (position < statistics.size() && statistics[position] && statistics[position]->average_width > 0) {
        return statistics[position]->average_width;
      }
    }
  }
  // Shown as a text, it is six bytes.
  if (column && column->column == query::system_column_ctid) return 6;
  return average_width(expression->type);
}

void estimate_size(Level&, BaseRelation& base) {
  const query::Relation& relation = *base.relation;
  double pages = relation.pages;
  // A table that was never counted and seems empty may have grown.
  if (relation.rows < 0 && pages < 10) pages = 10;
  if (relation.rows >= 0 && relation.pages > 0) {
    base.tuples = std::rint(relation.rows);
  } else {
    int width = 0;
    for (const auto& column : relation.columns) width += column.dropped ? 0 : average_width(column.type);
    const double density = std::floor((page_bytes - page_header_bytes) / (width + tuple_overhead_bytes));
    base.tuples = std::rint(density * pages);
  }
  base.pages = pages;
}

EvaluationCost evaluation_cost(const Level& level, const ExpressionPtr& expression) {
  EvaluationCost cost;
  if (expression == nullptr) return cost;
  const double step = level.settings().cpu_operator_cost;
  query::walk(expression, [&](const Expression& node, int) {
    // What they cost is their own node's.
    if (node.as<query::Aggregate>() || node.as<query::WindowCall>()) return false;
    if (node.as<query::Call>() || node.as<query::OperatorCall>() || node.as<query::NullIf>() ||
        node.as<query::DistinctTest>() || node.as<query::Subscript>()) {
      cost.per_row += step;
    } else if (const auto* array = node.as<query::ArrayComparison>()) {
      double items = 10;
      if (const auto* constructor = array->array->as<query::ArrayConstructor>()) {
        items = static_cast<double>(constructor->elements.size());
      } else if (const auto* constant = array->array->as<query::Constant>(); constant && constant->value.is_array()) {
        items = static_cast<double>(constant->value.as_array().elements().size());
      }
      cost.per_row += step * items * 0.5;
    } else if (const auto* convert = node.as<query::Convert>()) {
      // By text it is the output function of one type and the input function of the other.
      const Conversion::Kind kind = convert->conversion.kind;
      if (kind != Conversion::Kind::relabel) cost.per_row += kind == Conversion::Kind::by_text ? 2 * step : step;
    } else if (const auto* row = node.as<query::RowComparison>()) {
      cost.per_row += step * static_cast<double>(row->comparisons.size());
    } else if (const auto* subplan = node.as<query::Subplan>()) {
      const Cost& plan = level.statement.subplans[static_cast<std::size_t>(subplan->subplan)].plan->cost;
      if (subplan->hashed) {
        cost.startup += plan.total + step * plan.rows;
        cost.per_row += step;
      } else if (subplan->kind == query::Subquery::Kind::exists) {
        cost.per_row += plan.startup + (plan.total - plan.startup) / std::max(1.0, plan.rows);
      } else if (subplan->kind == query::Subquery::Kind::any || subplan->kind == query::Subquery::Kind::all) {
        cost.per_row += plan.startup + 0.5 * (plan.total - plan.startup) + 0.5 * plan.rows * step;
      } else {
        cost.per_row += plan.total;
      }
    }
    return true;
  });
  return cost;
}

EvaluationCost evaluation_cost(const Level& level, const std::vector<const Condition*>& conditions) {
  EvaluationCost sum;
  for (const Condition* condition : conditions) {
    const EvaluationCost one = evaluation_cost(level, condition->expression);
    sum.startup += one.startup;
    sum.per_row += one.per_row;
  }
  return sum;
}

std::vector<std::size_t> order_by_cost(const Level& level, const std::vector<ExpressionPtr>& conditions) {
  std::vector<std::pair<double, std::size_t>> costs;
  for (const ExpressionPtr& condition : conditions)
    costs.emplace_back(evaluation_cost(level, condition).per_row, costs.size());
  std::sort(costs.begin(), costs.end());
  std::vector<std::size_t> order;
  for (const auto& [cost, position] : costs) order.push_back(position);
  return order;
}

std::vector<ExpressionPtr> ordered_by_cost(const Level& level, const std::vector<ExpressionPtr>& conditions) {
  std::vector<ExpressionPtr> ordered;
  for (const std::size_t position : order_by_cost(level, conditions)) ordered.push_back(conditions[position]);
  return ordered;
}

double pages_of(double rows, int width) { return std::ceil(bytes_of(rows, width) / page_bytes); }

// ExecChooseHashTableSize().
HashTableSize hash_table_size(const PlannerSettings& settings, double rows, int width) {
  constexpr double pointer_bytes = 8;
  constexpr double row_overhead_bytes = 32;
  const auto power_of_2 = [](double at_least) { return std::exp2(std::ceil(std::log2(std::max(1.0, at_least)))); };
  const double row_bytes = row_overhead_bytes + std::ceil(width / 8.0) * 8;
  // hash_mem_multiplier, and a fiftieth for the most common values.
  const double memory = settings.work_mem_kb * 1024 * 2 * 0.98;
  const double most = std::exp2(std::floor(std::log2(std::max(1.0, memory / pointer_bytes))));
  HashTableSize size;
  size.buckets = power_of_2(std::max(1024.0, std::min(std::ceil(rows), most)));
  if (rows * row_bytes + size.buckets * pointer_bytes <= memory) return size;
  size.buckets = std::max(1.0, std::min(most, power_of_2(memory / (row_bytes + pointer_bytes))));
  const double left = std::max(memory * 0.5, memory - size.buckets * pointer_bytes);
  size.batches = power_of_2(std::max(2.0, std::ceil(rows * row_bytes / left)));
  return size;
}

Cost sort_cost(const PlannerSettings& settings, const Cost& input, double limit_rows) {
  const double rows = std::max(2.0, input.rows);
  const double kept = limit_rows > 0 && limit_rows < rows ? limit_rows : rows;
  const double compare = 2 * settings.cpu_operator_cost;
  const double input_bytes = bytes_of(rows, input.width);
  const double output_bytes = bytes_of(kept, input.width);
  const double memory = settings.work_mem_kb * 1024;
  Cost cost = input;
  cost.startup = input.total;
  if (output_bytes > memory) {
    const double pages = std::ceil(input_bytes / page_bytes);
    const double runs = input_bytes / memory;
    const double merge_order = std::max(6.0, std::floor(memory / (page_bytes * 33)));
    const double rounds = runs > merge_order ? std::ceil(std::log(runs) / std::log(merge_order)) : 1;
    cost.startup += compare * rows * std::log2(rows);
    cost.startup += 2 * pages * rounds * (settings.seq_page_cost * 0.75 + settings.random_page_cost * 0.25);
  } else if (rows > 2 * kept || input_bytes > memory) {
    cost.startup += compare * rows * std::log2(2 * kept);
  } else {
    cost.startup += compare * rows * std::log2(rows);
  }
  cost.total = cost.startup + settings.cpu_operator_cost * rows;
  if (!settings.enable_sort) {
    cost.startup += 1e10;
    cost.total += 1e10;
  }
  return cost;
}

Cost materialize_cost(const PlannerSettings& settings, const Cost& input) {
  Cost cost = input;
  cost.total += 2 * settings.cpu_operator_cost * input.rows;
  const double bytes = bytes_of(input.rows, input.width);
  if (bytes > settings.work_mem_kb * 1024) cost.total += settings.seq_page_cost * std::ceil(bytes / page_bytes);
  return cost;
}

double rescan_cost(const PlannerSettings& settings, const Path& path) {
  if (path.kind != Path::Kind::materialize && path.kind != Path::Kind::sort) return path.cost.total;
  double cost = settings.cpu_operator_cost * path.cost.rows;
  const double bytes = bytes_of(path.cost.rows, path.cost.width);
  if (bytes > settings.work_mem_kb * 1024) cost += settings.seq_page_cost * std::ceil(bytes / page_bytes);
  return cost;
}

Cost aggregate_cost(const Level& level, const Cost& input, bool hashed, std::size_t keys, double groups,
                    const EvaluationCost& transition, const EvaluationCost& final) {
  const PlannerSettings& settings = level.settings();
  const double compare = settings.cpu_operator_cost * static_cast<double>(keys) * input.rows;
  const double work = transition.per_row * input.rows + compare;
  Cost cost = input;
  cost.rows = groups;
  if (keys == 0 || hashed) {
    cost.startup = input.total + transition.startup + work + final.startup;
    if (keys == 0) {
      cost.startup += final.per_row;
      cost.total = cost.startup + settings.cpu_tuple_cost;
      return cost;
    }
    cost.total = cost.startup + (final.per_row + settings.cpu_tuple_cost) * groups;
    if (!settings.enable_hashagg) {
      cost.startup += 1e10;
      cost.total += 1e10;
    }
    // What does not fit is written and read again.
    const double bytes = groups * (std::ceil(input.width / 8.0) * 8 + 64);
    if (bytes > 2 * settings.work_mem_kb * 1024) {
      const double pages = bytes_of(input.rows, input.width) / page_bytes;
      cost.startup += pages * settings.random_page_cost;
      cost.total += pages * (settings.random_page_cost + settings.seq_page_cost);
    }
    return cost;
  }
  cost.startup = input.startup + transition.startup;
  cost.total = input.total + transition.startup + work + (final.per_row + settings.cpu_tuple_cost) * groups;
  return cost;
}

double index_pages_fetched(double tuples, double pages, double index_pages) {
  // Mackert and Lohman's formula, with effective_cache_size's default.
  const double table = std::max(1.0, pages);
  const double cache = std::max(1.0, std::ceil(524288.0 * table / (table + index_pages)));
  if (table <= cache) return std::min(std::ceil(2 * table * tuples / (2 * table + tuples)), table);
  const double limit = 2 * table * cache / (2 * table - cache);
  if (tuples <= limit) return std::ceil(2 * table * tuples / (2 * table + tuples));
  return std::ceil(cache + (tuples - limit) * (table - cache) / table);
}

}  // namespace polarsim::engine::plan
