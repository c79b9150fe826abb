// A relation as the analysis of stored expressions sees it: columns by name and type.
#pragma once

#include "engine/catalog/definition.h"
#include "engine/query/relation.h"

namespace polarsim::engine::executor {

// Whether a column is generated is said, what it is made of is not.
query::Relation shape_of(const catalog::Definition& definition, catalog::RelationId id = 0);

}  // namespace polarsim::engine::executor
