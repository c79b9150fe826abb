// Operator classes of B-trees, by name (PostgreSQL's src/include/catalog/pg_opclass.dat, ResolveOpClass() in
// src/backend/commands/indexcmds.c).
//
// All classes of one type sort alike here: there is one collation, C, in which text_pattern_ops is text_ops.
#pragma once

#include <string>
#include <string_view>

#include "engine/types/type.h"

namespace polarsim::engine::commands {

// What the catalog keeps of an operator class that was written for a key of the type: nothing if none was, or if it is
// the type's own. Throws 42704 if there is no such class, 42804 if it does not accept the type.
std::string settle_operator_class(const std::string& written, Type type);

}  // namespace polarsim::engine::commands
