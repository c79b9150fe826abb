#include "engine/types/datetime_decoder.h"

#include <fmt/format.h>

#include <cerrno>
#include <cmath>
#include <cstdlib>

#include "engine/types/datetime_input.h"
#include "engine/types/error.h"

namespace polarsim::engine {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return c >= 'a' && c <= 'z'; }  // fields are in lower case

// C's atoi: what is too big is cut to 32 bits.
std::int32_t leading_number(std::string_view text) {
  return static_cast<std::int32_t>(std::strtol(std::string(text).c_str(), nullptr, 10));
}

thread_local std::uint64_t clock_words = 0;

}  // namespace

std::uint64_t clock_words_read() { return clock_words; }

std::int32_t read_zone_offset(std::string_view view) {
  using Failure = DateTimeFailure::Kind;
  const std::string text(view);
  if (text.empty() || (text[0] != '+' && text[0] != '-')) fail_bad_format();
  std::size_t at = 1;
  std::int32_t hours = read_int32(text, at, Failure::zone_overflow);
  std::int32_t minutes = 0;
  std::int32_t seconds = 0;
  if (at < text.size() && text[at] == ':') {
    minutes = read_int32(text, ++at, Failure::zone_overflow);
    if (at < text.size() && text[at] == ':') seconds = read_int32(text, ++at, Failure::zone_overflow);
  } else if (at == text.size() && text.size() > 3) {
    minutes = hours % 100;
    hours /= 100;
  }
  if (hours < 0 || hours > 15 || minutes < 0 || minutes >= 60 || seconds < 0 || seconds >= 60)
    throw DateTimeFailure{Failure::zone_overflow};
  if (at != text.size()) fail_bad_format();
  const std::int32_t offset = (hours * 60 + minutes) * 60 + seconds;
  return text[0] == '-' ? -offset : offset;
}

CivilTime DateTimeDecoder::now() const {
  return zoned_from_timestamptz(transaction_time(context_), session_time_zone(context_)).civil;
}

void DateTimeDecoder::set_year(std::int32_t value, std::size_t digits) {
  time_.year = value;
  is_short_year_ = digits <= 2;
}

DateTimeParts DateTimeDecoder::zone_offset(const std::string& text) {
  east_s_ = read_zone_offset(text);
  return part::zone;
}

DateTimeParts DateTimeDecoder::zone_name(const std::string& text) {
  zone_ = find_time_zone(text);
  if (zone_ == nullptr)
    throw SqlError(sqlstate::invalid_parameter_value, fmt::format("time zone \"{}\" not recognized", text));
  return part::zone;
}

void DateTimeDecoder::read_clock_fraction(const std::string& text, std::size_t at) {
  time_.microsecond = static_cast<std::int32_t>(std::rint(read_fraction(text, at) * 1e6));
}

// hh:mm, hh:mm:ss, hh:mm:ss.fff, and mm:ss.fff.
DateTimeParts DateTimeDecoder::clock(const std::string& text) {
  std::size_t at = 0;
  const std::int64_t first = read_int64(text, at);
  if (at >= text.size() || text[at] != ':') fail_bad_format();
  const std::int32_t second = read_int32(text, ++at);
  std::int64_t hour = first;
  time_.minute = second;
  time_.second = 0;
  time_.microsecond = 0;
  if (at < text.size() && text[at] == '.') {
    read_clock_fraction(text, at);
    hour = 0;
    time_.minute = static_cast<std::int32_t>(first);
    time_.second = second;
  } else if (at < text.size() && text[at] == ':') {
    time_.second = read_int32(text, ++at);
    if (at < text.size() && text[at] == '.') {
      read_clock_fraction(text, at);
    } else if (at < text.size()) {
      fail_bad_format();
    }
  } else if (at < text.size()) {
    fail_bad_format();
  }
  if (hour < 0 || time_.minute < 0 || time_.minute > 59 || time_.second < 0 || time_.second > 60 ||
      time_.microsecond < 0 || time_.microsecond > microseconds_per_second || hour > INT32_MAX)
    fail_overflow();
  time_.hour = static_cast<std::int32_t>(hour);
  return part::time;
}

// yyyymmdd, yymmdd, hhmmss, hhmm, hhmmss.fff.
DateTimeParts DateTimeDecoder::joined_number(std::string text, DateTimeParts given) {
  const std::size_t point = text.find('.');
  if (point != std::string::npos) {
    errno = 0;
    const double fraction = std::strtod(text.c_str() + point, nullptr);
    if (errno != 0) fail_bad_format();
    time_.microsecond = static_cast<std::int32_t>(std::rint(fraction * 1e6));
    text.resize(point);
  } else if ((given & part::date) != part::date && text.size() >= 6) {
    const std::size_t size = text.size();
    time_.day = leading_number(text.substr(size - 2));
    time_.month = leading_number(text.substr(size - 4, 2));
    time_.year = leading_number(text.substr(0, size - 4));
    if (size == 6) is_short_year_ = true;
    return part::date;
  }
  if ((given & part::time) != part::time && (text.size() == 6 || text.size() == 4)) {
    time_.hour = leading_number(text.substr(0, 2));
    time_.minute = leading_number(text.substr(2, 2));
    time_.second = text.size() == 6 ? leading_number(text.substr(4)) : 0;
    return part::time;
  }
  fail_bad_format();
}

