#include "engine/types/regex_lexer.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/types/error.h"

namespace polarsim::engine::regex {
namespace {

constexpr char32_t character_max = 0x7ffffffe;

bool is_digit(char32_t c) { return c >= '0' && c <= '9'; }
bool is_letter(char32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_space(char32_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace

void throw_invalid(std::string_view what) {
  throw SqlError(sqlstate::invalid_regular_expression, fmt::format("invalid regular expression: {}", what));
}
void throw_too_complex() { throw_invalid("regular expression is too complex"); }

Lexer::Lexer(std::u32string_view pattern, RegexOptions options) : pattern_(pattern), options_(options) {
  if (options_.syntax != RegexOptions::Syntax::literal) read_prefix();
}

// "***:" makes the rest an ARE, "***=" a literal string; an ARE may start with "(?options)".
void Lexer::read_prefix() {
  if (looking_at(U"***") && pattern_.size() >= 4) {
    switch (pattern_[3]) {
      case '?':
        throw_invalid("invalid regexp (reg version 0.8)");
      case '=':
        options_.syntax = RegexOptions::Syntax::literal;
        options_.expanded = options_.any_excludes_newline = options_.anchors_at_newlines = false;
        at_ = 4;
        return;
      case ':':
        options_.syntax = RegexOptions::Syntax::advanced;
        at_ = 4;
        break;
      default:
        throw_invalid("quantifier operand invalid");
    }
  }
  if (is_advanced()) read_embedded_options();
}

void Lexer::read_embedded_options() {
  if (!looking_at(U"(?") || at_ + 2 >= pattern_.size() || !is_letter(pattern_[at_ + 2])) return;
  for (at_ += 2; !at_end() && is_letter(pattern_[at_]); ++at_) apply_option(pattern_[at_]);
  if (!eat(')')) throw_invalid("invalid embedded option");
}

void Lexer::apply_option(char32_t option) {
  switch (option) {
    case 'b':
      options_.syntax = RegexOptions::Syntax::basic;
      break;
    case 'c':
      options_.ignore_case = false;
      break;
    case 'e':
      options_.syntax = RegexOptions::Syntax::extended;
      break;
    case 'i':
      options_.ignore_case = true;
      break;
    case 'm':
    case 'n':
      options_.any_excludes_newline = options_.anchors_at_newlines = true;
      break;
    case 'p':
      options_.any_excludes_newline = true;
      options_.anchors_at_newlines = false;
      break;
    case 'q':
      options_.syntax = RegexOptions::Syntax::literal;
      break;
    case 's':
      options_.any_excludes_newline = options_.anchors_at_newlines = false;
      break;
    case 't':
      options_.expanded = false;
      break;
    case 'w':
      options_.any_excludes_newline = false;
      options_.anchors_at_newlines = true;
      break;
    case 'x':
      options_.expanded = true;
      break;
    default:
      throw_invalid("invalid embedded option");
  }
}

bool Lexer::eat(char32_t c) {
  if (at_end() || pattern_[at_] != c) return false;
  ++at_;
  return true;
}

// White space and comments of the expanded syntax; (?#...) of all AREs.
void Lexer::skip_space() {
  while (options_.expanded && !at_end() && (is_space(pattern_[at_]) || pattern_[at_] == '#')) {
    if (pattern_[at_] == '#') {
      at_ = std::min(pattern_.find(U'\n', at_), pattern_.size());
    } else {
      ++at_;
    }
  }
}
void Lexer::skip_ignored() {
  for (;;) {
    const std::size_t before = at_;
    skip_space();
    if (is_advanced() && looking_at(U"(?#")) {
      at_ = std::min(pattern_.find(U')', at_), pattern_.size() - 1) + 1;
    }
    if (at_ == before) return;
  }
}

Token Lexer::set_token(CharacterSet set) const {
  if (options_.ignore_case) set.add_other_cases();
  set.normalize();
  Token token;
  token.kind = Token::Kind::set;
  token.set = std::move(set);
  return token;
}
Token Lexer::character(char32_t c) const {
  CharacterSet set;
  set.add(c);
  return set_token(std::move(set));
}
Token Lexer::assertion_token(Assertion assertion) const {
  Token token;
  token.kind = Token::Kind::assertion;
  token.assertion = assertion;
  return token;
}

Token Lexer::next(int groups_opened) {
  groups_opened_ = groups_opened;
  if (options_.syntax != RegexOptions::Syntax::literal) skip_ignored();
  Token token;
  if (!at_end()) {
    const char32_t c = pattern_[at_++];
    if (options_.syntax == RegexOptions::Syntax::literal) return character(c);
    if (c == '\\') {
      token = options_.syntax == RegexOptions::Syntax::basic ? basic_escape() : escape();
    } else {
      token = unescaped(c);
    }
    after_line_begin_ = c == '^' && token.kind == Token::Kind::assertion;
  }
  has_previous_ = true;
  previous_ = token.kind;
  return token;
}

Token Lexer::unescaped(char32_t c) {
  const bool is_basic = options_.syntax == RegexOptions::Syntax::basic;
  const bool starts = !has_previous_ || previous_ == Token::Kind::open;
  const auto line_begin = [&] {
    return assertion_token(options_.anchors_at_newlines ? Assertion::line_begin : Assertion::text_begin);
  };
  const auto line_end = [&] {
    return assertion_token(options_.anchors_at_newlines ? Assertion::line_end : Assertion::text_end);
  };
  switch (c) {
    case '.': {
      CharacterSet any = CharacterSet().complement();
      if (options_.any_excludes_newline) any.remove('\n');
      return set_token(std::move(any));
    }
    case '[':
      return bracket();
    case '*':
      return is_basic && (starts || after_line_begin_) ? character(c) : quantifier(0, unlimited);
    case '^':
      return is_basic && !starts ? character(c) : line_begin();
    case '$':
      return is_basic && !at_end() && !looking_at(U"\\)") ? character(c) : line_end();
    default:
      break;
  }
  if (is_basic) return character(c);
  switch (c) {
    case '+':
      return quantifier(1, unlimited);
    case '?':
      return quantifier(0, 1);
    case '{':
      skip_space();
      return !at_end() && is_digit(pattern_[at_]) ? bound() : character(c);
    case '(':
      return parenthesis();
    case ')': {
      Token token;
      token.kind = Token::Kind::close;
      return token;
    }
    case '|': {
      Token token;
      token.kind = Token::Kind::alternative;
      return token;
    }
    default:
      return character(c);
  }
}

Token Lexer::quantifier(int min, int max) {
  Token token;
  token.kind = Token::Kind::quantifier;
  token.min = min;
  token.max = max;
  token.preference = is_advanced() && eat('?') ? Preference::shorter : Preference::longer;
  return token;
}

Token Lexer::parenthesis() {
  Token token;
  token.kind = Token::Kind::open;
  if (!is_advanced() || !eat('?')) return token;
  token.kind = Token::Kind::open_assertion;
  if (eat(':')) {
    token.kind = Token::Kind::open_not_capturing;
  } else if (eat('=')) {
    token.assertion = Assertion::ahead;
  } else if (eat('!')) {
    token.assertion = Assertion::not_ahead;
  } else if (looking_at(U"<=") || looking_at(U"<!")) {
    token.assertion = looking_at(U"<=") ? Assertion::behind : Assertion::not_behind;
    at_ += 2;
  } else {
    throw_invalid("quantifier operand invalid");
  }
  return token;
}

std::optional<int> Lexer::bound_number() {
  std::optional<int> number;
  for (; !at_end() && is_digit(pattern_[at_]); ++at_) {
    number = number.value_or(0) * 10 + static_cast<int>(pattern_[at_] - '0');
    if (*number > repetitions_max) throw_invalid("invalid repetition count(s)");
  }
  return number;
}

// Behind the brace: m}, m,} or m,n}. Only with a comma does it prefer anything.
Token Lexer::bound() {
  const bool has_operand =
      previous_ == Token::Kind::set || previous_ == Token::Kind::close || previous_ == Token::Kind::back_reference;
  if (!has_previous_ || !has_operand) throw_invalid("quantifier operand invalid");
  const bool is_basic = options_.syntax == RegexOptions::Syntax::basic;
  skip_space();
  const std::optional<int> min = bound_number();
  skip_space();
  const bool has_comma = eat(',');
  skip_space();
  const std::optional<int> max = has_comma ? bound_number() : min.value_or(0);
  skip_space();
  if (at_end()) throw_invalid("braces {} not balanced");
  if ((!min && !is_basic) || (is_basic ? !looking_at(U"\\}") : !looking_at(U"}")))
    throw_invalid("invalid repetition count(s)");
  at_ += is_basic ? 2 : 1;
  if (max && *max < min.value_or(0)) throw_invalid("invalid repetition count(s)");
  Token token = quantifier(min.value_or(0), max.value_or(unlimited));
  if (!has_comma) token.preference = Preference::none;
  return token;
}

// Behind the backslash of a BRE.
Token Lexer::basic_escape() {
  if (at_end()) throw_invalid("invalid escape \\ sequence");
  const char32_t c = pattern_[at_++];
  Token token;
  switch (c) {
    case '{':
      return bound();
    case '(':
      token.kind = Token::Kind::open;
      return token;
    case ')':
      token.kind = Token::Kind::close;
      return token;
    case '<':
      return assertion_token(Assertion::word_begin);
    case '>':
      return assertion_token(Assertion::word_end);
    default:
      break;
  }
  if (c < '1' || c > '9') return character(c);
  token.kind = Token::Kind::back_reference;
  token.number = static_cast<int>(c - '0');
  return token;
}

Token Lexer::escape() {
  if (at_end()) throw_invalid("invalid escape \\ sequence");
  const char32_t c = pattern_[at_];
  if (!is_advanced() || !(is_letter(c) || is_digit(c))) {
    ++at_;
    return character(c);
  }
  constexpr std::pair<char32_t, Assertion> assertions[] = {
      {'A', Assertion::text_begin}, {'Z', Assertion::text_end},      {'m', Assertion::word_begin},
      {'M', Assertion::word_end},   {'y', Assertion::word_boundary}, {'Y', Assertion::no_word_boundary}};
  for (const auto& [letter, assertion] : assertions) {
    if (c == letter) {
      ++at_;
      return assertion_token(assertion);
    }
  }
  if (const std::optional<int> number = back_reference()) {
    Token token;
    token.kind = Token::Kind::back_reference;
    token.number = *number;
    return token;
  }
  ++at_;
  if (std::optional<CharacterSet> set = class_escape(c)) return set_token(std::move(*set));
  if (const std::optional<char32_t> escaped = character_escape(c)) return character(*escaped);
  throw_invalid("invalid escape \\ sequence");
}

// One digit, or no more than there are groups.
std::optional<int> Lexer::back_reference() {
  if (at_end() || pattern_[at_] < '1' || pattern_[at_] > '9') return std::nullopt;
  std::size_t end = at_;
  int number = 0;
  for (; end < pattern_.size() && is_digit(pattern_[end]); ++end) {
    number = std::min(number * 10 + static_cast<int>(pattern_[end] - '0'), groups_opened_ + 10);
  }
  if (end > at_ + 1 && number > groups_opened_) return std::nullopt;
  at_ = end;
  return number;
}

std::optional<CharacterSet> Lexer::class_escape(char32_t c) const {
  CharacterSet set;
  switch (c) {
    case 'd':
    case 'D':
      add_class(set, U"digit");
      break;
    case 's':
    case 'S':
      add_class(set, U"space");
      break;
    case 'w':
    case 'W':
      add_class(set, U"word");
      break;
    default:
      return std::nullopt;
  }
  return is_letter(c) && c < 'a' ? set.complement() : set;
}

char32_t Lexer::hexadecimal(std::size_t fewest, std::size_t most) {
  std::uint64_t value = 0;
  std::size_t count = 0;
  for (; count < most && !at_end(); ++count, ++at_) {
    const char32_t c = pattern_[at_];
    const char32_t lower = c | 0x20;
    if (!is_digit(c) && !(lower >= 'a' && lower <= 'f')) break;
    value = std::min<std::uint64_t>(value * 16 + (is_digit(c) ? c - '0' : lower - 'a' + 10), 0xffffffff);
  }
  if (count < fewest || value > character_max) throw_invalid("invalid escape \\ sequence");
  return static_cast<char32_t>(value);
}

std::optional<char32_t> Lexer::character_escape(char32_t c) {
  constexpr std::pair<char, char> simple[] = {{'a', '\a'}, {'b', '\b'}, {'B', '\\'}, {'e', '\033'}, {'f', '\f'},
                                              {'n', '\n'}, {'r', '\r'}, {'t', '\t'}, {'v', '\v'}};
  for (const auto& [letter, meaning] : simple) {
    if (c == static_cast<char32_t>(letter)) return static_cast<char32_t>(meaning);
  }
  switch (c) {
    case 'c':
      if (at_end()) throw_invalid("invalid escape \\ sequence");
      return pattern_[at_++] & 037;
    case 'u':
      return hexadecimal(4, 4);
    case 'U':
      return hexadecimal(8, 8);
    case 'x':
      return hexadecimal(1, 255);
    default:
      break;
  }
  if (!is_digit(c)) return std::nullopt;
  // Up to three octal digits, of which this is the first; 8 and 9 are none.
  if (c > '7') throw_invalid("invalid escape \\ sequence");
  char32_t value = c - '0';
  for (int i = 0; i < 2 && !at_end() && pattern_[at_] >= '0' && pattern_[at_] <= '7'; ++i) {
    const char32_t longer = value * 8 + (pattern_[at_] - '0');
    if (longer > 0xff) break;
    value = longer;
    ++at_;
  }
  return value;
}

}  // namespace polarsim::engine::regex
