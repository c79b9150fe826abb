#include "scenarios/cli/sql/literals.h"

#include <fmt/format.h>

#include <map>
#include <span>

#include "scenarios/cli/sql/generated_schema.h"

namespace polarsim::scenarios::cli::test {
namespace {

using T = engine::TypeId;
using Texts = std::vector<const char*>;

// The simplest first.
const Texts& storable_texts(T type) {
  static const std::map<T, Texts> texts{
      {T::boolean, {"t", "f"}},
      {T::int2, {"1", "0", "2", "3", "-1", "5", "10", "-7", "42", "100"}},
      {T::int4, {"1", "0", "2", "3", "4", "5", "-1", "7", "10", "-20", "42", "100", "1000"}},
      {T::int8, {"1", "0", "2", "3", "-1", "5", "10", "-7", "42", "100", "5000000000"}},
      {T::numeric, {"1", "0", "2.50", "-1.25", "3.14", "10", "0.01", "99.99", "-7", "100.1"}},
      {T::float4, {"1", "0", "0.5", "2", "-1.5", "10", "100.25", "-3"}},
      {T::float8, {"1", "0", "0.5", "2", "-1.5", "10", "100.25", "-3", "0.125"}},
      {T::text, {"a", "b", "", "abc", "A", "B", "xyz", "hello world", " x ", "a%b_c", "12", "é日本", "o'clock"}},
      {T::varchar, {"a", "b", "", "abc", "A", "xyz", "12"}},
      {T::bpchar, {"a", "b", "abc", "x y", ""}},
      {T::name, {"a", "b", "c"}},
      {T::date, {"2020-01-01", "2020-02-29", "1999-12-31", "2021-06-15", "2020-01-31", "2000-03-01"}},
      {T::time, {"12:00", "00:00", "23:59:59", "08:30:15.5"}},
      {T::timestamp, {"2020-01-01 00:00", "2020-02-29 12:30:45", "1999-12-31 23:59:59.999", "2021-06-15 08:00"}},
      {T::timestamptz, {"2020-01-01 00:00+00", "2020-02-29 12:30:45+02", "1999-12-31 23:59:59.999+00"}},
      {T::interval, {"1 day", "2 hours", "1 mon", "00:30", "-3 days", "1 year 2 mons", "0"}},
      {T::uuid, {"00000000-0000-0000-0000-000000000001", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}},
      {T::bytea, {"\\x00", "\\x", "\\xdeadbeef", "abc"}},
      {T::json, {"1", "{\"a\": 1}", "[1, 2]", "null", "\"x\"", "{\"b\":{\"c\":[true]}}"}},
      {T::jsonb,
       {"1", "{\"a\": 1}", "[1, 2, 3]", "null", "\"x\"", "{\"a\": {\"b\": [1, null]}, \"c\": \"d\"}", "{}", "[]"}},
      {T::int4_array, {"{1,2}", "{}", "{3}", "{1,NULL,2}", "{5,4,3}"}},
      {T::int8_array, {"{1,2}", "{}", "{5000000000}"}},
      {T::text_array, {"{a,b}", "{}", "{c}", "{a,NULL}", "{\"x y\",z}"}},
      {T::numeric_array, {"{1.5,2}", "{}", "{0.01}"}},
      {T::oid, {"1", "2", "16384"}},
  };
  static const Texts none{"1"};
  const auto found = texts.find(type);
  return found == texts.end() ? none : found->second;
}

// More, of which sums and products may overflow and be refused.
const Texts& other_texts(T type) {
  static const std::map<T, Texts> texts{
      {T::int2, {"32767", "-32768"}},
      {T::int4, {"2147483647", "-2147483648"}},
      {T::int8, {"9223372036854775807", "-9223372036854775808"}},
      {T::numeric, {"NaN", "1e20", "-0.000001", "12345678901234567890.123", "Infinity", "1.0", "1.00"}},
      {T::float4, {"NaN", "-0", "1e30", "0.1", "Infinity"}},
      {T::float8, {"NaN", "-0", "1e300", "0.1", "-Infinity", "1e-10", "123456789012"}},
      {T::text, {"a b c", "%", "_", "\\", "2020-01-01", "true", "1.5", "{1,2}", "null", "day", "[\"a\"]", "(b)", "^a"}},
      {T::date, {"infinity", "0044-03-15 BC", "9999-12-31"}},
      {T::time, {"24:00", "00:00:00.000001"}},
      {T::timestamp, {"infinity", "-infinity", "0044-03-15 12:00 BC"}},
      {T::timestamptz, {"infinity", "-infinity"}},
      {T::interval, {"1 mon -1 day", "30 days", "24:00", "1 day 25:00:00", "100 years"}},
      {T::jsonb, {"1.0", "1.00", "{\"a\": 1.50}", "[[1], {\"a\": \"b\"}]", "\"\"", "true"}},
      {T::int4_array, {"[0:1]={1,2}", "{{1,2},{3,4}}"}},
      {T::text_array, {"{{a},{b}}", "[2:2]={q}"}},
  };
  static const Texts none;
  const auto found = texts.find(type);
  return found == texts.end() ? none : found->second;
}

}  // namespace

bool is_canonical(engine::Type type) {
  switch (type.id) {
    case T::boolean:
    case T::int2:
    case T::int4:
    case T::int8:
    case T::oid:
    case T::text:
    case T::varchar:
    case T::name:
    case T::date:
    case T::time:
    case T::timestamp:
    case T::timestamptz:
    case T::uuid:
    case T::bytea:
    case T::int4_array:
    case T::int8_array:
    case T::text_array:
      return true;
    case T::numeric:
    case T::bpchar:
      return type.modifier != engine::no_modifier;
    default:
      return false;
  }
}

const std::vector<T>& generated_types() {
  static const std::vector<T> types{
      T::int4,        T::text,      T::int4, T::text,    T::boolean,  T::numeric, T::int8,       T::date,
      T::float8,      T::timestamp, T::int2, T::varchar, T::interval, T::jsonb,   T::int4_array, T::text_array,
      T::timestamptz, T::bpchar,    T::uuid, T::time,    T::float4,   T::bytea,   T::json,       T::numeric_array};
  return types;
}

std::string storable_number(T type, const std::string& expression) {
  const bool integer = type == T::int2 || type == T::int4 || type == T::int8;
  return integer ? "(" + expression + ") % 1000" : expression;
}

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'') result += c;
    result += c;
  }
  return result + "'";
}

