// EXISTS, NOT EXISTS and IN become semi and anti joins (PostgreSQL's pull_up_sublinks(), prepjointree.c, and
// convert_ANY_sublink_to_join(), convert_EXISTS_sublink_to_join(), subselect.c).
#include <algorithm>

#include "engine/plan/prepare.h"

namespace polarsim::engine::plan {
namespace {

using query::Logical;
using query::make_expression;
using query::Subquery;

// Which entries' columns of the query itself are used.
std::vector<char> entries_of(const ExpressionPtr& expression, std::size_t count, int level = 0) {
  std::vector<char> entries(count, 0);
  if (expression) {
    query::walk(expression, [&](const Expression& node, int levels) {
      const auto* column = node.as<Column>();
      if (column != nullptr && column->levels_up == levels + level)
        entries[static_cast<std::size_t>(column->entry)] = 1;
      return true;
    });
  }
  return entries;
}
bool any_of(const std::vector<char>& entries) { return std::find(entries.begin(), entries.end(), 1) != entries.end(); }
bool is_within(const std::vector<char>& part, const std::vector<char>& whole) {
  for (std::size_t i = 0; i < part.size(); ++i) {
    if (part[i] != 0 && (i >= whole.size() || whole[i] == 0)) return false;
  }
  return true;
}
void add_leaves(const JoinNode& node, std::vector<char>& entries) {
  if (node.kind == JoinNode::Kind::leaf) entries[static_cast<std::size_t>(node.entry)] = 1;
  for (const auto& item : node.items) add_leaves(*item, entries);
}
std::vector<char> leaves_of(const JoinNode& node, std::size_t count) {
  std::vector<char> entries(count, 0);
  add_leaves(node, entries);
  return entries;
}

// Whether the query uses anything of the queries around it (or, of level 2 and up, around those).
bool uses_outer(const Query& query, int from_level) {
  bool found = false;
  query::walk(query, [&](const Expression& node, int levels) {
    if (const auto* column = node.as<Column>()) found |= column->levels_up >= levels + from_level;
    if (const auto* aggregate = node.as<query::Aggregate>()) found |= aggregate->levels_up >= levels + from_level;
    return !found;
  });
  return found;
}
bool uses_level(const Query& query, int level) {
  bool found = false;
  query::walk(query, [&](const Expression& node, int levels) {
    if (const auto* column = node.as<Column>()) found |= column->levels_up == levels + level;
    if (const auto* aggregate = node.as<query::Aggregate>()) found |= aggregate->levels_up == levels + level;
    return !found;
  });
  return found;
}

class SublinkPuller {
 public:
  explicit SublinkPuller(Level& level) : level_(level) {}

  void visit(JoinNodePtr& node) {
    if (node->kind == JoinNode::Kind::leaf) return;
    for (JoinNodePtr& item : node->items) visit(item);
    if (node->kind == JoinNode::Kind::list) {
      auto inner = std::make_shared<JoinNode>();
      inner->items = node->items;
      JoinNodePtr tree = inner;
      std::vector<ExpressionPtr> rest = pull(node->conditions, tree, nullptr);
      if (tree != inner) node->items = {tree};
      node->conditions = std::move(rest);
      return;
    }
    // Of an inner join both sides can be joined with more; of a left join the right one.
    if (node->type == PlanJoin::inner) {
      JoinNodePtr tree = node;
      std::vector<ExpressionPtr> conditions = std::move(node->conditions);
      node->conditions.clear();
      std::vector<ExpressionPtr> rest = pull(conditions, tree, nullptr);
      if (tree == node) {
        node->conditions = std::move(rest);
      } else {
        auto list = std::make_shared<JoinNode>();
        list->items = {tree};
        list->conditions = std::move(rest);
        node = list;
      }
    } else if (node->type == PlanJoin::left) {
      node->conditions = pull(node->conditions, node->items[1], nullptr);
    }
  }

 private:
  // Takes what can become a join with `tree`; gives the conditions that stay.
  std::vector<ExpressionPtr> pull(const std::vector<ExpressionPtr>& conditions, JoinNodePtr& tree, const JoinNodePtr&) {
    std::vector<ExpressionPtr> rest;
    for (const ExpressionPtr& condition : conditions) {
      if (!pull_one(condition, tree)) rest.push_back(condition);
    }
    return rest;
  }

  bool pull_one(const ExpressionPtr& condition, JoinNodePtr& tree) {
    if (const auto* subquery = condition->as<Subquery>()) {
      if (subquery->kind == Subquery::Kind::any) return pull_any(*subquery, tree);
      if (subquery->kind == Subquery::Kind::exists) return pull_exists(*subquery, tree, PlanJoin::semi);
      return false;
    }
    const auto* logical = condition->as<Logical>();
    if (logical == nullptr || logical->kind != Logical::Kind::negation) return false;
    const auto* subquery = logical->arguments.front()->as<Subquery>();
    return subquery != nullptr && subquery->kind == Subquery::Kind::exists &&
           pull_exists(*subquery, tree, PlanJoin::anti);
  }

