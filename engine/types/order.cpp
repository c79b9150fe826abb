#include "engine/types/order.h"

#include <fmt/format.h>

#include "engine/types/error.h"
#include "engine/types/families.h"

namespace polarsim::engine {

bool is_ordered(TypeId type) { return families::behaviour_of(type).compare != nullptr; }

Comparison comparison_of(TypeId type) {
  if (const Comparison compare = families::behaviour_of(type).compare) return compare;
  throw SqlError(sqlstate::undefined_function,
                 fmt::format("could not identify a comparison function for type {}", type_name(type)));
}

Hasher hasher_of(TypeId type) { return families::behaviour_of(type).hash; }

std::uint64_t hash_value(const Value& value, TypeId type) {
  if (const auto hash = families::behaviour_of(type).hash) return hash(value);
  throw SqlError(sqlstate::undefined_function,
                 fmt::format("could not identify a hash function for type {}", type_name(type)));
}

}  // namespace polarsim::engine
