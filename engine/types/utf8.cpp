#include "engine/types/utf8.h"

#include <fmt/format.h>

#include "engine/types/error.h"

namespace polarsim::engine::utf8 {
namespace {

// Whether the character's bytes are a legal form (RFC 3629, table 3-7 of the Unicode standard).
bool is_legal(std::string_view bytes) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char lead = byte(0);
  if (bytes.size() == 1) return lead < 0x80;
  for (std::size_t i = 1; i < bytes.size(); ++i) {
    if (!is_continuation(bytes[i])) return false;
  }
  switch (bytes.size()) {
    case 2:
      return lead >= 0xc2 && lead <= 0xdf;
    case 3:
      if (lead == 0xe0) return byte(1) >= 0xa0;
      if (lead == 0xed) return byte(1) <= 0x9f;
      return lead >= 0xe0 && lead <= 0xef;
    default:
      if (lead == 0xf0) return byte(1) >= 0x90;
      if (lead == 0xf4) return byte(1) <= 0x8f;
      return lead >= 0xf0 && lead <= 0xf4;
  }
}

// What PostgreSQL takes for the length of a character by its first byte (pg_utf_mblen: 1 if it can be none).
std::size_t announced_length(char first) {
  const auto lead = static_cast<unsigned char>(first);
  if ((lead & 0xe0) == 0xc0) return 2;
  if ((lead & 0xf0) == 0xe0) return 3;
  if ((lead & 0xf8) == 0xf0) return 4;
  return 1;
}

}  // namespace

char32_t decode(std::string_view text, std::size_t& at) {
  const std::size_t length = length_at(text, at);
  const auto lead = static_cast<unsigned char>(text[at]);
  char32_t character = length == 1 ? lead : lead & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    character = (character << 6) | (static_cast<unsigned char>(text[at + i]) & 0x3fU);
  }
  at += length;
  return character;
}

std::u32string decode(std::string_view text) {
  std::u32string characters;
  characters.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) characters.push_back(decode(text, at));
  return characters;
}

void append(std::string& to, char32_t character) {
  const auto put = [&](char32_t byte) { to.push_back(static_cast<char>(static_cast<unsigned char>(byte))); };
  if (character < 0x80) {
    put(character);
  } else if (character < 0x800) {
    put(0xc0 | (character >> 6));
    put(0x80 | (character & 0x3f));
  } else if (character < 0x10000) {
    put(0xe0 | (character >> 12));
    put(0x80 | ((character >> 6) & 0x3f));
    put(0x80 | (character & 0x3f));
  } else {
    put(0xf0 | (character >> 18));
    put(0x80 | ((character >> 12) & 0x3f));
    put(0x80 | ((character >> 6) & 0x3f));
    put(0x80 | (character & 0x3f));
  }
}

void append(std::string& to, std::u32string_view characters) {
  for (const char32_t character : characters) append(to, character);
}

void verify(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t announced = announced_length(bytes[at]);
    const std::size_t length = std::min(announced, bytes.size() - at);
    const std::string_view character = bytes.substr(at, length);
    if (length < announced || bytes[at] == '\0' || !is_legal(character)) {
      std::string shown;
      for (const char byte : character)
        shown += fmt::format("{}0x{:02x}", shown.empty() ? "" : " ", static_cast<unsigned char>(byte));
      throw SqlError(sqlstate::character_not_in_repertoire,
                     fmt::format("invalid byte sequence for encoding \"UTF8\": {}", shown));
    }
    at += length;
  }
}

}  // namespace polarsim::engine::utf8
