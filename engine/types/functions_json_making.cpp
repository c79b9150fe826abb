#include <fmt/format.h>

#include <optional>

#include "engine/types/error.h"
#include "engine/types/functions_json.h"
#include "engine/types/functions_texts.h"
#include "engine/types/json.h"
#include "engine/types/json_conversion.h"

// Documents of other values (PostgreSQL's json.c, jsonb.c).
namespace polarsim::engine::families {
namespace {

Value to_json(const FunctionCall& call) {
  if (call[0].is_null()) return Value::null();
  const bool line_feeds = call.size() > 1 && call[1].as_boolean();
  std::string text;
  append_as_json(text, call[0], call.types[0], call.context, line_feeds);
  return Value::text(text);
}
Value to_jsonb(const FunctionCall& call) { return Value::json(as_json(call[0], call.types[0], call.context)); }

// The arguments of VARIADIC "any": as they are, or the elements of the array that stands for them.
struct Given {
  std::span<const Value> values;
  std::span<const Type> types;
  std::optional<Type> element;  // of that array

  Type type(std::size_t i) const { return element ? *element : types[i]; }
};
// None if that array is NULL.
std::optional<Given> given_to(const FunctionCall& call) {
  if (!call.variadic_array) return Given{call.arguments, call.types, std::nullopt};
  const Value& last = call.arguments.back();
  if (last.is_null()) return std::nullopt;
  const Array& array = last.as_array();
  return Given{array.elements(), {}, Type(array.element())};
}

[[noreturn]] void throw_odd_arguments(const char* function) {
  throw SqlError(sqlstate::invalid_parameter_value, "argument list must have even number of elements", "",
                 fmt::format("The arguments of {} must consist of alternating keys and values.", function));
}

Value json_build_object(const FunctionCall& call) {
  const std::optional<Given> given = given_to(call);
  if (!given) return Value::null();
  const std::span<const Value> values = given->values;
  if (values.size() % 2 != 0) throw_odd_arguments("json_build_object()");
  std::string text = "{";
  for (std::size_t i = 0; i < values.size(); i += 2) {
    if (i > 0) text += ", ";
    if (values[i].is_null()) {
      throw SqlError(sqlstate::invalid_parameter_value, fmt::format("argument {} cannot be null", i + 1), "",
                     "Object keys should be text.");
    }
    append_as_json_key(text, values[i], given->type(i), call.context);
    text += " : ";
    append_as_json(text, values[i + 1], given->type(i + 1), call.context);
  }
  return Value::text(text += '}');
}
Value jsonb_build_object(const FunctionCall& call) {
  const std::optional<Given> given = given_to(call);
  if (!given) return Value::null();
  const std::span<const Value> values = given->values;
  if (values.size() % 2 != 0) throw_odd_arguments("jsonb_build_object()");
  Json::Members members;
  for (std::size_t i = 0; i < values.size(); i += 2) {
    if (values[i].is_null())
      throw SqlError(sqlstate::invalid_parameter_value, fmt::format("argument {}: key must not be null", i + 1));
    std::string key = as_json_key(values[i], given->type(i), call.context);
    members.push_back({std::move(key), as_json(values[i + 1], given->type(i + 1), call.context)});
  }
  return Value::json(Json(std::move(members)));
}

Value json_build_array(const FunctionCall& call) {
  const std::optional<Given> given = given_to(call);
  if (!given) return Value::null();
  std::string text = "[";
  for (std::size_t i = 0; i < given->values.size(); ++i) {
    if (i > 0) text += ", ";
    append_as_json(text, given->values[i], given->type(i), call.context);
  }
  return Value::text(text += ']');
}
Value jsonb_build_array(const FunctionCall& call) {
  const std::optional<Given> given = given_to(call);
  if (!given) return Value::null();
  Json::Elements elements;
  for (std::size_t i = 0; i < given->values.size(); ++i)
    elements.push_back(as_json(given->values[i], given->type(i), call.context));
  return Value::json(Json(std::move(elements)));
}

// --- json_object() ---

[[noreturn]] void throw_subscripts(const char* message) { throw SqlError(sqlstate::array_subscript_error, message); }

// Takes each key and value from one array, in turn or in two columns, or from two arrays.
template <typename Take>
void take_pairs(const FunctionCall& call, Take take) {
  const Array& first = call[0].as_array();
  const auto take_pair = [&](const Value& key, const Value& value) {
    if (key.is_null()) throw SqlError(sqlstate::null_value_not_allowed, "null value not allowed for object key");
    take(key.as_text(), value);
  };
  if (call.size() > 1) {
    const Array& second = call[1].as_array();
    if (first.dimensions().size() > 1 || first.dimensions().size() != second.dimensions().size())
      throw_subscripts("wrong number of array subscripts");
    if (first.elements().size() != second.elements().size()) throw_subscripts("mismatched array dimensions");
    for (std::size_t i = 0; i < first.elements().size(); ++i) take_pair(first.elements()[i], second.elements()[i]);
    return;
  }
  const auto& dimensions = first.dimensions();
  if (dimensions.size() > 2) throw_subscripts("wrong number of array subscripts");
  if (dimensions.size() == 1 && dimensions[0].length % 2 != 0)
    throw_subscripts("array must have even number of elements");
  if (dimensions.size() == 2 && dimensions[1].length != 2) throw_subscripts("array must have two columns");
  for (std::size_t i = 0; i + 1 < first.elements().size(); i += 2)
    take_pair(first.elements()[i], first.elements()[i + 1]);
}

Value json_object(const FunctionCall& call) {
  std::string text = "{";
  take_pairs(call, [&text](std::string_view key, const Value& value) {
    if (text.size() > 1) text += ", ";
    append_json_string(text, key);
    text += " : ";
    if (value.is_null()) {
      text += "null";
    } else {
      append_json_string(text, value.as_text());
    }
  });
  return Value::text(text += '}');
}
Value jsonb_object(const FunctionCall& call) {
  Json::Members members;
  take_pairs(call, [&members](std::string_view key, const Value& value) {
    members.push_back({std::string(key), value.is_null() ? Json() : Json(std::string(value.as_text()))});
  });
  return Value::json(Json(std::move(members)));
}

FunctionEntry building(const char* name, std::vector<TypeId> arguments, TypeId result, ScalarFunction function) {
  FunctionEntry entry = takes_nulls(stable(scalar(name, std::move(arguments), result, function)));
  entry.variadic = !entry.arguments.empty();
  return entry;
}

}  // namespace

void add_json_making(Entries& to) {
  using enum TypeId;
  add_functions(to, {
                        stable(scalar("to_json", {any_element}, json, to_json)),
                        stable(scalar("to_jsonb", {any_element}, jsonb, to_jsonb)),
                        stable(scalar("array_to_json", {any_array}, json, to_json)),
                        stable(scalar("array_to_json", {any_array, boolean}, json, to_json)),
                        stable(scalar("row_to_json", {record}, json, to_json)),
                        stable(scalar("row_to_json", {record, boolean}, json, to_json)),
                        building("json_build_object", {any}, json, json_build_object),
                        building("json_build_object", {}, json, json_build_object),
                        building("jsonb_build_object", {any}, jsonb, jsonb_build_object),
                        building("jsonb_build_object", {}, jsonb, jsonb_build_object),
                        building("json_build_array", {any}, json, json_build_array),
                        building("json_build_array", {}, json, json_build_array),
                        building("jsonb_build_array", {any}, jsonb, jsonb_build_array),
                        building("jsonb_build_array", {}, jsonb, jsonb_build_array),
                        scalar("json_object", {text_array}, json, json_object),
                        scalar("json_object", {text_array, text_array}, json, json_object),
                        scalar("jsonb_object", {text_array}, jsonb, jsonb_object),
                        scalar("jsonb_object", {text_array, text_array}, jsonb, jsonb_object),
                    });
}

}  // namespace polarsim::engine::families
