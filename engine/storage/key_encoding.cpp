#include "engine/storage/key_encoding.h"

#include <fmt/format.h>

#include <cstdint>
#include <utility>

#include "engine/sql/error.h"

namespace polarsim::engine::storage {

namespace {

// Part of the format of indexes: their order is the order of kinds. Never renumber.
constexpr char boolean_tag = '\x01';
constexpr char integer_tag = '\x02';
constexpr char text_tag = '\x03';
constexpr char null_tag = '\xFE';

// In a text, 00 is written as 00 FF and the end as 00 00: an end sorts before everything that goes on.
constexpr char zero_continues = '\xFF';

constexpr std::uint64_t sign_bit = std::uint64_t{1} << 63;
constexpr std::size_t integer_bytes = 8;

void append_text(std::string& key, std::string_view text) {
  for (;;) {
    const std::size_t zero = text.find('\0');
    key.append(text.substr(0, zero));
    if (zero == std::string_view::npos) break;
    key.push_back('\0');
    key.push_back(zero_continues);
    text.remove_prefix(zero + 1);
  }
  key.append(2, '\0');
}

[[noreturn]] void no_key() { throw SqlError(sqlstate::internal_error, "index key contradicts its encoding"); }

class KeyReader {
 public:
  explicit KeyReader(std::string_view key) : rest_(key) {}
  bool at_end() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

  Value value() {
    switch (take()) {
      case boolean_tag: {
        const char byte = take();
        if (byte != 0 && byte != 1) no_key();
        return Value::boolean(byte == 1);
      }
      case integer_tag: {
        std::uint64_t bits = 0;
        for (std::size_t i = 0; i < integer_bytes; ++i) bits = bits << 8 | static_cast<unsigned char>(take());
        return Value::integer(static_cast<std::int64_t>(bits ^ sign_bit));
      }
      case text_tag:
        return Value::text(text());
      case null_tag:
        return Value::null();
      default:
        no_key();
    }
  }

 private:
  char take() {
    if (rest_.empty()) no_key();
    const char byte = rest_.front();
    rest_.remove_prefix(1);
    return byte;
  }
  std::string text() {
    std::string text;
    for (;;) {
      const std::size_t zero = rest_.find('\0');
      if (zero == std::string_view::npos) no_key();
      text.append(rest_.substr(0, zero));
      rest_.remove_prefix(zero + 1);
      const char next = take();
      if (next == '\0') return text;
      if (next != zero_continues) no_key();
      text.push_back('\0');
    }
  }

  std::string_view rest_;
};

}  // namespace

void append_key(std::string& key, const Value& value) {
  if (value.is_null()) {
    key.push_back(null_tag);
  } else if (value.is_boolean()) {
    key.push_back(boolean_tag);
    key.push_back(value.as_boolean() ? '\x01' : '\x00');
  } else if (value.is_integer()) {
    const std::uint64_t bits = static_cast<std::uint64_t>(value.as_integer()) ^ sign_bit;
    char bytes[1 + integer_bytes] = {integer_tag};
    for (std::size_t i = 0; i < integer_bytes; ++i)
      bytes[1 + i] = static_cast<char>(bits >> (8 * (integer_bytes - 1 - i)) & 0xFF);
    key.append(bytes, sizeof bytes);
  } else {
    key.push_back(text_tag);
    append_text(key, value.as_text());
  }
}

std::string encode_key(std::span<const Value> values) {
  std::string key;
  for (const Value& value : values) append_key(key, value);
  return key;
}

Row decode_key(std::string_view key) {
  KeyReader reader(key);
  Row row;
  while (!reader.at_end()) row.push_back(reader.value());
  return row;
}

std::string describe_key(std::string_view key) {
  std::string text = "(";
  KeyReader reader(key);
  while (!reader.at_end()) {
    if (text.size() > 1) text += ", ";
    const std::string_view before = reader.rest();
    try {
      text += to_literal(reader.value());
    } catch (const SqlError&) {
      for (const char byte : before) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
      break;
    }
  }
  return text + ")";
}

std::string after_prefix(std::string_view prefix) {
  while (!prefix.empty() && prefix.back() == '\xFF') prefix.remove_suffix(1);
  std::string after(prefix);
  if (!after.empty()) after.back() = static_cast<char>(static_cast<unsigned char>(after.back()) + 1);
  return after;
}

}  // namespace polarsim::engine::storage
