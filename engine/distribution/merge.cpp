#include "engine/distribution/merge.h"

#include <algorithm>
#include <limits>

#include "engine/distribution/entries.h"
#include "engine/distribution/partial_aggregates.h"
#include "engine/distribution/worker_columns.h"
#include "engine/query/expression_walk.h"

namespace polarsim::engine::distribution {
namespace {

using query::ExpressionPtr;
using query::Query;
using query::QueryPtr;

bool is_set_call(const query::Expression& expression) {
  const auto* call = expression.as<query::Call>();
  return call != nullptr && call->function->kind == FunctionKind::set;
}

// CaseOperand whose CASE is around the expression.
bool has_free_operand(const ExpressionPtr& expression, bool inside = false) {
  if (expression->as<query::CaseOperand>()) return !inside;
  const auto* choice = expression->as<query::Case>();
  bool found = false;
  query::for_each_child(*expression, [&](const ExpressionPtr& child) {
    const bool own = choice != nullptr && choice->operand != nullptr && child != choice->operand;
    found = found || has_free_operand(child, inside || own);
  });
  return found;
}

bool computes_over_groups(const query::Expression& expression) {
  return expression.as<query::Aggregate>() != nullptr || expression.as<query::GroupingCall>() != nullptr;
}

class Splitter {
 public:
  Splitter(const QueryPtr& query, const Location& location)
      : query_(*query), original_(query), location_(location), level_{query.get(), nullptr, 0} {}

  SplitQuery run() {
    const bool groups_here = !query_.grouped || location_.groups_by_key;
    if (groups_here && (query_.windows.empty() || location_.windows_by_key)) return all_but_order();
    if (groups_here) return rows_for_windows();
    const bool one_set = query_.group_by.empty() && query_.grouping_sets.size() == 1;  // GROUP BY ()
    if (!query_.grouping_sets.empty() && !one_set) {
      throw SqlError(sqlstate::feature_not_supported,
                     "could not run distributed query with GROUPING SETS, CUBE, or ROLLUP", "",
                     "Consider using an equality filter on the distributed table's partition column.");
    }
    return all_in_two_steps() ? partial_groups() : rows_for_groups();
  }

 private:
  // `depth`: how many queries lie between the expression and the query that is split.
  using Replace = std::function<ExpressionPtr(const ExpressionPtr& expression, const std::string& name, int depth)>;

  // --- everything but DISTINCT, ORDER BY and LIMIT ---

  SplitQuery all_but_order() {
    const bool distinct = query_.distinct || !query_.distinct_on.empty();
    if (!distinct && query_.order_by.empty() && !query_.limit && !query_.offset) return {original_, nullptr};
    auto worker = std::make_shared<Query>(query_);
    // What is sorted by has to be seen.
    for (const query::SortClause& clause : query_.order_by) show(*worker, clause.target);
    for (const query::SortClause& clause : query_.distinct_on) show(*worker, clause.target);
    limit_worker(*worker);
    WorkerColumns columns;
    auto merge = std::make_shared<Query>(after_groups());
    merge->windows.clear();
    merge->targets.clear();
    std::vector<int> place(query_.targets.size(), -1);
    for (std::size_t i = 0; i < query_.targets.size(); ++i) {
      if (worker->targets[i].hidden) continue;
      place[i] = static_cast<int>(merge->targets.size());
      query::Target target = query_.targets[i];
      target.expression = columns.new_column(target.expression, worker->targets[i].name);
      merge->targets.push_back(std::move(target));
    }
    for (query::SortClause& clause : merge->order_by) clause.target = place[static_cast<std::size_t>(clause.target)];
    for (query::SortClause& clause : merge->distinct_on) clause.target = place[static_cast<std::size_t>(clause.target)];
    merge->has_set_functions = false;
    merge->has_subqueries = false;
    finish_merge(*merge, columns);
    return {worker, merge};
  }

  static void show(Query& worker, int number) {
    query::Target& target = worker.targets[static_cast<std::size_t>(number)];
    if (target.hidden) target.name = "worker_column_" + std::to_string(number + 1);
    target.hidden = false;
  }

  // The first rows of each shard are enough.
  void limit_worker(Query& worker) const {
    worker.offset = nullptr;
    worker.limit = wanted_rows();
    if (!worker.limit) worker.with_ties = false;
    // An order without end is the coordinator's alone, unless it says which rows DISTINCT ON keeps.
    if (!worker.limit && query_.distinct_on.empty()) worker.order_by.clear();
  }

