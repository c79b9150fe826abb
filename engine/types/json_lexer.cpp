#include "engine/types/json_lexer.h"

#include <fmt/format.h>

#include "engine/types/error.h"
#include "engine/types/utf8.h"

namespace polarsim::engine {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
// What belongs to a word, in errors at least.
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         (static_cast<unsigned char>(c) & 0x80U) != 0;
}
// 16 if it is none.
unsigned hexadecimal_digit(char c) {
  if (is_digit(c)) return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return 16;
}

constexpr char32_t high_surrogates = 0xD800;
constexpr char32_t low_surrogates = 0xDC00;
constexpr char32_t surrogates_end = 0xE000;

}  // namespace

std::size_t JsonLexer::skip_number(std::string_view text, std::size_t at, bool& valid) {
  const auto digit_at = [&](std::size_t i) { return i < text.size() && is_digit(text[i]); };
  const auto skip_digits = [&] {
    if (!digit_at(at)) valid = false;
    while (digit_at(at)) ++at;
  };
  if (digit_at(at) && text[at] == '0') {
    ++at;
  } else {
    skip_digits();
  }
  if (at < text.size() && text[at] == '.') {
    ++at;
    skip_digits();
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    skip_digits();
  }
  for (; at < text.size() && is_word(text[at]); ++at) valid = false;
  return at;
}

bool is_json_number(std::string_view text) {
  bool valid = !text.empty();
  const std::size_t end = JsonLexer::skip_number(text, text.starts_with('-') ? 1 : 0, valid);
  return valid && end == text.size();
}

void JsonLexer::take(Token token, std::size_t end) {
  token_ = token;
  previous_end_ = end_;
  end_ = end;
}

void JsonLexer::advance() {
  std::size_t at = end_;
  for (; !at_end(at); ++at) {
    const char c = text_[at];
    if (c == '\n') {
      ++line_;
      line_start_ = at + 1;
    } else if (c != ' ' && c != '\t' && c != '\r') {
      break;
    }
  }
  begin_ = at;
  if (at_end(at)) return take(Token::end, at);
  switch (const char c = text_[at]) {
    case '{':
      return take(Token::object_start, at + 1);
    case '}':
      return take(Token::object_end, at + 1);
    case '[':
      return take(Token::array_start, at + 1);
    case ']':
      return take(Token::array_end, at + 1);
    case ',':
      return take(Token::comma, at + 1);
    case ':':
      return take(Token::colon, at + 1);
    case '"':
      return take_string(at + 1);
    case '-':
      return take_number(at + 1);
    default:
      return is_digit(c) ? take_number(at) : take_word(at);
  }
}

void JsonLexer::take_number(std::size_t at) {
  bool valid = true;
  const std::size_t end = skip_number(text_, at, valid);
  if (!valid) fail_token(end);
  take(Token::number, end);
}

void JsonLexer::take_word(std::size_t at) {
  std::size_t end = at;
  while (!at_end(end) && is_word(text_[end])) ++end;
  const std::string_view word = text_.substr(at, end - at);
  if (word.empty()) fail_token(at + 1);
  if (word == "true") return take(Token::true_word, end);
  if (word == "false") return take(Token::false_word, end);
  if (word == "null") return take(Token::null_word, end);
  fail_token(end);
}

void JsonLexer::require_low_surrogate_unless_none(std::size_t at) {
  if (high_surrogate_ == 0) return;
  fail_at_character("Unicode low surrogate must follow a high surrogate.", at, sqlstate::invalid_text_representation);
}

void JsonLexer::take_string(std::size_t at) {
  string_.clear();
  high_surrogate_ = 0;
  for (;;) {
    std::size_t end = at;
    while (!at_end(end) && text_[end] != '"' && text_[end] != '\\' && static_cast<unsigned char>(text_[end]) >= 32)
      ++end;
    if (end > at) require_low_surrogate_unless_none(at);
    if (unescape_) string_ += text_.substr(at, end - at);
    if (at_end(end)) fail_token(end);
    if (text_[end] == '"') {
      require_low_surrogate_unless_none(end);
      return take(Token::string, end + 1);
    }
    if (text_[end] != '\\') {
      fail(fmt::format("Character with value 0x{:02x} must be escaped.", static_cast<unsigned char>(text_[end])), end,
           sqlstate::invalid_text_representation);
    }
    at = take_escape(end + 1);
  }
}

