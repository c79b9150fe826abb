#include <fmt/format.h>

#include <functional>
#include <memory>
#include <optional>

#include "engine/types/error.h"
#include "engine/types/functions_json.h"
#include "engine/types/json.h"
#include "engine/types/json_text.h"
#include "engine/types/record.h"
#include "engine/types/text_form.h"

// Documents as rows (PostgreSQL's jsonfuncs.c: populate_record_worker(), populate_array()). Works alike on the nodes of
// json and of jsonb, which the functions at the top tell apart.
namespace polarsim::engine::families {
namespace {

bool is_null(const Json& json) { return json.is_null(); }
bool is_null(const JsonText& json) { return json.kind == JsonText::Kind::null; }
bool is_array(const Json& json) { return json.is_array(); }
bool is_array(const JsonText& json) { return json.kind == JsonText::Kind::array; }
bool is_object(const Json& json) { return json.is_object(); }
bool is_object(const JsonText& json) { return json.kind == JsonText::Kind::object; }
bool is_string(const Json& json) { return json.is_string(); }
bool is_string(const JsonText& json) { return json.kind == JsonText::Kind::string; }
std::string text_of(const Json& json) { return json.is_string() ? json.as_string() : json.to_string(); }
std::string text_of(const JsonText& json) { return is_string(json) ? json.string : std::string(json.raw); }

const Json& element(const Json& json, std::size_t i) { return json.elements()[i]; }
const JsonText& element(const JsonText& json, std::size_t i) { return json.children[i].value; }
std::size_t size(const Json& json) { return json.elements().size(); }
std::size_t size(const JsonText& json) { return json.children.size(); }

const Json* member(const Json& json, std::string_view key) { return json.find(key); }
const JsonText* member(const JsonText& json, std::string_view key) {
  const JsonText* found = nullptr;  // of members with one key the last one counts
  for (const JsonText::Child& child : json.children) {
    if (child.key == key) found = &child.value;
  }
  return found;
}

[[noreturn]] void refuse(std::string message) { throw SqlError(sqlstate::invalid_parameter_value, std::move(message)); }

template <typename Node>
Value scalar_of(const Node& node, Type type, const CallContext& context) {
  if (is_null(node)) return Value::null();
  if constexpr (std::is_same_v<Node, Json>) {
    if (type.id == TypeId::jsonb) return Value::json(node);
    if (type.id == TypeId::json) return Value::text(node.to_string());
  } else {
    if (type.id == TypeId::json) return Value::text(node.raw);
    if (type.id == TypeId::jsonb) return Value::json(Json::parse(node.raw));
  }
  if (type.id == TypeId::record)
    throw SqlError(sqlstate::feature_not_supported, "a row inside a row cannot be made of JSON");
  return input_value(text_of(node), type, context);
}

// Fills an array from nested arrays of JSON: as deep as the first element goes.
template <typename Node>
class ArrayFiller {
 public:
  ArrayFiller(Type element, std::string_view key, const CallContext& context)
      : element_(element), key_(key), context_(context) {}

  Value fill(const Node& node) {
    visit(node, 0);
    std::vector<Array::Dimension> dimensions;
    for (const std::int64_t length : lengths_) dimensions.push_back({static_cast<std::int32_t>(length), 1});
    if (elements_.empty()) dimensions.clear();
    return Value::array(Array(element_.id, std::move(dimensions), std::move(elements_)));
  }

 private:
  static constexpr std::int64_t unknown_length = -1;

  void visit(const Node& node, std::size_t level) {
    if (lengths_.empty()) {
      // The first that is no array, or an empty one, tells the number of dimensions.
      if (!is_array(node)) set_dimensions(level);
      if (is_array(node) && size(node) == 0) set_dimensions(level + 1);
    }
    if (!lengths_.empty() && level == lengths_.size()) {
      elements_.push_back(scalar_of(node, element_, context_));
      return;
    }
    if (!is_array(node)) throw_expected_array(level);
    for (std::size_t i = 0; i < size(node); ++i) {
      positions_.resize(level);
      positions_.push_back(i);
      visit(element(node, i), level + 1);
    }
    std::int64_t& length = lengths_[level];
    const auto found = static_cast<std::int64_t>(size(node));
    if (length != unknown_length && length != found) {
      throw SqlError(sqlstate::invalid_text_representation, "malformed JSON array",
                     "Multidimensional arrays must have sub-arrays with matching dimensions.");
    }
    length = found;
  }

