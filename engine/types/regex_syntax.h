// The syntax tree of a regular expression, and its parser. Private to regex.h.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/types/regex.h"

namespace polarsim::engine::regex {

// Throws SqlError 2201B "invalid regular expression: <what>".
[[noreturn]] void throw_invalid(std::string_view what);
[[noreturn]] void throw_too_complex();

class CharacterSet {
 public:
  void add(char32_t first, char32_t last) { ranges_.emplace_back(first, last); }
  void add(char32_t character) { add(character, character); }
  void add(const CharacterSet& other) { ranges_.insert(ranges_.end(), other.ranges_.begin(), other.ranges_.end()); }
  void add_other_cases();  // of ASCII letters
  CharacterSet complement() const;
  void remove(char32_t character);
  void normalize();  // after the last change, before contains()

  bool contains(char32_t character) const {
    if (character < 128) return (low_[character / 64] >> (character % 64)) & 1;
    return contains_high(character);
  }

 private:
  bool contains_high(char32_t character) const;

  std::vector<std::pair<char32_t, char32_t>> ranges_;  // both ends belong to it
  std::uint64_t low_[2] = {0, 0};                      // of ASCII
};

// By the name in [[:name:]]; false if there is none.
bool add_class(CharacterSet& to, std::u32string_view name);
// What [.name.] means: a character, by itself or by its name in POSIX.
std::optional<char32_t> collating_element(std::u32string_view name);
inline bool is_word_character(char32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

enum class Assertion : std::uint8_t {
  text_begin,
  text_end,
  line_begin,  // also at the text's begin
  line_end,
  word_begin,
  word_end,
  word_boundary,
  no_word_boundary,
  ahead,
  not_ahead,
  behind,
  not_behind,
};

enum class Preference : std::uint8_t { none = 0, longer = 1, shorter = 2 };

inline constexpr int unlimited = std::numeric_limits<int>::max();
inline constexpr int repetitions_max = 255;

struct Alternatives;

struct Item {
  enum class Kind : std::uint8_t { set, group, back_reference, assertion } kind = Kind::set;
  int id = 0;  // counted from 0 within the expression
  CharacterSet set;
  std::unique_ptr<Alternatives> inner;  // of a group, and of ahead and behind
  int number = 0;                       // of a group (0: not capturing), of what is referred to
  Assertion assertion = Assertion::text_begin;
  int min = 1;
  int max = 1;
  Preference preference = Preference::none;
};
struct Branch {
  std::vector<Item> items;
};
struct Alternatives {
  std::vector<Branch> branches;
};

struct Syntax {
  Alternatives root;
  int groups = 0;
  int items = 0;
  bool ignore_case = false;
};

Syntax parse(std::u32string_view pattern, RegexOptions options);

}  // namespace polarsim::engine::regex
