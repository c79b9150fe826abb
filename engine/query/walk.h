// Walking over expressions and queries, and copies with something replaced (PostgreSQL's src/backend/nodes/nodeFuncs.c).
//
// "Child" is an expression directly below another. What is inside a subquery is no child of the expression that holds
// the query: walk its expressions by for_each_expression(). A visitor gets no null pointers.
#pragma once

#include <type_traits>
#include <utility>
#include <vector>

#include "engine/query/query.h"

namespace polarsim::engine::query {

inline ExpressionPtr make_expression(Expression::Node node, Type type, int position = 0) {
  return std::make_shared<const Expression>(Expression{std::move(node), type, position});
}

namespace detail {

template <typename Pointer, typename Visitor>
void visit_slot(Pointer& pointer, Visitor&& visit) {
  if (pointer != nullptr) visit(pointer);
}
template <typename Vector, typename Visitor>
void visit_slots(Vector& pointers, Visitor&& visit) {
  for (auto& pointer : pointers) visit_slot(pointer, visit);
}
template <typename Indexes, typename Visitor>
void visit_indexes(Indexes& indexes, Visitor&& visit) {
  for (auto& index : indexes) {
    visit_slot(index.lower, visit);
    visit_slot(index.upper, visit);
  }
}

// The places of the children of a node, in the order in which they were written. Node may be const or not.
template <typename Node, typename Visitor>
void visit_children(Node& node, Visitor&& visit) {
  using T = std::remove_const_t<Node>;
  if constexpr (std::is_same_v<T, Call> || std::is_same_v<T, OperatorCall> || std::is_same_v<T, Logical> ||
                std::is_same_v<T, Coalesce> || std::is_same_v<T, MinMax>) {
    visit_slots(node.arguments, visit);
  } else if constexpr (std::is_same_v<T, ArrayComparison>) {
    visit_slot(node.left, visit);
    visit_slot(node.array, visit);
  } else if constexpr (std::is_same_v<T, NullTest> || std::is_same_v<T, BooleanTest> || std::is_same_v<T, Convert>) {
    visit_slot(node.argument, visit);
  } else if constexpr (std::is_same_v<T, DistinctTest> || std::is_same_v<T, NullIf>) {
    visit_slot(node.left, visit);
    visit_slot(node.right, visit);
  } else if constexpr (std::is_same_v<T, Case>) {
    visit_slot(node.operand, visit);
    for (auto& branch : node.branches) {
      visit_slot(branch.condition, visit);
      visit_slot(branch.result, visit);
    }
    visit_slot(node.otherwise, visit);
  } else if constexpr (std::is_same_v<T, RowConstructor>) {
    visit_slots(node.fields, visit);
  } else if constexpr (std::is_same_v<T, RowComparison>) {
    visit_slots(node.left, visit);
    visit_slots(node.right, visit);
  } else if constexpr (std::is_same_v<T, ArrayConstructor>) {
    visit_slots(node.elements, visit);
  } else if constexpr (std::is_same_v<T, Subscript>) {
    visit_slot(node.container, visit);
    visit_indexes(node.indexes, visit);
  } else if constexpr (std::is_same_v<T, FieldSelection>) {
    visit_slot(node.record, visit);
  } else if constexpr (std::is_same_v<T, Subquery>) {
    visit_slots(node.left, visit);
  } else if constexpr (std::is_same_v<T, Aggregate>) {
    visit_slots(node.arguments, visit);
    for (auto& key : node.order_by) visit_slot(key.expression, visit);
    visit_slot(node.filter, visit);
  } else if constexpr (std::is_same_v<T, WindowCall>) {
    visit_slots(node.arguments, visit);
    visit_slot(node.filter, visit);
  } else if constexpr (std::is_same_v<T, Subplan>) {
    for (auto& argument : node.arguments) visit_slot(argument.value, visit);
    visit_slots(node.left, visit);
  } else if constexpr (std::is_same_v<T, SubscriptAssignment>) {
    visit_slot(node.container, visit);
    visit_indexes(node.indexes, visit);
    visit_slot(node.value, visit);
  }
}

}  // namespace detail

// visit(const ExpressionPtr&) for each child.
template <typename Visitor>
void for_each_child(const Expression& expression, Visitor&& visit) {
  std::visit([&](const auto& node) { detail::visit_children(node, visit); }, expression.node);
}

// The expression with every child replaced by what change(const ExpressionPtr&) gives; the same pointer if nothing
// changed.
template <typename Change>
ExpressionPtr map_children(const ExpressionPtr& expression, Change&& change) {
  std::vector<ExpressionPtr> changed;
  bool different = false;
  for_each_child(*expression, [&](const ExpressionPtr& child) {
    changed.push_back(change(child));
    if (changed.back() != child) different = true;
  });
  if (!different) return expression;
  Expression copy = *expression;
  std::size_t next = 0;
  std::visit(
      [&](auto& node) {
        detail::visit_children(node, [&](ExpressionPtr& slot) { slot = std::move(changed[next++]); });
      },
      copy.node);
  return std::make_shared<const Expression>(std::move(copy));
}

namespace detail {

template <typename Source, typename Visitor>
void visit_source(Source& source, Visitor&& visit) {
  using T = std::remove_const_t<Source>;
  if constexpr (std::is_same_v<T, FunctionSource>) {
    for (auto& item : source.functions) visit_slot(item.call, visit);
  } else if constexpr (std::is_same_v<T, ValuesSource>) {
    for (auto& row : source.rows) visit_slots(row, visit);
  } else if constexpr (std::is_same_v<T, JoinSource>) {
    visit_slots(source.columns, visit);
  }
}

template <typename Visitor>
void visit_join(const JoinTree& join, Visitor&& visit) {
  if (join.is_leaf()) return;
  visit_join(*join.left, visit);
  visit_join(*join.right, visit);
  visit_slot(join.condition, visit);
}

}  // namespace detail

// visit(const ExpressionPtr&) for every expression that stands in the query itself: not those of its subqueries, be
// they in FROM, in WITH or in an expression.
template <typename Visitor>
void for_each_expression(const Query& query, Visitor&& visit) {
  for (const RangeTableEntry& entry : query.entries) {
    std::visit([&](const auto& source) { detail::visit_source(source, visit); }, entry.source);
  }
  for (const JoinTreePtr& tree : query.from) detail::visit_join(*tree, visit);
  detail::visit_slot(query.where, visit);
  for (const Target& target : query.targets) detail::visit_slot(target.expression, visit);
  detail::visit_slot(query.having, visit);
  for (const Window& window : query.windows) {
    detail::visit_slot(window.start_offset, visit);
    detail::visit_slot(window.end_offset, visit);
  }
  detail::visit_slot(query.limit, visit);
  detail::visit_slot(query.offset, visit);
  if (query.on_conflict) {
    for (const Target& target : query.on_conflict->assignments) detail::visit_slot(target.expression, visit);
    detail::visit_slot(query.on_conflict->where, visit);
  }
  for (const Target& target : query.returning) detail::visit_slot(target.expression, visit);
}

// visit(const QueryPtr&) for the queries in FROM and in WITH, which are one level below this one. Those in expressions
// are found by for_each_expression().
template <typename Visitor>
void for_each_inner_query(const Query& query, Visitor&& visit) {
  for (const CommonTable& table : query.common_tables) detail::visit_slot(table.query, visit);
  for (const RangeTableEntry& entry : query.entries) {
    if (const auto* source = std::get_if<SubquerySource>(&entry.source)) detail::visit_slot(source->query, visit);
  }
}

// Every expression inside `expression`, itself included, those of subqueries too: visit(const Expression&, levels)
// where `levels` counts the queries entered; it returns false for what is not to be descended into.
template <typename Visitor>
void walk_deep(const Expression& expression, int levels, Visitor&& visit);
template <typename Visitor>
void walk_deep(const Query& query, int levels, Visitor&& visit) {
  for_each_expression(query, [&](const ExpressionPtr& part) { walk_deep(*part, levels, visit); });
  for_each_inner_query(query, [&](const QueryPtr& inner) { walk_deep(*inner, levels + 1, visit); });
}
template <typename Visitor>
void walk_deep(const Expression& expression, int levels, Visitor&& visit) {
  if (!visit(expression, levels)) return;
  for_each_child(expression, [&](const ExpressionPtr& child) { walk_deep(*child, levels, visit); });
  if (const auto* subquery = expression.as<Subquery>()) walk_deep(*subquery->query, levels + 1, visit);
}

// Whether two expressions say the same, wherever they were written and however their calls are shown (PostgreSQL's
// equal()).
bool same_expression(const Expression& a, const Expression& b);
inline bool same_expression(const ExpressionPtr& a, const ExpressionPtr& b) {
  return a == b || (a != nullptr && b != nullptr && same_expression(*a, *b));
}
bool same_query(const Query& a, const Query& b);

}  // namespace polarsim::engine::query
