// to_char() of numbers and to_number(): PostgreSQL's src/backend/utils/adt/formatting.c (NUM_processor), in the locale
// C.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/types/numeric.h"

namespace polarsim::engine {

// The text forms by the type of the number. Throw SqlError 42601 for a pattern that contradicts itself.
std::string format_int4(std::string_view pattern, std::int32_t value);
std::string format_int8(std::string_view pattern, std::int64_t value);
std::string format_numeric(std::string_view pattern, const Numeric& value);
std::string format_float4(std::string_view pattern, float value);
std::string format_float8(std::string_view pattern, double value);

// The pattern is not empty. Throws SqlError 22P02, 22003, 0A000.
Numeric read_number_by_pattern(std::string_view text, std::string_view pattern);

}  // namespace polarsim::engine
