#include "engine/types/error.h"
#include "engine/types/regex_lexer.h"

// Bracket expressions, behind their [ (PostgreSQL's regcomp.c, brackpart()).
namespace polarsim::engine::regex {

Token Lexer::bracket() {
  if (looking_at(U"[:<:]]") || looking_at(U"[:>:]]")) {
    const bool begins = pattern_[at_ + 2] == '<';
    at_ += 6;
    return assertion_token(begins ? Assertion::word_begin : Assertion::word_end);
  }
  const bool is_complement = eat('^');
  CharacterSet set;
  for (bool is_first = true;; is_first = false) {
    if (at_end()) throw_invalid("brackets [] not balanced");
    if (!is_first && eat(']')) break;
    bracket_part(set, is_first);
  }
  if (options_.ignore_case) set.add_other_cases();
  if (is_complement) {
    set = set.complement();
    if (options_.any_excludes_newline) set.remove('\n');
  }
  return set_token(std::move(set));
}

void Lexer::bracket_part(CharacterSet& set, bool is_first) {
  // A minus is a character at either end, and nowhere else.
  const auto at_minus = [&] { return looking_at(U"-") && !looking_at(U"-]"); };
  if (!is_first && at_minus()) throw_invalid("invalid character range");
  if (looking_at(U"[:")) {
    const std::u32string_view name = bracket_name(':');
    const bool has_case = name == U"lower" || name == U"upper";
    if (!add_class(set, options_.ignore_case && has_case ? U"alpha" : name)) throw_invalid("invalid character class");
    return;
  }
  if (looking_at(U"[=")) {
    const std::optional<char32_t> element = collating_element(bracket_name('='));
    if (!element) throw_invalid("invalid collating element");
    set.add(*element);
    return;
  }
  if (is_advanced() && looking_at(U"\\") && at_ + 1 < pattern_.size()) {
    if (const std::optional<CharacterSet> escaped = class_escape(pattern_[at_ + 1])) {
      at_ += 2;
      set.add(*escaped);
      return;
    }
  }
  const char32_t first = range_end();
  if (!at_minus()) {
    set.add(first);
    return;
  }
  ++at_;
  if (at_end()) throw_invalid("brackets [] not balanced");
  const bool is_class =
      is_advanced() && looking_at(U"\\") && at_ + 1 < pattern_.size() && class_escape(pattern_[at_ + 1]);
  if (is_class || looking_at(U"[:") || looking_at(U"[=")) throw_invalid("invalid character range");
  const char32_t last = range_end();
  if (at_end()) throw_invalid("brackets [] not balanced");
  if (first > last) throw_invalid("invalid character range");
  set.add(first, last);
}

char32_t Lexer::range_end() {
  if (looking_at(U"[.")) {
    const std::optional<char32_t> element = collating_element(bracket_name('.'));
    if (!element) throw_invalid("invalid collating element");
    return *element;
  }
  const char32_t c = pattern_[at_++];
  if (c != '\\' || !is_advanced()) return c;
  if (at_end()) throw_invalid("invalid escape \\ sequence");
  if (back_reference()) throw_invalid("invalid escape \\ sequence");
  const char32_t escaped = pattern_[at_++];
  const bool is_alphanumeric = is_word_character(escaped) && escaped != '_';
  if (!is_alphanumeric) return escaped;
  const std::optional<char32_t> meaning = character_escape(escaped);
  if (!meaning) throw_invalid("invalid escape \\ sequence");
  return *meaning;
}

// The name in [:name:], [=name=] or [.name.], which starts here.
std::u32string_view Lexer::bracket_name(char32_t kind) {
  const char32_t closing[] = {kind, U']'};
  const std::size_t end = pattern_.find(std::u32string_view(closing, 2), at_ + 2);
  if (end == std::u32string_view::npos) throw_invalid("brackets [] not balanced");
  const std::u32string_view name = pattern_.substr(at_ + 2, end - at_ - 2);
  at_ = end + 2;
  return name;
}

}  // namespace polarsim::engine::regex