  // LIMIT and OFFSET together. Null: there is no end, or each asking could find another.
  ExpressionPtr wanted_rows() const {
    const auto is_volatile = [](const ExpressionPtr& expression) {
      return query::contains_volatility(expression, Volatility::volatile_function);
    };
    if (!query_.limit || is_volatile(query_.limit)) return nullptr;
    if (!query_.offset) return query_.limit;
    if (is_volatile(query_.offset)) return nullptr;
    const auto* limit = query_.limit->as<query::Constant>();
    const auto* offset = query_.offset->as<query::Constant>();
    if (limit && limit->value.is_null()) return nullptr;
    if (!limit || !offset) return sum_of(query_.limit, query_.offset);
    // Nobody asks for a row: none is computed, and none can fail.
    if (offset->value.is_null() || limit->value.as_integer() == 0) return query_.limit;
    std::int64_t sum = 0;
    if (__builtin_add_overflow(limit->value.as_integer(), offset->value.as_integer(), &sum)) return nullptr;
    return query::make_expression(query::Constant{Value::integer(sum)}, TypeId::int8);
  }

  // limit + LEAST(offset, 9223372036854775807 - GREATEST(limit, 0)): what is more than the type holds is all rows.
  static ExpressionPtr sum_of(const ExpressionPtr& limit, const ExpressionPtr& offset) {
    const auto number = [](std::int64_t value) {
      return query::make_expression(query::Constant{Value::integer(value)}, TypeId::int8);
    };
    const auto one_of = [](bool greatest, const ExpressionPtr& a, const ExpressionPtr& b) {
      return query::make_expression(query::MinMax{greatest, {a, b}}, TypeId::int8);
    };
    const auto compute = [](const char* symbol, const ExpressionPtr& a, const ExpressionPtr& b) {
      return query::make_expression(query::OperatorCall{find_operator(symbol, TypeId::int8, TypeId::int8), {a, b}},
                                    TypeId::int8);
    };
    const ExpressionPtr room =
        compute("-", number(std::numeric_limits<std::int64_t>::max()), one_of(true, limit, number(0)));
    return compute("+", limit, one_of(false, offset, room));
  }

  // --- rows pulled ---

  // Groups are made by the shards, or there are none; windows by the coordinator.
  SplitQuery rows_for_windows() {
    const bool grouped = query_.grouped;
    WorkerColumns columns;
    auto merge = std::make_shared<Query>(after_groups());
    const Replace replace = [&](const ExpressionPtr& expression, const std::string& name, int depth) -> ExpressionPtr {
      return depth == 0 && is_of_shards(expression, grouped) ? columns.column(expression, name) : nullptr;
    };
    rewrite_clauses(*merge, replace);
    auto worker = std::make_shared<Query>(before_groups());
    columns.finish(*worker);
    if (grouped) keep_groups(*worker);
    finish_merge(*merge, columns);
    return {worker, merge};
  }

  // The groups of the query, by targets that nobody sees.
  void keep_groups(Query& worker) const {
    worker.grouped = true;
    worker.having = query_.having;
    worker.grouping_sets = query_.grouping_sets;
    worker.group_by.clear();
    for (const int group : query_.group_by) {
      query::Target target = query_.targets[static_cast<std::size_t>(group)];
      target.hidden = true;
      worker.group_by.push_back(static_cast<int>(worker.targets.size()));
      worker.targets.push_back(std::move(target));
    }
  }

  SplitQuery rows_for_groups() {
    WorkerColumns columns;
    auto merge = std::make_shared<Query>(query_);
    const Replace replace = [&](const ExpressionPtr& expression, const std::string& name, int depth) -> ExpressionPtr {
      if (depth == 0) return is_of_shards(expression, false) ? columns.column(expression, name) : nullptr;
      if (!is_column_from(*expression, depth)) return nullptr;
      return moved_inwards(columns.column(moved_inwards(expression, -depth), name), depth);
    };
    rewrite_clauses(*merge, replace);
    auto worker = std::make_shared<Query>(before_groups());
    columns.finish(*worker);
    finish_merge(*merge, columns);
    return {worker, merge};
  }

  // Whether shards can compute it: row by row, or of groups that they have as a whole.
  static bool is_of_shards(const ExpressionPtr& expression, bool groups) {
    if (is_pseudo_type(expression->type.id) || has_free_operand(expression)) return false;
    bool uses = query::uses_columns(expression);
    const bool other = query::contains(expression, [&](const query::Expression& each) {
      if (computes_over_groups(each)) {
        uses = true;
        return !groups;
      }
      const auto* subquery = each.as<query::Subquery>();
      if (subquery != nullptr && !groups && computes_over_groups_around(*subquery)) return true;
      return each.as<query::WindowCall>() != nullptr || is_set_call(each);
    });
    return uses && !other;
  }

