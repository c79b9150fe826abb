// A span of time as PostgreSQL has it: months, days and microseconds, which do not turn into each other by themselves
// (src/include/datatype/timestamp.h, src/backend/utils/adt/timestamp.c).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace polarsim::engine {

class Interval {
 public:
  std::int32_t months = 0;
  std::int32_t days = 0;
  std::int64_t microseconds = 0;
  // Of the three parts; SQL's `=` compares spans (30 days a month): compare().
  friend bool operator==(const Interval&, const Interval&) = default;

  // The whole as microseconds, where a month has 30 days and a day 24 hours.
  __extension__ using Span = __int128;
  Span span() const;
  // Negative, zero, positive: the order of spans.
  static int compare(const Interval& a, const Interval& b);
  std::uint64_t hash() const;  // equal spans have equal hashes

  // These throw SqlError 22008 "interval out of range".
  Interval operator-() const;
  friend Interval operator+(const Interval& a, const Interval& b);
  friend Interval operator-(const Interval& a, const Interval& b);
  // Fractions of months go to days, fractions of days to the time.
  Interval multiplied(double factor) const;
  Interval divided(double divisor) const;  // 22012
  // justify_hours(), justify_days(), justify_interval().
  Interval justified_hours() const;
  Interval justified_days() const;
  Interval justified() const;
};

// A type's modifier: which fields there are (a mask) and how many digits the seconds' fraction has.
namespace interval_fields {
inline constexpr std::int32_t month = 1 << 1;
inline constexpr std::int32_t year = 1 << 2;
inline constexpr std::int32_t day = 1 << 3;
inline constexpr std::int32_t hour = 1 << 10;
inline constexpr std::int32_t minute = 1 << 11;
inline constexpr std::int32_t second = 1 << 12;
inline constexpr std::int32_t all = 0x7fff;
inline constexpr std::int32_t of_modifier(std::int32_t modifier) { return modifier < 0 ? all : modifier >> 16 & all; }
}  // namespace interval_fields
Interval fit_interval(Interval interval, std::int32_t modifier);

// PostgreSQL's forms ("1 year 2 days ago", "1-2 3 04:05:06") and ISO 8601's ("P1Y2DT3H"). The modifier says what a
// number without unit is; it is not applied. Throws SqlError 22007, 22008, 22015.
Interval read_interval(std::string_view text, std::int32_t modifier);
// "1 year 2 mons -3 days +04:05:06.7"
void append_interval(std::string& to, const Interval& interval);

}  // namespace polarsim::engine