// A number whose meaning follows from what is there already and from the order month, day, year.
DateTimeParts DateTimeDecoder::single_number(const std::string& text, bool month_is_text, DateTimeParts given) {
  std::size_t at = 0;
  const std::int32_t value = read_int32(text, at);
  if (at == 0) fail_bad_format();
  if (at < text.size()) {
    if (text[at] != '.') fail_bad_format();
    if (at > 2) return joined_number(text, given | part::date);
    read_clock_fraction(text, at);
  }
  if (text.size() == 3 && (given & part::date) == part::year && value >= 1 && value <= 366) {
    day_of_year_ = value;
    return part::day_of_year | part::month | part::day;
  }
  switch (given & part::date) {
    case 0:
      if (text.size() >= 3) {
        set_year(value, text.size());
        return part::year;
      }
      time_.month = value;
      return part::month;
    case part::year:
    case part::day:
      time_.month = value;
      return part::month;
    case part::month:
      if (month_is_text && text.size() >= 3) {
        set_year(value, text.size());
        return part::year;
      }
      time_.day = value;
      return part::day;
    case part::year | part::month:
      if (month_is_text && text.size() >= 3 && is_short_year_) {  // the first number was the day
        time_.day = time_.year;
        time_.year = value;
        is_short_year_ = false;
        return part::day;
      }
      time_.day = value;
      return part::day;
    case part::month | part::day:
      set_year(value, text.size());
      return part::year;
    case part::date:
      return joined_number(text, given);
    default:
      fail_bad_format();
  }
}

// Three parts with separators.
DateTimeParts DateTimeDecoder::date_text(const std::string& text) {
  std::vector<std::string> pieces;
  for (std::size_t at = 0; at < text.size();) {
    while (at < text.size() && !is_digit(text[at]) && !is_letter(text[at])) ++at;
    if (at == text.size()) fail_bad_format();
    const std::size_t begin = at;
    const auto same = is_digit(text[at]) ? is_digit : is_letter;
    while (at < text.size() && same(text[at])) ++at;
    pieces.push_back(text.substr(begin, at - begin));
    if (at < text.size()) ++at;
  }
  DateTimeParts given = given_;
  DateTimeParts read = 0;
  const auto add = [&](DateTimeParts parts) {
    if ((given & parts) != 0) fail_bad_format();
    given |= parts;
    read |= parts;
  };
  bool month_is_text = false;
  for (std::string& piece : pieces) {
    if (!is_letter(piece[0])) continue;
    const DateTimeWord word = find_datetime_word(piece);
    if (word.kind != DateTimeWord::Kind::ignored) {
      if (word.kind != DateTimeWord::Kind::month) fail_bad_format();
      time_.month = word.value;
      month_is_text = true;
      add(part::month);
      piece.clear();
    }
  }
  for (const std::string& piece : pieces) {
    if (!piece.empty()) add(single_number(piece, month_is_text, given));
  }
  if ((given & ~(part::day_of_year | part::zone)) != part::date) fail_bad_format();
  return read;
}

DateTimeParts DateTimeDecoder::julian_day_with_zone(const std::string& text) {
  std::size_t at = 0;
  const std::int32_t day = read_int32(text, at);
  if (day < 0) fail_overflow();
  set_julian_day(time_, day);
  is_julian_ = true;
  east_s_ = read_zone_offset(std::string_view(text).substr(at));
  label_ = Unit::none;
  return part::date | part::time | part::zone;
}

// hhmmss-zz
DateTimeParts DateTimeDecoder::clock_with_zone(std::string text, DateTimeParts given) {
  if ((given_ & part::time) == part::time) fail_bad_format();
  const std::size_t minus = text.find('-');
  if (minus == std::string::npos) fail_bad_format();
  east_s_ = read_zone_offset(std::string_view(text).substr(minus));
  text.resize(minus);
  return joined_number(std::move(text), given) | part::zone;
}

