// Order, equality and hashes of values: PostgreSQL's default B-tree and hash operator classes. NULLs are the caller's
// business. Text is ordered by its bytes (collation C); char(n) ignores trailing blanks; NaN is equal to itself and
// above all other numbers; -0 equals 0; 1.0 equals 1.00; arrays compare element by element, NULL elements last.
#pragma once

#include <cstdint>

#include "engine/types/type.h"
#include "engine/types/value.h"

namespace polarsim::engine {

// Whether the type has an order (json has none).
bool is_ordered(TypeId type);

// Negative, zero, positive. Both values are of the type and not NULL.
using Comparison = int (*)(const Value& a, const Value& b);
Comparison comparison_of(TypeId type);
inline int compare_values(const Value& a, const Value& b, TypeId type) { return comparison_of(type)(a, b); }

// Equal values have equal hashes, also across the integer types. Not PostgreSQL's hash functions, which placement uses
// (hash.h).
std::uint64_t hash_value(const Value& value, TypeId type);
// The same, to be looked up once for many values. Null if the type has no hash.
using Hasher = std::uint64_t (*)(const Value& value);
Hasher hasher_of(TypeId type);

}  // namespace polarsim::engine
