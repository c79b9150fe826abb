#include "engine/types/functions_system.h"

#include <fmt/format.h>

#include <cmath>
#include <string>

#include "engine/types/array.h"
#include "engine/types/error.h"
#include "engine/types/random.h"
#include "engine/types/storage_size.h"

// Functions about values and types, and random numbers (PostgreSQL's misc.c, float.c, uuid.c, format_type.c).
namespace polarsim::engine::families {
namespace {

Value type_of(const FunctionCall& call) { return Value::integer(type_oid(call.types[0].id)); }

Value type_shown(const FunctionCall& call) {
  if (call[0].is_null()) return Value::null();
  const auto oid = static_cast<std::uint32_t>(call[0].as_integer());
  if (oid == 0) return Value::text("-");
  const TypeInfo* info = find_type(static_cast<TypeId>(oid));
  if (info == nullptr) return Value::text("???");
  // Without a modifier char(n) is shown by its everyday name, with an unknown one by its own.
  if (call[1].is_null()) return Value::text(info->display_name);
  return Value::text(format_type(Type(info->id, static_cast<std::int32_t>(call[1].as_integer()))));
}

template <bool wanted>
Value count_nulls(const FunctionCall& call) {
  std::span<const Value> values = call.arguments;
  if (call.variadic_array) {
    if (call[0].is_null()) return Value::null();
    values = call[0].as_array().elements();
  }
  std::int64_t count = 0;
  for (const Value& value : values) count += value.is_null() == wanted ? 1 : 0;
  return Value::integer(count);
}

Value column_size(const FunctionCall& call) {
  return Value::integer(static_cast<std::int64_t>(storage_size(call[0], call.types[0].id)));
}

Value random_fraction(const FunctionCall& call) {
  return Value::floating(session_of(call).random_sequence().next_fraction());
}

Value set_seed(const FunctionCall& call) {
  const double seed = call[0].as_floating();
  if (std::isnan(seed) || seed < -1 || seed > 1) {
    throw SqlError(sqlstate::invalid_parameter_value,
                   fmt::format("setseed parameter {} is out of allowed range [-1,1]",
                               std::isnan(seed) ? std::string("NaN") : fmt::format("{:g}", seed)));
  }
  session_of(call).random_sequence() = RandomSequence::from_fraction(seed);
  return Value::text("");
}

// Version 4 of RFC 4122.
Value random_uuid(const FunctionCall& call) {
  SessionServices& session = session_of(call);
  std::string bytes;
  for (int half = 0; half < 2; ++half) {
    const std::uint64_t bits = session.random_bits();
    for (int shift = 0; shift < 64; shift += 8) bytes.push_back(static_cast<char>(bits >> shift & 0xFF));
  }
  bytes[6] = static_cast<char>((bytes[6] & 0x0F) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3F) | 0x80);
  return Value::text(bytes);
}

template <bool wanted>
FunctionEntry counting_nulls(const char* name) {
  return {.name = name,
          .arguments = {TypeId::any},
          .result = TypeId::int4,
          .strict = false,
          .variadic = true,
          .scalar = count_nulls<wanted>};
}

}  // namespace

SessionServices& session_of(const CallContext& context) {
  if (context.session != nullptr) return *context.session;
  throw SqlError(sqlstate::feature_not_supported, "this function is not available without a session");
}

SessionServices& session_of(const FunctionCall& call) { return session_of(call.context); }

void add_system(Entries& to) {
  using enum TypeId;
  constexpr Volatility stable = Volatility::stable;
  constexpr Volatility changing = Volatility::volatile_function;
  add_system_types(to);
  add_system_sizes(to);
  add_system_catalog(to);
  FunctionEntry typeof_entry = system_function("pg_typeof", {any}, regtype, stable, type_of);
  typeof_entry.strict = false;
  to.functions.push_back(std::move(typeof_entry));
  FunctionEntry format_type_entry = system_function("format_type", {oid, int4}, text, stable, type_shown);
  format_type_entry.strict = false;
  to.functions.push_back(std::move(format_type_entry));
  to.functions.push_back(counting_nulls<true>("num_nulls"));
  to.functions.push_back(counting_nulls<false>("num_nonnulls"));
  to.functions.push_back(system_function("pg_column_size", {any}, int4, stable, column_size));
  to.functions.push_back(system_function("random", {}, float8, changing, random_fraction));
  to.functions.push_back(system_function("setseed", {float8}, void_type, changing, set_seed));
  to.functions.push_back(system_function("gen_random_uuid", {}, uuid, changing, random_uuid));
}

}  // namespace polarsim::engine::families
