// Tables of pg_catalog whose rows are computed from the node's state.
#pragma once

#include <string_view>
#include <vector>

#include "engine/node/database.h"
#include "engine/sql/ast.h"
#include "engine/storage/table_definition.h"

namespace polarsim::engine::exec {

struct SystemView {
  TableDefinition definition;
  // As the transaction sees it.
  std::vector<Row> (*rows)(const Database& database, const txn::Transaction& reader) = nullptr;
};

// Null if there is none. pg_catalog is searched before public, as in PostgreSQL.
const SystemView* find_system_view(std::string_view schema, std::string_view name);
inline const SystemView* find_system_view(const sql::TableName& name) {
  return find_system_view(name.schema, name.name);
}

}  // namespace polarsim::engine::exec
