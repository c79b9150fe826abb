// Operator classes of B-trees, by name (PostgreSQL's src/include/catalog/pg_opclass.dat, ResolveOpClass() in
// src/backend/commands/indexcmds.c).
//
// All classes of one type sort alike here: there is one collation, C, in which text_pattern_ops is text_ops.
#pragma once

#include <string>
#include <string_view>

#include "engine/types/type.h"

namespace polarsim::engine::commands {

// Of an operator class that was written for a key of the type: 42704 if there is no such class, 42804 if it does not
// accept the type. Nothing if none was written. Which it was is not kept.
void check_operator_class(const std::string& written, Type type);

}  // namespace polarsim::engine::commands
