#include "engine/query/expression_walk.h"

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <type_traits>

#include "engine/types/stack_depth.h"

namespace polarsim::engine::query {
namespace {

template <typename Slots, typename Function>
void each_of(Slots& slots, Function& function) {
  for (auto& slot : slots) function(slot);
}

// Calls the function for every child of a node, null ones included; `node` may be const or not.
template <typename Node, typename Function>
void each_slot(Node& node, Function function) {
  using N = std::remove_const_t<Node>;
  if constexpr (requires { node.container; }) function(node.container);
  if constexpr (requires { node.operand; }) function(node.operand);
  if constexpr (requires { node.argument; }) function(node.argument);
  if constexpr (requires { node.record; }) function(node.record);
  if constexpr (std::is_same_v<N, Subplan>) {
    for (auto& argument : node.arguments) function(argument.value);
  } else if constexpr (requires { node.arguments; }) {
    each_of(node.arguments, function);
  }
  if constexpr (requires { node.left.begin(); }) {
    each_of(node.left, function);
  } else if constexpr (requires { node.left; }) {
    function(node.left);
  }
  if constexpr (requires { node.right.begin(); }) {
    each_of(node.right, function);
  } else if constexpr (requires { node.right; }) {
    function(node.right);
  }
  if constexpr (requires { node.array; }) function(node.array);
  if constexpr (requires { node.fields; }) each_of(node.fields, function);
  if constexpr (requires { node.elements; }) each_of(node.elements, function);
  if constexpr (requires { node.indexes; }) {
    for (auto& index : node.indexes) {
      function(index.lower);
      function(index.upper);
    }
  }
  if constexpr (std::is_same_v<N, SubscriptAssignment>) function(node.value);
  if constexpr (std::is_same_v<N, Case>) {
    for (auto& branch : node.branches) {
      function(branch.condition);
      function(branch.result);
    }
    function(node.otherwise);
  }
  if constexpr (std::is_same_v<N, Aggregate>) {
    for (auto& key : node.order_by) function(key.expression);
  }
  if constexpr (requires { node.filter; }) function(node.filter);
}

template <typename Join, typename Function>
void each_condition(Join& tree, Function& function) {
  if (tree.is_leaf()) return;
  each_condition(*tree.left, function);
  each_condition(*tree.right, function);
  function(tree.condition);
}

template <typename Targets, typename Function>
void each_target(Targets& targets, Function& function) {
  for (auto& target : targets) function(target.expression);
}

// All but the conditions of joins, whose trees are shared.
template <typename AnyQuery, typename Function>
void each_slot_of_query(AnyQuery& query, Function function) {
  each_target(query.targets, function);
  for (auto& entry : query.entries) {
    if (auto* functions = std::get_if<FunctionSource>(&entry.source)) {
      for (auto& item : functions->functions) function(item.call);
    } else if (auto* values = std::get_if<ValuesSource>(&entry.source)) {
      for (auto& row : values->rows) each_of(row, function);
    } else if (auto* join = std::get_if<JoinSource>(&entry.source)) {
      each_of(join->columns, function);
    }
  }
  function(query.where);
  function(query.having);
  for (auto& window : query.windows) {
    function(window.start_offset);
    function(window.end_offset);
  }
  function(query.limit);
  function(query.offset);
  if (query.on_conflict) {
    each_target(query.on_conflict->assignments, function);
    function(query.on_conflict->where);
  }
  each_target(query.returning, function);
}

template <typename AnyQuery, typename Function>
void each_inner_query(AnyQuery& query, Function function) {
  for (auto& table : query.common_tables) function(table.query);
  for (auto& entry : query.entries) {
    if (auto* subquery = std::get_if<SubquerySource>(&entry.source)) function(subquery->query);
  }
}

// What a function made of the slots, kept until it is known whether anything changed at all.
template <typename Pointer>
class Replacements {
 public:
  void add(const Pointer& old, Pointer replacement) {
    changed_ |= replacement != old;
    made_.push_back(std::move(replacement));
  }
  bool changed() const { return changed_; }
  Pointer take() { return std::move(made_[next_++]); }

