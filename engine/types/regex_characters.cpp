#include <algorithm>

#include "engine/types/regex_syntax.h"

namespace polarsim::engine::regex {
namespace {

constexpr char32_t character_max = 0x7fffffff;

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
