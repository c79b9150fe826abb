// The families of functions, each in a file of its own. Private to the catalog (function.cpp, operator.cpp, cast.cpp).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/types/cast.h"
#include "engine/types/function.h"
#include "engine/types/operator.h"

namespace polarsim::engine::families {

// What every type has: its text forms, and its order if it has one.
struct TypeBehaviour {
  TypeId type = TypeId::none;
  // See text_form.h and order.h. `type` is the one behaved for, with its modifier.
  Value (*input)(std::string_view text, Type type, const CallContext& context) = nullptr;
  void (*output)(std::string& to, const Value& value, const CallContext& context) = nullptr;
  int (*compare)(const Value& a, const Value& b) = nullptr;  // null: the type has no order
  std::uint64_t (*hash)(const Value& value) = nullptr;       // null: the type has no hash
  // Makes a value keep to the modifier, which is not -1: see apply_modifier(). Null: the type takes none.
  Value (*modify)(const Value& value, Type type, bool by_cast) = nullptr;
};

struct Entries {
  std::vector<TypeBehaviour> types;
  std::vector<FunctionEntry> functions;
  std::vector<OperatorEntry> operators;
  std::vector<CastEntry> casts;
};

// Each appends to what is there, always the same.
void add_boolean(Entries& to);
void add_integers(Entries& to);
void add_floats(Entries& to);
void add_numerics(Entries& to);
void add_number_aggregates(Entries& to);
void add_texts(Entries& to);
void add_patterns(Entries& to);  // LIKE, SIMILAR TO, regular expressions
void add_binaries(Entries& to);  // bytea, uuid, hashes such as md5()
void add_datetimes(Entries& to);
void add_intervals(Entries& to);
void add_formatting(Entries& to);  // to_char() and its inverses
void add_arrays(Entries& to);
void add_json(Entries& to);
void add_records(Entries& to);
void add_general_aggregates(Entries& to);  // count, min, max, array_agg, percentile_cont, ...
void add_window_functions(Entries& to);    // row_number, rank, lag, ...: names and types
void add_session(Entries& to);             // nextval, advisory locks, current_setting, ...
void add_system(Entries& to);              // version(), pg_typeof(), ...

// The behaviour of a type. Throws SqlError XX000 if it has none.
const TypeBehaviour& behaviour_of(TypeId type);

}  // namespace polarsim::engine::families
