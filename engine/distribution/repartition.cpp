#include "engine/distribution/repartition.h"

#include <algorithm>
#include <set>

#include "engine/distribution/columns.h"
#include "engine/query/expression_walk.h"
#include "engine/sql/error.h"

namespace polarsim::engine::distribution {
namespace {

using query::ExpressionPtr;
using query::JoinTree;
using query::Query;
using query::QueryPtr;

void add_tree(const JoinTree& tree, std::vector<ExpressionPtr>& conjuncts) {
  if (tree.is_leaf()) return;
  add_tree(*tree.left, conjuncts);
  add_tree(*tree.right, conjuncts);
  add_conjuncts(tree.condition, conjuncts);
}

std::vector<ExpressionPtr> conditions_of(const Query& query) {
  std::vector<ExpressionPtr> conjuncts;
  for (const query::JoinTreePtr& tree : query.from) add_tree(*tree, conjuncts);
  add_conjuncts(query.where, conjuncts);
  return conjuncts;
}

}  // namespace

void repartition(const QueryPtr& query, const DistributionInputs& inputs, SubplanList& /*subplans*/,
                 DistributedPlan& /*plan*/) {
  const Level level{query.get(), nullptr, 0};
  const auto is_sharded = [&](int entry) {
    const auto* table = std::get_if<query::TableSource>(&query->entries[static_cast<std::size_t>(entry)].source);
    const TableDistributionPtr distribution = table ? inputs.source.find(*table->relation) : nullptr;
    return distribution && !distribution->is_reference();
  };
  bool equality = false;
  bool other = false;
  for (const ExpressionPtr& condition : conditions_of(*query)) {
    std::set<int> entries;
    query::walk(condition, [&](const query::Expression& each, int levels) {
      const auto* column = each.as<query::Column>();
      if (column && column->levels_up == levels && is_sharded(column->entry)) entries.insert(column->entry);
      return true;
    });
    if (entries.size() < 2) continue;
    const auto* call = condition->as<query::OperatorCall>();
    const bool by_columns = call && call->arguments.size() == 2 && std::string_view(call->function->symbol) == "=" &&
                            column_of(call->arguments[0], level) && column_of(call->arguments[1], level);
    (by_columns ? equality : other) = true;
  }
  if (equality) {
    throw SqlError(sqlstate::internal_error, "the query contains a join that requires repartitioning", "",
                   "Set polar_cluster.enable_repartition_joins to on to enable repartitioning");
  }
  if (other) {
    throw SqlError(sqlstate::feature_not_supported,
                   "complex joins are only supported when all distributed tables are joined on their distribution "
                   "columns with equal operator");
  }
  throw SqlError(sqlstate::feature_not_supported, "cannot perform distributed planning on this query",
                 "Cartesian products are currently unsupported");
}

}  // namespace polarsim::engine::distribution
