#include "engine/types/datetime_input.h"

#include <fmt/format.h>

#include "engine/types/datetime_decoder.h"
#include "engine/types/error.h"

namespace polarsim::engine {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool overflows_a_day(const CivilTime& time) {
  return time.hour < 0 || time.microseconds_of_day() > microseconds_per_day || time.microseconds_of_day() < 0;
}

// PostgreSQL's buffers: MAXDATELEN is 128, and timestamps have one more byte for each of 25 fields.
constexpr std::size_t date_room = 129;
constexpr std::size_t timestamp_room = 128 + 25;

template <typename Decode>
auto decode(std::string_view text, std::string_view type, Decode decode) {
  try {
    return decode();
  } catch (const DateTimeFailure& failure) {
    throw_datetime_failure(failure, text, type);
  }
}

}  // namespace

// A field with separators, in a date or a timestamp: a date, or after one the name of a zone or a time with an offset.
DateTimeParts DateTimeDecoder::timestamp_date(std::size_t i) {
  const std::string& text = fields_[i].text;
  if (label_ == Unit::julian) return julian_day_with_zone(text);
  if (label_ == Unit::none && (given_ & (part::month | part::day)) != (part::month | part::day)) return date_text(text);
  if (!is_digit(text[0]) && label_ == Unit::none) return zone_name(text);
  if (label_ != Unit::none && label_ != Unit::iso_time) fail_bad_format();
  label_ = Unit::none;
  return clock_with_zone(text, given_);
}

DateTimeParts DateTimeDecoder::timestamp_number(std::string& text) {
  const std::size_t point = text.find('.');
  if (point != std::string::npos && (given_ & part::date) == 0) return date_text(text);
  if (point != std::string::npos && point > 2) return joined_number(text, given_);
  if (text.size() >= 6 && ((given_ & part::date) == 0 || (given_ & part::time) == 0))
    return joined_number(text, given_);
  return single_number(text, month_is_text_, given_);
}

DateTimeParts DateTimeDecoder::time_date(std::size_t i) {
  const std::string& text = fields_[i].text;
  if (i == 0 && fields_.size() >= 2 && (fields_.back().kind == Kind::date || fields_[1].kind == Kind::time))
    return date_text(text);
  if (!is_digit(text[0])) return zone_name(text);
  label_ = Unit::none;
  return clock_with_zone(text, given_ | part::date);
}

DateTimeParts DateTimeDecoder::time_number(std::size_t i) {
  const std::string& text = fields_[i].text;
  const std::size_t point = text.find('.');
  if (point != std::string::npos) {
    if (i == 0 && fields_.size() >= 2 && fields_.back().kind == Kind::date) return date_text(text);
    if (point <= 2) fail_bad_format();
    return joined_number(text, given_ | part::date);
  }
  if (text.size() > 4) return joined_number(text, given_ | part::date);
  return single_number(text, false, given_ | part::date);
}

void DateTimeDecoder::check_date() {
  if ((given_ & part::year) != 0 && !is_julian_) {
    if (time_.year < 0 || (time_.year == 0 && (is_before_christ_ || !is_short_year_))) fail_overflow();
    if (is_before_christ_) {
      time_.year = -(time_.year - 1);
    } else if (is_short_year_) {
      time_.year += time_.year < 70 ? 2000 : time_.year < 100 ? 1900 : 0;
    }
  }
  if ((given_ & part::day_of_year) != 0)
    set_julian_day(time_, std::int64_t{julian_day(time_.year, 1, 1)} + day_of_year_ - 1);
  const DateTimeFailure swapped{DateTimeFailure::Kind::month_day_overflow};
  if ((given_ & part::month) != 0 && (time_.month < 1 || time_.month > 12)) throw swapped;
  if ((given_ & part::day) != 0 && (time_.day < 1 || time_.day > 31)) throw swapped;
  if ((given_ & part::date) == part::date && time_.day > days_in_month(time_.year, time_.month)) fail_overflow();
}

void DateTimeDecoder::apply_am_pm() {
  if (half_ == DateTimeWord::full) return;
  if (time_.hour > 12) fail_overflow();
  if (half_ == DateTimeWord::am && time_.hour == 12) time_.hour = 0;
  if (half_ == DateTimeWord::pm && time_.hour != 12) time_.hour += 12;
}

std::int32_t DateTimeDecoder::east_of_abbreviation(const CivilTime& local) const {
  const std::int32_t east_s = abbreviation_zone_->east_of_local_s(local);
  const std::int64_t unix_s = (std::int64_t{julian_day(local)} - julian_day_of_1970) * seconds_per_day +
                              local.microseconds_of_day() / microseconds_per_second - east_s;
  const TimeZone::Offset* offset = abbreviation_zone_->abbreviated(abbreviation_, unix_s);
  return offset != nullptr ? offset->east_s : east_s;
}

