#include <memory>

#include "engine/types/error.h"
#include "engine/types/functions_json.h"
#include "engine/types/json.h"
#include "engine/types/json_text.h"

// The members and elements of documents as rows (PostgreSQL's jsonfuncs.c).
namespace polarsim::engine::families {
namespace {

enum class Part : std::uint8_t { key, member, member_text, element, element_text };

constexpr bool of_object(Part part) { return part == Part::key || part == Part::member || part == Part::member_text; }
constexpr bool as_text(Part part) { return part == Part::member_text || part == Part::element_text; }

[[noreturn]] void refuse(const std::string& message) { throw SqlError(sqlstate::invalid_parameter_value, message); }

template <Part part>
class JsonbRows final : public FunctionRows {
 public:
  explicit JsonbRows(Value document) : document_(std::move(document)) {}
  bool next(Row& row) override {
    const Json& json = document_.as_json();
    if constexpr (of_object(part)) {
      if (at_ == json.members().size()) return false;
      const Json::Member& member = json.members()[at_++];
      row.assign(1, Value::text(member.key));
      if (part != Part::key) row.push_back(shown(member.value));
    } else {
      if (at_ == json.elements().size()) return false;
      row.assign(1, shown(json.elements()[at_++]));
    }
    return true;
  }

 private:
  static Value shown(const Json& json) {
    if (!as_text(part)) return Value::json(json);
    if (json.is_null()) return Value::null();
    return Value::text(json.is_string() ? json.as_string() : json.to_string());
  }
  const Value document_;
  std::size_t at_ = 0;
};

template <Part part>
std::unique_ptr<FunctionRows> jsonb_rows(const FunctionCall& call) {
  const Json& json = call[0].as_json();
  const std::string name = call.function != nullptr ? call.function->name : "";
  if (part == Part::key && !json.is_object())
    refuse("cannot call " + name + (json.is_array() ? " on an array" : " on a scalar"));
  if (of_object(part) && !json.is_object()) refuse("cannot call " + name + " on a non-object");
  if (!of_object(part) && json.is_scalar()) refuse("cannot extract elements from a scalar");
  if (!of_object(part) && !json.is_array()) refuse("cannot extract elements from an object");
  return std::make_unique<JsonbRows<part>>(call[0]);
}

template <Part part>
class JsonRows final : public FunctionRows {
 public:
  // `document_` stays where it is, as the parsed text looks into it.
  JsonRows(Value document, bool unescape)
      : document_(std::move(document)), json_(JsonText::parse(document_.as_text(), unescape)) {}
  const JsonText& json() const { return json_; }
  bool next(Row& row) override {
    if (at_ == json_.children.size()) return false;
    const JsonText::Child& child = json_.children[at_++];
    row.clear();
    if (of_object(part)) row.push_back(Value::text(child.key));
    if (part != Part::key) row.push_back(shown(child.value));
    return true;
  }

 private:
  static Value shown(const JsonText& json) {
    if (!as_text(part)) return Value::text(json.raw);
    if (json.kind == JsonText::Kind::null) return Value::null();
    return Value::text(json.kind == JsonText::Kind::string ? json.string : json.raw);
  }
  const Value document_;
  const JsonText json_;
  std::size_t at_ = 0;
};

template <Part part>
std::unique_ptr<FunctionRows> json_rows(const FunctionCall& call) {
  auto rows = std::make_unique<JsonRows<part>>(call[0], part != Part::element);
  const JsonText& json = rows->json();
  const bool is_object = json.kind == JsonText::Kind::object;
  const std::string name = call.function != nullptr ? call.function->name : "";
  if (of_object(part) && !is_object) {
    const bool is_array = json.kind == JsonText::Kind::array;
    if (part == Part::key) refuse("cannot call " + name + (is_array ? " on an array" : " on a scalar"));
    refuse(is_array ? "cannot deconstruct an array as an object" : "cannot deconstruct a scalar");
  }
  if (!of_object(part) && json.is_scalar()) refuse("cannot call " + name + " on a scalar");
  if (!of_object(part) && is_object) refuse("cannot call " + name + " on a non-array");
  return rows;
}

FunctionEntry keys_of(const char* name, TypeId document, SetFunction function) {
  return {.name = name, .arguments = {document}, .result = TypeId::text, .kind = FunctionKind::set, .set = function};
}
FunctionEntry elements_of(const char* name, TypeId document, TypeId element, SetFunction function) {
  return {.name = name,
          .arguments = {document},
          .result = element,
          .kind = FunctionKind::set,
          .argument_names = {"from_json"},
          .outputs = {{"value", element}},
          .set = function};
}
FunctionEntry members_of(const char* name, TypeId document, TypeId element, SetFunction function) {
  return {.name = name,
          .arguments = {document},
          .result = TypeId::record,
          .kind = FunctionKind::set,
          .argument_names = {"from_json"},
          .outputs = {{"key", TypeId::text}, {"value", element}},
          .set = function};
}

}  // namespace

void add_json_sets(Entries& to) {
  using enum TypeId;
  add_functions(to, {
                        keys_of("json_object_keys", json, json_rows<Part::key>),
                        keys_of("jsonb_object_keys", jsonb, jsonb_rows<Part::key>),
                        members_of("json_each", json, json, json_rows<Part::member>),
                        members_of("json_each_text", json, text, json_rows<Part::member_text>),
                        members_of("jsonb_each", jsonb, jsonb, jsonb_rows<Part::member>),
                        members_of("jsonb_each_text", jsonb, text, jsonb_rows<Part::member_text>),
                        elements_of("json_array_elements", json, json, json_rows<Part::element>),
                        elements_of("json_array_elements_text", json, text, json_rows<Part::element_text>),
                        elements_of("jsonb_array_elements", jsonb, jsonb, jsonb_rows<Part::element>),
                        elements_of("jsonb_array_elements_text", jsonb, text, jsonb_rows<Part::element_text>),
                    });
}

}  // namespace polarsim::engine::families
