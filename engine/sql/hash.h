// PostgreSQL's hash functions of the types a table can be distributed by, and the shard a hash falls into.
//
// Source: PostgreSQL 15 src/common/hashfn.c (hash_bytes, Bob Jenkins' lookup3 with PostgreSQL's constants), hashint8
// (folds the high half so that equal int4 and int8 hash equally), hashtext. Shards: increment = 2^32 / count; see
// docs/architecture.md.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/sql/value.h"
#include "engine/types/hash.h"

namespace polarsim::engine::sql {

using engine::hash_bytes;
using engine::hash_uint32;
// The hash of the type's default hash operator class, as a signed 32-bit number. `value` must not be NULL.
std::int32_t hash_value(const Value& value, TypeId type);

// Bounds of shard `index` of `count`: both included.
struct HashRange {
  std::int32_t low = 0;
  std::int32_t high = 0;
};
HashRange shard_range(int index, int count);
int shard_index(std::int32_t hash, int count);

}  // namespace polarsim::engine::sql
