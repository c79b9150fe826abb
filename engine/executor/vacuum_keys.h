// What vacuum has to know of an index: which entry of it a dead row has (PostgreSQL finds entries by walking the whole
// index instead, btbulkdelete()).
#pragma once

#include "engine/catalog/catalog.h"
#include "engine/storage/btree.h"
#include "engine/txn/vacuum.h"

namespace polarsim::engine {
class Database;
}

namespace polarsim::engine::executor {

// All but the table must outlive what is returned. Expressions of the index are read on the scheduler's stack.
txn::VacuumIndex vacuum_index(Database& database, catalog::TablePtr table, const catalog::Index& index,
                              storage::BTree& tree);

}  // namespace polarsim::engine::executor
