#include "engine/types/type.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/types/error.h"
#include "engine/types/interval.h"

namespace polarsim::engine {
namespace {

using C = TypeCategory;
using T = TypeId;

constexpr std::array types = std::to_array<TypeInfo>({
    {T::boolean, "bool", "boolean", C::boolean, true, T::none, T::boolean_array, 1},
    {T::bytea, "bytea", "bytea", C::user_defined, false, T::none, T::bytea_array, -1},
    {T::char_byte, "char", "\"char\"", C::internal, false, T::none, T::char_byte_array, 1},
    {T::name, "name", "name", C::string, false, T::none, T::name_array, 64},
    {T::int8, "int8", "bigint", C::numeric, false, T::none, T::int8_array, 8},
    {T::int2, "int2", "smallint", C::numeric, false, T::none, T::int2_array, 2},
    {T::int2vector, "int2vector", "int2vector", C::array, false, T::int2, T::int2vector_array, -1},
    {T::int4, "int4", "integer", C::numeric, false, T::none, T::int4_array, 4},
    {T::regproc, "regproc", "regproc", C::numeric, false, T::none, T::regproc_array, 4},
    {T::text, "text", "text", C::string, true, T::none, T::text_array, -1},
    {T::oid, "oid", "oid", C::numeric, true, T::none, T::oid_array, 4},
    {T::xid, "xid", "xid", C::user_defined, false, T::none, T::xid_array, 4},
    {T::oidvector, "oidvector", "oidvector", C::array, false, T::oid, T::oidvector_array, -1},
    {T::json, "json", "json", C::user_defined, false, T::none, T::json_array, -1},
    {T::json_array, "_json", "json[]", C::array, false, T::json, T::none, -1},
    {T::xid8_array, "_xid8", "xid8[]", C::array, false, T::xid8, T::none, -1},
    {T::float4, "float4", "real", C::numeric, false, T::none, T::float4_array, 4},
    {T::float8, "float8", "double precision", C::numeric, true, T::none, T::float8_array, 8},
    {T::unknown, "unknown", "unknown", C::unknown, false, T::none, T::none, -2},
    {T::boolean_array, "_bool", "boolean[]", C::array, false, T::boolean, T::none, -1},
    {T::bytea_array, "_bytea", "bytea[]", C::array, false, T::bytea, T::none, -1},
    {T::char_byte_array, "_char", "\"char\"[]", C::array, false, T::char_byte, T::none, -1},
    {T::name_array, "_name", "name[]", C::array, false, T::name, T::none, -1},
    {T::int2_array, "_int2", "smallint[]", C::array, false, T::int2, T::none, -1},
    {T::int2vector_array, "_int2vector", "int2vector[]", C::array, false, T::int2vector, T::none, -1},
    {T::int4_array, "_int4", "integer[]", C::array, false, T::int4, T::none, -1},
    {T::regproc_array, "_regproc", "regproc[]", C::array, false, T::regproc, T::none, -1},
    {T::text_array, "_text", "text[]", C::array, false, T::text, T::none, -1},
    {T::xid_array, "_xid", "xid[]", C::array, false, T::xid, T::none, -1},
    {T::oidvector_array, "_oidvector", "oidvector[]", C::array, false, T::oidvector, T::none, -1},
    {T::bpchar_array, "_bpchar", "character[]", C::array, false, T::bpchar, T::none, -1},
    {T::varchar_array, "_varchar", "character varying[]", C::array, false, T::varchar, T::none, -1},
    {T::int8_array, "_int8", "bigint[]", C::array, false, T::int8, T::none, -1},
    {T::float4_array, "_float4", "real[]", C::array, false, T::float4, T::none, -1},
    {T::float8_array, "_float8", "double precision[]", C::array, false, T::float8, T::none, -1},
    {T::oid_array, "_oid", "oid[]", C::array, false, T::oid, T::none, -1},
    {T::bpchar, "bpchar", "character", C::string, false, T::none, T::bpchar_array, -1},
    {T::varchar, "varchar", "character varying", C::string, false, T::none, T::varchar_array, -1},
    {T::date, "date", "date", C::datetime, false, T::none, T::date_array, 4},
    {T::time, "time", "time without time zone", C::datetime, false, T::none, T::time_array, 8},
    {T::timestamp, "timestamp", "timestamp without time zone", C::datetime, false, T::none, T::timestamp_array, 8},
    {T::timestamp_array, "_timestamp", "timestamp without time zone[]", C::array, false, T::timestamp, T::none, -1},
    {T::date_array, "_date", "date[]", C::array, false, T::date, T::none, -1},
    {T::time_array, "_time", "time without time zone[]", C::array, false, T::time, T::none, -1},
    {T::timestamptz, "timestamptz", "timestamp with time zone", C::datetime, true, T::none, T::timestamptz_array, 8},
    {T::timestamptz_array, "_timestamptz", "timestamp with time zone[]", C::array, false, T::timestamptz, T::none, -1},
    {T::interval, "interval", "interval", C::timespan, true, T::none, T::interval_array, 16},
    {T::interval_array, "_interval", "interval[]", C::array, false, T::interval, T::none, -1},
    {T::numeric_array, "_numeric", "numeric[]", C::array, false, T::numeric, T::none, -1},
    {T::numeric, "numeric", "numeric", C::numeric, false, T::none, T::numeric_array, -1},
    {T::regclass, "regclass", "regclass", C::numeric, false, T::none, T::regclass_array, 4},
    {T::regtype, "regtype", "regtype", C::numeric, false, T::none, T::regtype_array, 4},
    {T::regclass_array, "_regclass", "regclass[]", C::array, false, T::regclass, T::none, -1},
    {T::regtype_array, "_regtype", "regtype[]", C::array, false, T::regtype, T::none, -1},
    {T::record, "record", "record", C::pseudo, false, T::none, T::record_array, -1},
    {T::any, "any", "\"any\"", C::pseudo, false, T::none, T::none, 4},
    {T::any_array, "anyarray", "anyarray", C::pseudo, false, T::none, T::none, -1},
    {T::void_type, "void", "void", C::pseudo, false, T::none, T::none, 4},
    // There are no triggers; psql tells their functions from others by it.
    {static_cast<T>(2279), "trigger", "trigger", C::pseudo, false, T::none, T::none, 4},
    {T::any_element, "anyelement", "anyelement", C::pseudo, false, T::none, T::none, 4},
    {T::record_array, "_record", "record[]", C::pseudo, false, T::record, T::none, -1},
    {T::any_nonarray, "anynonarray", "anynonarray", C::pseudo, false, T::none, T::none, 4},
    {T::uuid, "uuid", "uuid", C::user_defined, false, T::none, T::uuid_array, 16},
    {T::uuid_array, "_uuid", "uuid[]", C::array, false, T::uuid, T::none, -1},
    {T::jsonb, "jsonb", "jsonb", C::user_defined, false, T::none, T::jsonb_array, -1},
    {T::jsonb_array, "_jsonb", "jsonb[]", C::array, false, T::jsonb, T::none, -1},
    {T::regnamespace, "regnamespace", "regnamespace", C::numeric, false, T::none, T::regnamespace_array, 4},
    {T::regnamespace_array, "_regnamespace", "regnamespace[]", C::array, false, T::regnamespace, T::none, -1},
    {T::xid8, "xid8", "xid8", C::user_defined, false, T::none, T::xid8_array, 8},
    {T::any_compatible, "anycompatible", "anycompatible", C::pseudo, false, T::none, T::none, 4},
    {T::any_compatible_array, "anycompatiblearray", "anycompatiblearray", C::pseudo, false, T::none, T::none, -1},
    {T::any_compatible_nonarray, "anycompatiblenonarray", "anycompatiblenonarray", C::pseudo, false, T::none, T::none,
     4},
});

static_assert(std::ranges::is_sorted(types, {}, &TypeInfo::id));

std::int64_t single_argument(TypeId type, std::span<const std::int64_t> arguments) {
  if (arguments.size() == 1) return arguments[0];
  throw SqlError(sqlstate::invalid_parameter_value,
                 type == T::numeric ? "invalid NUMERIC type modifier" : "invalid type modifier");
}

std::int32_t length_modifier(TypeId type, std::span<const std::int64_t> arguments) {
  constexpr std::int64_t longest = 10'485'760;
  const char* name = type == T::varchar ? "varchar" : "char";
  const std::int64_t length = single_argument(type, arguments);
  if (length < 1)
    throw SqlError(sqlstate::invalid_parameter_value, fmt::format("length for type {} must be at least 1", name));
  if (length > longest) {
    throw SqlError(sqlstate::invalid_parameter_value,
                   fmt::format("length for type {} cannot exceed {}", name, longest));
  }
  return static_cast<std::int32_t>(length) + 4;
}

std::int32_t numeric_modifier(std::span<const std::int64_t> arguments) {
  if (arguments.empty() || arguments.size() > 2)
    throw SqlError(sqlstate::invalid_parameter_value, "invalid NUMERIC type modifier");
  const std::int64_t precision = arguments[0];
  const std::int64_t scale = arguments.size() == 2 ? arguments[1] : 0;
  if (precision < 1 || precision > 1000) {
    throw SqlError(sqlstate::invalid_parameter_value,
                   fmt::format("NUMERIC precision {} must be between 1 and 1000", precision));
  }
  if (scale < -1000 || scale > 1000) {
    throw SqlError(sqlstate::invalid_parameter_value,
                   fmt::format("NUMERIC scale {} must be between -1000 and 1000", scale));
  }
  return static_cast<std::int32_t>((precision << 16) | (scale & 0x7ff)) + 4;
}

// PostgreSQL warns of more than six digits and takes six.
std::int32_t fraction_modifier(TypeId type, std::span<const std::int64_t> arguments) {
  const std::int64_t digits = single_argument(type, arguments);
  if (digits < 0) {
    throw SqlError(sqlstate::invalid_parameter_value,
                   fmt::format("{}({}){} precision must not be negative", type == T::time ? "TIME" : "TIMESTAMP",
                               digits, type == T::timestamptz ? " WITH TIME ZONE" : ""));
  }
  return static_cast<std::int32_t>(std::min<std::int64_t>(digits, 6));
}

// "interval day to second(3)"
std::string interval_name(std::string name, std::int32_t modifier) {
  using namespace interval_fields;
  struct Field {
    std::int32_t bit;
    const char* name;
  };
  constexpr Field fields[] = {{year, "year"}, {month, "month"},   {day, "day"},
                              {hour, "hour"}, {minute, "minute"}, {second, "second"}};
  const std::int32_t given = of_modifier(modifier);
  if (given != all) {
    const Field* last = nullptr;
    for (const Field& field : fields) {
      if ((given & field.bit) == 0) continue;
      if (last == nullptr) name += std::string(" ") + field.name;
      last = &field;
    }
    if (last != nullptr && (given & ~last->bit) != 0) name += std::string(" to ") + last->name;
  }
  return (modifier & 0xffff) == 0xffff ? name : fmt::format("{}({})", name, modifier & 0xffff);
}

std::string modified_name(TypeId type, std::int32_t modifier) {
  const std::string plain = type_info(type).display_name;
  if (modifier < 0) return type == T::bpchar ? "bpchar" : plain;
  switch (type) {
    case T::bpchar:
    case T::varchar:
      return fmt::format("{}({})", plain, modifier - 4);
    case T::numeric: {
      const int scale = (((modifier - 4) & 0x7ff) ^ 1024) - 1024;
      return fmt::format("numeric({},{})", (modifier - 4) >> 16, scale);
    }
    case T::time:
      return fmt::format("time({}) without time zone", modifier);
    case T::timestamp:
      return fmt::format("timestamp({}) without time zone", modifier);
    case T::timestamptz:
      return fmt::format("timestamp({}) with time zone", modifier);
    case T::interval:
      return interval_name(plain, modifier);
    default:
      return plain;
  }
}

}  // namespace

std::span<const TypeInfo> all_types() { return types; }

const TypeInfo* find_type(TypeId id) {
  const auto found = std::ranges::lower_bound(types, id, {}, &TypeInfo::id);
  return found != types.end() && found->id == id ? &*found : nullptr;
}

const TypeInfo* find_type(std::string_view name) {
  const auto found = std::ranges::find(types, name, &TypeInfo::name);
  return found != types.end() ? &*found : nullptr;
}

const TypeInfo& type_info(TypeId id) {
  if (const TypeInfo* info = find_type(id)) return *info;
  throw SqlError(sqlstate::internal_error, fmt::format("cache lookup failed for type {}", type_oid(id)));
}

TypeId type_from_oid(std::uint32_t oid) {
  const TypeInfo* info = find_type(static_cast<TypeId>(oid));
  return info != nullptr ? info->id : TypeId::unknown;
}

const char* type_name(TypeId type) {
  if (type == T::none) return "-";
  return type_info(type).display_name;
}

std::string format_type(Type type) {
  if (type.id == T::none) return "-";
  const TypeInfo& info = type_info(type.id);
  if (info.element == T::none || info.id == T::int2vector || info.id == T::oidvector)
    return modified_name(type.id, type.modifier);
  return modified_name(info.element, type.modifier) + "[]";
}

bool is_polymorphic(TypeId type) {
  switch (type) {
    case T::any_element:
    case T::any_array:
    case T::any_nonarray:
    case T::any_compatible:
    case T::any_compatible_array:
    case T::any_compatible_nonarray:
      return true;
    default:
      return false;
  }
}

bool is_pseudo_type(TypeId type) { return type_info(type).category == C::pseudo; }

bool is_string(TypeId type) { return type_info(type).category == C::string; }

std::int32_t type_modifier(TypeId type, std::span<const std::int64_t> arguments) {
  if (arguments.empty()) return no_modifier;
  const TypeInfo& info = type_info(type);
  switch (info.category == C::array ? info.element : type) {
    case T::varchar:
    case T::bpchar:
      return length_modifier(type, arguments);
    case T::numeric:
      return numeric_modifier(arguments);
    case T::time:
    case T::timestamp:
    case T::timestamptz:
      return fraction_modifier(type, arguments);
    case T::interval: {
      // The range of fields (a mask) and, if given, the digits of the fraction.
      if (arguments.size() == 2 && arguments[1] < 0) {
        throw SqlError(sqlstate::invalid_parameter_value,
                       fmt::format("INTERVAL({}) precision must not be negative", arguments[1]));
      }
      const std::int64_t digits = arguments.size() == 2 ? std::min<std::int64_t>(arguments[1], 6) : 0xffff;
      return static_cast<std::int32_t>((arguments[0] & 0x7fff) << 16 | (digits & 0xffff));
    }
    default:
      throw SqlError(sqlstate::syntax_error, fmt::format("type modifier is not allowed for type \"{}\"", info.name));
  }
}

}  // namespace polarsim::engine
