// The table that holds the catalog: its shape, which is fixed, and what its rows say. PostgreSQL's tables of the
// catalog are views (exec/system_views.h).
#pragma once

#include <string_view>
#include <vector>

#include "engine/catalog/catalog.h"

namespace polarsim::engine::catalog {

inline constexpr RelationId polar_relation_id = 9000;
// Where a definition lies that is too long for a page.
inline constexpr RelationId polar_relation_toast_id = 9001;

// In order of their numbers. The same objects in every call.
const std::vector<TablePtr>& system_tables();
const Table& system_table(RelationId id);
bool is_system_schema(std::string_view schema);

// A row of polar_relation. Reading throws SqlError XX001 for what cannot have been written.
Row to_row(const Relation& relation);
Relation relation_row(const Row& row);

}  // namespace polarsim::engine::catalog