  bool pull_any(const Subquery& subquery, JoinNodePtr& tree) {
    if (uses_level(*subquery.query, 1)) return false;
    bool uses_columns = false;
    for (std::size_t i = 0; i < subquery.left.size(); ++i) {
      const ExpressionPtr& left = subquery.left[i];
      if (subquery.left.size() > 1 && std::string_view(subquery.comparisons[i]->symbol) != "=") return false;
      if (query::contains_volatility(left, Volatility::volatile_function)) return false;
      const std::vector<char> used = entries_of(left, level_.query.entries.size());
      if (!is_within(used, leaves_of(*tree, used.size()))) return false;
      uses_columns |= any_of(used);
    }
    if (!uses_columns) return false;
    query::RangeTableEntry entry;
    entry.source = query::SubquerySource{subquery.query, false};
    entry.alias = "ANY_subquery";
    entry.columns = output_names(*subquery.query);
    const int number = static_cast<int>(level_.query.entries.size());
    auto leaf = std::make_shared<JoinNode>();
    leaf->kind = JoinNode::Kind::leaf;
    leaf->entry = number;
    auto join = std::make_shared<JoinNode>();
    join->kind = JoinNode::Kind::join;
    join->type = PlanJoin::semi;
    join->items = {tree, leaf};
    for (std::size_t i = 0; i < subquery.left.size(); ++i) {
      query::OperatorCall comparison;
      comparison.function = subquery.comparisons[i];
      ExpressionPtr right = make_expression(Column{number, static_cast<int>(i) + 1, 0}, entry.columns[i].type);
      comparison.arguments = {subquery.left[i], right};
      join->conditions.push_back(make_expression(std::move(comparison), TypeId::boolean));
    }
    level_.query.entries.push_back(std::move(entry));
    tree = join;
    return true;
  }

  bool pull_exists(const Subquery& subquery, JoinNodePtr& tree, PlanJoin type) {
    Query inner = *subquery.query;
    if (!inner.common_tables.empty() || !simplify_exists(inner)) return false;
    if (inner.from.empty() || inner.where == nullptr) return false;
    const ExpressionPtr where = inner.where;
    inner.where = nullptr;
    if (uses_outer(inner, 1)) return false;
    const std::size_t count = level_.query.entries.size();
    const std::vector<char> outer_used = entries_of(where, count, 1);
    if (!any_of(outer_used) || !is_within(outer_used, leaves_of(*tree, count))) return false;
    if (!any_of(entries_of(where, inner.entries.size()))) return false;
    if (query::contains_volatility(where, Volatility::volatile_function)) return false;

    const int offset = static_cast<int>(count);
    auto holder = std::make_shared<Query>(std::move(inner));
    holder->where = where;
    QueryPtr moved = move_entries(holder, offset);
    auto right = std::make_shared<JoinNode>();
    for (const auto& item : moved->from) {
      JoinNodePtr node = make_join_node(item);
      shift_entries(*node, offset);
      right->items.push_back(node);
    }
    for (const auto& entry : moved->entries) level_.query.entries.push_back(entry);
    flatten_new_joins(offset);
    auto join = std::make_shared<JoinNode>();
    join->kind = JoinNode::Kind::join;
    join->type = type;
    std::vector<ExpressionPtr> conditions;
    add_conjuncts(flatten(moved->where, offset), conditions);
    for (auto& item : right->items) flatten_node(*item, offset);
    JoinNodePtr right_tree = right;
    visit(right_tree);
    // Queries in its condition may become joins with the new side.
    std::vector<ExpressionPtr> rest = pull(conditions, right_tree, nullptr);
    join->items = {tree, right_tree};
    join->conditions = std::move(rest);
    tree = join;
    return true;
  }

  // The query's own entries count from `offset`, and what was one query further out is now this one.
  static QueryPtr move_entries(const QueryPtr& query, int offset) {
    QueryPtr moved = query::rewrite(query, [&](const ExpressionPtr& expression, int levels) -> ExpressionPtr {
      const auto* column = expression->as<Column>();
      if (column == nullptr || column->levels_up != levels) return nullptr;
      Column copy = *column;
      copy.entry += offset;
      return make_expression(copy, expression->type, expression->position);
    });
    return shift_levels(moved, -1, 1);
  }
  static void shift_entries(JoinNode& node, int offset) {
    if (node.entry >= 0) node.entry += offset;
    for (auto& item : node.items) shift_entries(*item, offset);
    if (node.kind == JoinNode::Kind::join && node.type == PlanJoin::right) {
      std::swap(node.items[0], node.items[1]);
      node.type = PlanJoin::left;
    }
  }
  void flatten_new_joins(int offset) {
    for (std::size_t i = static_cast<std::size_t>(offset); i < level_.query.entries.size(); ++i) {
      if (auto* join = std::get_if<query::JoinSource>(&level_.query.entries[i].source)) {
        for (auto& column : join->columns) column = flatten(column, offset);
      }
    }
  }
  // Columns of joins that came with the query become what they stand for.
  ExpressionPtr flatten(const ExpressionPtr& expression, int offset) {
    return query::rewrite(expression, [&](const ExpressionPtr& e, int levels) -> ExpressionPtr {
      const auto* column = e->as<Column>();
      if (column == nullptr || column->levels_up != levels || column->entry < offset) return nullptr;
      const auto& entry = level_.query.entries[static_cast<std::size_t>(column->entry)];
      const auto* join = std::get_if<query::JoinSource>(&entry.source);
      if (join == nullptr || column->column == Column::whole_row) return nullptr;
      return shift_levels(flatten(join->columns[static_cast<std::size_t>(column->column - 1)], offset), levels, 0);
    });
  }
  void flatten_node(JoinNode& node, int offset) {
    for (auto& condition : node.conditions) condition = flatten(condition, offset);
    for (auto& item : node.items) flatten_node(*item, offset);
  }

  Level& level_;
};

}  // namespace

void pull_up_sublinks(Level& level) { SublinkPuller(level).visit(level.tree); }

}  // namespace polarsim::engine::plan
