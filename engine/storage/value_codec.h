// Values as bytes that describe themselves: what lies in row versions on pages and in WAL payloads.
//
//   u8 tag, then
//     1 false  2 true
//     3 integer: u64
//     4 text: u32 length, bytes
//     5, 12 are the row version's own: a value out of line (tuple.h)
//     6 floating: u64, the bits
//     7 numeric: u8 form (0 finite, 1 NaN, 2 Infinity, 3 -Infinity; 80 added if negative), u32 weight, u16 scale,
//       u16 number of digits to base 10000, u16 each
//     8 interval: u32 months, u32 days, u64 microseconds
//     9 json: u8 kind: 0 null, 1 false, 2 true, 3 number (as numeric), 4 string (as text), 5 array (u32 length,
//       elements), 6 object (u32 number of members, key and value of each)
//    10 array: u32 type of the elements, u8 number of dimensions, u32 length and u32 lower bound of each, u32 number of
//       elements, elements (0 for NULL)
//    11 record: u16 number of fields, of each: name (as text), u32 type, u32 modifier, value (0 for NULL)
// Numbers are little-endian. Tags are part of the formats: append, never renumber.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/types/value.h"

namespace polarsim::engine::storage {

enum class ValueTag : std::uint8_t {
  null = 0,
  boolean_false = 1,
  boolean_true = 2,
  integer = 3,
  text = 4,
  external_text = 5,
  floating = 6,
  numeric = 7,
  interval = 8,
  json = 9,
  array = 10,
  record = 11,
  external_encoded = 12,
};

// NULL takes one byte.
std::size_t encoded_size(const Value& value);
// Writes encoded_size(value) bytes; returns the end.
char* put_encoded(char* to, const Value& value);
std::string encode_value(const Value& value);

// Takes one value off the front of `bytes`. What is too short or no value makes it call `damaged`, which throws.
using DamageReport = void (*)(const char* why);
Value take_encoded(std::span<const char>& bytes, DamageReport damaged);
// The same without making the value.
void skip_encoded(std::span<const char>& bytes, DamageReport damaged);

// For people: 'a''b', 42, true, NULL; other types than boolean, integers and text as their text form in quotes.
std::string describe_value(const Value& value);

}  // namespace polarsim::engine::storage
