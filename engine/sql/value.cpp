#include "engine/sql/value.h"

#include <algorithm>
#include <limits>

#include "engine/sql/error.h"

namespace polarsim::engine {
namespace {

// The bytes C's isspace() accepts in the "C" locale.
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

[[noreturn]] void throw_invalid_syntax(std::string_view text, TypeId type) {
  throw SqlError(sqlstate::invalid_text_representation,
                 std::string("invalid input syntax for type ") + type_name(type) + ": \"" + std::string(text) + "\"");
}

// Accumulates towards the negative side, because the lowest integer has no positive counterpart. Overflow is reported
// before trailing garbage is looked at, as PostgreSQL 15 does.
std::int64_t parse_integer(std::string_view text, TypeId type) {
  const std::int64_t lowest =
      type == TypeId::int4 ? std::numeric_limits<std::int32_t>::min() : std::numeric_limits<std::int64_t>::min();
  const std::string_view original = text;
  const auto out_of_range = [&] {
    return SqlError(sqlstate::numeric_value_out_of_range,
                    "value \"" + std::string(original) + "\" is out of range for type " + type_name(type));
  };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  bool negative = false;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (text.empty() || !is_digit(text.front())) throw_invalid_syntax(original, type);
  std::int64_t value = 0;
  while (!text.empty() && is_digit(text.front())) {
    const int digit = text.front() - '0';
    if (value < (lowest + digit) / 10) throw out_of_range();
    value = value * 10 - digit;
    text.remove_prefix(1);
  }
  if (!trim(text).empty()) throw_invalid_syntax(original, type);
  if (negative) return value;
  if (value == lowest) throw out_of_range();
  return -value;
}

// True if `text` is a case-insensitive prefix of `word` of at least `shortest` characters.
bool abbreviates(std::string_view text, std::string_view word, std::size_t shortest) {
  if (text.size() < shortest || text.size() > word.size()) return false;
  return std::equal(text.begin(), text.end(), word.begin(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b; });
}

bool parse_boolean(std::string_view original) {
  const std::string_view text = trim(original);
  if (text == "1" || abbreviates(text, "true", 1) || abbreviates(text, "yes", 1) || abbreviates(text, "on", 2))
    return true;
  if (text == "0" || abbreviates(text, "false", 1) || abbreviates(text, "no", 1) || abbreviates(text, "off", 2))
    return false;
  throw_invalid_syntax(original, TypeId::boolean);
}

}  // namespace

std::string to_text(const Value& value) {
  if (value.is_boolean()) return value.as_boolean() ? "t" : "f";
  if (value.is_integer()) return std::to_string(value.as_integer());
  return std::string(value.as_text());
}

Value from_text(std::string_view text, TypeId type) {
  switch (type) {
    case TypeId::boolean:
      return Value::boolean(parse_boolean(text));
    case TypeId::int4:
    case TypeId::int8:
      return Value::integer(parse_integer(text, type));
    default:
      return Value::text(text);
  }
}

int compare(const Value& a, const Value& b) {
  if (a.is_boolean()) return static_cast<int>(a.as_boolean()) - static_cast<int>(b.as_boolean());
  if (a.is_integer()) {
    const std::int64_t x = a.as_integer();
    const std::int64_t y = b.as_integer();
    return x < y ? -1 : (x > y ? 1 : 0);
  }
  return a.as_text().compare(b.as_text());
}

std::string to_literal(const Value& value) {
  if (value.is_null()) return "NULL";
  if (value.is_boolean()) return value.as_boolean() ? "true" : "false";
  if (value.is_integer()) return std::to_string(value.as_integer());
  std::string out = "'";
  for (const char c : value.as_text()) {
    out += c;
    if (c == '\'') out += c;
  }
  out += '\'';
  return out;
}

}  // namespace polarsim::engine