  static bool is_column_from(const query::Expression& expression, int depth) {
    const auto* column = expression.as<query::Column>();
    return column != nullptr && column->levels_up == depth;
  }

  // --- partial aggregates ---

  bool all_in_two_steps() const {
    bool all = true;
    for_each_aggregate([&](const query::Aggregate& aggregate) { all = all && has_two_steps(aggregate); });
    return all;
  }

  void for_each_aggregate(query::FunctionReference<void(const query::Aggregate& aggregate)> visit) const {
    const auto look = [&](const ExpressionPtr& expression) {
      if (!expression) return;
      query::walk(expression, [&](const query::Expression& each, int levels) {
        const auto* aggregate = each.as<query::Aggregate>();
        if (aggregate == nullptr || aggregate->levels_up != levels) return true;
        const ExpressionPtr own = moved_inwards(std::make_shared<const query::Expression>(each), -levels);
        visit(*own->as<query::Aggregate>());
        return true;
      });
    };
    for (const query::Target& target : query_.targets) look(target.expression);
    look(query_.having);
  }

  bool has_distinct_values() const {
    bool found = false;
    for_each_aggregate([&](const query::Aggregate& aggregate) {
      found =
          found || (aggregate.distinct && !(aggregate.arguments.size() == 1 && is_strong_key(aggregate.arguments[0])));
    });
    return found;
  }

  SplitQuery partial_groups() {
    WorkerColumns columns;
    auto merge = std::make_shared<Query>(query_);
    std::vector<ExpressionPtr> more_groups;
    // Where shards group by values that have to be told apart, a key is in more than one of their groups.
    const bool finer = has_distinct_values();
    const IsKey is_key = [&](const ExpressionPtr& expression) { return !finer && is_strong_key(expression); };
    const auto part = [&](const ExpressionPtr& expression, const std::string& name) -> ExpressionPtr {
      for (const int group : query_.group_by) {
        if (query::equal(query_.targets[static_cast<std::size_t>(group)].expression, expression)) {
          return columns.group(expression, name);
        }
      }
      if (expression->as<query::Aggregate>()) return in_two_steps(expression, name, is_key, columns);
      // A column that depends on the groups (GROUP BY a primary key): grouping by it, too, changes nothing.
      const auto* subquery = expression->as<query::Subquery>();
      const bool of_row = expression->as<query::Column>() || (subquery != nullptr && query::uses_columns(expression) &&
                                                              !computes_over_groups_around(*subquery));
      if (!of_row) return nullptr;
      ExpressionPtr column = columns.group(expression, name);
      const bool known = std::any_of(more_groups.begin(), more_groups.end(),
                                     [&](const ExpressionPtr& each) { return query::equal(each, column); });
      if (!known) more_groups.push_back(column);
      return column;
    };
    // Inside a subquery only columns and aggregates are this query's.
    const Replace replace = [&](const ExpressionPtr& expression, const std::string& name, int depth) -> ExpressionPtr {
      if (depth == 0) return part(expression, name);
      const auto* aggregate = expression->as<query::Aggregate>();
      const bool own = aggregate != nullptr && aggregate->levels_up == depth;
      if (!own && !is_column_from(*expression, depth)) return nullptr;
      return moved_inwards(part(moved_inwards(expression, -depth), name), depth);
    };
    rewrite_clauses(*merge, replace);
    for (const ExpressionPtr& group : more_groups) {
      query::Target target;
      target.expression = group;
      target.hidden = true;
      merge->group_by.push_back(static_cast<int>(merge->targets.size()));
      merge->targets.push_back(std::move(target));
    }
    auto worker = std::make_shared<Query>(before_groups());
    columns.finish(*worker);
    worker->grouped = has_aggregates(*worker) || !worker->group_by.empty();
    // Each row of a shard stands for values to be told apart, also for those that see no row: count(DISTINCT 4). A
    // shard that has no rows must not give any.
    if (finer && worker->grouped && worker->group_by.empty()) worker->having = some_rows();
    finish_merge(*merge, columns);
    return {worker, merge};
  }

