#include <fmt/format.h>

#include <optional>

#include "engine/types/comparisons.h"
#include "engine/types/error.h"
#include "engine/types/functions_binaries.h"

// uuid (PostgreSQL's uuid.c).
namespace polarsim::engine::families {
namespace {

constexpr std::size_t uuid_bytes = 16;

std::optional<unsigned> digit_of(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

// 32 hexadecimal digits, perhaps in braces, with a hyphen behind any group of four but the last.
std::optional<std::string> parse_uuid(std::string_view text) {
  if (text.starts_with('{')) {
    if (!text.ends_with('}')) return std::nullopt;
    text = text.substr(1, text.size() - 2);
  }
  std::string bytes;
  while (bytes.size() < uuid_bytes) {
    if (text.size() < 2) return std::nullopt;
    const std::optional<unsigned> high = digit_of(text[0]);
    const std::optional<unsigned> low = digit_of(text[1]);
    if (!high || !low) return std::nullopt;
    bytes += static_cast<char>(static_cast<unsigned char>(*high << 4 | *low));
    text.remove_prefix(2);
    if (bytes.size() % 2 == 0 && bytes.size() < uuid_bytes && text.starts_with('-')) text.remove_prefix(1);
  }
  if (!text.empty()) return std::nullopt;
  return bytes;
}

Value uuid_input(std::string_view text, Type, const CallContext&) {
  if (const std::optional<std::string> bytes = parse_uuid(text)) return Value::text(*bytes);
  throw SqlError(sqlstate::invalid_text_representation,
                 fmt::format("invalid input syntax for type uuid: \"{}\"", text));
}

void uuid_output(std::string& to, const Value& value, const CallContext&) {
  const std::string digits = to_hexadecimal(value.as_text());
  to += fmt::format("{}-{}-{}-{}-{}", digits.substr(0, 8), digits.substr(8, 4), digits.substr(12, 4),
                    digits.substr(16, 4), digits.substr(20));
}

}  // namespace

void add_uuid(Entries& to) {
  using enum TypeId;
  to.types.push_back({uuid, uuid_input, uuid_output, compare_byte_strings, hash_byte_string, nullptr});
  add_comparisons<compare_byte_strings, are_equal_byte_strings>(
      to, uuid, uuid, {"uuid_lt", "uuid_le", "uuid_eq", "uuid_ne", "uuid_ge", "uuid_gt"});
}

}  // namespace polarsim::engine::families
