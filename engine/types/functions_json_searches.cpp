#include <algorithm>

#include "engine/types/functions_json.h"
#include "engine/types/functions_texts.h"
#include "engine/types/json.h"

// Containment and existence (PostgreSQL's jsonb_op.c).
namespace polarsim::engine::families {
namespace {

Value contains(const FunctionCall& call) { return Value::boolean(call[0].as_json().contains(call[1].as_json())); }
Value is_contained(const FunctionCall& call) { return Value::boolean(call[1].as_json().contains(call[0].as_json())); }

// A key, or a string that is an element or the document itself.
bool exists(const Json& json, std::string_view text) {
  const auto is_text = [text](const Json& each) { return each.is_string() && each.as_string() == text; };
  if (json.is_object()) return json.find(text) != nullptr;
  return json.is_array() ? std::ranges::any_of(json.elements(), is_text) : is_text(json);
}
Value exists_one(const FunctionCall& call) { return Value::boolean(exists(call[0].as_json(), call[1].as_text())); }
Value exists_any(const FunctionCall& call) {
  return Value::boolean(std::ranges::any_of(call[1].as_array().elements(), [&](const Value& text) {
    return !text.is_null() && exists(call[0].as_json(), text.as_text());
  }));
}
Value exists_all(const FunctionCall& call) {
  return Value::boolean(std::ranges::all_of(call[1].as_array().elements(), [&](const Value& text) {
    return text.is_null() || exists(call[0].as_json(), text.as_text());
  }));
}

}  // namespace

void add_json_searches(Entries& to) {
  using enum TypeId;
  const OperatorEntry operators[] = {
      {"@>", jsonb, jsonb, boolean, contains, "jsonb_contains", "<@"},
      {"<@", jsonb, jsonb, boolean, is_contained, "jsonb_contained", "@>"},
      {"?", jsonb, text, boolean, exists_one, "jsonb_exists"},
      {"?|", jsonb, text_array, boolean, exists_any, "jsonb_exists_any"},
      {"?&", jsonb, text_array, boolean, exists_all, "jsonb_exists_all"},
  };
  for (const OperatorEntry& one : operators) {
    to.operators.push_back(one);
    to.functions.push_back(scalar(one.function_name, {one.left, one.right}, one.result, one.function));
  }
}

}  // namespace polarsim::engine::families
