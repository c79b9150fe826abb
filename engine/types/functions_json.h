// The parts of the family of json and jsonb. Private to it.
#pragma once

#include <initializer_list>
#include <vector>

#include "engine/types/array.h"
#include "engine/types/families.h"

namespace polarsim::engine::families {

void add_json_types(Entries& to);       // text forms, order, hash, casts, comparisons
void add_json_access(Entries& to);      // -> ->> #> #>>, json_array_length, json_typeof, ...
void add_json_searches(Entries& to);    // @> <@ ? ?| ?&
void add_json_making(Entries& to);      // to_json, json_build_object, json_object, ...
void add_json_changes(Entries& to);     // || - #-, jsonb_set, jsonb_insert, jsonb_strip_nulls
void add_json_sets(Entries& to);        // json_each, json_array_elements, json_object_keys
void add_json_aggregates(Entries& to);  // json_agg, json_object_agg
void add_json_records(Entries& to);     // json_populate_record, json_to_record, ...

inline void add_functions(Entries& to, std::initializer_list<FunctionEntry> functions) {
  to.functions.insert(to.functions.end(), functions);
}
inline FunctionEntry with_argument_names(FunctionEntry entry, std::vector<const char*> names) {
  entry.argument_names = std::move(names);
  return entry;
}
inline FunctionEntry stable(FunctionEntry entry) {
  entry.volatility = Volatility::stable;
  return entry;
}
inline FunctionEntry takes_nulls(FunctionEntry entry) {
  entry.strict = false;
  return entry;
}
inline FunctionEntry variadic(FunctionEntry entry) {
  entry.variadic = true;
  return entry;
}

}  // namespace polarsim::engine::families