  void set_dimensions(std::size_t count) {
    if (count == 0) throw_expected_array(0);
    if (count > array_dimensions_max) {
      throw SqlError(
          sqlstate::program_limit_exceeded,
          fmt::format("number of array dimensions ({}) exceeds the maximum allowed ({})", count, array_dimensions_max));
    }
    lengths_.assign(count, unknown_length);
  }

  [[noreturn]] void throw_expected_array(std::size_t level) const {
    std::string place;
    for (std::size_t i = 0; i < level && i < positions_.size(); ++i) place += fmt::format("[{}]", positions_[i]);
    std::string hint;
    if (!place.empty()) {
      hint = key_.empty() ? fmt::format("See the array element {}.", place)
                          : fmt::format("See the array element {} of key \"{}\".", place, key_);
    } else if (!key_.empty()) {
      hint = fmt::format("See the value of key \"{}\".", key_);
    }
    throw SqlError(sqlstate::invalid_text_representation, "expected JSON array", "", hint);
  }

  const Type element_;
  const std::string_view key_;
  const CallContext& context_;
  std::vector<std::int64_t> lengths_;   // of the dimensions; empty while their number is not known
  std::vector<std::size_t> positions_;  // where the visit is
  std::vector<Value> elements_;
};

template <typename Node>
Value field_of(const Node& node, Type type, std::string_view key, const CallContext& context) {
  const TypeId of_elements = type_info(type.id).element;
  // A string is the text form of an array.
  if (of_elements == TypeId::none || is_null(node) || is_string(node)) return scalar_of(node, type, context);
  return ArrayFiller<Node>(Type(of_elements, type.modifier), key, context).fill(node);
}

// The columns that are wanted, with what they are where the object has no such member.
using Fields = std::vector<Record::Field>;

// The first argument, which tells the columns.
const Value& base_of(const FunctionCall& call) {
  const bool is_other_type = !call.types.empty() && call.types[0].id != TypeId::record && find_type(call.types[0].id);
  if (is_other_type || (!call[0].is_null() && !call[0].is_record())) {
    throw SqlError(sqlstate::datatype_mismatch,
                   fmt::format("first argument of {} must be a row type", call.function->name));
  }
  return call[0];
}

Fields fields_wanted(const FunctionCall& call, const Value& base) {
  if (!base.is_null()) return base.as_record().fields();
  Fields fields;
  for (const RequestedColumn& column : call.columns)
    fields.push_back({std::string(column.name), column.type, Value::null()});
  if (!fields.empty()) return fields;
  throw SqlError(
      sqlstate::feature_not_supported,
      fmt::format("could not determine row type for result of {}", call.function->name), "",
      "Provide a non-null record argument, or call the function in the FROM clause using a column definition "
      "list.");
}

template <typename Node>
Fields populated(const Node& node, Fields fields, const CallContext& context) {
  if (!is_object(node))
    refuse(is_array(node) ? "cannot call populate_composite on an array"
                          : "cannot call populate_composite on a scalar");
  for (Record::Field& field : fields) {
    if (const Node* value = member(node, field.name)) field.value = field_of(*value, field.type, field.name, context);
  }
  return fields;
}

Fields populated(const Value& document, Fields fields, const CallContext& context) {
  if (document.is_json()) return populated(document.as_json(), std::move(fields), context);
  return populated(JsonText::parse(document.as_text(), true), std::move(fields), context);
}

Value populate_record(const FunctionCall& call) {
  Fields fields = fields_wanted(call, base_of(call));
  if (call[1].is_null()) return call[0];
  return Value::record(Record(populated(call[1], std::move(fields), call.context)));
}
Value to_record(const FunctionCall& call) {
  return Value::record(Record(populated(call[0], fields_wanted(call, Value::null()), call.context)));
}

// The objects of an array, each as a row.
template <typename Node>
class ObjectRows final : public FunctionRows {
 public:
  // `make_root` makes the array from the document, which it may look into.
  ObjectRows(const Value& document, Fields fields, bool as_record, const CallContext& context)
      : document_(document),
        root_(root_of(document_)),
        fields_(std::move(fields)),
        as_record_(as_record),
        context_(context) {}

