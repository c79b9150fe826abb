#include "engine/query/unused_outputs.h"

#include <set>

namespace polarsim::engine::query {
namespace {

// Targets that sort, group or divide.
std::set<int> needed_targets(const Query& query) {
  std::set<int> needed(query.group_by.begin(), query.group_by.end());
  for (const SortClause& clause : query.order_by) needed.insert(clause.target);
  for (const SortClause& clause : query.distinct_on) needed.insert(clause.target);
  for (const Window& window : query.windows) {
    needed.insert(window.partition_by.begin(), window.partition_by.end());
    for (const SortClause& clause : window.order_by) needed.insert(clause.target);
  }
  return needed;
}

bool returns_set(const ExpressionPtr& expression) {
  return contains(expression, [](const Expression& node) {
    const auto* call = node.as<Call>();
    return call != nullptr && call->function->kind == FunctionKind::set;
  });
}

bool is_flat(const SetOperation& node, const std::vector<Type>& types) {
  if (node.is_leaf()) return node.types == types;
  return node.kind == SetOperator::union_of && node.all && is_flat(*node.left, types) && is_flat(*node.right, types);
}

QueryPtr without_unused_outputs_of_parts(const QueryPtr& flat_union, FunctionReference<bool(int column)> is_used) {
  std::shared_ptr<Query> changed;
  for (std::size_t i = 0; i < flat_union->entries.size(); ++i) {
    const auto* part = std::get_if<SubquerySource>(&flat_union->entries[i].source);
    if (part == nullptr) continue;
    QueryPtr made = without_unused_outputs(part->query, is_used);
    if (made == part->query) continue;
    if (!changed) changed = std::make_shared<Query>(*flat_union);
    std::get<SubquerySource>(changed->entries[i].source).query = std::move(made);
  }
  return changed ? changed : flat_union;
}

}  // namespace

bool is_flat_union(const Query& query) {
  return query.set_operation != nullptr && query.order_by.empty() && !query.limit && !query.offset &&
         query.common_tables.empty() && is_flat(*query.set_operation, query.set_operation->types);
}

QueryPtr without_unused_outputs(const QueryPtr& subquery, FunctionReference<bool(int column)> is_used) {
  if (is_flat_union(*subquery)) return without_unused_outputs_of_parts(subquery, is_used);
  if (subquery->command != Command::select || subquery->set_operation || subquery->distinct) return subquery;
  const std::set<int> needed = needed_targets(*subquery);
  std::shared_ptr<Query> changed;
  int column = 0;
  for (std::size_t i = 0; i < subquery->targets.size(); ++i) {
    const Target& target = subquery->targets[i];
    if (target.hidden) continue;
    ++column;
    if (is_used(column) || needed.contains(static_cast<int>(i))) continue;
    if (target.expression->as<Constant>() != nullptr || returns_set(target.expression)) continue;
    if (contains_volatility(target.expression, Volatility::volatile_function)) continue;
    if (!changed) changed = std::make_shared<Query>(*subquery);
    changed->targets[i].expression = make_expression(Constant{}, target.expression->type);
  }
  return changed ? changed : subquery;
}

}  // namespace polarsim::engine::query
