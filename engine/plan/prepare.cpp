#include "engine/plan/prepare.h"

#include <algorithm>

#include "engine/query/fold.h"
#include "engine/types/stack_depth.h"

namespace polarsim::engine::plan {
namespace {

using query::JoinTreePtr;
using query::make_expression;

// The rows of a level around the query with FROM and WHERE taken out, as something rewriting takes.
template <typename Rewrite>
void with_query(Level& level, Rewrite rewrite) {
  auto before = std::make_shared<const Query>(std::move(level.query));
  QueryPtr after = rewrite(QueryPtr(before));
  level.query = *after;
}

void rewrite_node(JoinNode& node, const query::MapExpression& map) {
  for (ExpressionPtr& condition : node.conditions) condition = map(condition);
  for (JoinNodePtr& item : node.items) rewrite_node(*item, map);
}

// Columns of joins become what they stand for (flatten_join_alias_vars). Those may be columns of joins again.
void flatten_join_columns(Level& level) {
  bool any = false;
  for (const auto& entry : level.query.entries) any |= std::holds_alternative<query::JoinSource>(entry.source);
  if (!any) return;
  const std::vector<query::RangeTableEntry> entries = level.query.entries;
  // Of the many columns of many joins few are asked for.
  for (auto& entry : level.query.entries) {
    if (auto* join = std::get_if<query::JoinSource>(&entry.source)) join->columns.clear();
  }
  auto replace = [&](auto& self, const ExpressionPtr& expression, int levels) -> ExpressionPtr {
    const auto* column = expression->as<Column>();
    if (column == nullptr || column->levels_up != levels) return nullptr;
    const auto* join = std::get_if<query::JoinSource>(&entries[static_cast<std::size_t>(column->entry)].source);
    if (join == nullptr) return nullptr;
    auto expand = [&](const ExpressionPtr& meant) {
      ExpressionPtr flat = query::rewrite(
          meant, [&](const ExpressionPtr& inner, int inner_levels) { return self(self, inner, inner_levels); });
      return levels == 0 ? flat : shift_levels(flat, levels, 0);
    };
    if (column->column != Column::whole_row) return expand(join->columns[static_cast<std::size_t>(column->column - 1)]);
    query::RowConstructor row;
    const auto& names = entries[static_cast<std::size_t>(column->entry)].columns;
    for (std::size_t i = 0; i < join->columns.size(); ++i) {
      row.fields.push_back(expand(join->columns[i]));
      row.names.push_back(names[i].name);
    }
    return make_expression(std::move(row), TypeId::record, expression->position);
  };
  rewrite_level(level, [&](const ExpressionPtr& e, int levels) { return replace(replace, e, levels); });
}

// --- common tables used once ---

QueryPtr put_in_common_table(const QueryPtr& query, int table, const QueryPtr& definition, int level);

ExpressionPtr put_in_common_table(const ExpressionPtr& expression, int table, const QueryPtr& definition, int level) {
  return query::map_children(
      expression, [&](const ExpressionPtr& child) { return put_in_common_table(child, table, definition, level); },
      [&](const QueryPtr& inner) { return put_in_common_table(inner, table, definition, level + 1); });
}

QueryPtr put_in_common_table(const QueryPtr& query, int table, const QueryPtr& definition, int level) {
  QueryPtr result = query::map_query(
      query, [&](const ExpressionPtr& expression) { return put_in_common_table(expression, table, definition, level); },
      [&](const QueryPtr& inner) { return put_in_common_table(inner, table, definition, level + 1); });
  for (std::size_t i = 0; i < result->entries.size(); ++i) {
    const auto* source = std::get_if<query::CommonTableSource>(&result->entries[i].source);
    if (source == nullptr || source->table != table || source->levels_up != level) continue;
    auto copy = std::make_shared<Query>(*result);
    copy->entries[i].source =
        query::SubquerySource{level == 0 ? definition : shift_levels(definition, level, 1), false};
    result = copy;
  }
  return result;
}

bool is_volatile(const QueryPtr& query) {
  query::Subquery holder;
  holder.query = query;
  return query::contains_volatility(make_expression(holder, TypeId::record), Volatility::volatile_function);
}

void inline_common_tables(Level& level) {
  for (std::size_t i = 0; i < level.query.common_tables.size(); ++i) {
    using Materialized = query::CommonTable::Materialized;
    const query::CommonTable& table = level.query.common_tables[i];
    const bool wanted =
        table.materialized == Materialized::never || (table.materialized == Materialized::by_use && table.uses == 1);
    if (!wanted || table.recursive || table.query->command != query::Command::select ||
        !table.query->row_marks.empty() || is_volatile(table.query)) {
      continue;
    }
    const QueryPtr definition = table.query;
    with_query(level,
               [&](const QueryPtr& query) { return put_in_common_table(query, static_cast<int>(i), definition, 0); });
    rewrite_node(*level.tree, [&](const ExpressionPtr& expression) {
      return put_in_common_table(expression, static_cast<int>(i), definition, 0);
    });
    // Nobody uses it any more, and what is left keeps the numbers of the others.
    level.query.common_tables[i].query = std::make_shared<const Query>();
    level.query.common_tables[i].uses = 0;
  }
}

// RIGHT JOIN is LEFT JOIN with its sides exchanged.
void turn_right_joins(JoinNode& node) {
  for (JoinNodePtr& item : node.items) turn_right_joins(*item);
  if (node.kind == JoinNode::Kind::join && node.type == PlanJoin::right) {
    std::swap(node.items[0], node.items[1]);
    node.type = PlanJoin::left;
  }
}

}  // namespace

void rewrite_level(Level& level, query::ReplaceNode replace) {
  with_query(level, [&](const QueryPtr& query) { return query::rewrite(query, replace, 0); });
  rewrite_node(*level.tree, [&](const ExpressionPtr& expression) { return query::rewrite(expression, replace, 0); });
}

ExpressionPtr shift_levels(const ExpressionPtr& expression, int by, int from_level) {
  if (expression == nullptr || by == 0) return expression;
  ExpressionPtr here = expression;
  if (const auto* column = expression->as<Column>()) {
    if (column->levels_up < from_level) return expression;
    Column shifted = *column;
    shifted.levels_up += by;
    return query::make_expression(shifted, expression->type, expression->position);
  }
  if (const auto* aggregate = expression->as<query::Aggregate>()) {
    if (aggregate->levels_up >= from_level) {
      query::Aggregate shifted = *aggregate;
      shifted.levels_up += by;
      here = query::make_expression(std::move(shifted), expression->type, expression->position);
    }
  }
  return query::map_children(
      here, [&](const ExpressionPtr& child) { return shift_levels(child, by, from_level); },
      [&](const QueryPtr& inner) { return shift_levels(inner, by, from_level + 1); });
}

QueryPtr shift_levels(const QueryPtr& query, int by, int from_level) {
  if (by == 0) return query;
  QueryPtr result = query::map_query(
      query, [&](const ExpressionPtr& expression) { return shift_levels(expression, by, from_level); },
      [&](const QueryPtr& inner) { return shift_levels(inner, by, from_level + 1); });
  for (std::size_t i = 0; i < result->entries.size(); ++i) {
    const auto* source = std::get_if<query::CommonTableSource>(&result->entries[i].source);
    if (source == nullptr || source->levels_up < from_level) continue;
    auto copy = std::make_shared<Query>(*result);
    std::get<query::CommonTableSource>(copy->entries[i].source).levels_up += by;
    result = copy;
  }
  return result;
}

JoinNodePtr make_join_node(const JoinTreePtr& tree) {
  check_stack_depth();
  auto node = std::make_shared<JoinNode>();
  node->entry = tree->entry;
  if (tree->is_leaf()) {
    node->kind = JoinNode::Kind::leaf;
    return node;
  }
  node->kind = JoinNode::Kind::join;
  node->items = {make_join_node(tree->left), make_join_node(tree->right)};
  switch (tree->type) {
    case query::JoinType::inner:
      node->type = PlanJoin::inner;
      break;
    case query::JoinType::left:
      node->type = PlanJoin::left;
      break;
    case query::JoinType::right:
      node->type = PlanJoin::right;
      break;
    case query::JoinType::full:
      node->type = PlanJoin::full;
      break;
  }
  if (tree->condition) add_conjuncts(tree->condition, node->conditions);
  return node;
}

void prepare(Level& level, const QueryPtr& query) {
  level.query = *query;
  level.tree = std::make_shared<JoinNode>();
  for (const JoinTreePtr& item : level.query.from) level.tree->items.push_back(make_join_node(item));
  add_conjuncts(level.query.where, level.tree->conditions);
  level.query.from.clear();
  level.query.where = nullptr;
  if (!level.query.common_tables.empty()) inline_common_tables(level);
  level.common_tables.resize(level.query.common_tables.size());
  turn_right_joins(*level.tree);
  flatten_join_columns(level);
  if (level.query.has_subqueries) pull_up_sublinks(level);
  pull_up_subqueries(level);
}

void fold_level(Level& level) {
  const PlannerInputs& inputs = level.statement.inputs;
  const query::FoldOptions options{inputs.call, inputs.parameters, false, false};
  with_query(level, [&](const QueryPtr& query) { return query::fold(query, options); });
  auto visit = [&](auto& self, JoinNode& node) -> void {
    std::vector<ExpressionPtr> folded;
    for (const ExpressionPtr& condition : node.conditions) {
      const ExpressionPtr each = query::fold(condition, options);
      add_conjuncts(each, folded);
      // What follows does not matter, not even its errors.
      const auto* constant = each->as<query::Constant>();
      if (constant == nullptr || constant->value.is_null() || constant->value.as_boolean()) continue;
      folded = {each};
      break;
    }
    node.conditions = std::move(folded);
    for (JoinNodePtr& item : node.items) self(self, *item);
  };
  visit(visit, *level.tree);
}

namespace {

// That sees nothing of the query where it stands: it becomes a parameter, found when it is asked for.
bool is_initial_plan(const query::Subquery& subquery) {
  using enum query::Subquery::Kind;
  bool sees = subquery.kind == any || subquery.kind == all;
  query::walk(
      *subquery.query,
      [&](const Expression& node, int levels) {
        const auto* column = node.as<Column>();
        const auto* aggregate = node.as<query::Aggregate>();
        sees = sees || (column != nullptr && column->levels_up == levels) ||
               (aggregate != nullptr && aggregate->levels_up == levels);
        return !sees;
      },
      1);
  return !sees;
}

}  // namespace

void move_having(Level& level) {
  if (level.query.having == nullptr) return;
  const Query& query = level.query;
  const bool with_sets = !query.group_by.empty() && !query.grouping_sets.empty();
  std::vector<ExpressionPtr> conditions;
  add_conjuncts(query.having, conditions);
  std::vector<ExpressionPtr> kept;
  for (const ExpressionPtr& condition : conditions) {
    const bool stays = with_sets || query::contains_volatility(condition, Volatility::volatile_function) ||
                       query::contains(condition, [](const Expression& node) {
                         const auto* subquery = node.as<query::Subquery>();
                         return node.as<query::Aggregate>() || node.as<query::GroupingCall>() ||
                                (subquery != nullptr && !is_initial_plan(*subquery));
                       });
    if (!stays) level.tree->conditions.push_back(condition);
    // Without groups, there is a row for no rows, too.
    if (stays || query.group_by.empty()) kept.push_back(condition);
  }
  if (kept.size() == conditions.size()) return;
  if (kept.size() > 1) {
    level.query.having = make_expression(query::Logical{query::Logical::Kind::conjunction, kept}, TypeId::boolean);
  } else {
    level.query.having = kept.empty() ? nullptr : kept.front();
  }
}

bool simplify_exists(Query& query) {
  const bool one_group = query.grouped && query.group_by.empty();
  if (query.command != query::Command::select || query.set_operation || one_group || !query.grouping_sets.empty() ||
      query.has_set_functions || !query.row_marks.empty() || query.having || query.offset ||
      query.has_changing_common_tables) {
    return false;
  }
  // A window that is defined and not used computes nothing.
  const auto looks_around = [](const query::Target& target) {
    return query::contains(target.expression, [](const Expression& node) {
      return node.as<query::Aggregate>() || node.as<query::WindowCall>();
    });
  };
  if (std::any_of(query.targets.begin(), query.targets.end(), looks_around)) return false;
  if (query.limit) {
    const auto* limit = query.limit->as<query::Constant>();
    if (limit == nullptr || (!limit->value.is_null() && limit->value.as_integer() <= 0)) return false;
    query.limit = nullptr;
  }
  query.targets.clear();
  query.windows.clear();
  query.group_by.clear();
  query.grouped = false;
  query.distinct = false;
  query.distinct_on.clear();
  query.order_by.clear();
  return true;
}

}  // namespace polarsim::engine::plan
