// The topics of system views, each in a file of its own; private to system_views.cpp.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/executor/system_views.h"

namespace polarsim::engine::executor {

// A view of pg_catalog, or of another schema: columns by name and type, in order.
using ViewColumns = std::vector<std::pair<const char*, TypeId>>;
SystemView make_view(std::uint32_t id, std::string schema, std::string name, const ViewColumns& columns,
                     std::vector<Row> (*rows)(const SystemViewInputs& inputs));
// The same, the columns with pg_type.typname: "oid oid, relname name, reloptions _text".
SystemView make_view(std::uint32_t id, std::string schema, std::string name, std::string_view columns,
                     std::vector<Row> (*rows)(const SystemViewInputs& inputs));

void add_activity_views(std::vector<SystemView>& to);     // pg_locks, pg_prepared_xacts, pg_stat_activity, ...
void add_relation_views(std::vector<SystemView>& to);     // pg_namespace, pg_class, pg_attribute, pg_attrdef
void add_constraint_views(std::vector<SystemView>& to);   // pg_constraint, pg_index, pg_sequence, pg_depend, ...
void add_type_views(std::vector<SystemView>& to);         // pg_type, pg_proc, pg_operator, pg_cast, ...
void add_server_views(std::vector<SystemView>& to);       // pg_database, pg_roles, pg_tablespace, pg_am
void add_convenience_views(std::vector<SystemView>& to);  // pg_tables, pg_views, pg_indexes, pg_sequences, pg_stats
void add_information_schema_views(std::vector<SystemView>& to);
void add_information_schema_constraints(std::vector<SystemView>& to);
void add_wait_views(std::vector<SystemView>& to);   // of the cluster: who waits for whom, who works for whom
void add_empty_views(std::vector<SystemView>& to);  // of what does not exist here: policies, triggers, ...

}  // namespace polarsim::engine::executor
