#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "engine/plan/estimate.h"
#include "engine/types/array.h"
#include "engine/types/numeric.h"
#include "engine/types/order.h"

namespace polarsim::engine::plan {
namespace {

using query::OperatorCall;

constexpr double default_equal = 0.005;
constexpr double default_inequality = 1.0 / 3.0;
constexpr double default_range = 0.005;
constexpr double default_match = 0.005;
constexpr double default_distinct = 200;

double clamp(double probability) { return std::clamp(probability, 0.0, 1.0); }

struct Variable {
  const BaseRelation* base = nullptr;
  const query::ColumnStatistics* statistics = nullptr;
  double distinct = default_distinct;
  bool is_unique = false;
  bool is_default = true;  // nothing is known
  TypeId type = TypeId::none;
  double null_fraction() const { return statistics ? statistics->null_fraction : 0; }
};

Variable variable_of(const Level& level, const ExpressionPtr& expression) {
  Variable result;
  result.type = expression->type.id;
  const ExpressionPtr stripped = strip_relabel(expression);
  const auto* column = stripped->as<Column>();
  if (column == nullptr || column->levels_up != 0) {
    if (result.type == TypeId::boolean) result.distinct = 2;
    return result;
  }
  const int id = level.base_of_entry[static_cast<std::size_t>(column->entry)];
  if (id < 0) return result;
  result.base = &level.bases[static_cast<std::size_t>(id)];
  const double tuples = std::max(1.0, result.base->tuples);
  const query::RelationPtr& relation = result.base->relation;
  double known = 0;
  if (relation && column->column > 0) {
    result.type = stripped->type.id;
    const auto position = static_cast<std::size_t>(column->column - 1);
    if (position < relation->statistics.size() && relation->statistics[position]) {
      result.statistics = &*relation->statistics[position];
      known = result.statistics->distinct;
    }
    for (const auto& index : relation->indexes) {
      if (index.unique && index.keys.size() == 1 && index.keys[0].column == column->column && !index.predicate) {
        result.is_unique = true;
        known = -1 + result.null_fraction();
      }
    }
  }
  if (known == 0 && column->column < 0) known = -1;
  if (known == 0 && result.type == TypeId::boolean) known = 2;
  if (known != 0) result.is_default = false;
  if (known > 0) {
    result.distinct = known;
  } else if (known < 0) {
    result.distinct = whole_rows(-known * tuples);
  } else {
    result.distinct = tuples < default_distinct ? whole_rows(tuples) : default_distinct;
  }
  return result;
}

const Value* constant_of(const Level& level, const ExpressionPtr& expression) {
  if (const auto* constant = expression->as<query::Constant>()) return &constant->value;
  const auto* parameter = expression->as<query::Parameter>();
  const auto& values = level.statement.inputs.parameters;
  if (parameter && !parameter->of_plan && static_cast<std::size_t>(parameter->index) <= values.size()) {
    return &values[static_cast<std::size_t>(parameter->index - 1)];
  }
  return nullptr;
}

double equal_selectivity(const Variable& variable, const Value* value) {
  if (value && value->is_null()) return 0;
  if (variable.is_unique && variable.base) return clamp(1.0 / std::max(1.0, variable.base->tuples));
  const auto* statistics = variable.statistics;
  if (statistics == nullptr) return clamp(1.0 / std::max(1.0, variable.distinct));
  double common = 0;
  for (std::size_t i = 0; i < statistics->most_common.size(); ++i) {
    if (value && compare_values(statistics->most_common[i], *value, variable.type) == 0) {
      return clamp(statistics->most_common_frequencies[i]);
    }
    common += statistics->most_common_frequencies[i];
  }
  double result = 1 - statistics->null_fraction;
  if (value == nullptr) return clamp(variable.distinct > 1 ? result / variable.distinct : result);
  result = clamp(result - common);
  const double others = variable.distinct - static_cast<double>(statistics->most_common.size());
  if (others > 1) result /= others;
  if (!statistics->most_common_frequencies.empty()) {
    result = std::min(result, statistics->most_common_frequencies.back());
  }
  return clamp(result);
}

double as_number(const Value& value) {
  if (value.is_integer()) return static_cast<double>(value.as_integer());
  if (value.is_floating()) return value.as_floating();
  if (value.is_numeric() && value.as_numeric().is_finite()) return value.as_numeric().to_double();
  return std::nan("");
}

// The part of the values in a histogram that is less than the value, or equal to it if `with_equal` (PostgreSQL's
// ineq_histogram_selectivity()).
double part_below(const Variable& variable, const Value& value, bool with_equal) {
  const std::vector<Value>& bounds = variable.statistics->histogram;
  std::size_t above = 0;
  while (above < bounds.size() && compare_values(bounds[above], value, variable.type) < 0) ++above;
  if (above == 0 && compare_values(bounds[0], value, variable.type) != 0) return 0;
  if (above == bounds.size()) return 1;
  // A bound itself is the beginning of a group as well as the end of one, but for the least.
  above = std::max<std::size_t>(above, 1);
  const double low = as_number(bounds[above - 1]);
  const double high = as_number(bounds[above]);
  const double at = as_number(value);
  double within = 0.5;
  if (!std::isnan(low) && !std::isnan(high) && !std::isnan(at) && high > low) within = clamp((at - low) / (high - low));
  double part = (static_cast<double>(above - 1) + within) / static_cast<double>(bounds.size() - 1);
  const double others = variable.distinct - static_cast<double>(variable.statistics->most_common.size());
  const double equal = others > 1 ? 1 / others : 0;
  // Up to here it is the part that is less or equal, but for the least value.
  if (above == 1) part += equal * (1 - within);
  if (!with_equal) part -= equal;
  return part;
}

// The part of rows whose value is less than (or equal to) the value, or greater.
double inequality_selectivity(const Variable& variable, const Value* value, bool less, bool or_equal) {
  if (value && value->is_null()) return 0;
  const auto* statistics = variable.statistics;
  if (statistics == nullptr || value == nullptr) return default_inequality;
  double common = 0;
  double matching = 0;
  for (std::size_t i = 0; i < statistics->most_common.size(); ++i) {
    const double frequency = statistics->most_common_frequencies[i];
    common += frequency;
    const int order = compare_values(statistics->most_common[i], *value, variable.type);
    if (order == 0 ? or_equal : (order < 0) == less) matching += frequency;
  }
  const auto& bounds = statistics->histogram;
  const double rest = 1 - statistics->null_fraction - common;
  if (bounds.size() < 2) return clamp(matching + rest * 0.5);
  const double below = part_below(variable, *value, less == or_equal);
  const double part = less ? below : 1 - below;
  const double cut = 0.01 / static_cast<double>(bounds.size() - 1);
  return clamp(matching + std::clamp(part, cut, 1 - cut) * rest);
}

// The least and the greatest value, if that is known: most common values alone have to be all there are
// (get_variable_range()).
std::optional<std::pair<Value, Value>> range_of(const Variable& variable) {
  const auto* statistics = variable.statistics;
  if (statistics == nullptr) return std::nullopt;
  std::optional<std::pair<Value, Value>> range;
  if (!statistics->histogram.empty()) range.emplace(statistics->histogram.front(), statistics->histogram.back());
  double known = statistics->null_fraction;
  for (const double frequency : statistics->most_common_frequencies) known += frequency;
  if (!range && known <= 0.99999) return std::nullopt;
  for (const Value& value : statistics->most_common) {
    if (!range) range.emplace(value, value);
    if (compare_values(value, range->first, variable.type) < 0) range->first = value;
    if (compare_values(value, range->second, variable.type) > 0) range->second = value;
  }
  return range;
}

double join_equal_selectivity(const Level& level, const OperatorCall& call, const SpecialJoin* join,
                              Relids left_relids) {
  Variable a = variable_of(level, call.arguments[0]);
  Variable b = variable_of(level, call.arguments[1]);
  if (join && (join->type == PlanJoin::semi || join->type == PlanJoin::anti)) {
    if (!overlaps(level.relids_of(call.arguments[0]), left_relids)) std::swap(a, b);
    if (b.base && b.base->rows_of) b.distinct = std::min(b.distinct, b.base->rows_of->rows);
    if (a.is_default || b.is_default) return 0.5 * (1 - a.null_fraction());
    return (a.distinct <= b.distinct ? 1 : b.distinct / a.distinct) * (1 - a.null_fraction());
  }
  double result = (1 - a.null_fraction()) * (1 - b.null_fraction()) / std::max({a.distinct, b.distinct, 1.0});
  if (a.statistics && b.statistics && !a.statistics->most_common.empty() && !b.statistics->most_common.empty() &&
      a.type == b.type) {
    double matched = 0;
    double matched_a = 0;
    double matched_b = 0;
    for (std::size_t i = 0; i < a.statistics->most_common.size(); ++i) {
      for (std::size_t j = 0; j < b.statistics->most_common.size(); ++j) {
        if (compare_values(a.statistics->most_common[i], b.statistics->most_common[j], a.type) != 0) continue;
        const double fa = a.statistics->most_common_frequencies[i];
        const double fb = b.statistics->most_common_frequencies[j];
        matched += fa * fb;
        matched_a += fa;
        matched_b += fb;
        break;
      }
    }
    const double rest_a = std::max(0.0, 1 - a.null_fraction() - matched_a);
    const double rest_b = std::max(0.0, 1 - b.null_fraction() - matched_b);
    result = matched + rest_a * rest_b / std::max({a.distinct, b.distinct, 1.0});
  }
  return clamp(result);
}

double array_selectivity(const Level& level, const query::ArrayComparison& comparison) {
  const Variable variable = variable_of(level, comparison.left);
  double items = 10;
  double sum = 0;
  const bool equality = std::string_view(comparison.function->symbol) == "=";
  const double each = equality ? equal_selectivity(variable, nullptr) : default_inequality;
  if (const auto* array = comparison.array->as<query::ArrayConstructor>()) {
    items = static_cast<double>(array->elements.size());
    if (equality) {
      for (const auto& element : array->elements) sum += equal_selectivity(variable, constant_of(level, element));
      return comparison.all ? clamp(std::pow(each, items)) : clamp(sum);
    }
  } else if (const Value* value = constant_of(level, comparison.array); value && value->is_array()) {
    items = static_cast<double>(value->as_array().elements().size());
    if (equality && !comparison.all) {
      for (const Value& element : value->as_array().elements()) sum += equal_selectivity(variable, &element);
      return clamp(sum);
    }
  }
  return clamp(comparison.all ? std::pow(each, items) : std::min(1.0, each * items));
}

double operator_selectivity(const Level& level, const OperatorCall& call, const Condition* condition,
                            const SpecialJoin* join) {
  const std::string_view symbol = call.function->symbol;
  if (call.arguments.size() != 2) return 0.5;
  const bool negated = symbol == "<>" || symbol.starts_with("!~");
  const bool joins = condition && condition->left != 0 && condition->right != 0 && condition->left != condition->right;
  if (symbol == "=" || symbol == "<>") {
    double result = 0;
    if (joins) {
      result = join_equal_selectivity(level, call, join, join ? join->written_left : 0);
    } else {
      const bool left = level.relids_of(call.arguments[0]) != 0;
      const Variable variable = variable_of(level, call.arguments[left ? 0 : 1]);
      result = equal_selectivity(variable, constant_of(level, call.arguments[left ? 1 : 0]));
    }
    return negated ? clamp(1 - result) : result;
  }
  if (symbol == "<" || symbol == "<=" || symbol == ">" || symbol == ">=") {
    if (joins) return default_inequality;
    const bool left = level.relids_of(call.arguments[0]) != 0;
    return inequality_selectivity(variable_of(level, call.arguments[left ? 0 : 1]),
                                  constant_of(level, call.arguments[left ? 1 : 0]), (symbol[0] == '<') == left,
                                  symbol.size() == 2);
  }
  if (symbol.find('~') != std::string_view::npos) return negated ? 1 - default_match : default_match;
  if (symbol == "@>" || symbol == "<@" || symbol == "?") return 0.001;
  return 0.5;
}

double condition_selectivity(const Level& level, const ExpressionPtr& expression, const Condition* condition,
                             const SpecialJoin* join) {
  auto of = [&](const ExpressionPtr& part) { return condition_selectivity(level, part, condition, join); };
  if (is_true_constant(expression)) return 1;
  if (is_false_constant(expression)) return 0;
  if (const auto* call = expression->as<OperatorCall>()) return operator_selectivity(level, *call, condition, join);
  if (const auto* array = expression->as<query::ArrayComparison>()) return array_selectivity(level, *array);
  if (const auto* logical = expression->as<query::Logical>()) {
    if (logical->kind == query::Logical::Kind::negation) return 1 - of(logical->arguments.front());
    if (logical->kind == query::Logical::Kind::conjunction) {
      double product = 1;
      for (const auto& argument : logical->arguments) product *= of(argument);
      return product;
    }
    double sum = 0;
    for (const auto& argument : logical->arguments) {
      const double one = of(argument);
      sum = sum + one - sum * one;
    }
    return clamp(sum);
  }
  if (const auto* test = expression->as<query::NullTest>()) {
    const Variable variable = variable_of(level, test->argument);
    const double nulls = variable.statistics ? variable.null_fraction() : default_equal;
    return clamp(test->negated ? 1 - nulls : nulls);
  }
  if (expression->as<Column>() && expression->type.id == TypeId::boolean) {
    const Value yes = Value::boolean(true);
    return equal_selectivity(variable_of(level, expression), &yes);
  }
  if (const auto* test = expression->as<query::BooleanTest>()) {
    using Kind = query::BooleanTest::Kind;
    if (test->kind == Kind::is_unknown) return default_equal;
    if (test->kind == Kind::is_not_unknown) return 1 - default_equal;
    const double holds = of(test->argument);
    return test->kind == Kind::is_true || test->kind == Kind::is_not_false ? holds : 1 - holds;
  }
  return expression->as<query::Call>() ? default_inequality : 0.5;
}

// a > x AND a < y says more than both alone.
struct Range {
  ExpressionPtr variable;
  bool has_low = false;
  bool has_high = false;
  double low = 1;
  double high = 1;
};

bool add_to_range(const Level& level, const Condition& condition, double one, std::vector<Range>& ranges) {
  const auto* call = condition.expression->as<OperatorCall>();
  if (call == nullptr || call->arguments.size() != 2) return false;
  const std::string_view symbol = call->function->symbol;
  if (symbol != "<" && symbol != "<=" && symbol != ">" && symbol != ">=") return false;
  const bool left = condition.left != 0;
  if ((condition.left != 0) == (condition.right != 0)) return false;
  if (query::uses_columns(call->arguments[left ? 1 : 0])) return false;
  const ExpressionPtr& variable = call->arguments[left ? 0 : 1];
  const bool is_high = (symbol[0] == '<') == left;
  auto found = std::find_if(ranges.begin(), ranges.end(),
                            [&](const Range& range) { return query::equal(range.variable, variable); });
  if (found == ranges.end()) found = ranges.insert(ranges.end(), Range{variable, false, false, 1, 1});
  (is_high ? found->has_high : found->has_low) = true;
  double& part = is_high ? found->high : found->low;
  part = std::min(part, one);
  (void)level;
  return true;
}

}  // namespace

double whole_rows(double rows) { return rows <= 1 || std::isnan(rows) ? 1 : std::rint(std::min(rows, 1e100)); }

MergedParts merged_parts(const Level& level, const ExpressionPtr& left, const ExpressionPtr& right, bool descending,
                         bool nulls_first) {
  MergedParts parts;
  const Variable a = variable_of(level, left);
  const Variable b = variable_of(level, right);
  auto range_a = range_of(a);
  auto range_b = range_of(b);
  if (!range_a || !range_b) return parts;
  if (descending) std::swap(range_a->first, range_a->second);
  if (descending) std::swap(range_b->first, range_b->second);
  // Of two ends, and of two starts, one only is not that of its whole side; of equal ones none.
  const double left_end = inequality_selectivity(a, &range_b->second, !descending, true);
  const double right_end = inequality_selectivity(b, &range_a->second, !descending, true);
  if (left_end < right_end) parts.left_end = left_end;
  if (right_end < left_end) parts.right_end = right_end;
  const double left_start = inequality_selectivity(a, &range_b->first, !descending, false);
  const double right_start = inequality_selectivity(b, &range_a->first, !descending, false);
  if (left_start > right_start) parts.left_start = left_start;
  if (right_start > left_start) parts.right_start = right_start;
  const auto finish = [&](double nulls, double& start, double& end) {
    if (nulls_first) {
      start = clamp(start + nulls);
      end = clamp(end + nulls);
    }
    if (start < end) return;
    start = 0;
    end = 1;
  };
  finish(a.null_fraction(), parts.left_start, parts.left_end);
  finish(b.null_fraction(), parts.right_start, parts.right_end);
  return parts;
}

// estimate_hash_bucket_stats().
double bucket_part(const Level& level, const ExpressionPtr& expression, double buckets) {
  const Variable variable = variable_of(level, expression);
  const auto* statistics = variable.statistics;
  const double most_common = statistics == nullptr || statistics->most_common_frequencies.empty()
                                 ? 0
                                 : statistics->most_common_frequencies.front();
  const double tuples = variable.base == nullptr ? 0 : variable.base->tuples;
  if (variable.is_default && (variable.base == nullptr || tuples >= default_distinct))
    return std::max(0.1, most_common);
  double distinct = std::max(1.0, variable.distinct);
  const double average = (1 - variable.null_fraction()) / distinct;
  if (variable.base != nullptr && variable.base->rows_of && variable.base->rows_of->rows > 0 && tuples > 0)
    distinct = whole_rows(distinct * variable.base->rows_of->rows / tuples);
  double part = 1 / std::max(1.0, std::min(distinct, buckets));
  if (average > 0 && most_common > average) part *= most_common / average;
  return std::clamp(part, 1e-6, 1.0);
}

double selectivity(const Level& level, const ExpressionPtr& condition) {
  return clamp(condition_selectivity(level, condition, nullptr, nullptr));
}

double selectivity(const Level& level, const std::vector<const Condition*>& conditions, const SpecialJoin* join) {
  double result = 1;
  std::vector<Range> ranges;
  for (const Condition* condition : conditions) {
    double& kept = join ? condition->outer_selectivity : condition->selectivity;
    if (kept < 0) kept = clamp(condition_selectivity(level, condition->expression, condition, join));
    if (conditions.size() > 1 && add_to_range(level, *condition, kept, ranges)) continue;
    result *= kept;
  }
  for (const Range& range : ranges) {
    if (!range.has_low || !range.has_high) {
      result *= range.low * range.high;
      continue;
    }
    double both = range.low + range.high - 1;
    if (range.low == default_inequality && range.high == default_inequality) {
      both = default_range;
    } else if (both <= 0) {
      both = both < -0.01 ? default_range : 1e-10;
    }
    result *= both;
  }
  return result;
}

double distinct_values(const Level& level, const std::vector<ExpressionPtr>& expressions, double rows) {
  if (expressions.empty()) return 1;
  double result = 1;
  struct OfBase {
    const BaseRelation* base = nullptr;
    double product = 1;
    double most = 1;
    int columns = 0;
  };
  std::vector<OfBase> bases;
  for (const ExpressionPtr& expression : expressions) {
    std::vector<ExpressionPtr> columns;
    query::walk(expression, [&](const Expression& node, int levels) {
      const auto* column = node.as<Column>();
      if (column && column->levels_up == levels)
        columns.push_back(query::make_expression(Column{column->entry, column->column, 0}, node.type));
      return true;
    });
    if (expression->type.id == TypeId::boolean) {
      result *= 2;
      continue;
    }
    for (const ExpressionPtr& column : columns) {
      const Variable variable = variable_of(level, column);
      auto of = std::find_if(bases.begin(), bases.end(), [&](const OfBase& one) { return one.base == variable.base; });
      if (of == bases.end()) of = bases.insert(of, OfBase{variable.base, 1, 1, 0});
      of->product *= variable.distinct;
      of->most = std::max(of->most, variable.distinct);
      ++of->columns;
    }
  }
  for (const OfBase& of : bases) {
    double distinct = of.product;
    if (of.base && of.base->tuples > 0) {
      const double tuples = of.base->tuples;
      // Columns of one table are seldom independent.
      if (of.columns > 1) distinct = std::min(distinct, std::max(of.most, tuples * 0.1));
      distinct = std::min(distinct, tuples);
      const double kept = of.base->rows_of ? of.base->rows_of->rows : tuples;
      if (kept < tuples) distinct *= 1 - std::pow((tuples - kept) / tuples, tuples / std::max(1.0, distinct));
    }
    result *= whole_rows(std::max(1.0, distinct));
  }
  return whole_rows(std::min(std::ceil(result), rows));
}

}  // namespace polarsim::engine::plan
