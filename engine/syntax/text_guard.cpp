#include "engine/syntax/text_guard.h"

#include <cstddef>
#include <string>
#include <vector>

#include "engine/syntax/parser.h"
#include "engine/types/stack_depth.h"

namespace polarsim::engine::syntax {
namespace {

// Two words of an expression (an operator and an operand) deepen its tree by one.
constexpr long max_chained_words = 2L * max_operators;

bool is_identifier_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_identifier_part(char c) { return is_identifier_start(c) || is_digit(c) || c == '$'; }

// Follows the nesting of one text, word by word.
class DepthTracker {
 public:
  DepthTracker() { levels_.push_back({}); }

  void open(char kind) {
    count_word();
    levels_.push_back({kind, 0, false});
    if (levels_.size() > static_cast<std::size_t>(max_nesting) + 1) fail();
  }

  void close() {
    leave_cases();
    leave();
  }

  void separator() {
    leave_cases();
    start_new_chain();
  }

  void end_of_statement() {
    leave_cases();
    if (levels_.size() > 1) return start_new_chain();
    levels_.assign(1, {});
    total_ = 0;
    set_operations_ = 0;
  }

  void word(std::string_view lower_case) {
    if (lower_case == "case") return open('c');
    if (lower_case == "end" && levels_.back().kind == 'c') return leave();
    // BETWEEN's AND continues its chain; every other AND and OR joins parts side by side.
    if (lower_case == "or" || (lower_case == "and" && !levels_.back().between)) return start_new_chain();
    if (lower_case == "between") levels_.back().between = true;
    if (lower_case == "union" || lower_case == "intersect" || lower_case == "except" || lower_case == "join") {
      // These nest to the left across commas and conditions.
      if (++set_operations_ > max_operators) fail();
    }
    count_word();
  }

  [[noreturn]] static void fail() { throw_stack_too_deep(); }

  void count_word() {
    ++levels_.back().words;
    if (++total_ > max_chained_words) fail();
  }

 private:
  struct Level {
    char kind = '(';
    long words = 0;
    bool between = false;
  };

  void start_new_chain() {
    total_ -= levels_.back().words;
    levels_.back().words = 0;
    levels_.back().between = false;
  }

  void leave() {
    if (levels_.size() == 1) return;
    total_ -= levels_.back().words;
    levels_.pop_back();
  }

  void leave_cases() {
    while (levels_.back().kind == 'c') leave();
  }

  std::vector<Level> levels_;
  long total_ = 0;  // words of the current chains of all open levels
  long set_operations_ = 0;
};

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  void run() {
    while (at_ < text_.size()) step();
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  void step() {
    const char c = peek();
    if (c == '-' && peek(1) == '-') return skip_line_comment();
    if (c == '/' && peek(1) == '*') return skip_block_comment();
    if (c == '\'') return skip_quoted('\'', false);
    if (c == '"') return skip_quoted('"', false);
    if (c == '$' && skip_dollar_quoted()) return;
    if (is_identifier_start(c)) return take_word();
    if (is_digit(c) || c == '$') return take_number();
    ++at_;
    switch (c) {
      case '(':
      case '[':
        return depth_.open('(');
      case ')':
      case ']':
        return depth_.close();
      case ',':
        return depth_.separator();
      case ';':
        return depth_.end_of_statement();
      case ' ':
      case '\t':
      case '\n':
      case '\r':
      case '\f':
      case '\v':
        return;
      default:
        return depth_.count_word();
    }
  }

  void skip_line_comment() {
    while (at_ < text_.size() && text_[at_] != '\n' && text_[at_] != '\r') ++at_;
  }

  // Comments nest. The grammar takes quadratic time for deeply nested ones, so their depth is bounded, too.
  void skip_block_comment() {
    int open = 0;
    do {
      if (peek() == '/' && peek(1) == '*') {
        if (++open > max_nesting) DepthTracker::fail();
        at_ += 2;
      } else if (peek() == '*' && peek(1) == '/') {
        --open;
        at_ += 2;
      } else {
        ++at_;
      }
    } while (open > 0 && at_ < text_.size());
  }

  void skip_quoted(char quote, bool backslash_escapes) {
    depth_.count_word();
    ++at_;
    while (at_ < text_.size()) {
      if (backslash_escapes && peek() == '\\') {
        at_ += 2;
      } else if (peek() == quote && peek(1) == quote) {
        at_ += 2;
      } else if (text_[at_++] == quote) {
        return;
      }
    }
  }

  bool skip_dollar_quoted() {
    std::size_t end = at_ + 1;
    if (end < text_.size() && is_digit(text_[end])) return false;
    while (end < text_.size() && text_[end] != '$' && is_identifier_part(text_[end])) ++end;
    if (end >= text_.size() || text_[end] != '$') return false;
    const std::string_view tag = text_.substr(at_, end + 1 - at_);
    const std::size_t close = text_.find(tag, end + 1);
    at_ = close == std::string_view::npos ? text_.size() : close + tag.size();
    depth_.count_word();
    return true;
  }

  void take_word() {
    const std::size_t start = at_;
    while (at_ < text_.size() && is_identifier_part(text_[at_])) ++at_;
    std::string lower(text_.substr(start, at_ - start));
    for (char& c : lower) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    if (lower == "e" && peek() == '\'') return skip_quoted('\'', true);
    depth_.word(lower);
  }

  void take_number() {
    do ++at_;
    while (is_identifier_part(peek()) && peek() != '$');
    depth_.count_word();
  }

  std::string_view text_;
  std::size_t at_ = 0;
  DepthTracker depth_;
};

}  // namespace

void check_text_depth(std::string_view text) { Scanner(text).run(); }

}  // namespace polarsim::engine::syntax
