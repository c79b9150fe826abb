#include <algorithm>
#include <limits>
#include <optional>

#include "engine/types/error.h"
#include "engine/types/functions_json.h"
#include "engine/types/functions_texts.h"
#include "engine/types/json.h"
#include "engine/types/json_path.h"
#include "engine/types/json_text.h"

// Parts of documents (PostgreSQL's jsonfuncs.c).
namespace polarsim::engine::families {
namespace {

// --- jsonb ---

// A part that was found, or null; as jsonb or as text, where JSON's null is SQL's.
template <bool as_text>
Value part_of(const Json* part) {
  if (part == nullptr) return Value::null();
  if constexpr (!as_text) {
    return Value::json(*part);
  } else {
    if (part->is_null()) return Value::null();
    return Value::text(part->is_string() ? part->as_string() : part->to_string());
  }
}

// Counted from the end if negative; null if there is no such element.
const Json* element_at(const Json::Elements& elements, std::int64_t position) {
  const auto size = static_cast<std::int64_t>(elements.size());
  if (position < 0) position += size;
  return position < 0 || position >= size ? nullptr : &elements[static_cast<std::size_t>(position)];
}

template <bool as_text>
Value jsonb_field(const FunctionCall& call) {
  return part_of<as_text>(call[0].as_json().find(call[1].as_text()));
}
template <bool as_text>
Value jsonb_element(const FunctionCall& call) {
  const Json& json = call[0].as_json();
  if (json.is_object()) return Value::null();
  const std::int64_t position = call[1].as_integer();
  if (json.is_array()) return part_of<as_text>(element_at(json.elements(), position));
  // A scalar is stored as an array of it, which shows here.
  return part_of<as_text>(position == 0 || position == -1 ? &json : nullptr);
}

bool has_null(const Array& array) { return std::ranges::any_of(array.elements(), &Value::is_null); }

template <bool as_text>
Value jsonb_path(const FunctionCall& call) {
  const Array& path = call[1].as_array();
  if (has_null(path)) return Value::null();
  const Json* part = &call[0].as_json();
  for (const Value& step : path.elements()) {
    if (part->is_array()) {
      const std::optional<std::int32_t> position = json_array_position(step.as_text());
      part = position ? element_at(part->elements(), *position) : nullptr;
    } else {
      part = part->find(step.as_text());
    }
    if (part == nullptr) break;
  }
  return part_of<as_text>(part);
}

Value jsonb_array_length(const FunctionCall& call) {
  const Json& json = call[0].as_json();
  if (json.is_scalar()) throw SqlError(sqlstate::invalid_parameter_value, "cannot get array length of a scalar");
  if (!json.is_array()) throw SqlError(sqlstate::invalid_parameter_value, "cannot get array length of a non-array");
  return Value::integer(static_cast<std::int64_t>(json.elements().size()));
}
Value jsonb_typeof(const FunctionCall& call) { return Value::text(call[0].as_json().type_name()); }
Value jsonb_pretty(const FunctionCall& call) { return Value::text(call[0].as_json().to_pretty_string()); }

// --- json ---

template <bool as_text>
Value part_of(const JsonText* part) {
  if (part == nullptr) return Value::null();
  if (as_text && part->kind == JsonText::Kind::null) return Value::null();
  return Value::text(as_text && part->kind == JsonText::Kind::string ? part->string : part->raw);
}

// Looks for what a path of keys or positions means. Of members with one key the last one counts that has the rest of
// the path. Every array of a document turns a position from the end into one from the start for its whole level, so
// that arrays after it see that one: PostgreSQL does so.
class PathSearch {
 public:
  struct Step {
    std::string_view key;
    bool by_key = true;                    // finds members
    std::optional<std::int64_t> position;  // finds elements
  };
  explicit PathSearch(std::vector<Step> path) : path_(std::move(path)) {}

  const JsonText* find(const JsonText& document) {
    if (path_.empty()) return &document;
    visit(document, 0, true);
    return found_;
  }

 private:
  void visit(const JsonText& node, std::size_t level, bool on_path) {
    if (node.is_scalar() || level >= path_.size()) return;
    Step& step = path_[level];
    const bool is_array = node.kind == JsonText::Kind::array;
    const auto size = static_cast<std::int64_t>(node.children.size());
    if (is_array && step.position && *step.position < 0 && -*step.position <= size) *step.position += size;
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      const JsonText::Child& child = node.children[i];
      const bool wanted = is_array ? step.position && *step.position == static_cast<std::int64_t>(i)
                                   : step.by_key && child.key == step.key;
      const bool matches = on_path && wanted;
      if (matches && level + 1 == path_.size()) found_ = &child.value;
      visit(child.value, level + 1, matches);
    }
  }