std::string written_type(engine::Type type) { return engine::format_type(type); }

std::string literal_text(T type, Choices& choices, bool storable) {
  if (type == T::unknown) type = T::text;
  if (!storable && choices.percent(15) && !other_texts(type).empty()) return choices.one_of(other_texts(type));
  return choices.one_of(storable_texts(type));
}

std::string bare_literal(T type, Choices& choices, bool storable) {
  const std::string text = literal_text(type, choices, storable);
  if (type == T::boolean) return text == "t" ? "true" : "false";
  if (type == T::int4 || (type == T::int8 && text.size() > 9)) return text;
  return quoted(text);
}

std::string typed_literal(T type, Choices& choices, bool storable) {
  const std::string text = literal_text(type, choices, storable);
  switch (type) {
    case T::boolean:
      return text == "t" ? "true" : "false";
    case T::int4:
      if (text == "-2147483648") return "(-2147483648)";
      return text.starts_with('-') ? "(" + text + ")" : text;
    case T::text:
      return choices.percent(50) ? quoted(text) : quoted(text) + "::text";
    case T::numeric:
      if (text.find_first_not_of("0123456789.") == std::string::npos && text.find('.') != std::string::npos)
        return text;
      break;
    case T::date:
    case T::interval:
    case T::timestamp:
      if (choices.percent(50)) return fmt::format("{} {}", engine::type_info(type).name, quoted(text));
      break;
    case T::int4_array:
    case T::text_array:
      if (choices.percent(30)) {
        const T element = engine::type_info(type).element;
        std::string list;
        for (std::size_t left = 1 + choices.below(3); left > 0; --left)
          list += (list.empty() ? "" : ", ") + typed_literal(element, choices, storable);
        return "ARRAY[" + list + "]";
      }
      break;
    default:
      break;
  }
  if (type == T::bpchar) return quoted(text) + "::char(5)";
  return quoted(text) + "::" + written_type(type);
}

}  // namespace polarsim::scenarios::cli::test
