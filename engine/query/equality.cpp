#include <algorithm>

#include "engine/query/walk.h"

namespace polarsim::engine::query {

namespace {

bool same_list(const std::vector<ExpressionPtr>& a, const std::vector<ExpressionPtr>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const ExpressionPtr& x, const ExpressionPtr& y) { return same_expression(x, y); });
}
bool same_keys(const std::vector<OrderKey>& a, const std::vector<OrderKey>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const OrderKey& x, const OrderKey& y) {
    return x.descending == y.descending && x.nulls_first == y.nulls_first && same_expression(x.expression, y.expression);
  });
}
bool same_indexes(const std::vector<Subscript::Index>& a, const std::vector<Subscript::Index>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Subscript::Index& x, const Subscript::Index& y) {
    return x.slice == y.slice && same_expression(x.lower, y.lower) && same_expression(x.upper, y.upper);
  });
}

// Of nodes of one kind: what is not a child. Children are compared by whoever calls.
template <typename T>
bool same_properties(const T& /*a*/, const T& /*b*/) {
  return true;
}
template <>
bool same_properties(const Constant& a, const Constant& b) {
  return a.value == b.value;
}
template <>
bool same_properties(const Parameter& a, const Parameter& b) {
  return a.index == b.index && a.of_plan == b.of_plan;
}
template <>
bool same_properties(const Column& a, const Column& b) {
  return a.entry == b.entry && a.column == b.column && a.levels_up == b.levels_up;
}
template <>
bool same_properties(const Call& a, const Call& b) {
  return a.function == b.function && a.variadic_array == b.variadic_array;
}
template <>
bool same_properties(const OperatorCall& a, const OperatorCall& b) {
  return a.function == b.function;
}
template <>
bool same_properties(const ArrayComparison& a, const ArrayComparison& b) {
  return a.function == b.function && a.all == b.all;
}
template <>
bool same_properties(const Logical& a, const Logical& b) {
  return a.kind == b.kind;
}
template <>
bool same_properties(const NullTest& a, const NullTest& b) {
  return a.negated == b.negated;
}
template <>
bool same_properties(const BooleanTest& a, const BooleanTest& b) {
  return a.kind == b.kind;
}
template <>
bool same_properties(const DistinctTest& a, const DistinctTest& b) {
  return a.equality == b.equality && a.negated == b.negated;
}
template <>
bool same_properties(const NullIf& a, const NullIf& b) {
  return a.equality == b.equality;
}
template <>
bool same_properties(const Case& a, const Case& b) {
  return a.branches.size() == b.branches.size() && (a.operand == nullptr) == (b.operand == nullptr);
}
template <>
bool same_properties(const MinMax& a, const MinMax& b) {
  return a.greatest == b.greatest;
}
template <>
bool same_properties(const Convert& a, const Convert& b) {
  return a.conversion.kind == b.conversion.kind && a.conversion.cast == b.conversion.cast;
}
template <>
bool same_properties(const RowComparison& a, const RowComparison& b) {
  return a.comparisons == b.comparisons;
}
template <>
bool same_properties(const ArrayConstructor& a, const ArrayConstructor& b) {
  return a.nested == b.nested;
}
template <>
bool same_properties(const Subscript& a, const Subscript& b) {
  return same_indexes(a.indexes, b.indexes);
}
template <>
bool same_properties(const FieldSelection& a, const FieldSelection& b) {
  return a.field == b.field;
}
template <>
bool same_properties(const Subquery& a, const Subquery& b) {
  return a.kind == b.kind && a.comparisons == b.comparisons && same_query(*a.query, *b.query);
}
template <>
bool same_properties(const Aggregate& a, const Aggregate& b) {
  return a.function == b.function && a.distinct == b.distinct && a.star == b.star && a.levels_up == b.levels_up &&
         a.arguments.size() == b.arguments.size() && same_keys(a.order_by, b.order_by) &&
         (a.filter == nullptr) == (b.filter == nullptr);
}
template <>
bool same_properties(const WindowCall& a, const WindowCall& b) {
  return a.function == b.function && a.star == b.star && a.window == b.window &&
         a.arguments.size() == b.arguments.size() && (a.filter == nullptr) == (b.filter == nullptr);
}
template <>
bool same_properties(const GroupingCall& a, const GroupingCall& b) {
  return a.groups == b.groups;
}
template <>
bool same_properties(const Subplan& a, const Subplan& b) {
  return a.kind == b.kind && a.subplan == b.subplan && a.comparisons == b.comparisons;
}
template <>
bool same_properties(const ValueFunction& a, const ValueFunction& b) {
  return a.kind == b.kind && a.precision == b.precision;
}
template <>
bool same_properties(const SubscriptAssignment& a, const SubscriptAssignment& b) {
  return same_indexes(a.indexes, b.indexes);
}

bool same_children(const Expression& a, const Expression& b) {
  std::vector<const Expression*> left;
  for_each_child(a, [&](const ExpressionPtr& child) { left.push_back(child.get()); });
  std::size_t next = 0;
  bool same = true;
  for_each_child(b, [&](const ExpressionPtr& child) {
    if (same) same = next < left.size() && same_expression(*left[next], *child);
    ++next;
  });
  return same && next == left.size();
}

