// The bytes that structure an index key (key_encoding.h). Part of the format of indexes: their order is the order of
// kinds. Never renumber. Private to key_encoding*.cpp.
#pragma once

#include <cstdint>

namespace polarsim::engine::storage::key_format {

inline constexpr char boolean_tag = '\x01';
inline constexpr char integer_tag = '\x02';
inline constexpr char text_tag = '\x03';
inline constexpr char floating_tag = '\x04';
inline constexpr char numeric_tag = '\x05';
inline constexpr char interval_tag = '\x06';
inline constexpr char json_tag = '\x07';
inline constexpr char array_tag = '\x08';
inline constexpr char record_tag = '\x09';
inline constexpr char null_tag = '\xFE';

// In a text, 00 is written as 00 FF and the end as 00 00: an end sorts before everything that goes on.
inline constexpr char zero_continues = '\xFF';

inline constexpr char numeric_minus_infinity = '\x01';
inline constexpr char numeric_negative = '\x02';
inline constexpr char numeric_zero = '\x03';
inline constexpr char numeric_positive = '\x04';
inline constexpr char numeric_infinity = '\x05';
inline constexpr char numeric_nan = '\x06';

inline constexpr char json_empty_array = '\x00';
inline constexpr char json_null = '\x01';
inline constexpr char json_string = '\x02';
inline constexpr char json_number = '\x03';
inline constexpr char json_boolean = '\x04';
inline constexpr char json_array = '\x05';
inline constexpr char json_object = '\x06';

inline constexpr char elements_end = '\x00';
inline constexpr char element_follows = '\x01';
inline constexpr char element_null = '\x02';

inline constexpr std::uint64_t sign_bit = std::uint64_t{1} << 63;
inline constexpr std::uint32_t small_sign_bit = std::uint32_t{1} << 31;

// As PostgreSQL compares intervals.
__extension__ typedef __int128 Span;
__extension__ typedef unsigned __int128 SpanBits;
inline constexpr std::int64_t days_per_month = 30;
inline constexpr std::int64_t microseconds_per_day = 86'400'000'000;

}  // namespace polarsim::engine::storage::key_format
