// Storage parameters: WITH (...) of tables, indexes and views, and ALTER ... SET (...) and RESET (...)
// (PostgreSQL's src/backend/access/common/reloptions.c).
//
// They are checked as PostgreSQL checks them. None changes what a statement answers, and this storage engine takes its
// fill factors and vacuum's thresholds from elsewhere, so that they are not kept.
#pragma once

#include <vector>

#include "engine/commands/objects.h"

namespace polarsim::engine::commands {

// Those of a relation of that kind. Throws 22023 for one that is not known to the kind ("unrecognized parameter "x""),
// written twice, or with a value that it cannot have; 0A000 for toast.*, as TOAST tables have none here, and for views
// with check_option.
void check_storage_parameters(RelationKind kind, const std::vector<syntax::Parameter>& written);

// RESET: 42601 if a value is written.
void check_reset_parameters(const std::vector<syntax::Parameter>& written);

}  // namespace polarsim::engine::commands
