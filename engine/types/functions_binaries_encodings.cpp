#include <fmt/format.h>
#include <nettle/md5.h>
#include <nettle/sha2.h>

#include <algorithm>

#include "engine/types/error.h"
#include "engine/types/functions_binaries.h"
#include "engine/types/functions_texts.h"
#include "engine/types/utf8.h"

// Bytes as texts, texts as bytes, and digests (PostgreSQL's encode.c, cryptohashfuncs.c, mbutils.c).
namespace polarsim::engine::families {
namespace {

constexpr std::size_t base64_line = 76;
constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

[[noreturn]] void refuse(std::string message, std::string hint = "") {
  throw SqlError(sqlstate::invalid_parameter_value, std::move(message), "", std::move(hint));
}
bool is_skipped(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
std::string_view character_at(std::string_view text, std::size_t at) {
  return text.substr(at, utf8::length_at(text, at));
}

unsigned hexadecimal_digit(std::string_view text, std::size_t at) {
  const char c = text[at];
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  refuse(fmt::format("invalid hexadecimal digit: \"{}\"", character_at(text, at)));
}

std::string lower_case(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return result;
}

struct Coding {
  const char* name;
  std::string (*encode)(std::string_view bytes);
  std::string (*decode)(std::string_view text);
};
const Coding& coding_of(std::string_view name) {
  static constexpr Coding codings[] = {{"hex", to_hexadecimal, from_hexadecimal},
                                       {"base64", to_base64, from_base64},
                                       {"escape", to_escapes, from_escapes}};
  const auto found = std::ranges::find(codings, lower_case(name), &Coding::name);
  if (found == std::end(codings)) refuse(fmt::format("unrecognized encoding: \"{}\"", name));
  return *found;
}
Value encode(const FunctionCall& call) { return Value::text(coding_of(call[1].as_text()).encode(call[0].as_text())); }
Value decode(const FunctionCall& call) { return Value::text(coding_of(call[1].as_text()).decode(call[0].as_text())); }

// Character sets: the few that there are here.
enum class CharacterSetName : std::uint8_t { utf8, latin1, sql_ascii };
CharacterSetName character_set_of(std::string_view name, const char* what) {
  std::string plain;
  for (const char c : lower_case(name)) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) plain += c;
  }
  if (plain == "utf8" || plain == "unicode") return CharacterSetName::utf8;
  if (plain == "latin1" || plain == "iso88591") return CharacterSetName::latin1;
  if (plain == "sqlascii") return CharacterSetName::sql_ascii;
  refuse(fmt::format("invalid {}encoding name \"{}\"", what, name));
}

void verify(std::string_view bytes, CharacterSetName set) {
  if (set == CharacterSetName::utf8) return utf8::verify(bytes);
  if (bytes.find('\0') == std::string_view::npos) return;
  throw SqlError(sqlstate::character_not_in_repertoire,
                 fmt::format("invalid byte sequence for encoding \"{}\": 0x00",
                             set == CharacterSetName::latin1 ? "LATIN1" : "SQL_ASCII"));
}
std::string converted(std::string_view bytes, CharacterSetName from, CharacterSetName to) {
  using enum CharacterSetName;
  verify(bytes, from);
  if (from == to || to == sql_ascii) return std::string(bytes);
  std::string result;
  if (from == sql_ascii) {
    verify(bytes, to);
    return std::string(bytes);
  }
  if (from == latin1) {
    for (const char byte : bytes) utf8::append(result, static_cast<unsigned char>(byte));
    return result;
  }
  for (std::size_t at = 0; at < bytes.size();) {
    const std::string_view shown = character_at(bytes, at);
    const char32_t character = utf8::decode(bytes, at);
    if (character > 0xff) {
      std::string sequence;
      for (const char byte : shown) {
        sequence += fmt::format("{}0x{:02x}", sequence.empty() ? "" : " ", static_cast<unsigned char>(byte));
      }
      throw SqlError(
          sqlstate::untranslatable_character,
          fmt::format("character with byte sequence {} in encoding \"UTF8\" has no equivalent in encoding \"LATIN1\"",
                      sequence));
    }
    result += static_cast<char>(static_cast<unsigned char>(character));
  }
  return result;
}
Value convert_from(const FunctionCall& call) {
  const CharacterSetName from = character_set_of(call[1].as_text(), "source ");
  return Value::text(converted(call[0].as_text(), from, CharacterSetName::utf8));
}
Value convert_to(const FunctionCall& call) {
  const CharacterSetName to = character_set_of(call[1].as_text(), "destination ");
  return Value::text(converted(call[0].as_text(), CharacterSetName::utf8, to));
}
Value convert(const FunctionCall& call) {
  const CharacterSetName from = character_set_of(call[1].as_text(), "source ");
  return Value::text(converted(call[0].as_text(), from, character_set_of(call[2].as_text(), "destination ")));
}
Value length_in_encoding(const FunctionCall& call) {
  const std::string_view bytes = call[0].as_text();
  const CharacterSetName set = character_set_of(call[1].as_text(), "");
  verify(bytes, set);
  return Value::integer(static_cast<std::int64_t>(set == CharacterSetName::utf8 ? utf8::count(bytes) : bytes.size()));
}

template <typename State, std::size_t size, void (*begin)(State*),
          void (*update)(State*, std::size_t, const std::uint8_t*), void (*finish)(State*, std::size_t, std::uint8_t*)>
std::string digest(std::string_view bytes) {
  State state;
  begin(&state);
  update(&state, bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data()));
  std::uint8_t result[size];
  finish(&state, size, result);
  return std::string(reinterpret_cast<const char*>(result), size);
}
Value md5(const FunctionCall& call) {
  return Value::text(
      to_hexadecimal(digest<md5_ctx, MD5_DIGEST_SIZE, md5_init, md5_update, md5_digest>(call[0].as_text())));
}
Value sha224(const FunctionCall& call) {
  return Value::text(
      digest<sha256_ctx, SHA224_DIGEST_SIZE, sha224_init, sha256_update, sha224_digest>(call[0].as_text()));
}
Value sha256(const FunctionCall& call) {
  return Value::text(
      digest<sha256_ctx, SHA256_DIGEST_SIZE, sha256_init, sha256_update, sha256_digest>(call[0].as_text()));
}
Value sha384(const FunctionCall& call) {
  return Value::text(
      digest<sha512_ctx, SHA384_DIGEST_SIZE, sha384_init, sha512_update, sha384_digest>(call[0].as_text()));
}
Value sha512(const FunctionCall& call) {
  return Value::text(
      digest<sha512_ctx, SHA512_DIGEST_SIZE, sha512_init, sha512_update, sha512_digest>(call[0].as_text()));
}

