#include "engine/types/json_conversion.h"

#include <array>

#include "engine/types/array.h"
#include "engine/types/error.h"
#include "engine/types/json_lexer.h"
#include "engine/types/record.h"
#include "engine/types/text_form.h"

namespace polarsim::engine {
namespace {

enum class Category : std::uint8_t { boolean, number, datetime, json, jsonb, array, record, other };

Category category_of(TypeId type) {
  switch (type) {
    case TypeId::boolean:
      return Category::boolean;
    case TypeId::int2:
    case TypeId::int4:
    case TypeId::int8:
    case TypeId::float4:
    case TypeId::float8:
    case TypeId::numeric:
      return Category::number;
    case TypeId::timestamp:
    case TypeId::timestamptz:
      return Category::datetime;
    case TypeId::json:
      return Category::json;
    case TypeId::jsonb:
      return Category::jsonb;
    case TypeId::record:
      return Category::record;
    default:
      return type_info(type).element != TypeId::none ? Category::array : Category::other;
  }
}

// "2000-01-01 12:00:00+00" as "2000-01-01T12:00:00+00:00"; infinities stay what they are.
std::string iso_time(std::string text) {
  const std::size_t space = text.find(' ');
  if (space == std::string::npos) return text;
  text[space] = 'T';
  const std::size_t sign = text.find_first_of("+-", space);
  const std::size_t hours_end = sign + 3;
  if (sign != std::string::npos && (hours_end >= text.size() || text[hours_end] != ':')) text.insert(hours_end, ":00");
  return text;
}

std::string scalar_text(const Value& value, Type type, Category category, const CallContext& context) {
  if (category == Category::boolean) return value.as_boolean() ? "true" : "false";
  if (type.id == TypeId::unknown) return std::string(value.as_text());
  std::string text = output_value(value, type.id, context);
  return category == Category::datetime ? iso_time(std::move(text)) : text;
}

// The elements of one dimension, from element `at` on, which moves behind them.
void append_dimension(std::string& to, const Array& array, std::size_t dimension, std::size_t& at,
                      const CallContext& context, bool line_feeds) {
  const char* separator = "";
  to += '[';
  for (std::int32_t i = 0; i < array.dimensions()[dimension].length; ++i) {
    to += separator;
    separator = line_feeds ? ",\n " : ",";
    if (dimension + 1 < array.dimensions().size()) {
      append_dimension(to, array, dimension + 1, at, context, false);
    } else {
      append_as_json(to, array.elements()[at++], Type(array.element()), context);
    }
  }
  to += ']';
}

void append_array(std::string& to, const Array& array, const CallContext& context, bool line_feeds) {
  if (array.empty()) {
    to += "[]";
    return;
  }
  std::size_t at = 0;
  append_dimension(to, array, 0, at, context, line_feeds);
}

void append_record(std::string& to, const Record& record, const CallContext& context, bool line_feeds) {
  const char* separator = "";
  to += '{';
  for (const Record::Field& field : record.fields()) {
    to += separator;
    separator = line_feeds ? ",\n " : ",";
    append_json_string(to, field.name);
    to += ':';
    append_as_json(to, field.value, field.type, context);
  }
  to += '}';
}

Json dimension_as_json(const Array& array, std::size_t dimension, std::size_t& at, const CallContext& context) {
  Json::Elements elements;
  for (std::int32_t i = 0; i < array.dimensions()[dimension].length; ++i) {
    elements.push_back(dimension + 1 < array.dimensions().size()
                           ? dimension_as_json(array, dimension + 1, at, context)
                           : as_json(array.elements()[at++], Type(array.element()), context));
  }
  return Json(std::move(elements));
}

Json array_as_json(const Array& array, const CallContext& context) {
  std::size_t at = 0;
  return array.empty() ? Json(Json::Elements()) : dimension_as_json(array, 0, at, context);
}

Json record_as_json(const Record& record, const CallContext& context) {
  Json::Members members;
  for (const Record::Field& field : record.fields())
    members.push_back({field.name, as_json(field.value, field.type, context)});
  return Json(std::move(members));
}

Category require_scalar(Type type) {
  const Category category = category_of(type.id);
  if (category < Category::json || category == Category::other) return category;
  throw SqlError(sqlstate::invalid_parameter_value, "key value must be scalar, not array, composite, or json");
}

}  // namespace

bool is_structured_in_json(TypeId type) {
  const Category category = category_of(type);
  return category == Category::array || category == Category::record;
}

void append_as_json(std::string& to, const Value& value, Type type, const CallContext& context, bool line_feeds) {
  if (value.is_null()) {
    to += "null";
    return;
  }
  const Category category = category_of(type.id);
  switch (category) {
    case Category::json:
      to += value.as_text();
      return;
    case Category::jsonb:
      return value.as_json().append_to(to);
    case Category::array:
      return append_array(to, value.as_array(), context, line_feeds);
    case Category::record:
      return append_record(to, value.as_record(), context, line_feeds);
    default:
      break;
  }
  const std::string text = scalar_text(value, type, category, context);
  if (category == Category::boolean || (category == Category::number && is_json_number(text))) {
    to += text;
  } else {
    append_json_string(to, text);
  }
}

Json as_json(const Value& value, Type type, const CallContext& context) {
  if (value.is_null()) return Json();
  const Category category = category_of(type.id);
  switch (category) {
    case Category::boolean:
      return Json(value.as_boolean());
    case Category::json:
      return Json::parse(value.as_text());
    case Category::jsonb:
      return value.as_json();
    case Category::array:
      return array_as_json(value.as_array(), context);
    case Category::record:
      return record_as_json(value.as_record(), context);
    default:
      break;
  }
  if (value.is_integer() && category == Category::number) return Json(Numeric(value.as_integer()));
  std::string text = scalar_text(value, type, category, context);
  // NaN and infinities are no numbers of JSON.
  if (category == Category::number && text.find_first_of("Nn") == std::string::npos) return Json(Numeric::parse(text));
  return Json(std::move(text));
}

std::string as_json_key(const Value& value, Type type, const CallContext& context) {
  return scalar_text(value, type, require_scalar(type), context);
}

void append_as_json_key(std::string& to, const Value& value, Type type, const CallContext& context) {
  append_json_string(to, as_json_key(value, type, context));
}

}  // namespace polarsim::engine
