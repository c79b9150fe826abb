// The types of SQL values, by PostgreSQL's names, numbers and categories (src/include/catalog/pg_type.dat).
//
// A TypeId is the type's OID in pg_type, so that it needs no translation on the wire or in a catalog. A Type adds the
// modifier: the length of varchar(n) and char(n), precision and scale of numeric(p, s), digits of a second's fraction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace polarsim::engine {

enum class TypeId : std::uint32_t {
  none = 0,  // no type at all: an absent argument of an operator, a result that is not known yet
  boolean = 16,
  bytea = 17,
  char_byte = 18,  // "char", one byte, of the catalogs
  name = 19,
  int8 = 20,
  int2 = 21,
  int2vector = 22,
  int4 = 23,
  regproc = 24,
  text = 25,
  oid = 26,
  xid = 28,
  oidvector = 30,
  json = 114,
  float4 = 700,
  float8 = 701,
  unknown = 705,  // an untyped literal or NULL, not yet given a type by its context
  bpchar = 1042,  // char(n)
  varchar = 1043,
  date = 1082,
  time = 1083,
  timestamp = 1114,
  timestamptz = 1184,
  interval = 1186,
  numeric = 1700,
  regclass = 2205,
  regtype = 2206,
  record = 2249,
  void_type = 2278,
  uuid = 2950,
  jsonb = 3802,
  regnamespace = 4089,
  xid8 = 5069,
  // Arrays of the above.
  boolean_array = 1000,
  bytea_array = 1001,
  char_byte_array = 1002,
  name_array = 1003,
  int2_array = 1005,
  int4_array = 1007,
  text_array = 1009,
  bpchar_array = 1014,
  varchar_array = 1015,
  int8_array = 1016,
  float4_array = 1021,
  float8_array = 1022,
  oid_array = 1028,
  timestamp_array = 1115,
  date_array = 1182,
  time_array = 1183,
  timestamptz_array = 1185,
  interval_array = 1187,
  numeric_array = 1231,
  json_array = 199,
  regclass_array = 2210,
  record_array = 2287,
  int2vector_array = 1006,
  regproc_array = 1008,
  xid_array = 1011,
  oidvector_array = 1013,
  regtype_array = 2211,
  regnamespace_array = 4090,
  xid8_array = 271,
  uuid_array = 2951,
  jsonb_array = 3807,
  // Pseudo-types: only in the signatures of functions.
  any = 2276,        // "any": each argument of any type, by itself
  any_array = 2277,  // all polymorphic arguments of a call agree in the element type
  any_element = 2283,
  any_nonarray = 2776,
  any_compatible = 5077,  // as above, after conversion to a common type
  any_compatible_array = 5078,
  any_compatible_nonarray = 5079,
};

// PostgreSQL's typcategory.
enum class TypeCategory : char {
  array = 'A',
  boolean = 'B',
  datetime = 'D',
  numeric = 'N',
  pseudo = 'P',
  string = 'S',
  timespan = 'T',
  user_defined = 'U',
  unknown = 'X',
  internal = 'Z',
};

inline constexpr std::int32_t no_modifier = -1;
// Of a value of type name, and of every name in a catalog.
inline constexpr std::size_t name_bytes_max = 63;

struct Type {
  TypeId id = TypeId::none;
  // As pg_attribute.atttypmod has it: length + 4 for varchar and char, (precision << 16 | scale & 0x7ff) + 4 for
  // numeric, the digits of the fraction for times, -1 for none. An array's modifier is that of its elements.
  std::int32_t modifier = no_modifier;

  Type() = default;
  Type(TypeId type,
       std::int32_t type_modifier = no_modifier)  // NOLINT(google-explicit-constructor): a TypeId is a Type
      : id(type), modifier(type_modifier) {}
  friend bool operator==(const Type&, const Type&) = default;
};

struct TypeInfo {
  TypeId id = TypeId::none;
  const char* name = "";          // pg_type.typname: "int4"
  const char* display_name = "";  // format_type(): "integer"
  TypeCategory category = TypeCategory::unknown;
  bool preferred = false;
  TypeId element = TypeId::none;  // of an array
  TypeId array = TypeId::none;    // the array of these
  std::int16_t length = -1;       // pg_type.typlen; -1: varying
};

// Every type, by OID.
std::span<const TypeInfo> all_types();
// Null if there is none.
const TypeInfo* find_type(TypeId id);
// By typname, in lower case; the grammar has translated "integer" to "int4" before. Null if there is none.
const TypeInfo* find_type(std::string_view name);
// The type must exist.
const TypeInfo& type_info(TypeId id);

inline std::uint32_t type_oid(TypeId type) { return static_cast<std::uint32_t>(type); }
// unknown for any other.
TypeId type_from_oid(std::uint32_t oid);
// PostgreSQL's display name without modifier: "boolean", "integer", "character varying", "integer[]".
const char* type_name(TypeId type);
// With modifier: "numeric(10,2)", "character varying(5)[]", "timestamp(3) without time zone".
std::string format_type(Type type);

inline bool is_array(TypeId type) { return type_info(type).element != TypeId::none; }
bool is_polymorphic(TypeId type);
bool is_pseudo_type(TypeId type);
// text, varchar, char(n), name.
bool is_string(TypeId type);

// The modifier that `arguments` mean for the type, as in varchar(5) or numeric(10, -2). Throws SqlError 22023 with
// PostgreSQL's texts ("length for type varchar must be at least 1", "NUMERIC precision 1001 must be between 1 and
// 1000"), 42601 where the type takes no modifier ("type modifier is not allowed for type \"integer\"").
std::int32_t type_modifier(TypeId type, std::span<const std::int64_t> arguments);

}  // namespace polarsim::engine
