#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "engine/types/error.h"
#include "engine/types/functions_json.h"
#include "engine/types/functions_texts.h"
#include "engine/types/json.h"
#include "engine/types/json_path.h"
#include "engine/types/json_text.h"

// Documents made of others (PostgreSQL's jsonfuncs.c: jsonb_concat(), jsonb_delete(), setPath(), ...).
namespace polarsim::engine::families {
namespace {

bool is_empty(const Json& json) {
  return json.is_array() ? json.elements().empty() : json.is_object() && json.members().empty();
}
[[noreturn]] void refuse(const char* message) { throw SqlError(sqlstate::invalid_parameter_value, message); }

// --- || and - ---

void append_elements(Json::Elements& to, const Json& json) {
  if (json.is_array()) {
    to.insert(to.end(), json.elements().begin(), json.elements().end());
  } else {
    to.push_back(json);
  }
}
Value concatenate(const FunctionCall& call) {
  const Json& a = call[0].as_json();
  const Json& b = call[1].as_json();
  if (a.is_object() && b.is_object()) {
    Json::Members members = a.members();
    members.insert(members.end(), b.members().begin(), b.members().end());
    return Value::json(Json(std::move(members)));
  }
  Json::Elements elements;
  append_elements(elements, a);
  append_elements(elements, b);
  return Value::json(Json(std::move(elements)));
}

// Without the members with such keys, or the elements that are such strings.
template <typename Wanted>
Value without(const Value& value, Wanted wanted) {
  const Json& json = value.as_json();
  if (json.is_scalar()) refuse("cannot delete from scalar");
  if (json.is_object()) {
    Json::Members members;
    for (const Json::Member& member : json.members()) {
      if (!wanted(member.key)) members.push_back(member);
    }
    return Value::json(Json(std::move(members)));
  }
  Json::Elements elements;
  for (const Json& element : json.elements()) {
    if (!element.is_string() || !wanted(element.as_string())) elements.push_back(element);
  }
  return Value::json(Json(std::move(elements)));
}
Value delete_key(const FunctionCall& call) {
  return without(call[0], [key = call[1].as_text()](std::string_view each) { return each == key; });
}

void require_one_dimension(const Array& array) {
  if (array.dimensions().size() > 1)
    throw SqlError(sqlstate::array_subscript_error, "wrong number of array subscripts");
}
Value delete_keys(const FunctionCall& call) {
  const Array& keys = call[1].as_array();
  require_one_dimension(keys);
  return without(call[0], [&keys](std::string_view each) {
    return std::ranges::any_of(keys.elements(),
                               [each](const Value& key) { return !key.is_null() && key.as_text() == each; });
  });
}
Value delete_position(const FunctionCall& call) {
  const Json& json = call[0].as_json();
  if (json.is_scalar()) refuse("cannot delete from scalar");
  if (json.is_object()) refuse("cannot delete from object using integer index");
  const auto size = static_cast<std::int64_t>(json.elements().size());
  std::int64_t position = call[1].as_integer();
  if (position < 0) position += size;
  if (position < 0 || position >= size) return call[0];
  Json::Elements elements = json.elements();
  elements.erase(elements.begin() + position);
  return Value::json(Json(std::move(elements)));
}

// --- changes at the end of a path ---

enum class PathChange : std::uint8_t { remove, replace, create, insert_before, insert_after };

bool adds_what_is_missing(PathChange change) { return change != PathChange::remove && change != PathChange::replace; }

class PathChanger {
 public:
  PathChanger(const Array& path, PathChange change, const Json* value)
      : path_(path.elements()), change_(change), value_(value) {}

  Json changed(const Json& json, std::size_t level = 0) const {
    if (path_[level].is_null()) {
      throw SqlError(sqlstate::null_value_not_allowed, fmt::format("path element at position {} is null", level + 1));
    }
    if (json.is_scalar()) return json;
    return json.is_object() ? changed_object(json.members(), level) : changed_array(json.elements(), level);
  }

