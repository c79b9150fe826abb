#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <string>

#include "engine/types/comparisons.h"
#include "engine/types/error.h"
#include "engine/types/functions_system.h"

// void, numbers of transactions, and numbers of objects that show as names (PostgreSQL's pseudotypes.c, xid.c,
// regproc.c).
namespace polarsim::engine::families {
namespace {

Value void_input(std::string_view, Type, const CallContext&) { return Value::text(""); }
void void_output(std::string&, const Value&, const CallContext&) {}

std::uint64_t hash_number(const Value& value) {
  auto hash = static_cast<std::uint64_t>(value.as_integer()) * 0x9E3779B97F4A7C15U;
  return hash ^ hash >> 32;
}

// What strtoull() reads, in base 8, 10 or 16: PostgreSQL takes it as it is.
std::uint64_t number_of(std::string_view text) { return std::strtoull(std::string(text).c_str(), nullptr, 0); }

Value xid_input(std::string_view text, Type, const CallContext&) {
  return Value::integer(static_cast<std::uint32_t>(number_of(text)));
}
Value xid8_input(std::string_view text, Type, const CallContext&) {
  return Value::integer(static_cast<std::int64_t>(number_of(text)));
}
void unsigned_output(std::string& to, const Value& value, const CallContext&) {
  to += fmt::to_string(static_cast<std::uint64_t>(value.as_integer()));
}

int compare_unsigned(const Value& a, const Value& b) {
  const auto x = static_cast<std::uint64_t>(a.as_integer());
  const auto y = static_cast<std::uint64_t>(b.as_integer());
  return x < y ? -1 : x > y ? 1 : 0;
}

template <bool wanted>
Value same_xid(const FunctionCall& call) {
  return Value::boolean((call[0].as_integer() == call[1].as_integer()) == wanted);
}
// A negative integer means the number with the same 32 bits.
template <bool wanted>
Value same_xid_as_int4(const FunctionCall& call) {
  const auto bits = static_cast<std::uint32_t>(call[1].as_integer());
  return Value::boolean((call[0].as_integer() == std::int64_t{bits}) == wanted);
}
Value xid8_to_xid(const FunctionCall& call) { return Value::integer(static_cast<std::uint32_t>(call[0].as_integer())); }

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::uint32_t object_number(std::string_view text) {
  const std::uint64_t number = text.size() > 10 ? ~std::uint64_t{0} : number_of(fmt::format("{}", text));
  if (number <= 0xFFFFFFFFU) return static_cast<std::uint32_t>(number);
  throw SqlError(sqlstate::numeric_value_out_of_range, fmt::format("value \"{}\" is out of range for type oid", text));
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// Without what stands in parentheses, as in varchar(5): a modifier has no part in the type's number.
std::string without_modifier(std::string text) {
  const std::size_t open = text.find('(');
  const std::size_t close = text.find(')', open);
  if (open == std::string::npos || close == std::string::npos) return text;
  return std::string(trimmed(text.substr(0, open))) + text.substr(close + 1);
}

const TypeInfo* find_element_type(std::string_view name) {
  struct Alias {
    std::string_view name;
    TypeId type;
  };
  // Names of the grammar that are neither those of the catalog nor those that are shown.
  static constexpr Alias aliases[] = {
      {"int", TypeId::int4},           {"decimal", TypeId::numeric}, {"dec", TypeId::numeric},
      {"float", TypeId::float8},       {"char", TypeId::bpchar},     {"timestamp without time zone", TypeId::timestamp},
      {"\"char\"", TypeId::char_byte},
  };
  constexpr std::string_view schema = "pg_catalog.";
  if (name.starts_with(schema)) name.remove_prefix(schema.size());
  for (const Alias& alias : aliases) {
    if (alias.name == name) return find_type(alias.type);
  }
  for (const TypeInfo& info : all_types()) {
    if (name == info.display_name) return &info;
  }
  if (name.size() > 2 && name.front() == '"' && name.back() == '"') name = name.substr(1, name.size() - 2);
  return find_type(name);
}

// Null if there is none.
const TypeInfo* find_type_by_text(std::string_view text) {
  std::string name = without_modifier(lower(trimmed(text)));
  bool array = false;
  while (name.ends_with(']') && name.rfind('[') != std::string::npos) {
    name = std::string(trimmed(std::string_view(name).substr(0, name.rfind('['))));
    array = true;
  }
  const TypeInfo* info = find_element_type(name);
  if (info == nullptr || !array) return info;
  return info->array == TypeId::none ? nullptr : find_type(info->array);
}

Value regtype_input(std::string_view text, Type, const CallContext&) {
  if (text == "-") return Value::integer(0);
  if (is_number(text)) return Value::integer(object_number(text));
  if (trimmed(text).empty()) throw SqlError(sqlstate::syntax_error, fmt::format("invalid type name \"{}\"", text));
  if (const TypeInfo* info = find_type_by_text(text)) return Value::integer(type_oid(info->id));
  throw SqlError(sqlstate::undefined_object, fmt::format("type \"{}\" does not exist", text));
}
void regtype_output(std::string& to, const Value& value, const CallContext&) {
  const auto oid = static_cast<std::uint32_t>(value.as_integer());
  const TypeInfo* info = find_type(static_cast<TypeId>(oid));
  to += info != nullptr ? std::string(info->display_name) : oid == 0 ? "-" : fmt::to_string(oid);
}
Value to_regtype(const FunctionCall& call) {
  const TypeInfo* info = find_type_by_text(call[0].as_text());
  return info != nullptr ? Value::integer(type_oid(info->id)) : Value::null();
}

Value object_input(std::string_view text, Type type, const CallContext& context) {
  if (text == "-") return Value::integer(0);
  if (is_number(text)) return Value::integer(object_number(text));
  return Value::integer(session_of(context).object_number(type.id, text));
}
template <TypeId type>
void object_output(std::string& to, const Value& value, const CallContext& context) {
  const auto oid = static_cast<std::uint32_t>(value.as_integer());
  if (oid == 0) {
    to += '-';
  } else {
    to += context.session != nullptr ? context.session->object_name(type, oid) : fmt::to_string(oid);
  }
}
// Of a name alone: neither digits nor "-" have a meaning of their own.
Value text_to_regclass(const FunctionCall& call) {
  return Value::integer(session_of(call).object_number(TypeId::regclass, call[0].as_text()));
}

// Casts between numbers of objects and integers keep the 32 bits.
Value to_unsigned(const FunctionCall& call) { return Value::integer(static_cast<std::uint32_t>(call[0].as_integer())); }
Value to_signed(const FunctionCall& call) { return Value::integer(static_cast<std::int32_t>(call[0].as_integer())); }
Value int8_to_object(const FunctionCall& call) {
  const std::int64_t value = call[0].as_integer();
  if (value < 0 || value > 0xFFFFFFFF) throw SqlError(sqlstate::numeric_value_out_of_range, "OID out of range");
  return call[0];
}

void add_object_casts(Entries& to) {
  using enum TypeId;
  using enum CastContext;
  for (const TypeId type : {regclass, regtype, regproc, regnamespace}) {
    to.casts.push_back({oid, type, implicit, nullptr});
    to.casts.push_back({type, oid, implicit, nullptr});
    to.casts.push_back({int8, type, implicit, int8_to_object});
    to.casts.push_back({int2, type, implicit, to_unsigned});
    to.casts.push_back({int4, type, implicit, to_unsigned});
    to.casts.push_back({type, int8, assignment, nullptr});
    to.casts.push_back({type, int4, assignment, to_signed});
  }
  to.casts.push_back({text, regclass, implicit, text_to_regclass, Volatility::stable});
  to.casts.push_back({varchar, regclass, implicit, text_to_regclass, Volatility::stable});
}

void add_transaction_numbers(Entries& to) {
  using enum TypeId;
  constexpr Volatility immutable = Volatility::immutable;
  const auto add_equality = [&](TypeId right, ScalarFunction equal, const char* equal_name, ScalarFunction different,
                                const char* different_name) {
    const char* commutator = right == xid ? "=" : nullptr;
    to.functions.push_back(system_function(equal_name, {xid, right}, boolean, immutable, equal));
    to.functions.push_back(system_function(different_name, {xid, right}, boolean, immutable, different));
    to.operators.push_back({"=", xid, right, boolean, equal, equal_name, commutator, "<>", right == xid});
    to.operators.push_back({"<>", xid, right, boolean, different, different_name, right == xid ? "<>" : nullptr, "="});
  };
  add_equality(xid, same_xid<true>, "xideq", same_xid<false>, "xidneq");
  add_equality(int4, same_xid_as_int4<true>, "xideqint4", same_xid_as_int4<false>, "xidneqint4");
  add_comparisons<compare_unsigned>(to, xid8, xid8, {"xid8lt", "xid8le", "xid8eq", "xid8ne", "xid8ge", "xid8gt"});
  to.functions.push_back(
      system_function("xid8cmp", {xid8, xid8}, int4, immutable, compared_as_integer<compare_unsigned>));
  to.functions.push_back(system_function("xid8_larger", {xid8, xid8}, xid8, immutable, larger<compare_unsigned>));
  to.functions.push_back(system_function("xid8_smaller", {xid8, xid8}, xid8, immutable, smaller<compare_unsigned>));
  to.functions.push_back(system_function("xid", {xid8}, xid, immutable, xid8_to_xid));
  to.casts.push_back({xid8, xid, CastContext::explicit_only, xid8_to_xid});
}

}  // namespace

void add_system_types(Entries& to) {
  using enum TypeId;
  constexpr Volatility stable = Volatility::stable;
  to.types.push_back({void_type, void_input, void_output, nullptr, nullptr, nullptr});
  to.types.push_back({xid, xid_input, unsigned_output, nullptr, hash_number, nullptr});
  to.types.push_back({xid8, xid8_input, unsigned_output, compare_unsigned, hash_number, nullptr});
  to.types.push_back({regtype, regtype_input, regtype_output, compare_unsigned, hash_number, nullptr});
  to.types.push_back({regclass, object_input, object_output<regclass>, compare_unsigned, hash_number, nullptr});
  to.types.push_back({regproc, object_input, object_output<regproc>, compare_unsigned, hash_number, nullptr});
  to.types.push_back({regnamespace, object_input, object_output<regnamespace>, compare_unsigned, hash_number, nullptr});
  add_transaction_numbers(to);
  to.functions.push_back(system_function("to_regtype", {text}, regtype, stable, to_regtype));
  to.functions.push_back(system_function("regclass", {text}, regclass, stable, text_to_regclass));
  add_object_casts(to);
}

}  // namespace polarsim::engine::families