  const Node& root() const { return root_; }
  void check(const std::string& function) const {
    if constexpr (std::is_same_v<Node, Json>) {
      if (!is_array(root_)) refuse(fmt::format("cannot call {} on a non-array", function));
    } else {
      if (is_object(root_)) refuse(fmt::format("cannot call {} on an object", function));
      if (!is_array(root_)) refuse(fmt::format("cannot call {} on a scalar", function));
    }
    for (std::size_t i = 0; i < size(root_); ++i) {
      if (!is_object(element(root_, i))) refuse(fmt::format("argument of {} must be an array of objects", function));
    }
  }

  bool next(Row& row) override {
    if (at_ == size(root_)) return false;
    Fields fields = populated(element(root_, at_++), fields_, context_);
    row.clear();
    if (as_record_) {
      row.push_back(Value::record(Record(std::move(fields))));
    } else {
      for (Record::Field& field : fields) row.push_back(std::move(field.value));
    }
    return true;
  }

 private:
  static Node root_of(const Value& document) {
    if constexpr (std::is_same_v<Node, Json>) {
      return document.as_json();
    } else {
      return JsonText::parse(document.as_text(), true);
    }
  }
  const Value document_;
  const Node root_;
  const Fields fields_;
  const bool as_record_;
  const CallContext& context_;
  std::size_t at_ = 0;
};

class NoRows final : public FunctionRows {
 public:
  bool next(Row&) override { return false; }
};

template <typename Node>
std::unique_ptr<FunctionRows> object_rows(const FunctionCall& call, const Value& document, Fields fields) {
  auto rows = std::make_unique<ObjectRows<Node>>(document, std::move(fields), call.columns.empty(), call.context);
  rows->check(call.function->name);
  return rows;
}
std::unique_ptr<FunctionRows> rows_of(const FunctionCall& call, const Value& base, const Value& document) {
  Fields fields = fields_wanted(call, base);
  if (document.is_null()) return std::make_unique<NoRows>();
  if (document.is_json()) return object_rows<Json>(call, document, std::move(fields));
  return object_rows<JsonText>(call, document, std::move(fields));
}
std::unique_ptr<FunctionRows> populate_recordset(const FunctionCall& call) {
  return rows_of(call, base_of(call), call[1]);
}
std::unique_ptr<FunctionRows> to_recordset(const FunctionCall& call) { return rows_of(call, Value::null(), call[0]); }

FunctionEntry populating(FunctionEntry entry, TypeId document) {
  using enum TypeId;
  entry.arguments = {any_element, document};
  entry.result = any_element;
  entry.volatility = Volatility::stable;
  entry.strict = false;
  if (document == json) {
    // The last one is there for callers of PostgreSQL 9.3, and means nothing.
    entry.arguments.push_back(boolean);
    entry.defaults = {"false"};
    entry.argument_names = {"base", "from_json", "use_json_as_text"};
  }
  return entry;
}

}  // namespace

void add_json_records(Entries& to) {
  using enum TypeId;
  using Kind = FunctionKind;
  for (const TypeId document : {json, jsonb}) {
    const bool is_json = document == json;
    add_functions(
        to,
        {
            populating({.name = is_json ? "json_populate_record" : "jsonb_populate_record", .scalar = populate_record},
                       document),
            populating({.name = is_json ? "json_populate_recordset" : "jsonb_populate_recordset",
                        .kind = Kind::set,
                        .set = populate_recordset},
                       document),
            {.name = is_json ? "json_to_record" : "jsonb_to_record",
             .arguments = {document},
             .result = record,
             .volatility = Volatility::stable,
             .scalar = to_record},
            {.name = is_json ? "json_to_recordset" : "jsonb_to_recordset",
             .arguments = {document},
             .result = record,
             .kind = Kind::set,
             .volatility = Volatility::stable,
             .strict = false,
             .set = to_recordset},
        });
  }
}

}  // namespace polarsim::engine::families