 private:
  bool is_last(std::size_t level) const { return level + 1 == path_.size(); }

  Json changed_object(Json::Members members, std::size_t level) const {
    const std::string_view key = path_[level].as_text();
    const auto found = std::ranges::find(members, key, &Json::Member::key);
    if (found == members.end()) {
      if (adds_what_is_missing(change_) && is_last(level)) members.push_back({std::string(key), *value_});
    } else if (!is_last(level)) {
      found->value = changed(found->value, level + 1);
    } else if (change_ == PathChange::remove) {
      members.erase(found);
    } else if (change_ == PathChange::replace || change_ == PathChange::create) {
      found->value = *value_;
    } else {
      throw SqlError(sqlstate::invalid_parameter_value, "cannot replace existing key", "",
                     "Try using the function jsonb_set to replace key value.");
    }
    return Json(std::move(members));
  }

  Json changed_array(Json::Elements elements, std::size_t level) const {
    const std::optional<std::int32_t> given = json_array_position(path_[level].as_text());
    if (!given) {
      throw SqlError(
          sqlstate::invalid_text_representation,
          fmt::format("path element at position {} is not an integer: \"{}\"", level + 1, path_[level].as_text()));
    }
    const auto size = static_cast<std::int64_t>(elements.size());
    const std::int64_t position = *given < 0 ? *given + size : *given;
    if (position < 0 || position >= size) {
      if (adds_what_is_missing(change_) && is_last(level))
        elements.insert(position < 0 ? elements.begin() : elements.end(), *value_);
      return Json(std::move(elements));
    }
    const auto at = elements.begin() + position;
    if (!is_last(level)) {
      *at = changed(*at, level + 1);
    } else if (change_ == PathChange::remove) {
      elements.erase(at);
    } else if (change_ == PathChange::insert_before || change_ == PathChange::insert_after) {
      elements.insert(change_ == PathChange::insert_before ? at : at + 1, *value_);
    } else {
      *at = *value_;
    }
    return Json(std::move(elements));
  }

