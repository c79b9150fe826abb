// Whether two queries say the same (PostgreSQL's equal(), src/backend/nodes/equalfuncs.c).
#include <algorithm>
#include <type_traits>
#include <variant>

#include "engine/query/expression_walk.h"
#include "engine/query/query.h"
#include "engine/types/stack_depth.h"

namespace polarsim::engine::query {
namespace {

bool same(const ExpressionPtr& a, const ExpressionPtr& b) { return equal(a, b); }
bool same(const QueryPtr& a, const QueryPtr& b) { return a == b || (a != nullptr && b != nullptr && equal(*a, *b)); }
bool same(const RelationPtr& a, const RelationPtr& b) {
  return a == b || (a != nullptr && b != nullptr && a->id == b->id && a->schema == b->schema && a->name == b->name);
}
bool same(const OutputName& a, const OutputName& b) { return a.name == b.name && a.type == b.type; }
bool same(const Target& a, const Target& b) {
  return a.name == b.name && a.hidden == b.hidden && a.column == b.column && equal(a.expression, b.expression);
}
bool same(const SortClause& a, const SortClause& b) {
  return a.target == b.target && a.descending == b.descending && a.nulls_first == b.nulls_first;
}
bool same(const RowMark& a, const RowMark& b) {
  return a.entry == b.entry && a.strength == b.strength && a.wait == b.wait;
}
bool same(const FunctionSource::Item& a, const FunctionSource::Item& b) {
  return a.columns == b.columns && equal(a.call, b.call);
}

bool same(const RangeTableEntry& a, const RangeTableEntry& b);
bool same(const JoinTreePtr& a, const JoinTreePtr& b);
bool same(const Window& a, const Window& b);
bool same(const CommonTable& a, const CommonTable& b);

template <typename Item>
bool same(const std::vector<Item>& a, const std::vector<Item>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Item& one, const Item& other) {
    if constexpr (std::is_same_v<Item, std::string> || std::is_arithmetic_v<Item> ||
                  std::is_same_v<Item, std::vector<int>>) {
      return one == other;
    } else {
      return same(one, other);
    }
  });
}

bool same(const TableSource& a, const TableSource& b) { return a.lock == b.lock && same(a.relation, b.relation); }
bool same(const SubquerySource& a, const SubquerySource& b) {
  return a.lateral == b.lateral && same(a.view, b.view) && same(a.query, b.query);
}
bool same(const FunctionSource& a, const FunctionSource& b) {
  return a.with_ordinality == b.with_ordinality && a.lateral == b.lateral && same(a.functions, b.functions);
}
bool same(const ValuesSource& a, const ValuesSource& b) { return a.lateral == b.lateral && same(a.rows, b.rows); }
bool same(const CommonTableSource& a, const CommonTableSource& b) {
  return a.table == b.table && a.levels_up == b.levels_up && a.recursive_reference == b.recursive_reference;
}
bool same(const JoinSource& a, const JoinSource& b) {
  return a.using_columns == b.using_columns && a.using_alias == b.using_alias && same(a.columns, b.columns);
}
bool same(const SystemViewSource& a, const SystemViewSource& b) { return same(a.relation, b.relation); }
bool same(const CustomSource& a, const CustomSource& b) { return a.rows == b.rows; }

bool same(const RangeTableEntry& a, const RangeTableEntry& b) {
  if (a.alias != b.alias || a.source.index() != b.source.index() || !same(a.columns, b.columns)) return false;
  return std::visit(
      [&](const auto& source) { return same(source, std::get<std::remove_cvref_t<decltype(source)>>(b.source)); },
      a.source);
}

bool same(const JoinTreePtr& a, const JoinTreePtr& b) {
  if (a == nullptr || b == nullptr) return a == b;
  return a->entry == b->entry && a->type == b->type && equal(a->condition, b->condition) && same(a->left, b->left) &&
         same(a->right, b->right);
}

bool same(const SetOperationPtr& a, const SetOperationPtr& b) {
  if (a == nullptr || b == nullptr) return a == b;
  return a->entry == b->entry && a->kind == b->kind && a->all == b->all && a->types == b->types &&
         same(a->left, b->left) && same(a->right, b->right);
}

bool same(const Window& a, const Window& b) {
  return a.partition_by == b.partition_by && same(a.order_by, b.order_by) && a.mode == b.mode && a.start == b.start &&
         a.end == b.end && equal(a.start_offset, b.start_offset) && equal(a.end_offset, b.end_offset) &&
         a.exclusion == b.exclusion;
}

bool same(const CommonTable& a, const CommonTable& b) {
  return a.name == b.name && a.recursive == b.recursive && a.materialized == b.materialized &&
         same(a.columns, b.columns) && same(a.query, b.query);
}

}  // namespace

bool equal(const Query& a, const Query& b) {
  check_stack_depth();
  if (&a == &b) return true;
  // Changes inside a query are done once for each time that they are written.
  if (a.command != Command::select || b.command != Command::select) return false;
  return a.grouped == b.grouped && a.distinct == b.distinct && a.with_ties == b.with_ties && a.group_by == b.group_by &&
         a.grouping_sets == b.grouping_sets && same(a.common_tables, b.common_tables) && same(a.entries, b.entries) &&
         same(a.from, b.from) && equal(a.where, b.where) && same(a.targets, b.targets) && equal(a.having, b.having) &&
         same(a.windows, b.windows) && same(a.order_by, b.order_by) && same(a.distinct_on, b.distinct_on) &&
         equal(a.limit, b.limit) && equal(a.offset, b.offset) && same(a.row_marks, b.row_marks) &&
         same(a.set_operation, b.set_operation);
}

}  // namespace polarsim::engine::query
