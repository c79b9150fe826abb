// Columns of subqueries in FROM that nobody asks for are not computed (PostgreSQL's remove_unused_subquery_outputs(),
// optimizer/path/allpaths.c): that costs less, and what would fail there does not.
#include "engine/query/unused_outputs.h"

#include <set>

#include "engine/plan/prepare.h"

namespace polarsim::engine::plan {
namespace {

using Used = std::set<std::pair<int, int>>;  // entry and column

}  // namespace

void remove_unused_outputs(Level& level) {
  std::vector<int> leaves;
  for (const BaseRelation& base : level.bases) {
    const auto& source = level.query.entries[static_cast<std::size_t>(base.entry)].source;
    if (std::holds_alternative<query::SubquerySource>(source)) leaves.push_back(base.entry);
  }
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
  for (const Condition& condition : level.all_conditions) {
    if (!condition.moved) query::walk(condition.expression, visit);
  }
  for (const EquivalenceClass& equivalence : level.classes) {
    if (equivalence.members.size() < 2 || equivalence.has_constant) continue;
    for (const EquivalenceClass::Member& member : equivalence.members) query::walk(member.expression, visit);
  }
  for (const int entry : leaves) {
    auto& source = std::get<query::SubquerySource>(level.query.entries[static_cast<std::size_t>(entry)].source);
    if (used.contains({entry, Column::whole_row})) continue;
    source.query = query::without_unused_outputs(source.query, [&](int column) {
      return used.contains({entry, column});
    });
  }
}

}  // namespace polarsim::engine::plan
