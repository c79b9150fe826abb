// The parts of the family of system functions. Private to it.
#pragma once

#include "engine/types/families.h"

namespace polarsim::engine::families {

void add_system_types(Entries& to);    // void, xid, xid8, regclass, regtype, regproc, regnamespace
void add_system_catalog(Entries& to);  // pg_get_expr(), pg_function_is_visible(), ...
void add_system_sizes(Entries& to);    // pg_size_pretty()

// For tables of entries: a strict scalar function.
inline FunctionEntry system_function(const char* name, std::vector<TypeId> arguments, TypeId result,
                                     Volatility volatility, ScalarFunction function) {
  return {
      .name = name, .arguments = std::move(arguments), .result = result, .volatility = volatility, .scalar = function};
}

// The session of a call that cannot do without. Throws SqlError 0A000 if there is none.
SessionServices& session_of(const FunctionCall& call);
SessionServices& session_of(const CallContext& context);

}  // namespace polarsim::engine::families