  // count(*) > 0
  static ExpressionPtr some_rows() {
    query::Aggregate count;
    count.function = find_function("count", std::span<const TypeId>());
    count.star = true;
    const OperatorEntry* greater = find_operator(">", TypeId::int8, TypeId::int8);
    if (count.function == nullptr || greater == nullptr)
      throw SqlError(sqlstate::internal_error, "rows cannot be counted");
    const ExpressionPtr zero = query::make_expression(query::Constant{Value::integer(0)}, TypeId::int8);
    const ExpressionPtr rows = query::make_expression(std::move(count), TypeId::int8);
    return query::make_expression(query::OperatorCall{greater, {rows, zero}}, TypeId::boolean);
  }

  static bool has_aggregates(const Query& worker) {
    return std::any_of(worker.targets.begin(), worker.targets.end(), [](const query::Target& target) {
      return query::contains(target.expression,
                             [](const query::Expression& each) { return each.as<query::Aggregate>() != nullptr; });
    });
  }

  bool is_strong_key(const ExpressionPtr& expression) const {
    const auto column = column_of(expression, level_);
    return column && std::any_of(location_.keys.begin(), location_.keys.end(),
                                 [&](const KeyColumn& key) { return key.strong && key.column == *column; });
  }

  // --- parts of queries ---

  // FROM and WHERE alone.
  Query before_groups() const {
    Query query = query_;
    query.targets.clear();
    query.group_by.clear();
    query.grouping_sets.clear();
    query.grouped = false;
    query.having = nullptr;
    query.windows.clear();
    query.order_by.clear();
    query.distinct = false;
    query.distinct_on.clear();
    query.limit = query.offset = nullptr;
    query.with_ties = false;
    query.has_set_functions = false;
    return query;
  }

  // What follows HAVING.
  Query after_groups() const {
    Query query = query_;
    query.group_by.clear();
    query.grouping_sets.clear();
    query.grouped = false;
    query.having = nullptr;
    return query;
  }

  static ExpressionPtr rewrite(const ExpressionPtr& expression, const std::string& name, const Replace& replace) {
    if (!expression) return nullptr;
    if (ExpressionPtr replacement = replace(expression, name, 0)) return replacement;
    // An aggregate's own argument goes by its name.
    const bool keeps_name = expression->as<query::Aggregate>() != nullptr;
    const auto* subquery = expression->as<query::Subquery>();
    const bool of_groups = subquery != nullptr && computes_over_groups_around(*subquery);
    return query::map_children(
        expression,
        [&](const ExpressionPtr& child) { return rewrite(child, keeps_name ? name : std::string(), replace); },
        [&](const QueryPtr& inner) { return of_groups ? rewrite_inside(inner, replace) : inner; });
  }

  // A query that is a value of each group.
  static QueryPtr rewrite_inside(const QueryPtr& query, const Replace& replace) {
    return query::rewrite(
        query, [&](const ExpressionPtr& expression, int levels) { return replace(expression, "", levels); }, 1);
  }

  static void rewrite_clauses(Query& query, const Replace& replace) {
    for (query::Target& target : query.targets) {
      target.expression = rewrite(target.expression, target.hidden ? "" : target.name, replace);
    }
    query.having = rewrite(query.having, "", replace);
  }

  static void finish_merge(Query& merge, const WorkerColumns& columns) {
    merge.where = nullptr;
    merge.entries = {columns.entry()};
    auto tree = std::make_shared<query::JoinTree>();
    tree->entry = 0;
    merge.from = {std::move(tree)};
    for (const query::Target& target : merge.targets) require_no_rows_left(target.expression);
    if (merge.having) require_no_rows_left(merge.having);
  }

  // Whole rows and system columns have no type that could be sent.
  static void require_no_rows_left(const ExpressionPtr& expression) {
    query::walk(expression, [](const query::Expression& each, int levels) {
      const auto* column = each.as<query::Column>();
      if (column != nullptr && column->levels_up == levels && (column->entry != 0 || column->column <= 0)) {
        throw SqlError(sqlstate::feature_not_supported,
                       "whole rows of distributed tables are not supported in queries that the coordinator merges");
      }
      return true;
    });
  }

  const Query& query_;
  const QueryPtr& original_;
  const Location& location_;
  const Level level_;
};

}  // namespace

SplitQuery split_query(const QueryPtr& query, const Location& location) { return Splitter(query, location).run(); }

QueryPtr with_rows(const QueryPtr& merge, const JobPtr& job) {
  auto query = std::make_shared<Query>(*merge);
  query->entries[0].source = query::CustomSource{std::make_shared<TaskRows>(job)};
  return query;
}

}  // namespace polarsim::engine::distribution
