#include <fmt/format.h>

#include <limits>
#include <optional>

#include "engine/types/error.h"
#include "engine/types/functions_texts.h"
#include "engine/types/utf8.h"

// Functions on the characters of one text (PostgreSQL's varlena.c, oracle_compat.c). Case is that of collation C: only
// ASCII letters have one.
namespace polarsim::engine::families {
namespace {

constexpr std::int64_t int4_min = std::numeric_limits<std::int32_t>::min();
constexpr std::int64_t int4_max = std::numeric_limits<std::int32_t>::max();
constexpr std::size_t character_bytes_max = 4;

Value integer(std::size_t value) { return Value::integer(static_cast<std::int64_t>(value)); }

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
char to_lower(char c) { return is_upper(c) ? static_cast<char>(c + ('a' - 'A')) : c; }
char to_upper(char c) { return is_lower(c) ? static_cast<char>(c - ('a' - 'A')) : c; }

Value lower(const FunctionCall& call) {
  std::string text(call[0].as_text());
  for (char& c : text) c = to_lower(c);
  return Value::text(text);
}
Value upper(const FunctionCall& call) {
  std::string text(call[0].as_text());
  for (char& c : text) c = to_upper(c);
  return Value::text(text);
}
Value initcap(const FunctionCall& call) {
  std::string text(call[0].as_text());
  bool in_word = false;
  for (char& c : text) {
    c = in_word ? to_lower(c) : to_upper(c);
    in_word = is_lower(c) || is_upper(c) || (c >= '0' && c <= '9');
  }
  return Value::text(text);
}

Value length(const FunctionCall& call) { return integer(utf8::count(call[0].as_text())); }
Value bpchar_length(const FunctionCall& call) {
  const std::string_view text = call[0].as_text();
  return integer(utf8::count(text.substr(0, text.find_last_not_of(' ') + 1)));
}
Value octet_length(const FunctionCall& call) { return integer(call[0].as_text().size()); }
Value bit_length(const FunctionCall& call) {
  const auto bits = static_cast<std::int64_t>(call[0].as_text().size()) * 8;
  if (bits > int4_max) throw SqlError(sqlstate::numeric_value_out_of_range, "integer out of range");
  return Value::integer(bits);
}

std::string_view part(std::string_view text, Span span) {
  const std::string_view tail = text.substr(utf8::offset_of(text, static_cast<std::size_t>(span.first)));
  return tail.substr(0, utf8::offset_of(tail, static_cast<std::size_t>(span.length)));
}
Value substring_from(const FunctionCall& call) {
  return Value::text(part(call[0].as_text(), substring_span(call[1].as_integer())));
}
Value substring_from_for(const FunctionCall& call) {
  return Value::text(part(call[0].as_text(), substring_span(call[1].as_integer(), call[2].as_integer())));
}

// left('abc', -1) is all but the last character.
Value left(const FunctionCall& call) {
  const std::string_view text = call[0].as_text();
  std::int64_t count = call[1].as_integer();
  if (count < 0) count = std::max<std::int64_t>(0, static_cast<std::int64_t>(utf8::count(text)) + count);
  return Value::text(text.substr(0, utf8::offset_of(text, static_cast<std::size_t>(count))));
}
Value right(const FunctionCall& call) {
  const std::string_view text = call[0].as_text();
  const std::int64_t count = call[1].as_integer();
  // In PostgreSQL the least integer stays what it is when it is negated, and skips nothing.
  if (count == std::numeric_limits<std::int32_t>::min()) return call[0];
  const std::int64_t skipped =
      count < 0 ? -count : std::max<std::int64_t>(0, static_cast<std::int64_t>(utf8::count(text)) - count);
  return Value::text(text.substr(utf8::offset_of(text, static_cast<std::size_t>(skipped))));
}

enum class Side : std::uint8_t { left, right };
Value pad(std::string_view text, std::int64_t wanted, std::string_view fill, Side side) {
  const auto size = static_cast<std::size_t>(std::max<std::int64_t>(0, wanted));
  if (size * character_bytes_max + 4 > value_bytes_max) throw_length_too_large();
  const std::string_view kept = text.substr(0, utf8::offset_of(text, size));
  std::size_t missing = size - utf8::count(kept);
  if (missing == 0 || fill.empty()) return Value::text(kept);
  std::string padding;
  const std::size_t fill_size = utf8::count(fill);
  for (; missing >= fill_size; missing -= fill_size) padding += fill;
  padding += fill.substr(0, utf8::offset_of(fill, missing));
  return Value::text(side == Side::left ? padding + std::string(kept) : std::string(kept) + padding);
}
template <Side side>
Value pad_with(const FunctionCall& call) {
  return pad(call[0].as_text(), call[1].as_integer(), call.size() > 2 ? call[2].as_text() : " ", side);
}

template <TrimSides sides>
Value trim(const FunctionCall& call) {
  return Value::text(trim_characters(call[0].as_text(), call.size() > 1 ? call[1].as_text() : " ", sides));
}

// strpos() and position(): 0 if it is not there. UTF-8 characters never overlap, so bytes may be searched.
Value position(const FunctionCall& call) {
  const std::string_view text = call[0].as_text();
  const std::size_t found = text.find(call[1].as_text());
  return found == std::string_view::npos ? Value::integer(0) : integer(utf8::count(text.substr(0, found)) + 1);
}
Value starts_with(const FunctionCall& call) { return Value::boolean(call[0].as_text().starts_with(call[1].as_text())); }

Value overlay(const FunctionCall& call) {
  const std::string_view text = call[0].as_text();
  const std::string_view placed = call[1].as_text();
  const std::int64_t start = call[2].as_integer();
  const std::int64_t replaced = call.size() > 3 ? call[3].as_integer() : static_cast<std::int64_t>(utf8::count(placed));
  if (start <= 0) throw SqlError(sqlstate::substring_error, "negative substring length not allowed");
  const std::int64_t next = start + replaced;
  if (next > int4_max || next < int4_min) {
    throw SqlError(sqlstate::numeric_value_out_of_range, "integer out of range");
  }
  std::string result(part(text, substring_span(1, start - 1)));
  result += placed;
  result += part(text, substring_span(next));
  return Value::text(result);
}

Value replace(const FunctionCall& call) {
  const std::string_view text = call[0].as_text();
  const std::string_view from = call[1].as_text();
  if (from.empty() || text.find(from) == std::string_view::npos) return call[0];
  std::string result;
  std::size_t at = 0;
  for (std::size_t found = text.find(from); found != std::string_view::npos; found = text.find(from, at)) {
    result += text.substr(at, found - at);
    check_room(result.size(), call[2].as_text().size());
    result += call[2].as_text();
    at = found + from.size();
  }
  check_room(result.size(), text.size() - at);
  return Value::text(result += text.substr(at));
}

Value translate(const FunctionCall& call) {
  const std::string_view text = call[0].as_text();
  const std::u32string from = utf8::decode(call[1].as_text());
  const std::u32string to = utf8::decode(call[2].as_text());
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t character = utf8::decode(text, at);
    const std::size_t found = from.find(character);
    if (found == std::u32string::npos) {
      utf8::append(result, character);
    } else if (found < to.size()) {
      utf8::append(result, to[found]);
    }
  }
  return Value::text(result);
}

Value reverse(const FunctionCall& call) {
  const std::string_view text = call[0].as_text();
  std::string result;
  for (std::size_t end = text.size(); end > 0;) {
    const std::size_t start = utf8::previous(text, end);
    result += text.substr(start, end - start);
    end = start;
  }
  return Value::text(result);
}

Value repeat(const FunctionCall& call) {
  const std::string_view text = call[0].as_text();
  const auto times = static_cast<std::size_t>(std::max<std::int64_t>(0, call[1].as_integer()));
  if (text.size() * times + 4 > value_bytes_max) throw_length_too_large();
  std::string result;
  result.reserve(text.size() * times);
  if (!text.empty()) {
    for (std::size_t i = 0; i < times; ++i) result += text;
  }
  return Value::text(result);
}

Value chr(const FunctionCall& call) {
  const std::int64_t code = call[0].as_integer();
  if (code < 0) throw SqlError(sqlstate::invalid_parameter_value, "character number must be positive");
  if (code == 0) throw SqlError(sqlstate::program_limit_exceeded, "null character not permitted");
  if (code > utf8::code_point_max) {
    throw SqlError(sqlstate::program_limit_exceeded,
                   fmt::format("requested character too large for encoding: {}", code));
  }
  if (code >= 0xd800 && code <= 0xdfff) {
    throw SqlError(sqlstate::program_limit_exceeded,
                   fmt::format("requested character not valid for encoding: {}", code));
  }
  std::string result;
  utf8::append(result, static_cast<char32_t>(code));
  return Value::text(result);
}
Value ascii(const FunctionCall& call) {
  std::size_t at = 0;
  const std::string_view text = call[0].as_text();
  return Value::integer(text.empty() ? 0 : static_cast<std::int64_t>(utf8::decode(text, at)));
}

// unistr(): \XXXX, \+XXXXXX, \uXXXX, \UXXXXXXXX and \\.
std::optional<char32_t> hexadecimal(std::string_view digits, std::size_t count) {
  if (digits.size() < count) return std::nullopt;
  char32_t value = 0;
  for (const char c : digits.substr(0, count)) {
    const char lower_case = to_lower(c);
    const bool is_digit = c >= '0' && c <= '9';
    if (!is_digit && !(lower_case >= 'a' && lower_case <= 'f')) return std::nullopt;
    value = value * 16 + static_cast<char32_t>(is_digit ? c - '0' : lower_case - 'a' + 10);
  }
  return value;
}
struct UnicodeEscape {
  char32_t character = 0;
  std::size_t length = 0;
};
UnicodeEscape unicode_escape(std::string_view at) {
  const char kind = at.size() > 1 ? at[1] : '\0';
  const std::size_t start = kind == '+' || kind == 'u' || kind == 'U' ? 2 : 1;
  const std::size_t digits = kind == '+' ? 6 : kind == 'U' ? 8 : 4;
  const std::optional<char32_t> value = at.size() > start ? hexadecimal(at.substr(start), digits) : std::nullopt;
  if (!value) {
    throw SqlError(sqlstate::syntax_error, "invalid Unicode escape", "",
                   "Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.");
  }
  if (*value == 0 || *value > utf8::code_point_max) {
    throw SqlError(sqlstate::invalid_parameter_value,
                   fmt::format("invalid Unicode code point: {:04X}", static_cast<std::uint32_t>(*value)));
  }
  return {*value, start + digits};
}
Value unistr(const FunctionCall& call) {
  const std::string_view text = call[0].as_text();
  std::string result;
  char32_t high = 0;  // the first half of a surrogate pair, whose second must follow
  const auto refuse = [] { throw SqlError(sqlstate::syntax_error, "invalid Unicode surrogate pair"); };
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '\\' || text.substr(at).starts_with("\\\\")) {
      if (high != 0) refuse();
      at += text[at] == '\\' ? 1 : 0;
      result += text[at++];
      continue;
    }
    const UnicodeEscape escape = unicode_escape(text.substr(at));
    at += escape.length;
    char32_t character = escape.character;
    const bool is_low = character >= 0xdc00 && character <= 0xdfff;
    if (is_low != (high != 0)) refuse();
    if (is_low) character = 0x10000 + ((high - 0xd800) << 10) + (character - 0xdc00);
    high = character >= 0xd800 && character <= 0xdbff ? character : 0;
    if (high == 0) utf8::append(result, character);
  }
  if (high != 0) refuse();
  return Value::text(result);
}

