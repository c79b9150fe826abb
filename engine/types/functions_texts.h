// The parts of the family of texts. Private to it and to its neighbours.
#pragma once

#include <string>
#include <string_view>

#include "engine/types/families.h"

namespace polarsim::engine::families {

void add_text_types(Entries& to);        // text forms, order, modifiers, casts, comparisons
void add_text_characters(Entries& to);   // substring, left, lpad, trim, position, replace, ...
void add_text_lists(Entries& to);        // split_part, string_to_array, array_to_string, ...
void add_text_formats(Entries& to);      // concat, format, quote_literal, ...
void add_text_support(Entries& to);      // bttextcmp, byteacmp, ...
void add_text_identifiers(Entries& to);  // quote_ident, parse_ident

// For tables of entries: a strict, immutable scalar function.
inline FunctionEntry scalar(const char* name, std::vector<TypeId> arguments, TypeId result, ScalarFunction function) {
  return {.name = name, .arguments = std::move(arguments), .result = result, .scalar = function};
}

// A size that would need more memory than PostgreSQL allocates for one value (1 GB) is refused: 54000.
inline constexpr std::size_t value_bytes_max = 0x3fffffff;
[[noreturn]] void throw_length_too_large();
// A text of so many bytes under construction shall get `more`: 54000 "out of memory", as PostgreSQL's StringInfo has
// it.
void check_room(std::size_t bytes, std::size_t more);

// The part of `text` that SQL's SUBSTRING ... FROM start FOR length means, in characters or, for bytea, in bytes.
struct Span {
  std::int64_t first = 0;  // counted from 0
  std::int64_t length = 0;
};
// Throws SqlError 22011 for a negative length.
Span substring_span(std::int64_t start, std::int64_t length);
Span substring_span(std::int64_t start);

// `text` without the characters of `set` (those bytes, if `bytes`) at its ends.
enum class TrimSides : std::uint8_t { left = 1, right = 2, both = 3 };
std::string_view trim_characters(std::string_view text, std::string_view set, TrimSides sides);
std::string_view trim_bytes(std::string_view text, std::string_view set, TrimSides sides);

}  // namespace polarsim::engine::families
