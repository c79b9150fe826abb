#include "engine/cluster/pruning.h"

#include <algorithm>
#include <set>

#include "engine/sql/hash.h"
#include "sim/assert.h"

namespace polarsim::engine::cluster {

namespace {

using sql::Expression;
using sql::ExpressionPtr;
using ShardSet = std::set<std::size_t>;

class Pruner {
 public:
  Pruner(const DistributedTable& table, std::string_view reference, const StatementInputs& inputs)
      : table_(table), reference_(reference), inputs_(inputs) {}

  // None: any shard.
  std::optional<ShardSet> prune(const ExpressionPtr& condition) const {
    switch (condition->kind) {
      case Expression::Kind::logical_and:
        return intersection(*condition);
      case Expression::Kind::logical_or:
        return set_union(*condition);
      case Expression::Kind::operation:
        return equality(*condition);
      case Expression::Kind::in_list:
        return in_list(*condition);
      default:
        return std::nullopt;
    }
  }

 private:
  bool is_distribution_column(const ExpressionPtr& expression) const {
    return expression->kind == Expression::Kind::column && expression->name == table_.distribution_info().name &&
           (expression->table.empty() || expression->table == reference_);
  }
  std::optional<ShardSet> shards_of_value(const ExpressionPtr& expression) const {
    const std::optional<Value> value = distribution_value(table_, expression, inputs_);
    if (!value) return std::nullopt;
    if (value->is_null()) return ShardSet{};  // equality with NULL is never true
    return ShardSet{shard_of(table_, *value)};
  }
  std::optional<ShardSet> equality(const Expression& operation) const {
    if (operation.name != "=" || operation.arguments.size() != 2) return std::nullopt;
    if (is_distribution_column(operation.arguments[0])) return shards_of_value(operation.arguments[1]);
    if (is_distribution_column(operation.arguments[1])) return shards_of_value(operation.arguments[0]);
    return std::nullopt;
  }
  std::optional<ShardSet> in_list(const Expression& list) const {
    if (list.negated || !is_distribution_column(list.arguments[0])) return std::nullopt;
    ShardSet result;
    for (std::size_t i = 1; i < list.arguments.size(); ++i) {
      const auto shards = shards_of_value(list.arguments[i]);
      if (!shards) return std::nullopt;
      result.insert(shards->begin(), shards->end());
    }
    return result;
  }
  std::optional<ShardSet> intersection(const Expression& conjunction) const {
    std::optional<ShardSet> result;
    for (const ExpressionPtr& argument : conjunction.arguments) {
      auto shards = prune(argument);
      if (!shards) continue;
      if (!result) {
        result = std::move(shards);
      } else {
        std::erase_if(*result, [&shards](std::size_t shard) { return !shards->contains(shard); });
      }
    }
    return result;
  }
  std::optional<ShardSet> set_union(const Expression& disjunction) const {
    ShardSet result;
    for (const ExpressionPtr& argument : disjunction.arguments) {
      const auto shards = prune(argument);
      if (!shards) return std::nullopt;
      result.insert(shards->begin(), shards->end());
    }
    return result;
  }

  const DistributedTable& table_;
  std::string_view reference_;
  const StatementInputs& inputs_;
};

}  // namespace

std::size_t shard_of(const DistributedTable& table, const Value& value) {
  const std::int32_t hash = sql::hash_value(value, table.distribution_info().type);
  const auto after = std::upper_bound(table.shards.begin(), table.shards.end(), hash,
                                      [](std::int32_t h, const Shard& shard) { return h < shard.low; });
  POLARSIM_ASSERT(after != table.shards.begin(), "the shards of a table must cover all hash values");
  return static_cast<std::size_t>(after - table.shards.begin()) - 1;
}

std::optional<Value> distribution_value(const DistributedTable& table, const ExpressionPtr& expression,
                                        const StatementInputs& inputs) {
  if (!expression || !sql::is_row_independent(expression)) return std::nullopt;
  try {
    const sql::ColumnInfo& column = table.distribution_info();
    const std::vector<TypeId> parameter_types(inputs.parameters.size(), TypeId::unknown);
    sql::AnalyzeOptions options;
    options.parameter_types = parameter_types;
    const auto bound = sql::analyze_assignment(expression, options, column.type, column.name);
    sql::EvaluationContext context;
    context.parameters = inputs.parameters;
    context.transaction_start_us = inputs.transaction_start_us;
    return sql::evaluate(bound, context);
  } catch (const SqlError&) {
    // The shards will meet the same error, or compare in a wider type.
    return std::nullopt;
  }
}

std::vector<std::size_t> prune_shards(const DistributedTable& table, std::string_view reference,
                                      const ExpressionPtr& where, const StatementInputs& inputs) {
  std::optional<ShardSet> shards;
  if (where) shards = Pruner(table, reference, inputs).prune(where);
  if (!shards) {
    std::vector<std::size_t> all(table.shards.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    return all;
  }
  // A clause that nothing satisfies still needs one place that says so, with the right columns.
  if (shards->empty()) return {0};
  return {shards->begin(), shards->end()};
}

}  // namespace polarsim::engine::cluster
