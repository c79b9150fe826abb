// Definitions as the statements of today's engine understand them, which knows tables of plain columns and indexes of
// columns only; and back.
#pragma once

#include <vector>

#include "engine/catalog/definition.h"
#include "engine/storage/table_definition.h"

namespace polarsim::engine::catalog {

// Parses the defaults: not on a task's own stack. The primary key is the caller's to fill in.
TableDefinition old_table_definition(const Definition& definition);
IndexDefinition old_definition(const Definition& index);

Definition new_definition(const TableDefinition& table);
Definition new_definition(const IndexDefinition& index, RelationId id, const Definition& table);

}  // namespace polarsim::engine::catalog
