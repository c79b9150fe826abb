// What stands in FROM by its own name. Private to the analysis of names.
#pragma once

#include "engine/query/query.h"

namespace polarsim::engine::query {

// The table, view or sequence, whose name may be written with its schema; null for subqueries, functions and the like.
inline const Relation* named_relation(const RangeTableEntry& entry) {
  if (const auto* table = std::get_if<TableSource>(&entry.source)) return table->relation.get();
  if (const auto* view = std::get_if<SubquerySource>(&entry.source)) return view->view.get();
  if (const auto* system = std::get_if<SystemViewSource>(&entry.source)) return system->relation.get();
  return nullptr;
}

}  // namespace polarsim::engine::query