bool same_source(const RangeTableEntry& a, const RangeTableEntry& b) {
  if (a.source.index() != b.source.index() || a.columns.size() != b.columns.size()) return false;
  if (const auto* table = std::get_if<TableSource>(&a.source)) {
    return table->relation->id == std::get<TableSource>(b.source).relation->id;
  }
  if (const auto* view = std::get_if<SystemViewSource>(&a.source)) {
    return view->relation->id == std::get<SystemViewSource>(b.source).relation->id;
  }
  if (const auto* common = std::get_if<CommonTableSource>(&a.source)) {
    const auto& other = std::get<CommonTableSource>(b.source);
    return common->table == other.table && common->levels_up == other.levels_up;
  }
  if (const auto* function = std::get_if<FunctionSource>(&a.source)) {
    const auto& other = std::get<FunctionSource>(b.source);
    return function->functions.size() == other.functions.size() && function->with_ordinality == other.with_ordinality;
  }
  if (const auto* values = std::get_if<ValuesSource>(&a.source)) {
    return values->rows.size() == std::get<ValuesSource>(b.source).rows.size();
  }
  return true;
}

bool same_tree(const JoinTreePtr& a, const JoinTreePtr& b) {
  if (a->is_leaf() || b->is_leaf()) return a->is_leaf() && b->is_leaf() && a->entry == b->entry;
  return a->type == b->type && (a->condition == nullptr) == (b->condition == nullptr) && same_tree(a->left, b->left) &&
         same_tree(a->right, b->right);
}
bool same_operation(const SetOperationPtr& a, const SetOperationPtr& b) {
  if (a == nullptr || b == nullptr) return a == b;
  if (a->is_leaf() || b->is_leaf()) return a->is_leaf() && b->is_leaf() && a->entry == b->entry;
  return a->kind == b->kind && a->all == b->all && same_operation(a->left, b->left) &&
         same_operation(a->right, b->right);
}
bool same_order(const std::vector<SortClause>& a, const std::vector<SortClause>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const SortClause& x, const SortClause& y) {
    return x.target == y.target && x.descending == y.descending && x.nulls_first == y.nulls_first;
  });
}
bool same_window(const Window& a, const Window& b) {
  return a.partition_by == b.partition_by && same_order(a.order_by, b.order_by) && a.mode == b.mode &&
         a.start == b.start && a.end == b.end && a.exclusion == b.exclusion;
}

}  // namespace

bool same_expression(const Expression& a, const Expression& b) {
  if (&a == &b) return true;
  if (a.node.index() != b.node.index() || a.type != b.type) return false;
  const bool properties = std::visit(
      [&](const auto& node) {
        using T = std::decay_t<decltype(node)>;
        return same_properties<T>(node, std::get<T>(b.node));
      },
      a.node);
  return properties && same_children(a, b);
}

bool same_query(const Query& a, const Query& b) {
  if (&a == &b) return true;
  if (a.command != Command::select || b.command != Command::select) return false;
  if (a.common_tables.size() != b.common_tables.size() || a.entries.size() != b.entries.size() ||
      a.from.size() != b.from.size() || a.targets.size() != b.targets.size() || a.group_by != b.group_by ||
      a.grouping_sets != b.grouping_sets || a.distinct != b.distinct || a.with_ties != b.with_ties ||
      a.windows.size() != b.windows.size() || a.row_marks.size() != b.row_marks.size()) {
    return false;
  }
  const bool parts =
      std::equal(a.entries.begin(), a.entries.end(), b.entries.begin(), same_source) &&
      std::equal(a.from.begin(), a.from.end(), b.from.begin(), same_tree) && same_order(a.order_by, b.order_by) &&
      same_order(a.distinct_on, b.distinct_on) &&
      std::equal(a.windows.begin(), a.windows.end(), b.windows.begin(), same_window) &&
      same_operation(a.set_operation, b.set_operation) && (a.where == nullptr) == (b.where == nullptr) &&
      (a.having == nullptr) == (b.having == nullptr) && (a.limit == nullptr) == (b.limit == nullptr) &&
      (a.offset == nullptr) == (b.offset == nullptr);
  if (!parts) return false;
  std::vector<ExpressionPtr> left;
  std::vector<ExpressionPtr> right;
  for_each_expression(a, [&](const ExpressionPtr& part) { left.push_back(part); });
  for_each_expression(b, [&](const ExpressionPtr& part) { right.push_back(part); });
  if (!same_list(left, right)) return false;
  std::vector<QueryPtr> inner;
  for_each_inner_query(a, [&](const QueryPtr& query) { inner.push_back(query); });
  std::size_t next = 0;
  bool same = true;
  for_each_inner_query(b, [&](const QueryPtr& query) {
    if (same) same = next < inner.size() && same_query(*inner[next], *query);
    ++next;
  });
  return same && next == inner.size();
}

}  // namespace polarsim::engine::query
