// The state of reading one date or time literal: parts that fields have given so far, and the rules by which the next
// field is understood. Private to datetime_input.cpp and datetime_decoder.cpp, which has the rules that dates with
// times and times alone share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/types/datetime.h"
#include "engine/types/datetime_fields.h"

namespace polarsim::engine {

// Which parts a field gave. No part may be given twice.
using DateTimeParts = std::uint32_t;
namespace part {
inline constexpr DateTimeParts reserved = 1U << 0;
inline constexpr DateTimeParts year = 1U << 1;
inline constexpr DateTimeParts month = 1U << 2;
inline constexpr DateTimeParts day = 1U << 3;
inline constexpr DateTimeParts hour = 1U << 4;
inline constexpr DateTimeParts minute = 1U << 5;
inline constexpr DateTimeParts second = 1U << 6;
inline constexpr DateTimeParts millisecond = 1U << 7;
inline constexpr DateTimeParts microsecond = 1U << 8;
inline constexpr DateTimeParts zone = 1U << 9;
inline constexpr DateTimeParts daylight_zone = 1U << 10;
inline constexpr DateTimeParts named_zone = 1U << 11;
inline constexpr DateTimeParts daylight_saving = 1U << 12;
inline constexpr DateTimeParts day_of_year = 1U << 13;
inline constexpr DateTimeParts day_of_week = 1U << 14;
inline constexpr DateTimeParts am_pm = 1U << 15;
inline constexpr DateTimeParts era = 1U << 16;
inline constexpr DateTimeParts all_seconds = second | millisecond | microsecond;
inline constexpr DateTimeParts date = year | month | day;
inline constexpr DateTimeParts time = hour | minute | all_seconds;
}  // namespace part

class DateTimeDecoder {
 public:
  DateTimeDecoder(std::vector<DateTimeField> fields, const CallContext& context)
      : context_(context), fields_(std::move(fields)) {}

  struct Result {
    // Set if the literal is one of "infinity", "-infinity" and "epoch"; `time` means nothing then.
    std::optional<DateTimeWord::Reserved> special;
    CivilTime time;
    std::int32_t east_s = 0;
  };
  Result decode_timestamp();
  Result decode_time();

 private:
  using Unit = DateTimeUnit;
  using Kind = DateTimeField::Kind;

  // Each reads one field and returns the parts it gave. They throw DateTimeFailure.
  DateTimeParts timestamp_date(std::size_t i);
  DateTimeParts timestamp_number(std::string& text);
  DateTimeParts time_date(std::size_t i);
  DateTimeParts time_number(std::size_t i);
  DateTimeParts labelled_number(std::size_t i);
  DateTimeParts word(std::size_t i, bool time_only);
  DateTimeParts reserved_word(DateTimeWord::Reserved value, bool time_only);
  DateTimeParts julian_day_with_zone(const std::string& text);
  DateTimeParts clock_with_zone(std::string text, DateTimeParts given);
  DateTimeParts zone_name(const std::string& text);
  DateTimeParts clock(const std::string& text);
  DateTimeParts zone_offset(const std::string& text);
  DateTimeParts date_text(const std::string& text);
  DateTimeParts single_number(const std::string& text, bool month_is_text, DateTimeParts given);
  DateTimeParts joined_number(std::string text, DateTimeParts given);

  void check_date();
  void apply_am_pm();
  void resolve_zone(bool time_only);
  // The offset of the abbreviation, which depends on when.
  std::int32_t east_of_abbreviation(const CivilTime& local) const;
  CivilTime now() const;
  void set_year(std::int32_t value, std::size_t digits);
  void read_clock_fraction(const std::string& text, std::size_t at);

  const CallContext& context_;
  std::vector<DateTimeField> fields_;
  DateTimeParts given_ = 0;
  Unit label_ = Unit::none;  // of the number to come
  CivilTime time_{};
  std::int32_t day_of_year_ = 0;
  std::int32_t east_s_ = 0;
  std::optional<DateTimeWord::Reserved> special_;
  const TimeZone* zone_ = nullptr;
  const TimeZone* abbreviation_zone_ = nullptr;
  std::string abbreviation_;
  DateTimeWord::Half half_ = DateTimeWord::full;
  bool month_is_text_ = false;
  bool is_julian_ = false;
  bool is_short_year_ = false;
  bool is_before_christ_ = false;
};

}  // namespace polarsim::engine
