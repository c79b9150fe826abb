// The patterns of to_char(), to_date(), to_timestamp() and to_number(), cut into nodes
// (PostgreSQL's src/backend/utils/adt/formatting.c, parse_format).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace polarsim::engine {

// What a pattern's word stands for. Words that differ only in case have one key.
enum class DateKey : std::uint8_t {
  am_dotted,
  am,
  era_dotted,
  era,
  century,
  day_name,
  day_of_year,
  day_of_month,
  short_day_name,
  day_of_week,
  fraction,  // FF1 to FF6
  fixed,     // FX
  hour_24,
  hour_12,
  iso_day_of_year,
  iso_day_of_week,
  iso_week,
  iso_year_4,
  iso_year_3,
  iso_year_2,
  iso_year_1,
  julian_day,
  minute,
  month,
  month_name,
  short_month_name,
  millisecond,
  zone_offset,  // OF
  quarter,
  roman_month,
  seconds_of_day,
  second,
  zone_hours,
  zone_minutes,
  zone_name,
  microsecond,
  week_of_year,
  week_of_month,
  year_with_comma,
  year_4,
  year_3,
  year_2,
  year_1,
};
enum class NumberKey : std::uint8_t {
  comma,
  point,
  digit,  // 9
  zero,   // 0
  blank,
  currency_code,
  locale_point,  // D
  exponent,      // EEEE
  fill_mode,
  group,     // G
  currency,  // L
  minus,     // MI
  plus,      // PL
  brackets,  // PR
  roman,
  sign,  // SG
  spell,
  locale_sign,  // S
  ordinal,      // TH
  shift,        // V
};
enum class LetterCase : std::uint8_t { upper, title, lower };
enum class DateMode : std::uint8_t { none, gregorian, iso_week };

template <typename Key>
struct PatternWord {
  std::string_view word;
  Key key;
  bool is_number = false;          // of dates: reads digits
  DateMode mode = DateMode::none;  // of dates

  LetterCase letter_case() const;
};

template <typename Key>
struct PatternNode {
  enum class Kind : std::uint8_t { word, separator, space, character } kind = Kind::character;
  const PatternWord<Key>* word = nullptr;
  std::string_view character;  // of the other kinds, in the pattern
  // What goes with a word: FM and TM before it, TH and th after it.
  bool fill_mode = false;
  bool translated = false;
  bool ordinal_upper = false;
  bool ordinal_lower = false;
  bool ordinal() const { return ordinal_upper || ordinal_lower; }
};
using DateNode = PatternNode<DateKey>;
using NumberNode = PatternNode<NumberKey>;

// The nodes point into the pattern.
std::vector<DateNode> parse_date_pattern(std::string_view pattern);
std::vector<NumberNode> parse_number_pattern(std::string_view pattern);

// "st", "nd", "rd" or "th" for a number's digits, in upper or lower case. Throws SqlError 22P02 if it does not end with
// a digit.
std::string_view ordinal_suffix(std::string_view number, bool upper);

// A printable character that is neither letter nor digit nor blank.
bool is_pattern_separator(char c);
bool is_pattern_space(char c);

}  // namespace polarsim::engine
