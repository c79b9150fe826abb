#include "scenarios/cli/postgres/types_random.h"

#include <fmt/format.h>

#include <array>

namespace polarsim::scenarios::cli::test {
namespace {

using T = engine::TypeId;

constexpr const char* int2_edges[] = {"0", "1", "-1", "2", "3", "7", "10", "-32768", "32767", "100", "-100"};
constexpr const char* int4_edges[] = {"0",     "1",   "-1", "2",  "3",           "5",          "7",
                                      "10",    "16",  "31", "32", "-2147483648", "2147483647", "-2147483647",
                                      "65536", "100", "-5", "-2", "255",         "1000000"};
constexpr const char* int8_edges[] = {"0",
                                      "1",
                                      "-1",
                                      "2",
                                      "10",
                                      "63",
                                      "64",
                                      "-9223372036854775808",
                                      "9223372036854775807",
                                      "-9223372036854775807",
                                      "2147483648",
                                      "-2147483649",
                                      "4294967295",
                                      "4294967296",
                                      "3037000500",
                                      "1000000000000"};
constexpr const char* float8_edges[] = {"0",
                                        "-0",
                                        "1",
                                        "-1",
                                        "0.5",
                                        "-0.5",
                                        "1.5",
                                        "2.5",
                                        "NaN",
                                        "Infinity",
                                        "-Infinity",
                                        "1e308",
                                        "-1e308",
                                        "1e-307",
                                        "5e-324",
                                        "4.9406564584124654e-324",
                                        "1.7976931348623157e308",
                                        "0.1",
                                        "3.141592653589793",
                                        "1e15",
                                        "1e16",
                                        "123456789012345678",
                                        "2147483647.5",
                                        "-2147483648.5",
                                        "9223372036854775807",
                                        "9223372036854774784",
                                        "32767.5",
                                        "-32768.5",
                                        "2",
                                        "10",
                                        "1e-5",
                                        "0.0001",
                                        "90",
                                        "45",
                                        "-180",
                                        "360",
                                        "1e22"};
constexpr const char* float4_edges[] = {"0",          "-0",       "1",         "-1",       "0.5",     "1.5",
                                        "NaN",        "Infinity", "-Infinity", "3.4e38",   "-3.4e38", "1.17549435e-38",
                                        "1e-45",      "0.1",      "16777216",  "16777217", "1e6",     "123456.7",
                                        "2147483648", "32767.5",  "2",         "10"};
constexpr const char* numeric_edges[] = {"0",
                                         "0.0",
                                         "0.00",
                                         "1",
                                         "-1",
                                         "0.5",
                                         "-0.5",
                                         "1.5",
                                         "2.5",
                                         "NaN",
                                         "Infinity",
                                         "-Infinity",
                                         "10",
                                         "100",
                                         "1e100",
                                         "1e-100",
                                         "9999.9999",
                                         "0.9999",
                                         "10000",
                                         "0.0001",
                                         "99999999999999999999999999999999.999999999999",
                                         "123456789.123456789",
                                         "-0.00000001",
                                         "2147483647.5",
                                         "-2147483648.5",
                                         "9223372036854775807",
                                         "9223372036854775807.5",
                                         "-9223372036854775808.5",
                                         "32767.5",
                                         "1.000000000000000000",
                                         "3",
                                         "7",
                                         "0.1",
                                         "-12345678901234567890",
                                         "2",
                                         "1e20",
                                         "1e-20",
                                         "50.50"};
constexpr const char* text_edges[] = {
    "",       " ",    "a",           "A",      "abc",       "ABC",    "é",       "日本語",     "𝄞x",     "a b c",
    "  ab  ", "%",    "_",           "\\",     "a%b_c",     "1",      "12",      "-5",         "1.5",    "true",
    "null",   "NULL", "a,b,c",       ",",      "abcabcabc", "aaa",    "o'clock", "\"quoted\"", "{}",     "{1,2}",
    "\t",     "\n",   "xyz ABC xyz", "Straße", "Ñandú",     "ab\\nc", "base64",  "hex",        "escape", "UTF8",
    "a.*",    "(b)",  "[a-c]+",      "^a",     "c$",        "i",      "g",       "{a,b}",      "year",   "month",
    "day",    "hour", "second",      "epoch",  "UTC",       "minute"};
constexpr const char* bytea_edges[] = {"",          "\\x",         "\\x00",      "\\xff", "abc",
                                       "\\x0001ff", "\\xdeadbeef", "\\000\\001", "é"};
constexpr const char* date_edges[] = {"2000-01-01", "1999-12-31",    "infinity",      "-infinity",  "4713-01-01 BC",
                                      "0001-01-01", "2000-02-29",    "5874897-12-31", "1970-01-01", "2024-02-29",
                                      "1900-02-28", "0001-12-31 BC", "9999-12-31",    "2023-03-26", "2021-01-03"};
constexpr const char* time_edges[] = {"00:00", "24:00", "23:59:59.999999", "12:34:56.789", "00:00:00.000001", "13:00"};
constexpr const char* interval_edges[] = {"0",
                                          "1 day",
                                          "-1 day",
                                          "1 month",
                                          "30 days",
                                          "1 year 2 months 3 days 04:05:06.789",
                                          "-1 year",
                                          "24:00",
                                          "-00:00:00.000001",
                                          "1 mon -1 day",
                                          "178000000 years",
                                          "-178000000 years",
                                          "2147483647 days",
                                          "00:00:00.5",
                                          "1 week",
                                          "12 months 366 days 25:00",
                                          "P1Y2M3DT4H5M6S",
                                          "1 day ago"};
constexpr const char* uuid_edges[] = {"00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
                                      "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "{a0eebc999c0b4ef8bb6d6bb9bd380a11}"};
constexpr const char* json_edges[] = {"null",
                                      "true",
                                      "false",
                                      "0",
                                      "-1.50",
                                      "1e10",
                                      "\"\"",
                                      "\"a\"",
                                      "\"é\\u00e9\"",
                                      "[]",
                                      "{}",
                                      "[1,2,3]",
                                      "{\"a\":1}",
                                      "{\"a\": {\"b\": [1, null, \"c\"]}}",
                                      "[[]]",
                                      "[null]",
                                      "{\"\":0}",
                                      "{\"b\":1,\"a\":2,\"b\":3}",
                                      "[1, \"a\", true]"};
constexpr const char* char_byte_edges[] = {"", "a", "Z", "0", " ", "\\377", "\\001", "~"};
constexpr const char* regtype_edges[] = {"integer", "text", "numeric", "boolean[]",
                                         "0",       "23",   "varchar", "timestamptz"};

}  // namespace

std::string RandomTexts::integer(int digits_max) {
  std::string text = one_in(2) ? "-" : "";
  for (std::size_t left = 1 + below(static_cast<std::size_t>(digits_max)); left > 0; --left)
    text += static_cast<char>('0' + below(10));
  return text;
}

std::string RandomTexts::decimal() {
  const std::size_t kind = below(10);
  std::string text = integer(kind == 0 ? 60 : kind < 5 ? 9 : 3);
  if (one_in(4)) return text;
  text += '.';
  for (std::size_t left = 1 + below(kind == 1 ? 40 : 6); left > 0; --left) text += static_cast<char>('0' + below(10));
  return text;
}

std::string RandomTexts::floating(bool single) {
  switch (below(3)) {
    case 0:
      return integer(5);
    case 1:
      return decimal().substr(0, 20);
    default:
      return fmt::format("{}.{}e{}", integer(1), below(1000000),
                         static_cast<int>(below(single ? 60 : 600)) - (single ? 30 : 300));
  }
}

std::string RandomTexts::text() {
  constexpr const char* pieces[] = {"a", "b", "c",  "A", "B", "é", "日", "𝄞", " ",
                                    "_", "%", "\\", "'", "1", "2", ",",  ".", "-"};
  std::string text;
  const std::size_t length = one_in(20) ? 200 : below(12);
  for (std::size_t i = 0; i < length; ++i) text += one_of(pieces);
  return text;
}

std::string RandomTexts::bytes() {
  std::string text = "\\x";
  for (std::size_t left = below(one_in(10) ? 100 : 8); left > 0; --left) text += fmt::format("{:02x}", below(256));
  return text;
}

std::string RandomTexts::date() {
  const std::size_t year = one_in(5) ? 1 + below(9999) : 1950 + below(120);
  return fmt::format("{:04}-{:02}-{:02}", year, 1 + below(12), 1 + below(28));
}

std::string RandomTexts::time_of_day() {
  std::string text = fmt::format("{:02}:{:02}:{:02}", below(24), below(60), below(60));
  if (one_in(2)) text += fmt::format(".{}", below(1000000));
  return text;
}

std::string RandomTexts::interval() {
  std::string text;
  for (const char* unit : {"years", "months", "weeks", "days"})
    if (one_in(3)) text += fmt::format("{} {} ", integer(3), unit);
  if (one_in(3)) return text + (one_in(2) ? "-" : "") + time_of_day();
  for (const char* unit : {"hours", "minutes", "seconds"})
    if (one_in(3)) text += fmt::format("{} {} ", integer(3), unit);
  return text.empty() ? "1 day" : text;
}

std::string RandomTexts::json(int depth) {
  switch (below(depth > 0 ? 6 : 4)) {
    case 0:
      return one_of(json_edges);
    case 1:
      return fmt::format("\"{}\"", std::string(1 + below(3), static_cast<char>('a' + below(3))));
    case 2:
    case 3:
      return fmt::format("{}", below(1000));
    case 4: {
      std::string text = "[";
      for (std::size_t left = below(4); left > 0; --left) text += json(depth - 1) + (left > 1 ? ", " : "");
      return text + "]";
    }
    default: {
      std::string text = "{";
      for (std::size_t left = below(4); left > 0; --left)
        text += fmt::format("\"{}\": {}{}", static_cast<char>('a' + below(4)), json(depth - 1), left > 1 ? "," : "");
      return text + "}";
    }
  }
}

std::string RandomTexts::array(T element) {
  const auto quoted = [&] {
    if (one_in(6)) return std::string("NULL");
    std::string text = "\"";
    for (const char c : value(element)) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    return text + '"';
  };
  const auto list = [&](std::size_t length) {
    std::string text = "{";
    for (std::size_t i = 0; i < length; ++i) text += (i > 0 ? "," : "") + quoted();
    return text + "}";
  };
  switch (below(8)) {
    case 0:
      return "{}";
    case 1: {
      const std::size_t length = 1 + below(3);
      return "{" + list(length) + "," + list(length) + "}";
    }
    case 2: {
      const std::size_t length = 1 + below(3);
      const int low = static_cast<int>(below(5)) - 2;
      return fmt::format("[{}:{}]={}", low, low + static_cast<int>(length) - 1, list(length));
    }
    default:
      return list(1 + below(4));
  }
}

std::string RandomTexts::value(T type) {
  const bool edge = one_in(2);
  switch (type) {
    case T::boolean:
      return one_in(2) ? "t" : "f";
    case T::int2:
      return edge ? one_of(int2_edges) : integer(4);
    case T::int4:
      return edge ? one_of(int4_edges) : integer(one_in(2) ? 2 : 9);
    case T::int8:
      return edge ? one_of(int8_edges) : integer(one_in(2) ? 3 : 18);
    case T::oid:
    case T::xid:
    case T::regclass:
    case T::regproc:
    case T::regnamespace:
      return fmt::format("{}", one_in(4) ? 4294967295U : below(100000));
    case T::xid8:
      return one_in(4) ? "18446744073709551615" : fmt::format("{}", below(100000));
    case T::regtype:
      return one_of(regtype_edges);
    case T::float8:
      return edge ? one_of(float8_edges) : floating(false);
    case T::float4:
      return edge ? one_of(float4_edges) : floating(true);
    case T::numeric:
      return edge ? one_of(numeric_edges) : decimal();
    case T::bytea:
      return edge ? one_of(bytea_edges) : bytes();
    case T::uuid:
      return edge ? one_of(uuid_edges)
                  : fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", below(0xFFFFFFFF), below(65536), below(65536),
                                below(65536), below(0xFFFFFFFFFFFF));
    case T::date:
      return edge ? one_of(date_edges) : date();
    case T::time:
      return edge ? one_of(time_edges) : time_of_day();
    case T::timestamp:
    case T::timestamptz:
      if (one_in(10)) return one_in(2) ? "infinity" : "-infinity";
      if (one_in(10)) return "4713-01-01 00:00:00 BC";
      if (one_in(10)) return "294276-12-31 23:59:59.999999";
      return date() + " " + (edge ? one_of(std::span(time_edges).subspan(2)) : time_of_day());
    case T::interval:
      return edge ? one_of(interval_edges) : interval();
    case T::json:
    case T::jsonb:
      return edge ? one_of(json_edges) : json(3);
    case T::char_byte:
      return one_of(char_byte_edges);
    case T::int2vector:
    case T::oidvector: {
      std::string text;
      for (std::size_t left = below(4); left > 0; --left) text += fmt::format("{} ", below(30000));
      return text;
    }
    case T::void_type:
      return "";
    default:
      break;
  }
  if (const T element = engine::type_info(type).element; element != T::none && element != T::record)
    return array(element);
  std::string text = edge ? one_of(text_edges) : this->text();
  return text;
}

std::string RandomTexts::doubtful_value(T type) {
  std::string text = value(type);
  constexpr const char* pieces[] = {" ", "-", "+",  "0",  "9", ".", "e",     "x", ":",
                                    "{", "}", "\"", "\\", "é", ",", "1e400", "Z"};
  for (std::size_t left = below(3); left > 0; --left) {
    // Whole characters only: what is no UTF-8 does not reach an input function.
    std::size_t at = below(text.size() + 1);
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) ++at;
    switch (below(4)) {
      case 0:
        text.insert(at, one_of(pieces));
        break;
      case 1:
        text = text.substr(0, at);
        break;
      case 2:
        text = text.substr(at);
        break;
      default:
        text = " " + text + " ";
    }
  }
  return text;
}

}  // namespace polarsim::scenarios::cli::test
