#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "engine/types/functions_binaries.h"
#include "engine/types/like.h"
#include "engine/types/regex.h"
#include "engine/types/utf8.h"

namespace polarsim::engine {
namespace {

std::string text_of(const std::string& alphabet, std::size_t most) {
  const auto size = *rc::gen::inRange<std::size_t>(0, most);
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text += *rc::gen::elementOf(alphabet);
  return text;
}

RC_GTEST_PROP(TextProperties, WhatIsEncodedIsDecoded, (const std::string& bytes)) {
  RC_ASSERT(families::from_hexadecimal(families::to_hexadecimal(bytes)) == bytes);
  RC_ASSERT(families::from_base64(families::to_base64(bytes)) == bytes);
  RC_ASSERT(families::from_escapes(families::to_escapes(bytes)) == bytes);
}

// The two ways from a pattern of % and _ to an answer share nothing.
RC_GTEST_PROP(TextProperties, LikeAgreesWithSimilarTo, ()) {
  const std::string text = text_of("ab", 12);
  const std::string pattern = text_of("ab%_", 8);
  const bool similar = Regex(utf8::decode(similar_pattern(pattern, "\\")), {}).search(utf8::decode(text), 0, {});
  RC_ASSERT(is_like(text, pattern, LikeCharacters::utf8) == similar);
}

// Whether and where there is a match does not depend on whether groups are asked for, and groups lie inside.
RC_GTEST_PROP(TextProperties, GroupsLieInsideTheSameMatch, ()) {
  const std::string piece = text_of("ab.*?", 5);
  const bool needs_operand = piece.empty() || piece[0] == '*' || piece[0] == '?';
  const std::string pattern = std::string("(a|ab|b?a)*?(b|") + (needs_operand ? "a" : "") + piece + ")+";
  const std::u32string text = utf8::decode(text_of("abc", 10));
  std::shared_ptr<const Regex> regex;
  try {
    regex = cached_regex(pattern, {});
  } catch (const std::exception&) {
    RC_DISCARD("two quantifiers follow each other");
  }
  std::vector<Regex::Range> ranges(regex->groups() + 1);
  Regex::Range alone;
  const bool found = regex->search(text, 0, ranges);
  RC_ASSERT(found == regex->search(text, 0, {}));
  if (!found) return;
  RC_ASSERT(regex->search(text, 0, std::span(&alone, 1)));
  RC_ASSERT(alone == ranges[0]);
  for (const Regex::Range& range : ranges) {
    RC_ASSERT(!range.matched() || (range.first >= alone.first && range.end <= alone.end));
  }
}

RC_GTEST_PROP(TextProperties, CharactersSurviveUtf8, (const std::vector<std::uint32_t>& numbers)) {
  std::u32string characters;
  for (const std::uint32_t number : numbers) {
    const char32_t character = number % (utf8::code_point_max + 1);
    if (character != 0 && (character < 0xd800 || character > 0xdfff)) characters += character;
  }
  std::string bytes;
  utf8::append(bytes, characters);
  utf8::verify(bytes);
  RC_ASSERT(utf8::count(bytes) == characters.size());
  RC_ASSERT(utf8::decode(bytes) == characters);
}

}  // namespace
}  // namespace polarsim::engine
