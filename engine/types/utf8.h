// Characters of UTF-8 texts. Texts are valid UTF-8 unless a function says otherwise; on others the functions stay
// inside the text, and what they find is not specified.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace polarsim::engine::utf8 {

inline constexpr char32_t code_point_max = 0x10ffff;

inline bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

// Bytes of the character that starts at `at`, which lies before the end.
inline std::size_t length_at(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return std::min(length, text.size() - at);
}

// Characters of the text.
inline std::size_t count(std::string_view text) {
  std::size_t count = 0;
  for (const char byte : text) count += is_continuation(byte) ? 0 : 1;
  return count;
}

// The offset of the character number `characters`, counted from 0; the text's size if there are fewer.
inline std::size_t offset_of(std::string_view text, std::size_t characters) {
  std::size_t at = 0;
  while (characters-- > 0 && at < text.size()) at += length_at(text, at);
  return at;
}

// The start of the character before `at`, which is not 0.
inline std::size_t previous(std::string_view text, std::size_t at) {
  do --at;
  while (at > 0 && is_continuation(text[at]));
  return at;
}

// The longest prefix of whole characters that has at most so many bytes.
inline std::string_view prefix_of_bytes(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && is_continuation(text[bytes])) --bytes;
  return text.substr(0, bytes);
}

// The character at `at`, which moves behind it.
char32_t decode(std::string_view text, std::size_t& at);
std::u32string decode(std::string_view text);
// Appends the character, which is at most code_point_max.
void append(std::string& to, char32_t character);
void append(std::string& to, std::u32string_view characters);

// Throws SqlError 22021 "invalid byte sequence for encoding \"UTF8\": 0xff" as pg_verify_mbstr() does (zero bytes,
// overlong forms and surrogates are invalid).
void verify(std::string_view bytes);

}  // namespace polarsim::engine::utf8