Value concatenate(const FunctionCall& call) {
  const std::string_view a = call[0].as_text();
  const std::string_view b = call[1].as_text();
  if (b.empty()) return call[0];
  if (a.empty()) return call[1];
  std::string result;
  result.reserve(a.size() + b.size());
  result += a;
  return Value::text(result += b);
}

}  // namespace

Span substring_span(std::int64_t start) { return {std::max<std::int64_t>(1, start) - 1, int4_max}; }
Span substring_span(std::int64_t start, std::int64_t length) {
  if (length < 0) throw SqlError(sqlstate::substring_error, "negative substring length not allowed");
  const std::int64_t end = start + length;
  if (end > int4_max) return substring_span(start);
  const Span span = substring_span(start);
  return {span.first, std::max<std::int64_t>(0, end - 1 - span.first)};
}

std::string_view trim_characters(std::string_view text, std::string_view set, TrimSides sides) {
  const auto contains = [&](std::string_view character) { return set.find(character) != std::string_view::npos; };
  while (sides != TrimSides::right && !text.empty()) {
    const std::size_t length_of_first = utf8::length_at(text, 0);
    if (!contains(text.substr(0, length_of_first))) break;
    text.remove_prefix(length_of_first);
  }
  while (sides != TrimSides::left && !text.empty()) {
    const std::size_t last = utf8::previous(text, text.size());
    if (!contains(text.substr(last))) break;
    text.remove_suffix(text.size() - last);
  }
  return text;
}

