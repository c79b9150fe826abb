// CREATE INDEX on a table that has rows (PostgreSQL's src/backend/catalog/index.c).
#pragma once

#include "engine/exec/execution.h"

namespace polarsim::engine::exec {

// Fills the new index with an entry for every version of the table's rows that somebody may see: snapshots older than
// the index may use it. The caller holds the table's lock in share, so that nobody changes it. Throws 23505 if the
// index is unique and two rows that live have the same key. Blocks.
void build_index(ExecutionContext& context, const catalog::Table& table, const catalog::Index& index);

}  // namespace polarsim::engine::exec
