#include "engine/sql/hash.h"

#include <limits>

namespace polarsim::engine::sql {

std::int32_t hash_value(const Value& value, TypeId type) {
  switch (type) {
    case TypeId::boolean:
      return static_cast<std::int32_t>(hash_uint32(value.as_boolean() ? 1 : 0));
    case TypeId::int4:
      return static_cast<std::int32_t>(hash_uint32(static_cast<std::uint32_t>(value.as_integer())));
    case TypeId::int8: {
      // Folding the sign-extended high half into the low one leaves every value that fits int4 with int4's hash.
      const auto bits = static_cast<std::uint64_t>(value.as_integer());
      const auto high = static_cast<std::uint32_t>(bits >> 32);
      const auto low = static_cast<std::uint32_t>(bits);
      return static_cast<std::int32_t>(hash_uint32(low ^ (value.as_integer() >= 0 ? high : ~high)));
    }
    case TypeId::text:
    case TypeId::unknown:
      break;
  }
  return static_cast<std::int32_t>(hash_bytes(value.as_text()));
}

HashRange shard_range(int index, int count) {
  const std::int64_t increment = (std::int64_t{1} << 32) / count;
  const std::int64_t low = std::numeric_limits<std::int32_t>::min() + index * increment;
  // The last shard takes what the division left over.
  const std::int64_t high = index == count - 1 ? std::numeric_limits<std::int32_t>::max() : low + increment - 1;
  return {static_cast<std::int32_t>(low), static_cast<std::int32_t>(high)};
}

int shard_index(std::int32_t hash, int count) {
  const std::int64_t increment = (std::int64_t{1} << 32) / count;
  const std::int64_t offset = static_cast<std::int64_t>(hash) - std::numeric_limits<std::int32_t>::min();
  const std::int64_t index = offset / increment;
  return static_cast<int>(index < count ? index : count - 1);
}

}  // namespace polarsim::engine::sql