void add_text_characters(Entries& to) {
  using enum TypeId;
  const FunctionEntry functions[] = {
      scalar("lower", {text}, text, lower),
      scalar("upper", {text}, text, upper),
      scalar("initcap", {text}, text, initcap),
      scalar("length", {text}, int4, length),
      scalar("length", {bpchar}, int4, bpchar_length),
      scalar("char_length", {text}, int4, length),
      scalar("char_length", {bpchar}, int4, bpchar_length),
      scalar("character_length", {text}, int4, length),
      scalar("character_length", {bpchar}, int4, bpchar_length),
      scalar("textlen", {text}, int4, length),
      scalar("octet_length", {text}, int4, octet_length),
      scalar("octet_length", {bpchar}, int4, octet_length),
      scalar("bit_length", {text}, int4, bit_length),
      scalar("substring", {text, int4}, text, substring_from),
      scalar("substring", {text, int4, int4}, text, substring_from_for),
      scalar("substr", {text, int4}, text, substring_from),
      scalar("substr", {text, int4, int4}, text, substring_from_for),
      scalar("left", {text, int4}, text, left),
      scalar("right", {text, int4}, text, right),
      scalar("lpad", {text, int4}, text, pad_with<Side::left>),
      scalar("lpad", {text, int4, text}, text, pad_with<Side::left>),
      scalar("rpad", {text, int4}, text, pad_with<Side::right>),
      scalar("rpad", {text, int4, text}, text, pad_with<Side::right>),
      scalar("btrim", {text}, text, trim<TrimSides::both>),
      scalar("btrim", {text, text}, text, trim<TrimSides::both>),
      scalar("ltrim", {text}, text, trim<TrimSides::left>),
      scalar("ltrim", {text, text}, text, trim<TrimSides::left>),
      scalar("rtrim", {text}, text, trim<TrimSides::right>),
      scalar("rtrim", {text, text}, text, trim<TrimSides::right>),
      scalar("position", {text, text}, int4, position),
      scalar("strpos", {text, text}, int4, position),
      scalar("starts_with", {text, text}, boolean, starts_with),
      scalar("overlay", {text, text, int4}, text, overlay),
      scalar("overlay", {text, text, int4, int4}, text, overlay),
      scalar("replace", {text, text, text}, text, replace),
      scalar("translate", {text, text, text}, text, translate),
      scalar("reverse", {text}, text, reverse),
      scalar("repeat", {text, int4}, text, repeat),
      scalar("chr", {int4}, text, chr),
      scalar("ascii", {text}, int4, ascii),
      scalar("unistr", {text}, text, unistr),
      scalar("textcat", {text, text}, text, concatenate),
  };
  to.functions.insert(to.functions.end(), std::begin(functions), std::end(functions));
  to.operators.push_back({"||", text, text, text, concatenate, "textcat"});
  to.operators.push_back({"^@", text, text, boolean, starts_with, "starts_with"});
}

}  // namespace polarsim::engine::families
