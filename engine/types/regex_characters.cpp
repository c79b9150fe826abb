#include <algorithm>

#include "engine/types/regex_syntax.h"

namespace polarsim::engine::regex {
namespace {

constexpr char32_t character_max = 0x7fffffff;

// POSIX's names of ASCII characters.
struct NamedCharacter {
  std::u32string_view name;
  char32_t character;
};
constexpr NamedCharacter named_characters[] = {{U"NUL", 0},
                                               {U"SOH", 1},
                                               {U"STX", 2},
                                               {U"ETX", 3},
                                               {U"EOT", 4},
                                               {U"ENQ", 5},
                                               {U"ACK", 6},
                                               {U"BEL", 7},
                                               {U"alert", 7},
                                               {U"BS", 8},
                                               {U"backspace", 8},
                                               {U"HT", 9},
                                               {U"tab", 9},
                                               {U"LF", 10},
                                               {U"newline", 10},
                                               {U"VT", 11},
                                               {U"vertical-tab", 11},
                                               {U"FF", 12},
                                               {U"form-feed", 12},
                                               {U"CR", 13},
                                               {U"carriage-return", 13},
                                               {U"SO", 14},
                                               {U"SI", 15},
                                               {U"DLE", 16},
                                               {U"DC1", 17},
                                               {U"DC2", 18},
                                               {U"DC3", 19},
                                               {U"DC4", 20},
                                               {U"NAK", 21},
                                               {U"SYN", 22},
                                               {U"ETB", 23},
                                               {U"CAN", 24},
                                               {U"EM", 25},
                                               {U"SUB", 26},
                                               {U"ESC", 27},
                                               {U"IS4", 28},
                                               {U"FS", 28},
                                               {U"IS3", 29},
                                               {U"GS", 29},
                                               {U"IS2", 30},
                                               {U"RS", 30},
                                               {U"IS1", 31},
                                               {U"US", 31},
                                               {U"space", 32},
                                               {U"exclamation-mark", 33},
                                               {U"quotation-mark", 34},
                                               {U"number-sign", 35},
                                               {U"dollar-sign", 36},
                                               {U"percent-sign", 37},
                                               {U"ampersand", 38},
                                               {U"apostrophe", 39},
                                               {U"left-parenthesis", 40},
                                               {U"right-parenthesis", 41},
                                               {U"asterisk", 42},
                                               {U"plus-sign", 43},
                                               {U"comma", 44},
                                               {U"hyphen", 45},
                                               {U"hyphen-minus", 45},
                                               {U"period", 46},
                                               {U"full-stop", 46},
                                               {U"slash", 47},
                                               {U"solidus", 47},
                                               {U"zero", 48},
                                               {U"one", 49},
                                               {U"two", 50},
                                               {U"three", 51},
                                               {U"four", 52},
                                               {U"five", 53},
                                               {U"six", 54},
                                               {U"seven", 55},
                                               {U"eight", 56},
                                               {U"nine", 57},
                                               {U"colon", 58},
                                               {U"semicolon", 59},
                                               {U"less-than-sign", 60},
                                               {U"equals-sign", 61},
                                               {U"greater-than-sign", 62},
                                               {U"question-mark", 63},
                                               {U"commercial-at", 64},
                                               {U"left-square-bracket", 91},
                                               {U"backslash", 92},
                                               {U"reverse-solidus", 92},
                                               {U"right-square-bracket", 93},
                                               {U"circumflex", 94},
                                               {U"circumflex-accent", 94},
                                               {U"underscore", 95},
                                               {U"low-line", 95},
                                               {U"grave-accent", 96},
                                               {U"left-brace", 123},
                                               {U"left-curly-bracket", 123},
                                               {U"vertical-line", 124},
                                               {U"right-brace", 125},
                                               {U"right-curly-bracket", 125},
                                               {U"tilde", 126},
                                               {U"DEL", 127}};

}  // namespace

void CharacterSet::add_other_cases() {
  const std::vector<std::pair<char32_t, char32_t>> given = ranges_;
  const auto shift = [&](char32_t first, char32_t last, std::int32_t distance) {
    for (const auto& range : given) {
      const char32_t from = std::max(range.first, first);
      const char32_t to = std::min(range.second, last);
      if (from <= to) add(from + static_cast<char32_t>(distance), to + static_cast<char32_t>(distance));
    }
  };
  shift('a', 'z', 'A' - 'a');
  shift('A', 'Z', 'a' - 'A');
}

void CharacterSet::normalize() {
  std::sort(ranges_.begin(), ranges_.end());
  std::vector<std::pair<char32_t, char32_t>> merged;
  for (const auto& range : ranges_) {
    if (!merged.empty() && range.first <= merged.back().second + 1) {
      merged.back().second = std::max(merged.back().second, range.second);
    } else {
      merged.push_back(range);
    }
  }
  ranges_ = std::move(merged);
  low_[0] = low_[1] = 0;
  for (const auto& range : ranges_) {
    for (char32_t c = range.first; c <= range.second && c < 128; ++c) low_[c / 64] |= std::uint64_t{1} << (c % 64);
  }
}

CharacterSet CharacterSet::complement() const {
  CharacterSet sorted = *this;
  sorted.normalize();
  CharacterSet result;
  char32_t next = 0;
  for (const auto& range : sorted.ranges_) {
    if (range.first > next) result.add(next, range.first - 1);
    next = range.second + 1;
  }
  if (next <= character_max) result.add(next, character_max);
  return result;
}

void CharacterSet::remove(char32_t character) {
  CharacterSet others = complement();
  others.add(character);
  *this = others.complement();
}

bool CharacterSet::contains_high(char32_t character) const {
  const auto above = std::upper_bound(ranges_.begin(), ranges_.end(), character,
                                      [](char32_t c, const auto& range) { return c < range.first; });
  return above != ranges_.begin() && std::prev(above)->second >= character;
}

std::optional<char32_t> collating_element(std::u32string_view name) {
  if (name.size() == 1) return name.front();
  const auto* found = std::ranges::find(named_characters, name, &NamedCharacter::name);
  if (found == std::end(named_characters)) return std::nullopt;
  return found->character;
}

bool add_class(CharacterSet& to, std::u32string_view name) {
  const auto letters = [&] {
    to.add('a', 'z');
    to.add('A', 'Z');
  };
  if (name == U"alpha") {
    letters();
  } else if (name == U"alnum" || name == U"word") {
    letters();
    to.add('0', '9');
    if (name == U"word") to.add('_');
  } else if (name == U"digit") {
    to.add('0', '9');
  } else if (name == U"lower") {
    to.add('a', 'z');
  } else if (name == U"upper") {
    to.add('A', 'Z');
  } else if (name == U"space") {
    to.add('\t', '\r');
    to.add(' ');
  } else if (name == U"blank") {
    to.add(' ');
    to.add('\t');
  } else if (name == U"punct") {
    to.add('!', '/');
    to.add(':', '@');
    to.add('[', '`');
    to.add('{', '~');
  } else if (name == U"xdigit") {
    to.add('0', '9');
    to.add('a', 'f');
    to.add('A', 'F');
  } else if (name == U"graph") {
    to.add('!', '~');
  } else if (name == U"print") {
    to.add(' ', '~');
  } else if (name == U"cntrl") {
    to.add(0, 31);
    to.add(127);
  } else if (name == U"ascii") {
    to.add(0, 127);
  } else {
    return false;
  }
  return true;
}

}  // namespace polarsim::engine::regex
