// Index keys: values as byte strings whose memcmp order is the values' order (types/order.h), NULLs last, as
// PostgreSQL's default. Equal values have equal keys, so that a key holds 1.0 and 1.00 alike.
//
//   per column: a tag, then
//     01 boolean: 00 or 01
//     02 integer: 8 bytes, big-endian, sign bit flipped (all integer types alike, dates and times too; xid8, which has
//        no sign, as it is)
//     03 text: the bytes, 00 as 00 FF, then 00 00; char(n) without its trailing blanks
//     04 floating: 8 bytes, big-endian, the bits with the sign flipped, or all flipped if it is negative
//     05 numeric: 01 -Infinity, 02 negative, 03 zero, 04 positive, 05 Infinity, 06 NaN; of 02 and 04: weight as 4 bytes
//        with the sign flipped, the digits to base 10000, each plus one, as 2 bytes, 00 00; all that flipped if
//        negative
//     06 interval: its span in microseconds, as 16 bytes with the sign flipped
//     07 json: 00 an empty array (which is less than anything), 01 null, 02 string, 03 number, 04 boolean,
//        05 array, 06 object; containers: 4 bytes of length, then what they contain
//     08 array: type of the elements, 4 bytes; of each 01 and its key, or 02 for NULL; 00; number of dimensions, their
//        lengths and lower bounds
//     09 record: of each field 01, its type and its key, or 02 for NULL; 00
//     FE NULL
// So a key of the first columns is a prefix of the key of all columns, and sorts before it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/types/type.h"
#include "engine/types/value.h"

namespace polarsim::engine::storage {

// Values of types whose order is that of their representation: all but char(n) and xid8.
std::string encode_key(std::span<const Value> values);
void append_key(std::string& key, const Value& value);
// Values of any ordered type. Types without an order (is_ordered()) are the caller's to refuse.
std::string encode_key(std::span<const Value> values, std::span<const TypeId> types);
void append_key(std::string& key, const Value& value, TypeId type);
// For tests and tools: values equal to those that were encoded. Throws SqlError XX000 if the bytes are no key.
Row decode_key(std::string_view key);
// For people: "(1, 'abc', NULL)". What is no whole value (a bound inside a B-tree may be cut anywhere) follows in
// hexadecimal digits: "(1, 0361)".
std::string describe_key(std::string_view key);
// The smallest string greater than every string that starts with `prefix`; empty if there is none.
std::string after_prefix(std::string_view prefix);

}  // namespace polarsim::engine::storage