void DateTimeDecoder::resolve_zone(bool time_only) {
  const bool daylight_saving = (given_ & part::daylight_saving) != 0;
  const bool has_date = (given_ & part::date) == part::date;
  // Where a time has no date, today's offset is meant.
  CivilTime local = time_;
  const bool needs_date = (given_ & part::zone) == 0 || abbreviation_zone_ != nullptr;
  if (time_only && !has_date && needs_date && (given_ & part::date) != 0) fail_bad_format();
  if (!has_date) {
    const CivilTime today = now();
    local.year = today.year;
    local.month = today.month;
    local.day = today.day;
  }
  if (zone_ != nullptr) {
    if (daylight_saving) fail_bad_format();
    const auto constant = zone_->constant_east_s();
    if (time_only && !constant && !has_date) fail_bad_format();
    east_s_ = constant ? *constant : zone_->east_of_local_s(local);
  }
  if (abbreviation_zone_ != nullptr) {
    if (daylight_saving) fail_bad_format();
    east_s_ = east_of_abbreviation(local);
  }
  if ((given_ & part::zone) == 0) {
    if (daylight_saving) fail_bad_format();
    east_s_ = session_time_zone(context_).east_of_local_s(local);
  }
}

DateTimeDecoder::Result DateTimeDecoder::decode_timestamp() {
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    DateTimeParts read = 0;
    switch (fields_[i].kind) {
      case Kind::date:
        read = timestamp_date(i);
        break;
      case Kind::time:
        if (label_ != Unit::none && label_ != Unit::iso_time) fail_bad_format();
        label_ = Unit::none;
        read = clock(fields_[i].text);
        if (overflows_a_day(time_)) fail_overflow();
        break;
      case Kind::zone:
        read = zone_offset(fields_[i].text);
        break;
      case Kind::number:
        read = label_ != Unit::none ? labelled_number(i) : timestamp_number(fields_[i].text);
        break;
      case Kind::word:
      case Kind::special:
        read = word(i, false);
        break;
    }
    if ((read & given_) != 0) fail_bad_format();
    given_ |= read;
  }
  check_date();
  apply_am_pm();
  if (special_) return {special_, {}, 0};
  if ((given_ & part::date) != part::date) fail_bad_format();
  resolve_zone(false);
  return {std::nullopt, time_, east_s_};
}

DateTimeDecoder::Result DateTimeDecoder::decode_time() {
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    DateTimeParts read = 0;
    switch (fields_[i].kind) {
      case Kind::date:
        read = time_date(i);
        break;
      case Kind::time:
        label_ = label_ == Unit::iso_time ? Unit::none : label_;
        read = clock(fields_[i].text);
        break;
      case Kind::zone:
        read = zone_offset(fields_[i].text);
        break;
      case Kind::number:
        read = label_ != Unit::none ? labelled_number(i) : time_number(i);
        break;
      case Kind::word:
      case Kind::special:
        read = word(i, true);
        break;
    }
    if ((read & given_) != 0) fail_bad_format();
    given_ |= read;
  }
  check_date();
  apply_am_pm();
  if (time_.minute < 0 || time_.minute > 59 || time_.second < 0 || time_.second > 60 || overflows_a_day(time_))
    fail_overflow();
  if ((given_ & part::time) != part::time) fail_bad_format();
  resolve_zone(true);
  return {std::nullopt, time_, east_s_};
}

std::int64_t read_date(std::string_view text, const CallContext& context) {
  const auto result = decode(text, "date", [&] {
    return DateTimeDecoder(split_datetime_fields(text, date_room), context).decode_timestamp();
  });
  if (result.special == DateTimeWord::infinity) return date_infinity;
  if (result.special == DateTimeWord::minus_infinity) return date_minus_infinity;
  if (result.special == DateTimeWord::epoch) return unix_epoch_us / microseconds_per_day;
  const CivilTime& time = result.time;
  const std::int64_t date = std::int64_t{julian_day(time)} - julian_day_of_2000;
  if (!has_julian_day(time.year, time.month, time.day) || !is_valid_date(date))
    throw SqlError("22008", fmt::format("date out of range: \"{}\"", text));
  return date;
}

std::int64_t read_time(std::string_view text, const CallContext& context) {
  const auto result = decode(
      text, "time", [&] { return DateTimeDecoder(split_datetime_fields(text, date_room), context).decode_time(); });
  return result.time.microseconds_of_day();
}

namespace {

std::int64_t read_any_timestamp(std::string_view text, const CallContext& context, bool with_zone) {
  const auto result = decode(text, with_zone ? "timestamp with time zone" : "timestamp", [&] {
    return DateTimeDecoder(split_datetime_fields(text, timestamp_room), context).decode_timestamp();
  });
  if (result.special == DateTimeWord::infinity) return timestamp_infinity;
  if (result.special == DateTimeWord::minus_infinity) return timestamp_minus_infinity;
  if (result.special == DateTimeWord::epoch) return unix_epoch_us;
  const auto timestamp = timestamp_from_civil(result.time, with_zone ? result.east_s : 0);
  if (!timestamp) throw SqlError("22008", fmt::format("timestamp out of range: \"{}\"", text));
  return *timestamp;
}

}  // namespace

std::int64_t read_timestamp(std::string_view text, const CallContext& context) {
  return read_any_timestamp(text, context, false);
}

std::int64_t read_timestamptz(std::string_view text, const CallContext& context) {
  return read_any_timestamp(text, context, true);
}

}  // namespace polarsim::engine
