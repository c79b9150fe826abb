#include "engine/types/like.h"

#include <cstdint>

#include "engine/types/error.h"
#include "engine/types/utf8.h"

namespace polarsim::engine {
namespace {

[[noreturn]] void throw_ends_with_escape() {
  throw SqlError(sqlstate::invalid_escape_sequence, "LIKE pattern must not end with escape character");
}
void require_one_character(std::string_view escape, bool is_bytes) {
  if (escape.empty() || (is_bytes ? 1 : utf8::length_at(escape, 0)) == escape.size()) return;
  throw SqlError(sqlstate::invalid_escape_sequence, "invalid escape string", "",
                 "Escape string must be empty or one character.");
}

class LikeMatch {
 public:
  LikeMatch(std::string_view text, std::string_view pattern, LikeCharacters characters)
      : text_(text), pattern_(pattern), characters_(characters) {}

  // Goes on after a % with the shortest text for it that works so far; what an earlier % took need never be looked at
  // again.
  bool matches() {
    while (text_at_ < text_.size()) {
      if (pattern_at_ < pattern_.size() && pattern_[pattern_at_] == '%') {
        if (!skip_wildcards()) return false;
        if (pattern_at_ == pattern_.size()) return true;
        has_restart_ = true;
        restart_text_ = text_at_;
        restart_pattern_ = pattern_at_;
      } else if (!match_character()) {
        if (!has_restart_) return false;
        restart_text_ += restart_text_ < text_.size() ? length_at(restart_text_) : 0;
        text_at_ = restart_text_;
        pattern_at_ = restart_pattern_;
      }
    }
    while (pattern_at_ < pattern_.size() && pattern_[pattern_at_] == '%') ++pattern_at_;
    return pattern_at_ == pattern_.size();
  }

 private:
  std::size_t length_at(std::size_t at) const {
    return characters_ == LikeCharacters::bytes ? 1 : utf8::length_at(text_, at);
  }
  char folded(char c) const {
    return characters_ == LikeCharacters::utf8_ignoring_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  // Over a run of % and _, of which each _ takes a character. False if there are too few.
  bool skip_wildcards() {
    for (; pattern_at_ < pattern_.size(); ++pattern_at_) {
      if (pattern_[pattern_at_] == '_') {
        if (text_at_ == text_.size()) return false;
        text_at_ += length_at(text_at_);
      } else if (pattern_[pattern_at_] != '%') {
        break;
      }
    }
    if (pattern_at_ + 1 == pattern_.size() && pattern_.back() == '\\') throw_ends_with_escape();
    return true;
  }
  bool match_character() {
    if (pattern_at_ == pattern_.size()) return false;
    if (pattern_[pattern_at_] == '_') {
      text_at_ += length_at(text_at_);
      ++pattern_at_;
      return true;
    }
    std::size_t at = pattern_at_;
    if (pattern_[at] == '\\' && ++at == pattern_.size()) throw_ends_with_escape();
    if (folded(pattern_[at]) != folded(text_[text_at_])) return false;
    pattern_at_ = at + 1;
    ++text_at_;
    return true;
  }

  const std::string_view text_;
  const std::string_view pattern_;
  const LikeCharacters characters_;
  std::size_t text_at_ = 0;
  std::size_t pattern_at_ = 0;
  bool has_restart_ = false;  // behind the last %
  std::size_t restart_text_ = 0;
  std::size_t restart_pattern_ = 0;
};

}  // namespace

bool is_like(std::string_view text, std::string_view pattern, LikeCharacters characters) {
  return LikeMatch(text, pattern, characters).matches();
}

std::string like_pattern(std::string_view pattern, std::string_view escape, bool is_bytes) {
  require_one_character(escape, is_bytes);
  if (escape == "\\") return std::string(pattern);
  std::string result;
  bool is_escaped = false;
  for (std::size_t at = 0; at < pattern.size();) {
    if (!escape.empty() && !is_escaped && pattern.substr(at).starts_with(escape)) {
      result += '\\';
      at += escape.size();
      is_escaped = true;
      continue;
    }
    if (pattern[at] == '\\' && !is_escaped) result += '\\';
    const std::size_t length = is_bytes ? 1 : utf8::length_at(pattern, at);
    result += pattern.substr(at, length);
    at += length;
    is_escaped = false;
  }
  return result;
}

std::string similar_pattern(std::string_view pattern, std::string_view escape) {
  require_one_character(escape, false);
  std::string result = "^(?:";
  bool is_escaped = false;
  bool in_brackets = false;
  int separators = 0;
  for (std::size_t at = 0; at < pattern.size();) {
    const std::string_view character = pattern.substr(at, utf8::length_at(pattern, at));
    at += character.size();
    if (is_escaped) {
      is_escaped = false;
      if (character != "\"" || in_brackets) {
        (result += '\\') += character;
      } else if (++separators <= 2) {
        result += separators == 1 ? "){1,1}?(" : "){1,1}(?:";
      } else {
        throw SqlError(sqlstate::invalid_use_of_escape_character,
                       "SQL regular expression may not contain more than two escape-double-quote separators");
      }
    } else if (!escape.empty() && character == escape) {
      is_escaped = true;
    } else if (in_brackets) {
      if (character == "\\") result += '\\';
      result += character;
      in_brackets = character != "]";
    } else if (character == "%") {
      result += ".*";
    } else if (character == "_") {
      result += '.';
    } else if (character == "(") {
      result += "(?:";
    } else {
      in_brackets = character == "[";
      if (character == "\\" || character == "." || character == "^" || character == "$") result += '\\';
      result += character;
    }
  }
  return result += ")$";
}

}  // namespace polarsim::engine
