// The text forms of binary numbers, as PostgreSQL 15 reads and writes them (its numutils.c, float.c, oid.c; writing
// floating point: Ulf Adams, "Ryu: fast float-to-string conversion", as it is used by src/common/d2s.c).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace polarsim::engine {

// isspace() of the C locale.
bool is_blank(char c);
std::string_view without_blanks_around(std::string_view text);
bool equals_ignoring_case(std::string_view text, std::string_view lower_case);

// Throw SqlError 22P02 "invalid input syntax for type integer: \"x\"" and 22003 "value \"1e400\" is out of range ...".
std::int64_t parse_integer(std::string_view text, std::int64_t lowest, std::int64_t highest, const char* type);
std::uint32_t parse_oid(std::string_view text);
double parse_double(std::string_view text);
float parse_float(std::string_view text);

void append_integer(std::string& to, std::int64_t value);
// The shortest text that reads as the same number and as no neighbour: 0.1, 1e+15, 1e-05, Infinity, NaN.
void append_double(std::string& to, double value);
void append_float(std::string& to, float value);

}  // namespace polarsim::engine
