#include "engine/distribution/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "engine/types/array.h"
#include "engine/types/error.h"
#include "engine/types/hash.h"
#include "engine/types/interval.h"
#include "engine/types/json.h"
#include "engine/types/numeric.h"

namespace polarsim::engine::distribution {
namespace {

// Types of one family are equal by `=` exactly where their representations are, and hash alike.
enum class Family : std::uint8_t {
  none,
  integer,
  unsigned_integer,  // oid and xid
  unsigned_long,     // xid8
  floating,
  boolean,
  text,
  blank_padded,
  bytes,
  day,
  time,
  timestamp,
  numeric,
  interval,
  array,
  character,  // "char", a byte
  json,
  oid_vector
};

Family family_of(TypeId type) {
  switch (type) {
    case TypeId::int2:
    case TypeId::int4:
    case TypeId::int8:
      return Family::integer;
    case TypeId::xid8:
      return Family::unsigned_long;
    case TypeId::char_byte:
      return Family::character;
    case TypeId::jsonb:
      return Family::json;
    case TypeId::oidvector:
      return Family::oid_vector;
    case TypeId::int2vector:
      return Family::none;
    case TypeId::oid:
    case TypeId::xid:
    case TypeId::regclass:
    case TypeId::regtype:
    case TypeId::regproc:
    case TypeId::regnamespace:
      return Family::unsigned_integer;
    case TypeId::float4:
    case TypeId::float8:
      return Family::floating;
    case TypeId::boolean:
      return Family::boolean;
    case TypeId::text:
    case TypeId::varchar:
    case TypeId::name:
      return Family::text;
    case TypeId::bpchar:
      return Family::blank_padded;
    case TypeId::bytea:
    case TypeId::uuid:
      return Family::bytes;
    case TypeId::date:
      return Family::day;
    case TypeId::time:
      return Family::time;
    case TypeId::timestamp:
    case TypeId::timestamptz:
      return Family::timestamp;
    case TypeId::numeric:
      return Family::numeric;
    case TypeId::interval:
      return Family::interval;
    default:
      break;
  }
  const TypeInfo* info = find_type(type);
  if (info == nullptr || info->element == TypeId::none) return Family::none;
  return family_of(info->element) == Family::none ? Family::none : Family::array;
}

std::uint32_t hash_double(double value) {
  if (value == 0) return 0;  // also minus zero
  if (std::isnan(value)) value = std::bit_cast<double>(std::uint64_t{0x7ff8000000000000});
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  return hash_bytes({bytes, sizeof bytes});
}

std::uint32_t hash_numeric(const Numeric& number) {
  if (!number.is_finite()) return 0;
  if (number.is_zero()) return std::numeric_limits<std::uint32_t>::max();
  const Numeric::Parts parts = number.parts();
  const std::string_view bytes(static_cast<const char*>(static_cast<const void*>(parts.digits.data())),
                               parts.digits.size_bytes());
  return hash_bytes(bytes) ^ static_cast<std::uint32_t>(parts.weight);
}

std::uint32_t hash_array(const Array& array) {
  std::uint32_t result = 1;
  for (const Value& element : array.elements()) {
    const std::uint32_t hash = element.is_null() ? 0 : static_cast<std::uint32_t>(hash_of(element, array.element()));
    result = (result << 5) - result + hash;
  }
  return result;
}

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::uint32_t unsigned_hash(const Value& value, TypeId type) {
  switch (family_of(type)) {
    case Family::integer:
    case Family::unsigned_long:
    case Family::time:
    case Family::timestamp:
      return hash_int64(value.as_integer());
    case Family::unsigned_integer:
    case Family::day:
      return hash_uint32(static_cast<std::uint32_t>(value.as_integer()));
    case Family::floating:
      return hash_double(value.as_floating());
    case Family::character: {
      // A signed one, as on PostgreSQL's usual machines.
      const std::string_view byte = value.as_text();
      return hash_uint32(static_cast<std::uint32_t>(byte.empty() ? 0 : static_cast<signed char>(byte[0])));
    }
    case Family::oid_vector: {
      std::vector<std::uint32_t> numbers;
      for (const Value& element : value.as_array().elements())
        numbers.push_back(static_cast<std::uint32_t>(element.as_integer()));
      return hash_bytes({static_cast<const char*>(static_cast<const void*>(numbers.data())), numbers.size() * 4});
    }
    case Family::json:
      return value.as_json().hash();
    case Family::boolean:
      return hash_uint32(value.as_boolean() ? 1 : 0);
    case Family::text:
    case Family::bytes:
      return hash_bytes(value.as_text());
    case Family::blank_padded:
      return hash_bytes(without_blanks(value.as_text()));
    case Family::numeric:
      return hash_numeric(value.as_numeric());
    case Family::interval:
      return hash_int64(static_cast<std::int64_t>(value.as_interval().span()));
    case Family::array:
      return hash_array(value.as_array());
    case Family::none:
      break;
  }
  throw SqlError(sqlstate::feature_not_supported,
                 fmt::format("tables cannot be distributed by a column of type {}", type_name(type)));
}

}  // namespace

std::string shard_name(const std::string& name, std::int64_t shard_id) {
  // PostgreSQL's names end after 63 bytes; the relative shortens the first part, and keeps it apart by its hash.
  std::string suffix = fmt::format("_{}", shard_id);
  if (name.size() + suffix.size() <= name_bytes_max) return name + suffix;
  const std::string hash = fmt::format("_{:08x}", hash_bytes(name));
  std::size_t kept = name_bytes_max - hash.size() - suffix.size();
  while (kept > 0 && (static_cast<unsigned char>(name[kept]) & 0xc0U) == 0x80U) --kept;
  return name.substr(0, kept) + hash + suffix;
}

bool can_hash(TypeId type) { return family_of(type) != Family::none; }

std::int32_t hash_of(const Value& value, TypeId type) { return static_cast<std::int32_t>(unsigned_hash(value, type)); }

bool hashes_alike(TypeId a, TypeId b) {
  const Family family = family_of(a);
  if (family == Family::none || family != family_of(b)) return false;
  // A timestamp equals a timestamp with time zone by the zone; uuid and bytea are never compared.
  if (family == Family::timestamp || family == Family::bytes) return a == b;
  if (family == Family::array) return hashes_alike(type_info(a).element, type_info(b).element);
  return true;
}

std::optional<std::size_t> shard_position(const TableDistribution& table, std::int32_t hash) {
  const auto after = std::upper_bound(table.shards.begin(), table.shards.end(), hash,
                                      [](std::int32_t value, const Shard& shard) { return value < shard.low; });
  if (after == table.shards.begin()) return std::nullopt;
  const auto found = after - 1;
  if (hash > found->high) return std::nullopt;
  return static_cast<std::size_t>(found - table.shards.begin());
}

std::optional<std::size_t> shard_position(const TableDistribution& table, const Value& value) {
  if (table.method != Method::hash) return 0;
  return shard_position(table, hash_of(value, table.type.id));
}

}  // namespace polarsim::engine::distribution