FunctionEntry stable(FunctionEntry entry) {
  entry.volatility = Volatility::stable;
  return entry;
}

}  // namespace

std::string to_hexadecimal(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result;
  result.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    result += digits[byte >> 4];
    result += digits[byte & 15];
  }
  return result;
}

std::string from_hexadecimal(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_skipped(text[at])) continue;
    const unsigned high = hexadecimal_digit(text, at);
    if (++at == text.size()) refuse("invalid hexadecimal data: odd number of digits");
    result += static_cast<char>(static_cast<unsigned char>(high << 4 | hexadecimal_digit(text, at)));
  }
  return result;
}

// Lines of 76 characters: each that is full ends with a newline, the last one, too.
std::string to_base64(std::string_view bytes) {
  std::string result;
  std::size_t line_end = base64_line;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    unsigned group = 0;
    for (std::size_t i = 0; i < 3; ++i)
      group = group << 8 | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i) {
      result += i <= count ? base64_digits[(group >> (18 - 6 * i)) & 63] : '=';
    }
    if (count == 3 && result.size() >= line_end) {
      result += '\n';
      line_end = result.size() + base64_line;
    }
  }
  return result;
}

std::string from_base64(std::string_view text) {
  std::string result;
  unsigned group = 0;
  std::size_t digits = 0;
  std::size_t bytes = 3;  // of the group: fewer once there was padding
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (is_skipped(c)) continue;
    std::size_t digit = 0;
    if (c == '=') {
      if (bytes == 3) {
        if (digits < 2) refuse("unexpected \"=\" while decoding base64 sequence");
        bytes = digits - 1;
      }
    } else {
      digit = base64_digits.find(c);
      if (digit == std::string_view::npos) {
        refuse(fmt::format("invalid symbol \"{}\" found while decoding base64 sequence", character_at(text, at)));
      }
    }
    group = group << 6 | static_cast<unsigned>(digit);
    if (++digits < 4) continue;
    for (std::size_t i = 0; i < bytes; ++i) {
      result += static_cast<char>(static_cast<unsigned char>(group >> (16 - 8 * i)));
    }
    group = 0;
    digits = 0;
  }
  if (digits != 0) {
    refuse("invalid base64 end sequence", "Input data is missing padding, is truncated, or is otherwise corrupted.");
  }
  return result;
}

std::string to_escapes(std::string_view bytes) {
  std::string result;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == 0 || byte >= 0x80) {
      result += fmt::format("\\{:03o}", byte);
    } else {
      if (c == '\\') result += c;
      result += c;
    }
  }
  return result;
}

std::string from_escapes(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '\\') {
      result += text[at++];
      continue;
    }
    const std::string_view next = text.substr(at + 1);
    const auto is_octal = [&](std::size_t i, char most) {
      return next.size() > i && next[i] >= '0' && next[i] <= most;
    };
    if (is_octal(0, '3') && is_octal(1, '7') && is_octal(2, '7')) {
      const int byte = ((next[0] - '0') << 6) + ((next[1] - '0') << 3) + (next[2] - '0');
      result += static_cast<char>(static_cast<unsigned char>(byte));
      at += 4;
    } else if (next.starts_with('\\')) {
      result += '\\';
      at += 2;
    } else {
      throw SqlError(sqlstate::invalid_text_representation, "invalid input syntax for type bytea");
    }
  }
  return result;
}

void add_encoding_functions(Entries& to) {
  using enum TypeId;
  const FunctionEntry functions[] = {
      scalar("encode", {bytea, text}, text, encode),
      scalar("decode", {text, text}, bytea, decode),
      stable(scalar("convert_from", {bytea, name}, text, convert_from)),
      stable(scalar("convert_to", {text, name}, bytea, convert_to)),
      stable(scalar("convert", {bytea, name, name}, bytea, convert)),
      stable(scalar("length", {bytea, name}, int4, length_in_encoding)),
      scalar("md5", {text}, text, md5),
      scalar("md5", {bytea}, text, md5),
      scalar("sha224", {bytea}, bytea, sha224),
      scalar("sha256", {bytea}, bytea, sha256),
      scalar("sha384", {bytea}, bytea, sha384),
      scalar("sha512", {bytea}, bytea, sha512),
  };
  to.functions.insert(to.functions.end(), std::begin(functions), std::end(functions));
}

}  // namespace polarsim::engine::families
