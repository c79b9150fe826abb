#include <limits>
#include <memory>
#include <optional>

#include "engine/types/array.h"
#include "engine/types/error.h"
#include "engine/types/functions_texts.h"
#include "engine/types/text_form.h"
#include "engine/types/utf8.h"

// Texts to lists and back (PostgreSQL's varlena.c).
namespace polarsim::engine::families {
namespace {

// The fields of a text, one by one. No delimiter: each character is a field; an empty one: the text is one field. An
// empty text has no fields.
class Fields {
 public:
  Fields(std::string_view text, std::optional<std::string_view> delimiter)
      : rest_(text), delimiter_(delimiter), at_end_(text.empty()) {}

  std::optional<std::string_view> next() {
    if (at_end_) return std::nullopt;
    if (!delimiter_) return take(utf8::length_at(rest_, 0), 0);
    const std::size_t found = delimiter_->empty() ? std::string_view::npos : rest_.find(*delimiter_);
    if (found == std::string_view::npos) {
      at_end_ = true;
      return rest_;
    }
    const std::string_view field = rest_.substr(0, found);
    rest_.remove_prefix(found + delimiter_->size());
    return field;
  }

 private:
  std::string_view take(std::size_t length, std::size_t separator) {
    const std::string_view field = rest_.substr(0, length);
    rest_.remove_prefix(length + separator);
    at_end_ = rest_.empty();
    return field;
  }

  std::string_view rest_;
  std::optional<std::string_view> delimiter_;
  bool at_end_;
};

std::optional<std::string_view> optional_text(const FunctionCall& call, std::size_t i) {
  if (i >= call.size() || call[i].is_null()) return std::nullopt;
  return call[i].as_text();
}

Value field_value(std::string_view field, std::optional<std::string_view> null_text) {
  return null_text && *null_text == field ? Value::null() : Value::text(field);
}

Value string_to_array(const FunctionCall& call) {
  if (call[0].is_null()) return Value::null();
  Fields fields(call[0].as_text(), optional_text(call, 1));
  const std::optional<std::string_view> null_text = optional_text(call, 2);
  std::vector<Value> elements;
  while (const auto field = fields.next()) elements.push_back(field_value(*field, null_text));
  return Value::array(Array(TypeId::text, std::move(elements)));
}

class FieldRows final : public FunctionRows {
 public:
  explicit FieldRows(const FunctionCall& call)
      : text_(call[0]),
        delimiter_(call[1]),
        null_text_(call.size() > 2 ? call[2] : Value()),
        fields_(text_.is_null() ? std::string_view() : text_.as_text(), view(delimiter_)) {}
  bool next(Row& row) override {
    const std::optional<std::string_view> field = fields_.next();
    if (field) row.assign(1, field_value(*field, view(null_text_)));
    return field.has_value();
  }

 private:
  static std::optional<std::string_view> view(const Value& value) {
    if (value.is_null()) return std::nullopt;
    return value.as_text();
  }
  const Value text_, delimiter_, null_text_;  // what the views look at
  Fields fields_;
};
std::unique_ptr<FunctionRows> string_to_table(const FunctionCall& call) { return std::make_unique<FieldRows>(call); }

// Field number n, from the end if negative; an empty text if there is none.
Value split_part(const FunctionCall& call) {
  const std::string_view text = call[0].as_text();
  const std::string_view delimiter = call[1].as_text();
  std::int64_t wanted = call[2].as_integer();
  if (wanted == 0) throw SqlError(sqlstate::invalid_parameter_value, "field position must not be zero");
  if (wanted < 0) {
    std::int64_t fields = 0;
    for (Fields all(text, delimiter); all.next();) ++fields;
    wanted += fields + 1;
  }
  Fields fields(text, delimiter);
  for (std::int64_t i = 1; wanted >= 1; ++i) {
    const std::optional<std::string_view> field = fields.next();
    if (!field) break;
    if (i == wanted) return Value::text(*field);
  }
  return Value::text("");
}

// Elements of inner dimensions follow each other; NULLs are left out, or shown as the third argument says.
Value array_to_string(const FunctionCall& call) {
  if (call[0].is_null() || call[1].is_null()) return Value::null();
  const Array& array = call[0].as_array();
  const std::string_view delimiter = call[1].as_text();
  const std::optional<std::string_view> null_text = optional_text(call, 2);
  std::string result;
  bool is_first = true;
  for (const Value& element : array.elements()) {
    if (element.is_null() && !null_text) continue;
    if (!is_first) result += delimiter;
    is_first = false;
    if (element.is_null()) {
      result += *null_text;
    } else {
      append_output(result, element, array.element(), call.context);
    }
  }
  return Value::text(result);
}

FunctionEntry with_nulls(FunctionEntry entry) {
  entry.strict = false;
  return entry;
}
FunctionEntry table(std::vector<TypeId> arguments) {
  return {.name = "string_to_table",
          .arguments = std::move(arguments),
          .result = TypeId::text,
          .kind = FunctionKind::set,
          .strict = false,
          .set = string_to_table};
}
FunctionEntry stable(FunctionEntry entry) {
  entry.volatility = Volatility::stable;
  return entry;
}

}  // namespace

void add_text_lists(Entries& to) {
  using enum TypeId;
  const FunctionEntry functions[] = {
      scalar("split_part", {text, text, int4}, text, split_part),
      with_nulls(scalar("string_to_array", {text, text}, text_array, string_to_array)),
      with_nulls(scalar("string_to_array", {text, text, text}, text_array, string_to_array)),
      table({text, text}),
      table({text, text, text}),
      stable(scalar("array_to_string", {any_array, text}, text, array_to_string)),
      stable(with_nulls(scalar("array_to_string", {any_array, text, text}, text, array_to_string))),
  };
  to.functions.insert(to.functions.end(), std::begin(functions), std::end(functions));
}

}  // namespace polarsim::engine::families
