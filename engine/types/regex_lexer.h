// The tokens of a regular expression: what differs between AREs, EREs and BREs (PostgreSQL's regc_lex.c). Private to
// the parser.
#pragma once

#include <optional>

#include "engine/types/regex_syntax.h"

namespace polarsim::engine::regex {

struct Token {
  enum class Kind : std::uint8_t {
    end,
    set,  // one character of a set
    open,
    open_not_capturing,
    open_assertion,
    close,
    alternative,
    quantifier,
    assertion,
    back_reference
  } kind = Kind::end;
  CharacterSet set;
  Assertion assertion = Assertion::text_begin;
  int number = 0;  // referred to
  int min = 1;
  int max = 1;
  Preference preference = Preference::none;
};

class Lexer {
 public:
  // Reads the options that the pattern starts with.
  Lexer(std::u32string_view pattern, RegexOptions options);

  // `groups_opened`: how many capturing parentheses came before; \12 is a back reference only if there are so many.
  Token next(int groups_opened);

  // What was read last is the end of a lookaround, which nothing can repeat.
  void end_lookaround() { previous_ = Token::Kind::assertion; }

  bool is_advanced() const { return options_.syntax == RegexOptions::Syntax::advanced; }
  const RegexOptions& options() const { return options_; }
  // An unbalanced ) in an ERE is a character.
  Token character(char32_t c) const;

 private:
  bool at_end() const { return at_ == pattern_.size(); }
  bool looking_at(std::u32string_view text) const { return pattern_.substr(at_).starts_with(text); }
  bool eat(char32_t c);
  void read_prefix();
  void read_embedded_options();
  void apply_option(char32_t option);
  void skip_space();
  void skip_ignored();

  Token set_token(CharacterSet set) const;
  Token assertion_token(Assertion assertion) const;
  Token quantifier(int min, int max);
  Token parenthesis();
  Token bound();
  std::optional<int> bound_number();
  Token basic_escape();
  Token escape();
  // \12, behind the backslash: the number, if it is a back reference and not a character in octal.
  std::optional<int> back_reference();
  Token unescaped(char32_t c);
  // Of an escape that stands for a character or for a set of them, behind the backslash; nothing for others.
  std::optional<char32_t> character_escape(char32_t c);
  std::optional<CharacterSet> class_escape(char32_t c) const;
  char32_t hexadecimal(std::size_t fewest, std::size_t most);

  Token bracket();
  void bracket_part(CharacterSet& set, bool is_first);
  // A character or [.x.] that can be an end of a range.
  char32_t range_end();
  std::u32string_view bracket_name(char32_t kind);

  std::u32string_view pattern_;
  RegexOptions options_;
  std::size_t at_ = 0;
  int groups_opened_ = 0;
  // What BREs make of * and ^ depends on what was before.
  bool has_previous_ = false;
  bool after_line_begin_ = false;
  Token::Kind previous_ = Token::Kind::end;
};

}  // namespace polarsim::engine::regex
