// The topics of system views, each in a file of its own; private to system_views.cpp.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/executor/system_views.h"

namespace polarsim::engine::executor {

// A view of pg_catalog, or of another schema: columns by name and type, in order.
using ViewColumns = std::vector<std::pair<const char*, TypeId>>;
SystemView make_view(std::uint32_t id, std::string schema, std::string name, const ViewColumns& columns,
                     std::vector<Row> (*rows)(const SystemViewInputs& inputs));

void add_activity_views(std::vector<SystemView>& to);  // pg_locks, pg_prepared_xacts, pg_stat_activity, ...

}  // namespace polarsim::engine::executor