 private:
  boost::container::small_vector<Pointer, 8> made_;
  std::size_t next_ = 0;
  bool changed_ = false;
};

JoinTreePtr map_conditions(const JoinTreePtr& tree, MapExpression map) {
  if (tree->is_leaf()) return tree;
  JoinTreePtr left = map_conditions(tree->left, map);
  JoinTreePtr right = map_conditions(tree->right, map);
  ExpressionPtr condition = tree->condition ? map(tree->condition) : nullptr;
  if (left == tree->left && right == tree->right && condition == tree->condition) return tree;
  auto copy = std::make_shared<JoinTree>(*tree);
  copy->left = std::move(left);
  copy->right = std::move(right);
  copy->condition = std::move(condition);
  return copy;
}

}  // namespace

void for_each_child(const Expression& expression, VisitExpression visit) {
  check_stack_depth();
  std::visit(
      [&](const auto& node) {
        each_slot(node, [&](const ExpressionPtr& child) {
          if (child) visit(child);
        });
      },
      expression.node);
}

ExpressionPtr map_children(const ExpressionPtr& expression, MapExpression map) {
  return map_children(expression, map, [](const QueryPtr& query) { return query; });
}

ExpressionPtr map_children(const ExpressionPtr& expression, MapExpression map, MapQuery map_query) {
  check_stack_depth();
  Replacements<ExpressionPtr> replacements;
  std::visit(
      [&](const auto& node) {
        each_slot(node, [&](const ExpressionPtr& child) { replacements.add(child, child ? map(child) : nullptr); });
      },
      expression->node);
  const auto* subquery = expression->as<Subquery>();
  QueryPtr query = subquery ? map_query(subquery->query) : nullptr;
  const bool query_changed = subquery && query != subquery->query;
  if (!replacements.changed() && !query_changed) return expression;
  auto copy = std::make_shared<Expression>(*expression);
  std::visit([&](auto& node) { each_slot(node, [&](ExpressionPtr& child) { child = replacements.take(); }); },
             copy->node);
  if (query_changed) std::get<Subquery>(copy->node).query = std::move(query);
  return copy;
}

void for_each_expression(const Query& query, VisitExpression visit) {
  check_stack_depth();
  auto visit_slot = [&](const ExpressionPtr& expression) {
    if (expression) visit(expression);
  };
  each_slot_of_query(query, visit_slot);
  for (const JoinTreePtr& tree : query.from) each_condition(*tree, visit_slot);
}

void for_each_query(const Query& query, VisitQuery visit) {
  check_stack_depth();
  each_inner_query(query, [&](const QueryPtr& inner) { visit(inner); });
}

QueryPtr map_query(const QueryPtr& query, MapExpression map, MapQuery map_inner) {
  check_stack_depth();
  Replacements<ExpressionPtr> expressions;
  each_slot_of_query(*query, [&](const ExpressionPtr& each) { expressions.add(each, each ? map(each) : nullptr); });
  Replacements<JoinTreePtr> trees;
  for (const JoinTreePtr& tree : query->from) trees.add(tree, map_conditions(tree, map));
  Replacements<QueryPtr> queries;
  each_inner_query(*query, [&](const QueryPtr& inner) { queries.add(inner, map_inner(inner)); });
  if (!expressions.changed() && !trees.changed() && !queries.changed()) return query;
  auto copy = std::make_shared<Query>(*query);
  each_slot_of_query(*copy, [&](ExpressionPtr& each) { each = expressions.take(); });
  for (JoinTreePtr& tree : copy->from) tree = trees.take();
  each_inner_query(*copy, [&](QueryPtr& inner) { inner = queries.take(); });
  return copy;
}

void walk(const ExpressionPtr& expression, VisitNode visit, int levels) {
  if (!visit(*expression, levels)) return;
  for_each_child(*expression, [&](const ExpressionPtr& child) { walk(child, visit, levels); });
  if (const auto* subquery = expression->as<Subquery>()) walk(*subquery->query, visit, levels + 1);
}

void walk(const Query& query, VisitNode visit, int levels) {
  for_each_expression(query, [&](const ExpressionPtr& each) { walk(each, visit, levels); });
  for_each_query(query, [&](const QueryPtr& inner) { walk(*inner, visit, levels + 1); });
}

ExpressionPtr rewrite(const ExpressionPtr& expression, ReplaceNode replace, int levels) {
  if (ExpressionPtr replacement = replace(expression, levels)) return replacement;
  return map_children(
      expression, [&](const ExpressionPtr& child) { return rewrite(child, replace, levels); },
      [&](const QueryPtr& query) { return rewrite(query, replace, levels + 1); });
}

QueryPtr rewrite(const QueryPtr& query, ReplaceNode replace, int levels) {
  return map_query(
      query, [&](const ExpressionPtr& each) { return rewrite(each, replace, levels); },
      [&](const QueryPtr& inner) { return rewrite(inner, replace, levels + 1); });
}

bool contains(const ExpressionPtr& expression, FunctionReference<bool(const Expression&)> predicate) {
  if (predicate(*expression)) return true;
  bool found = false;
  for_each_child(*expression, [&](const ExpressionPtr& child) { found = found || contains(child, predicate); });
  return found;
}

bool uses_columns(const ExpressionPtr& expression) {
  bool found = false;
  walk(expression, [&](const Expression& each, int levels) {
    const auto* column = each.as<Column>();
    found = found || (column && column->levels_up == levels);
    return !found;
  });
  return found;
}

}  // namespace polarsim::engine::query
