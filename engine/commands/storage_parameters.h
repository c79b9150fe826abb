// Storage parameters: WITH (...) of tables, indexes and views, and ALTER ... SET (...) and RESET (...)
// (PostgreSQL's src/backend/access/common/reloptions.c).
//
// They are checked as PostgreSQL checks them, kept in the definition and shown by pg_class.reloptions and pg_dump. None
// changes what a statement answers; this storage engine takes its fill factors and vacuum's thresholds from elsewhere,
// but a table with autovacuum_enabled=off is left alone by autovacuum.
#pragma once

#include <string>
#include <vector>

#include "engine/commands/objects.h"

namespace polarsim::engine::commands {

// The parameters of a new relation of that kind. Throws 22023 for one that is not known to the kind ("unrecognized
// parameter "x""), written twice, or with a value that it cannot have; 0A000 for toast.*, as TOAST tables have none
// here, and for views with check_option.
std::vector<std::string> storage_parameters(RelationKind kind, const std::vector<syntax::Parameter>& written);

// SET: replaces those of the same names, and adds the others. RESET takes away what is named, whether it was there or
// not, and throws 42601 if a value is written.
void set_storage_parameters(Definition& relation, const std::vector<syntax::Parameter>& written);
void reset_storage_parameters(Definition& relation, const std::vector<syntax::Parameter>& written);

}  // namespace polarsim::engine::commands
