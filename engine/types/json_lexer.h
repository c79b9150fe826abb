// The tokens of a JSON text, and PostgreSQL's errors about what is none (algorithm and texts: PostgreSQL 15's
// src/common/jsonapi.c, json_lex() and json_errdetail(), and report_json_context() in jsonfuncs.c). Private to the JSON
// types. No kept library fits: the errors show how far PostgreSQL's lexer came, and numbers stay as they are written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace polarsim::engine {

class JsonLexer {
 public:
  enum class Token : std::uint8_t {
    none,  // before the first
    object_start,
    object_end,
    array_start,
    array_end,
    comma,
    colon,
    string,
    number,
    true_word,
    false_word,
    null_word,
    end
  };

  // `text` must outlive this. `unescape`: escapes in strings are resolved and thereby checked, as jsonb needs it; the
  // type json does not mind "\u0000" or half a surrogate pair.
  JsonLexer(std::string_view text, bool unescape) : text_(text), unescape_(unescape) {}

  // Throws SqlError 22P02 or 22P05 with PostgreSQL's detail and context.
  void advance();
  Token token() const { return token_; }
  // Of the token, from and to. At the end of the text both are there.
  std::size_t begin() const { return begin_; }
  std::size_t end() const { return end_; }
  std::size_t previous_end() const { return previous_end_; }  // of the token before
  std::string_view lexeme() const { return text_.substr(begin_, end_ - begin_); }
  // Of a string, if escapes are resolved; may be moved from.
  std::string& string() { return string_; }
  std::string_view text() const { return text_; }

  // The token is not `what` ("array element or \"]\""), which the grammar has in its place.
  [[noreturn]] void throw_expected(std::string_view what) const;

  // A number by JSON's grammar that starts at `at`, behind the sign. Gives its end; `valid` turns false if it is none.
  static std::size_t skip_number(std::string_view text, std::size_t at, bool& valid);

 private:
  bool at_end(std::size_t at) const { return at >= text_.size(); }
  void take(Token token, std::size_t end);
  void take_word(std::size_t at);
  void take_number(std::size_t at);
  void take_string(std::size_t at);
  // The escape behind the backslash before `at`; gives where it ends.
  std::size_t take_escape(std::size_t at);
  std::size_t take_unicode_escape(std::size_t at);

  [[noreturn]] void fail(std::string_view detail, std::size_t end, const char* code);
  [[noreturn]] void fail_token(std::size_t end);
  // The error is shown up to the end of the character at `at`.
  [[noreturn]] void fail_at_character(std::string_view detail, std::size_t at, const char* code);
  void require_low_surrogate_unless_none(std::size_t at);
  std::string context() const;

  std::string_view text_;
  bool unescape_;
  Token token_ = Token::none;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t previous_end_ = 0;
  std::size_t line_start_ = 0;
  int line_ = 1;
  char32_t high_surrogate_ = 0;  // 0: none is waiting for its low half
  std::string string_;
};

// Whether the text is a number as JSON writes them.
bool is_json_number(std::string_view text);

}  // namespace polarsim::engine