std::size_t JsonLexer::take_escape(std::size_t at) {
  if (at_end(at)) fail_token(at);
  if (text_[at] == 'u') return take_unicode_escape(at + 1);
  require_low_surrogate_unless_none(at);
  constexpr std::string_view escapes = "\"\\/bfnrt";
  constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
  const std::size_t which = escapes.find(text_[at]);
  if (which == std::string_view::npos) {
    begin_ = at;
    const std::size_t end = at + utf8::length_at(text_, at);
    fail(fmt::format("Escape sequence \"\\{}\" is invalid.", text_.substr(at, end - at)), end,
         sqlstate::invalid_text_representation);
  }
  if (unescape_) string_ += meanings[which];
  return at + 1;
}

std::size_t JsonLexer::take_unicode_escape(std::size_t at) {
  char32_t character = 0;
  for (const std::size_t end = at + 4; at < end; ++at) {
    if (at_end(at)) fail_token(at);
    const unsigned digit = hexadecimal_digit(text_[at]);
    if (digit > 15) {
      fail_at_character("\"\\u\" must be followed by four hexadecimal digits.", at,
                        sqlstate::invalid_text_representation);
    }
    character = character * 16 + digit;
  }
  if (!unescape_) return at;
  const std::size_t last = at - 1;
  if (character >= high_surrogates && character < low_surrogates) {
    if (high_surrogate_ != 0) {
      fail_at_character("Unicode high surrogate must not follow a high surrogate.", last,
                        sqlstate::invalid_text_representation);
    }
    high_surrogate_ = character;
    return at;
  }
  if (character >= low_surrogates && character < surrogates_end) {
    if (high_surrogate_ == 0) {
      fail_at_character("Unicode low surrogate must follow a high surrogate.", last,
                        sqlstate::invalid_text_representation);
    }
    character = 0x10000 + ((high_surrogate_ - high_surrogates) << 10) + (character - low_surrogates);
    high_surrogate_ = 0;
  }
  require_low_surrogate_unless_none(last);
  if (character == 0) {
    fail_at_character("\\u0000 cannot be converted to text.", last, sqlstate::untranslatable_character);
  }
  utf8::append(string_, character);
  return at;
}

void JsonLexer::fail_at_character(std::string_view detail, std::size_t at, const char* code) {
  fail(detail, at + utf8::length_at(text_, at), code);
}

void JsonLexer::fail_token(std::size_t end) {
  fail(fmt::format("Token \"{}\" is invalid.", text_.substr(begin_, end - begin_)), end,
       sqlstate::invalid_text_representation);
}

void JsonLexer::fail(std::string_view detail, std::size_t end, const char* code) {
  end_ = end;
  throw SqlError(ErrorFields{.sqlstate = code,
                             .message = code == sqlstate::untranslatable_character
                                            ? "unsupported Unicode escape sequence"
                                            : "invalid input syntax for type json",
                             .detail = std::string(detail),
                             .hint = "",
                             .context = context()});
}

void JsonLexer::throw_expected(std::string_view what) const {
  const std::string detail = token_ == Token::end ? "The input string ended unexpectedly."
                                                  : fmt::format("Expected {}, but found \"{}\".", what, lexeme());
  throw SqlError(ErrorFields{.sqlstate = sqlstate::invalid_text_representation,
                             .message = "invalid input syntax for type json",
                             .detail = detail,
                             .hint = "",
                             .context = context()});
}

// The line up to where the lexer came, or its last 50 bytes.
std::string JsonLexer::context() const {
  constexpr std::size_t shown_max = 50;
  std::size_t start = line_start_;
  while (end_ - start >= shown_max) start += utf8::length_at(text_, start);
  // A few characters less are not worth their dots.
  if (start - line_start_ <= 3) start = line_start_;
  const bool goes_on = token_ != Token::end && end_ < text_.size() && text_[end_] != '\n' && text_[end_] != '\r';
  return fmt::format("JSON data, line {}: {}{}{}", line_, start > line_start_ ? "..." : "",
                     text_.substr(start, end_ - start), goes_on ? "..." : "");
}

}  // namespace polarsim::engine
