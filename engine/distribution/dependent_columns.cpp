#include "engine/distribution/dependent_columns.h"

#include <algorithm>

#include "engine/query/expression_analysis.h"
#include "engine/query/expression_walk.h"

namespace polarsim::engine::distribution {
namespace {

using query::Query;

// The place of a column in GROUP BY, or -1.
int group_of(const Query& query, int entry, int column) {
  for (std::size_t i = 0; i < query.group_by.size(); ++i) {
    const query::Target& target = query.targets[static_cast<std::size_t>(query.group_by[i])];
    const auto* each = target.expression->as<query::Column>();
    if (each != nullptr && each->levels_up == 0 && each->entry == entry && each->column == column)
      return static_cast<int>(i);
  }
  return -1;
}

bool is_in_every_set(const Query& query, int group) {
  return std::ranges::all_of(query.grouping_sets,
                             [&](const std::vector<int>& set) { return std::ranges::find(set, group) != set.end(); });
}

bool groups_by_primary_key(const Query& query, int entry) {
  const auto* table = std::get_if<query::TableSource>(&query.entries[static_cast<std::size_t>(entry)].source);
  if (table == nullptr || query.group_by.empty()) return false;
  for (const query::RelationIndex& index : table->relation->indexes) {
    if (!index.primary) continue;
    return std::ranges::all_of(index.keys, [&](const query::RelationIndex::Key& key) {
      const int group = group_of(query, entry, key.column);
      return group >= 0 && is_in_every_set(query, group);
    });
  }
  return false;
}

}  // namespace

void group_by_dependent_columns(Query& query, int entry, const std::vector<int>& columns) {
  if (!groups_by_primary_key(query, entry)) return;
  for (const int column : columns) {
    const Type type = query.entries[static_cast<std::size_t>(entry)].columns[static_cast<std::size_t>(column) - 1].type;
    // What has no equality cannot be grouped by.
    if (query::equality_of(type.id) == nullptr || group_of(query, entry, column) >= 0) continue;
    query::Target target;
    target.expression = query::make_expression(query::Column{entry, column, 0}, type);
    target.hidden = true;
    for (std::vector<int>& set : query.grouping_sets) set.push_back(static_cast<int>(query.group_by.size()));
    query.group_by.push_back(static_cast<int>(query.targets.size()));
    query.targets.push_back(std::move(target));
  }
}

}  // namespace polarsim::engine::distribution
