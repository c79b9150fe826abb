// The parts of the family of bytea, uuid and hashes. Private to it.
#pragma once

#include <string>
#include <string_view>

#include "engine/types/families.h"

namespace polarsim::engine::families {

void add_byte_functions(Entries& to);      // substring, get_byte, overlay, ...
void add_encoding_functions(Entries& to);  // encode, decode, convert_from, md5, sha256, ...
void add_uuid(Entries& to);
void add_hashes(Entries& to);  // hashtext, hashint4, ...

// encode() and decode(), and bytea's text forms. Throw SqlError 22023 or 22P02.
std::string to_hexadecimal(std::string_view bytes);
std::string from_hexadecimal(std::string_view text);
std::string to_base64(std::string_view bytes);
std::string from_base64(std::string_view text);
std::string to_escapes(std::string_view bytes);
std::string from_escapes(std::string_view text);

int compare_byte_strings(const Value& a, const Value& b);
bool are_equal_byte_strings(const Value& a, const Value& b);
std::uint64_t hash_byte_string(const Value& value);

}  // namespace polarsim::engine::families