// A number after a word that says what it is.
DateTimeParts DateTimeDecoder::labelled_number(std::size_t i) {
  const std::string& text = fields_[i].text;
  std::size_t at = 0;
  const std::int32_t value = read_int32(text, at);
  const Unit label = label_;
  label_ = Unit::none;
  special_.reset();
  const bool has_fraction = at < text.size() && text[at] == '.';
  if (at < text.size() && !has_fraction) fail_bad_format();
  if (has_fraction && label != Unit::julian && label != Unit::iso_time && label != Unit::second) fail_bad_format();
  switch (label) {
    case Unit::year:
      time_.year = value;
      return part::year;
    case Unit::month:
      if ((given_ & part::month) != 0 && (given_ & part::hour) != 0) {
        time_.minute = value;
        return part::minute;
      }
      time_.month = value;
      return part::month;
    case Unit::day:
      time_.day = value;
      return part::day;
    case Unit::hour:
      time_.hour = value;
      return part::hour;
    case Unit::minute:
      time_.minute = value;
      return part::minute;
    case Unit::second:
      time_.second = value;
      if (!has_fraction) return part::second;
      read_clock_fraction(text, at);
      return part::all_seconds;
    case Unit::julian: {
      if (value < 0) fail_overflow();
      set_julian_day(time_, value);
      is_julian_ = true;
      if (!has_fraction) return part::date;
      const double fraction = read_fraction(text, at) * static_cast<double>(microseconds_per_day);
      time_.set_time_of_day(static_cast<std::int64_t>(fraction));
      return part::date | part::time;
    }
    case Unit::iso_time: {
      const DateTimeParts read = joined_number(text, given_ | part::date);
      if (read != part::time) fail_bad_format();
      return read;
    }
    default:
      fail_bad_format();
  }
}

DateTimeParts DateTimeDecoder::reserved_word(DateTimeWord::Reserved value, bool time_only) {
  special_.reset();
  if (value == DateTimeWord::midnight) {
    time_.set_time_of_day(0);
    east_s_ = 0;
    return part::time | part::zone;
  }
  if (value != DateTimeWord::infinity && value != DateTimeWord::minus_infinity && value != DateTimeWord::epoch)
    ++clock_words;
  if (value == DateTimeWord::now) {
    if (time_only) {
      time_.set_time_of_day(now().microseconds_of_day());
      return part::time;
    }
    const ZonedTime zoned = zoned_from_timestamptz(transaction_time(context_), session_time_zone(context_));
    time_ = zoned.civil;
    east_s_ = zoned.offset.east_s;
    return part::date | part::time | part::zone;
  }
  if (time_only) fail_bad_format();
  if (value == DateTimeWord::today || value == DateTimeWord::tomorrow || value == DateTimeWord::yesterday) {
    const int days = value == DateTimeWord::today ? 0 : value == DateTimeWord::tomorrow ? 1 : -1;
    set_julian_day(time_, std::int64_t{julian_day(now())} + days);
    return part::date;
  }
  special_ = value;
  return part::reserved;
}

// Words: abbreviations of time zones come first, then what the literals know, then names of zones.
DateTimeParts DateTimeDecoder::word(std::size_t i, bool time_only) {
  const std::string& text = fields_[i].text;
  if (const TimeZoneAbbreviation* found = find_time_zone_abbreviation(std::string_view(text).substr(0, 10))) {
    if (found->zone != nullptr) {
      abbreviation_zone_ = find_time_zone(found->zone);
      abbreviation_ = text;
      return part::named_zone | part::zone;
    }
    east_s_ = found->east_s;
    return found->is_daylight_saving ? part::daylight_zone | part::zone : part::zone;
  }
  const DateTimeWord word = find_datetime_word(text);
  switch (word.kind) {
    case DateTimeWord::Kind::ignored:
      return 0;
    case DateTimeWord::Kind::reserved:
      return reserved_word(static_cast<DateTimeWord::Reserved>(word.value), time_only);
    case DateTimeWord::Kind::month: {
      if (time_only) fail_bad_format();
      DateTimeParts read = part::month;
      if ((given_ & part::month) != 0 && !month_is_text_ && (given_ & part::day) == 0 && time_.month >= 1 &&
          time_.month <= 31) {  // a number was taken for the month, and is the day
        time_.day = time_.month;
        read = part::day;
      }
      month_is_text_ = true;
      time_.month = word.value;
      return read;
    }
    case DateTimeWord::Kind::daylight_saving:
      east_s_ += word.value;
      return part::daylight_saving | part::daylight_zone;
    case DateTimeWord::Kind::am_pm:
      half_ = static_cast<DateTimeWord::Half>(word.value);
      return part::am_pm;
    case DateTimeWord::Kind::era:
      is_before_christ_ = word.value != 0;
      return part::era;
    case DateTimeWord::Kind::day_of_week:
      if (time_only) fail_bad_format();
      return part::day_of_week;
    case DateTimeWord::Kind::unit:
      label_ = word.unit();
      return 0;
    case DateTimeWord::Kind::iso_time: {
      if (!time_only && (given_ & part::date) != part::date) fail_bad_format();
      if (i + 1 >= fields_.size()) fail_bad_format();
      const Kind next = fields_[i + 1].kind;
      if (next != Kind::number && next != Kind::time && next != Kind::date) fail_bad_format();
      label_ = Unit::iso_time;
      return 0;
    }
    case DateTimeWord::Kind::unknown:
      zone_ = find_time_zone(text);
      if (zone_ == nullptr) fail_bad_format();
      return part::zone;
    default:
      fail_bad_format();
  }
}

}  // namespace polarsim::engine
