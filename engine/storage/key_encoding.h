// Index keys: values as byte strings whose memcmp order is the values' order, NULLs last, as PostgreSQL's default.
//
//   per column: a tag, then
//     01 boolean: 00 or 01
//     02 integer: 8 bytes, big-endian, sign bit flipped (int4 and int8 alike)
//     03 text: the bytes, 00 as 00 FF, then 00 00
//     FE NULL
// So a key of the first columns is a prefix of the key of all columns, and sorts before it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/sql/value.h"

namespace polarsim::engine::storage {

std::string encode_key(std::span<const Value> values);
void append_key(std::string& key, const Value& value);
// For tests and tools. Throws SqlError XX000 if the bytes are no key.
Row decode_key(std::string_view key);
// For people: "(1, 'abc', NULL)". What is no whole value (a bound inside a B-tree may be cut anywhere) follows in
// hexadecimal digits: "(1, 0361)".
std::string describe_key(std::string_view key);
// The smallest string greater than every string that starts with `prefix`; empty if there is none.
std::string after_prefix(std::string_view prefix);

}  // namespace polarsim::engine::storage
