// LIKE and SIMILAR TO (PostgreSQL's like.c, like_match.c, regexp.c).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace polarsim::engine {

enum class LikeCharacters : std::uint8_t {
  utf8,
  utf8_ignoring_case,  // of ASCII letters
  bytes,
};
// Whether the text is matched by the pattern, whose escape character is the backslash. Throws SqlError 22025 "LIKE
// pattern must not end with escape character" if that matters.
bool is_like(std::string_view text, std::string_view pattern, LikeCharacters characters);

// A pattern with another escape character, or none if it is empty, for is_like(). `is_bytes`: of bytea. Throws SqlError
// 22025 "invalid escape string".
std::string like_pattern(std::string_view pattern, std::string_view escape, bool is_bytes);
// A regular expression that matches what SIMILAR TO does, or, with two escaped double quotes in it, what SUBSTRING
// ... SIMILAR does.
std::string similar_pattern(std::string_view pattern, std::string_view escape);

}  // namespace polarsim::engine