  const std::vector<Value>& path_;
  const PathChange change_;
  const Json* const value_;  // null: it is to be removed
};

Value delete_path(const FunctionCall& call) {
  const Json& json = call[0].as_json();
  const Array& path = call[1].as_array();
  require_one_dimension(path);
  if (json.is_scalar()) refuse("cannot delete path in scalar");
  if (is_empty(json) || path.empty()) return call[0];
  return Value::json(PathChanger(path, PathChange::remove, nullptr).changed(json));
}

Value set_at_path(const FunctionCall& call, PathChange change, const Json& value) {
  const Json& json = call[0].as_json();
  const Array& path = call[1].as_array();
  require_one_dimension(path);
  if (json.is_scalar()) refuse("cannot set path in scalar");
  if ((is_empty(json) && change == PathChange::replace) || path.empty()) return call[0];
  return Value::json(PathChanger(path, change, &value).changed(json));
}
Value jsonb_set(const FunctionCall& call) {
  return set_at_path(call, call[3].as_boolean() ? PathChange::create : PathChange::replace, call[2].as_json());
}
Value jsonb_insert(const FunctionCall& call) {
  return set_at_path(call, call[3].as_boolean() ? PathChange::insert_after : PathChange::insert_before,
                     call[2].as_json());
}

Value jsonb_set_lax(const FunctionCall& call) {
  constexpr const char* wrong_treatment =
      "null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or \"raise_exception\"";
  if (call[0].is_null() || call[1].is_null() || call[3].is_null()) return Value::null();
  if (call[4].is_null()) refuse(wrong_treatment);
  if (!call[2].is_null()) return jsonb_set(call);
  const std::string_view treatment = call[4].as_text();
  if (treatment == "raise_exception") {
    throw SqlError(
        sqlstate::null_value_not_allowed, "JSON value must not be null",
        "Exception was raised because null_value_treatment is \"raise_exception\".",
        "To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed.");
  }
  if (treatment == "use_json_null")
    return set_at_path(call, call[3].as_boolean() ? PathChange::create : PathChange::replace, Json());
  if (treatment == "delete_key") return delete_path(call);
  if (treatment == "return_target") return call[0];
  refuse(wrong_treatment);
}

// --- without nulls ---

Json without_nulls(const Json& json) {
  if (json.is_object()) {
    Json::Members members;
    for (const Json::Member& member : json.members()) {
      if (!member.value.is_null()) members.push_back({member.key, without_nulls(member.value)});
    }
    return Json(std::move(members));
  }
  if (!json.is_array()) return json;
  Json::Elements elements;
  for (const Json& element : json.elements()) elements.push_back(without_nulls(element));
  return Json(std::move(elements));
}
Value jsonb_strip_nulls(const FunctionCall& call) { return Value::json(without_nulls(call[0].as_json())); }

void append_without_nulls(std::string& to, const JsonText& json) {
  if (json.kind == JsonText::Kind::string) return append_json_string(to, json.string);
  if (json.is_scalar()) {
    to += json.raw;
    return;
  }
  const bool is_object = json.kind == JsonText::Kind::object;
  bool is_first = true;
  to += is_object ? '{' : '[';
  for (const JsonText::Child& child : json.children) {
    if (is_object && child.value.kind == JsonText::Kind::null) continue;
    if (!is_first) to += ',';
    is_first = false;
    if (is_object) {
      append_json_string(to, child.key);
      to += ':';
    }
    append_without_nulls(to, child.value);
  }
  to += is_object ? '}' : ']';
}
Value json_strip_nulls(const FunctionCall& call) {
  std::string text;
  append_without_nulls(text, JsonText::parse(call[0].as_text(), true));
  return Value::text(text);
}

FunctionEntry changing(const char* function_name, ScalarFunction function, const char* option,
                       std::vector<const char*> defaults) {
  using enum TypeId;
  FunctionEntry entry = with_argument_names(scalar(function_name, {jsonb, text_array, jsonb, boolean}, jsonb, function),
                                            {"jsonb_in", "path", "replacement", option});
  entry.defaults = std::move(defaults);
  return entry;
}

}  // namespace

void add_json_changes(Entries& to) {
  using enum TypeId;
  FunctionEntry lax =
      takes_nulls(changing("jsonb_set_lax", jsonb_set_lax, "create_if_missing", {"true", "'use_json_null'"}));
  lax.arguments.push_back(text);
  lax.argument_names.push_back("null_value_treatment");
  add_functions(to, {
                        scalar("jsonb_concat", {jsonb, jsonb}, jsonb, concatenate),
                        scalar("jsonb_delete", {jsonb, text}, jsonb, delete_key),
                        variadic(with_argument_names(scalar("jsonb_delete", {jsonb, text_array}, jsonb, delete_keys),
                                                     {"from_json", "path_elems"})),
                        scalar("jsonb_delete", {jsonb, int4}, jsonb, delete_position),
                        scalar("jsonb_delete_path", {jsonb, text_array}, jsonb, delete_path),
                        changing("jsonb_set", jsonb_set, "create_if_missing", {"true"}),
                        changing("jsonb_insert", jsonb_insert, "insert_after", {"false"}),
                        std::move(lax),
                        scalar("jsonb_strip_nulls", {jsonb}, jsonb, jsonb_strip_nulls),
                        scalar("json_strip_nulls", {json}, json, json_strip_nulls),
                    });
  const OperatorEntry operators[] = {
      {"||", jsonb, jsonb, jsonb, concatenate, "jsonb_concat"},
      {"-", jsonb, text, jsonb, delete_key, "jsonb_delete"},
      {"-", jsonb, text_array, jsonb, delete_keys, "jsonb_delete"},
      {"-", jsonb, int4, jsonb, delete_position, "jsonb_delete"},
      {"#-", jsonb, text_array, jsonb, delete_path, "jsonb_delete_path"},
  };
  to.operators.insert(to.operators.end(), std::begin(operators), std::end(operators));
}

}  // namespace polarsim::engine::families
