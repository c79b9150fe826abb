// Columns of subqueries in FROM that nobody asks for are not computed (PostgreSQL's remove_unused_subquery_outputs(),
// optimizer/path/allpaths.c): that costs less, and what would fail there does not.
#include <algorithm>
#include <set>

#include "engine/plan/prepare.h"

namespace polarsim::engine::plan {
namespace {

void add_leaves(const JoinNode& node, std::vector<int>& entries) {
  if (node.kind == JoinNode::Kind::leaf) entries.push_back(node.entry);
  for (const JoinNodePtr& item : node.items) add_leaves(*item, entries);
}

using Used = std::set<std::pair<int, int>>;  // entry and column

void add_used(const JoinNode& node, query::VisitNode visit) {
  for (const ExpressionPtr& condition : node.conditions) query::walk(condition, visit);
  for (const JoinNodePtr& item : node.items) add_used(*item, visit);
}

// Targets that sort, group or divide.
std::set<int> needed_targets(const Query& query) {
  std::set<int> needed(query.group_by.begin(), query.group_by.end());
  for (const query::SortClause& clause : query.order_by) needed.insert(clause.target);
  for (const query::SortClause& clause : query.distinct_on) needed.insert(clause.target);
  for (const query::Window& window : query.windows) {
    needed.insert(window.partition_by.begin(), window.partition_by.end());
    for (const query::SortClause& clause : window.order_by) needed.insert(clause.target);
  }
  return needed;
}

QueryPtr without_unused(const QueryPtr& query, int entry, const Used& used) {
  const bool plain = query->command == query::Command::select && !query->set_operation && !query->distinct;
  if (!plain || used.contains({entry, Column::whole_row})) return query;
  const std::set<int> needed = needed_targets(*query);
  std::shared_ptr<Query> changed;
  int column = 0;
  for (std::size_t i = 0; i < query->targets.size(); ++i) {
    const query::Target& target = query->targets[i];
    if (target.hidden) continue;
    ++column;
    if (used.contains({entry, column}) || needed.contains(static_cast<int>(i))) continue;
    if (target.expression->as<query::Constant>() != nullptr || returns_set(target.expression)) continue;
    if (query::contains_volatility(target.expression, Volatility::volatile_function)) continue;
    if (!changed) changed = std::make_shared<Query>(*query);
    changed->targets[i].expression = query::make_expression(query::Constant{}, target.expression->type);
  }
  return changed ? changed : query;
}

}  // namespace

void remove_unused_outputs(Level& level) {
  std::vector<int> leaves;
  add_leaves(*level.tree, leaves);
  std::erase_if(leaves, [&](int entry) {
    const auto& source = level.query.entries[static_cast<std::size_t>(entry)].source;
    return !std::holds_alternative<query::SubquerySource>(source);
  });
  // Rows that are locked, or that others are changed by, are kept whole.
  const bool keeps_rows = !level.query.row_marks.empty() || level.query.command == query::Command::update ||
                          level.query.command == query::Command::remove;
  if (leaves.empty() || keeps_rows) return;
  Used used;
  const auto visit = [&](const Expression& node, int levels) {
    const auto* column = node.as<Column>();
    if (column != nullptr && column->levels_up == levels) used.insert({column->entry, column->column});
    return true;
  };
  query::walk(level.query, visit);
  add_used(*level.tree, visit);
  for (const int entry : leaves) {
    auto& source = std::get<query::SubquerySource>(level.query.entries[static_cast<std::size_t>(entry)].source);
    source.query = without_unused(source.query, entry, used);
  }
}

}  // namespace polarsim::engine::plan
