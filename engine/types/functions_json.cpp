#include "engine/types/functions_json.h"

#include <fmt/format.h>

#include "engine/types/comparisons.h"
#include "engine/types/error.h"
#include "engine/types/functions_texts.h"
#include "engine/types/json.h"
#include "engine/types/json_text.h"

// The types json and jsonb (PostgreSQL's json.c, jsonb.c, jsonb_op.c).
namespace polarsim::engine::families {
namespace {

Value json_input(std::string_view text, Type, const CallContext&) {
  JsonText::check(text, false);
  return Value::text(text);
}
void json_output(std::string& to, const Value& value, const CallContext&) { to += value.as_text(); }

Value jsonb_input(std::string_view text, Type, const CallContext&) { return Value::json(Json::parse(text)); }
void jsonb_output(std::string& to, const Value& value, const CallContext&) { value.as_json().append_to(to); }

int compare_jsonb(const Value& a, const Value& b) { return Json::compare(a.as_json(), b.as_json()); }
std::uint64_t hash_jsonb(const Value& value) { return value.as_json().hash() * 0x9E3779B97F4A7C15U; }
Value jsonb_hash(const FunctionCall& call) {
  return Value::integer(static_cast<std::int32_t>(call[0].as_json().hash()));
}

[[noreturn]] void throw_cannot_cast(const Json& json, TypeId type) {
  const std::string_view kind = json.is_number() ? "numeric" : json.type_name();
  throw SqlError(sqlstate::invalid_parameter_value,
                 fmt::format("cannot cast jsonb {} to type {}", kind, engine::type_name(type)));
}

Value jsonb_to_boolean(const FunctionCall& call) {
  const Json& json = call[0].as_json();
  if (!json.is_boolean()) throw_cannot_cast(json, TypeId::boolean);
  return Value::boolean(json.as_boolean());
}
template <TypeId type>
Value jsonb_to_number(const FunctionCall& call) {
  const Json& json = call[0].as_json();
  if (!json.is_number()) throw_cannot_cast(json, type);
  const Numeric& number = json.as_number();
  switch (type) {
    case TypeId::int2:
      return Value::integer(number.to_int2());
    case TypeId::int4:
      return Value::integer(number.to_int4());
    case TypeId::int8:
      return Value::integer(number.to_int8());
    case TypeId::float4:
      return Value::floating(number.to_float());
    case TypeId::float8:
      return Value::floating(number.to_double());
    default:
      return Value::numeric(number);
  }
}

Value json_to_jsonb(const FunctionCall& call) { return Value::json(Json::parse(call[0].as_text())); }
Value jsonb_to_json(const FunctionCall& call) { return Value::text(call[0].as_json().to_string()); }

void add_cast(Entries& to, TypeId target, const char* function_name, ScalarFunction function) {
  to.casts.push_back({TypeId::jsonb, target, CastContext::explicit_only, function});
  to.functions.push_back(scalar(function_name, {TypeId::jsonb}, target, function));
}

}  // namespace

void add_json_types(Entries& to) {
  using enum TypeId;
  to.types.push_back({json, json_input, json_output, nullptr, nullptr, nullptr});
  to.types.push_back({jsonb, jsonb_input, jsonb_output, compare_jsonb, hash_jsonb, nullptr});
  add_comparisons<compare_jsonb>(to, jsonb, jsonb,
                                 {"jsonb_lt", "jsonb_le", "jsonb_eq", "jsonb_ne", "jsonb_ge", "jsonb_gt"});
  to.functions.push_back(scalar("jsonb_cmp", {jsonb, jsonb}, int4, compared_as_integer<compare_jsonb>));
  to.functions.push_back(scalar("jsonb_hash", {jsonb}, int4, jsonb_hash));
  add_cast(to, boolean, "bool", jsonb_to_boolean);
  add_cast(to, numeric, "numeric", jsonb_to_number<numeric>);
  add_cast(to, int2, "int2", jsonb_to_number<int2>);
  add_cast(to, int4, "int4", jsonb_to_number<int4>);
  add_cast(to, int8, "int8", jsonb_to_number<int8>);
  add_cast(to, float4, "float4", jsonb_to_number<float4>);
  add_cast(to, float8, "float8", jsonb_to_number<float8>);
  to.casts.push_back({json, jsonb, CastContext::assignment, json_to_jsonb});
  to.casts.push_back({jsonb, json, CastContext::assignment, jsonb_to_json});
}

void add_json(Entries& to) {
  add_json_types(to);
  add_json_access(to);
  add_json_searches(to);
  add_json_making(to);
  add_json_changes(to);
  add_json_sets(to);
  add_json_aggregates(to);
  add_json_records(to);
}

}  // namespace polarsim::engine::families