  std::vector<Step> path_;
  const JsonText* found_ = nullptr;
};

template <bool as_text>
Value json_part(const FunctionCall& call, std::vector<PathSearch::Step> path) {
  const JsonText document = JsonText::parse(call[0].as_text(), true);
  return part_of<as_text>(PathSearch(std::move(path)).find(document));
}
template <bool as_text>
Value json_field(const FunctionCall& call) {
  return json_part<as_text>(call, {{call[1].as_text(), true, std::nullopt}});
}
template <bool as_text>
Value json_element(const FunctionCall& call) {
  return json_part<as_text>(call, {{"", false, call[1].as_integer()}});
}
template <bool as_text>
Value json_path(const FunctionCall& call) {
  const Array& array = call[1].as_array();
  if (has_null(array)) return Value::null();
  std::vector<PathSearch::Step> path;
  for (const Value& step : array.elements()) {
    path.push_back({step.as_text(), true, json_array_position(step.as_text())});
    // PostgreSQL's mark of what is no position.
    if (path.back().position == std::numeric_limits<std::int32_t>::min()) path.back().position.reset();
  }
  return json_part<as_text>(call, std::move(path));
}

Value json_array_length(const FunctionCall& call) {
  const JsonText json = JsonText::parse(call[0].as_text(), false);
  if (json.is_scalar()) throw SqlError(sqlstate::invalid_parameter_value, "cannot get array length of a scalar");
  if (json.kind != JsonText::Kind::array)
    throw SqlError(sqlstate::invalid_parameter_value, "cannot get array length of a non-array");
  return Value::integer(static_cast<std::int64_t>(json.children.size()));
}

Value json_typeof(const FunctionCall& call) {
  const std::string_view text = call[0].as_text();
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  switch (start == std::string_view::npos ? ' ' : text[start]) {
    case '{':
      return Value::text("object");
    case '[':
      return Value::text("array");
    case '"':
      return Value::text("string");
    case 't':
    case 'f':
      return Value::text("boolean");
    case 'n':
      return Value::text("null");
    default:
      return Value::text("number");
  }
}

struct Accessor {
  const char* symbol;
  TypeId document;
  TypeId selector;
  TypeId result;
  const char* function_name;
  const char* selector_name;
  ScalarFunction function;
};

void add_accessor(Entries& to, const Accessor& one) {
  FunctionEntry entry =
      with_argument_names(scalar(one.function_name, {one.document, one.selector}, one.result, one.function),
                          {"from_json", one.selector_name});
  entry.variadic = one.selector == TypeId::text_array;
  to.functions.push_back(std::move(entry));
  to.operators.push_back({one.symbol, one.document, one.selector, one.result, one.function, one.function_name});
}

}  // namespace

void add_json_access(Entries& to) {
  using enum TypeId;
  const Accessor accessors[] = {
      {"->", json, text, json, "json_object_field", "field_name", json_field<false>},
      {"->>", json, text, text, "json_object_field_text", "field_name", json_field<true>},
      {"->", json, int4, json, "json_array_element", "element_index", json_element<false>},
      {"->>", json, int4, text, "json_array_element_text", "element_index", json_element<true>},
      {"#>", json, text_array, json, "json_extract_path", "path_elems", json_path<false>},
      {"#>>", json, text_array, text, "json_extract_path_text", "path_elems", json_path<true>},
      {"->", jsonb, text, jsonb, "jsonb_object_field", "field_name", jsonb_field<false>},
      {"->>", jsonb, text, text, "jsonb_object_field_text", "field_name", jsonb_field<true>},
      {"->", jsonb, int4, jsonb, "jsonb_array_element", "element_index", jsonb_element<false>},
      {"->>", jsonb, int4, text, "jsonb_array_element_text", "element_index", jsonb_element<true>},
      {"#>", jsonb, text_array, jsonb, "jsonb_extract_path", "path_elems", jsonb_path<false>},
      {"#>>", jsonb, text_array, text, "jsonb_extract_path_text", "path_elems", jsonb_path<true>},
  };
  for (const Accessor& one : accessors) add_accessor(to, one);
  add_functions(to, {
                        scalar("json_array_length", {json}, int4, json_array_length),
                        scalar("jsonb_array_length", {jsonb}, int4, jsonb_array_length),
                        scalar("json_typeof", {json}, text, json_typeof),
                        scalar("jsonb_typeof", {jsonb}, text, jsonb_typeof),
                        scalar("jsonb_pretty", {jsonb}, text, jsonb_pretty),
                    });
}

}  // namespace polarsim::engine::families
