// Reads intervals. After PostgreSQL's src/backend/utils/adt/datetime.c (DecodeInterval, DecodeISO8601Interval).
#include <cerrno>
#include <cmath>
#include <cstdlib>

#include "engine/types/datetime.h"
#include "engine/types/datetime_fields.h"
#include "engine/types/interval.h"

namespace polarsim::engine {
namespace {

using Unit = DateTimeUnit;
using Kind = DateTimeField::Kind;

std::int32_t checked_int32(std::int64_t value) {
  if (value != static_cast<std::int32_t>(value)) fail_overflow();
  return static_cast<std::int32_t>(value);
}
template <typename Integer>
void add_to(Integer& to, Integer value) {
  if (__builtin_add_overflow(to, value, &to)) fail_overflow();
}

// The parts as they come, with years apart from months. Fractions spill into the next smaller part.
struct Sum {
  std::int32_t years = 0;
  std::int32_t months = 0;
  std::int32_t days = 0;
  std::int64_t microseconds = 0;

  void add_time_fraction(double fraction, std::int64_t unit) {
    if (fraction == 0) return;
    fraction *= static_cast<double>(unit);
    std::int64_t whole = static_cast<std::int64_t>(fraction);
    fraction -= static_cast<double>(whole);
    if (fraction > 0.5) ++whole;
    if (fraction < -0.5) --whole;
    add_to(microseconds, whole);
  }
  void add_time(std::int64_t value, double fraction, std::int64_t unit) {
    std::int64_t product = 0;
    if (__builtin_mul_overflow(value, unit, &product)) fail_overflow();
    add_to(microseconds, product);
    add_time_fraction(fraction, unit);
  }
  void add_days(std::int64_t value, std::int32_t unit) {
    std::int32_t product = 0;
    if (__builtin_mul_overflow(checked_int32(value), unit, &product)) fail_overflow();
    add_to(days, product);
  }
  void add_day_fraction(double fraction, std::int32_t unit) {
    if (fraction == 0) return;
    fraction *= unit;
    const auto whole = static_cast<std::int32_t>(fraction);
    add_to(days, whole);
    add_time_fraction(fraction - whole, microseconds_per_day);
  }
  void add_months(std::int64_t value, double fraction) {
    add_to(months, checked_int32(value));
    add_day_fraction(fraction, days_per_month);
  }
  void add_years(std::int64_t value, double fraction, std::int32_t unit) {
    std::int32_t product = 0;
    if (__builtin_mul_overflow(checked_int32(value), unit, &product)) fail_overflow();
    add_to(years, product);
    add_to(months, static_cast<std::int32_t>(std::rint(fraction * unit * months_per_year)));
  }
  void negate() {
    if (microseconds == INT64_MIN || days == INT32_MIN || months == INT32_MIN || years == INT32_MIN) fail_overflow();
    microseconds = -microseconds;
    days = -days;
    months = -months;
    years = -years;
  }
  Interval interval() const {
    const std::int64_t all_months = std::int64_t{years} * months_per_year + months;
    if (all_months != static_cast<std::int32_t>(all_months)) throw_interval_out_of_range();
    return {static_cast<std::int32_t>(all_months), days, microseconds};
  }
};

// Fields are read from the right, so that a unit comes before its number.
class IntervalReader {
 public:
  IntervalReader(std::vector<DateTimeField> fields, std::int32_t range) : fields_(std::move(fields)), range_(range) {}

  Interval read() {
    std::uint64_t given = 0;
    for (std::size_t i = fields_.size(); i-- > 0;) {
      const DateTimeField& field = fields_[i];
      std::uint64_t parts = 0;
      if (field.kind == Kind::word || field.kind == Kind::special) {
        read_word(field.text);
      } else if (field.kind == Kind::time) {
        parts = read_clock(field.text);
        unit_ = Unit::day;
      } else if (field.kind != Kind::zone || !read_signed_clock(field.text, parts)) {
        parts = read_number(field.text);
      }
      if ((parts & given) != 0) fail_bad_format();
      given |= parts;
    }
    if (given == 0) fail_bad_format();
    if (ago_) sum_.negate();
    return sum_.interval();
  }

 private:
  static std::uint64_t bit(Unit unit) { return std::uint64_t{1} << static_cast<int>(unit); }
  static std::uint64_t all_seconds() { return bit(Unit::second) | bit(Unit::millisecond) | bit(Unit::microsecond); }

  void read_word(const std::string& text) {
    const DateTimeWord word = find_interval_word(text);
    switch (word.kind) {
      case DateTimeWord::Kind::ignored:
        return;
      case DateTimeWord::Kind::unit:
        unit_ = word.unit();
        return;
      case DateTimeWord::Kind::ago:
        ago_ = true;
        unit_ = Unit::epoch;  // no number can have it
        return;
      default:
        fail_bad_format();
    }
  }

  std::uint64_t read_clock(const std::string& text) {
    std::size_t at = 0;
    std::int64_t hours = read_int64(text, at);
    if (at >= text.size() || text[at] != ':') fail_bad_format();
    std::int64_t minutes = read_int32(text, ++at);
    std::int64_t seconds = 0;
    double fraction = 0;
    const auto shift = [&] {  // it was mm:ss
      checked_int32(hours);
      seconds = minutes;
      minutes = hours;
      hours = 0;
    };
    if (at == text.size()) {
      if (range_ == (interval_fields::minute | interval_fields::second)) shift();
    } else if (text[at] == '.') {
      fraction = read_fraction(text, at);
      shift();
    } else if (text[at] == ':') {
      seconds = read_int32(text, ++at);
      if (at < text.size()) {
        if (text[at] != '.') fail_bad_format();
        fraction = read_fraction(text, at);
      }
    } else {
      fail_bad_format();
    }
    if (hours < 0 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 60) fail_overflow();
    std::int64_t time = 0;
    if (__builtin_mul_overflow(hours, microseconds_per_hour, &time)) fail_overflow();
    add_to(time, minutes * microseconds_per_minute + seconds * microseconds_per_second +
                     static_cast<std::int64_t>(std::rint(fraction * 1e6)));
    sum_.microseconds = time;
    return bit(Unit::hour) | bit(Unit::minute) | all_seconds();
  }

  // "+04:05"; false if it is a number with a sign.
  bool read_signed_clock(const std::string& text, std::uint64_t& parts) {
    if (text.find(':', 1) == std::string::npos) return false;
    try {
      parts = read_clock(text.substr(1));
    } catch (const DateTimeFailure&) {
      return false;
    }
    if (text[0] == '-') sum_.microseconds = -sum_.microseconds;
    unit_ = Unit::day;
    return true;
  }

  // What a number without unit is, at the right end.
  Unit smallest_unit() const {
    using namespace interval_fields;
    if (range_ == year) return Unit::year;
    if (range_ == month || range_ == (year | month)) return Unit::month;
    if (range_ == day) return Unit::day;
    if (range_ == hour || range_ == (day | hour)) return Unit::hour;
    if (range_ == minute || range_ == (hour | minute) || range_ == (day | hour | minute)) return Unit::minute;
    return Unit::second;
  }

  std::uint64_t read_number(const std::string& text) {
    if (unit_ == Unit::none) unit_ = smallest_unit();
    std::size_t at = 0;
    std::int64_t value = read_int64(text, at);
    double fraction = 0;
    if (at < text.size() && text[at] == '-') {  // years and months
      std::int32_t months = read_int32(text, ++at);
      if (months < 0 || months >= months_per_year) fail_overflow();
      if (at != text.size()) fail_bad_format();
      unit_ = Unit::month;
      if (text[0] == '-') months = -months;
      if (__builtin_mul_overflow(value, std::int64_t{months_per_year}, &value)) fail_overflow();
      add_to(value, std::int64_t{months});
    } else if (at < text.size()) {
      if (text[at] != '.') fail_bad_format();
      fraction = read_fraction(text, at);
      if (text[0] == '-') fraction = -fraction;
    }
    return add(value, fraction);
  }

  std::uint64_t add(std::int64_t value, double fraction) {
    switch (unit_) {
      case Unit::microsecond:
        sum_.add_time(value, fraction, 1);
        break;
      case Unit::millisecond:
        sum_.add_time(value, fraction, 1000);
        break;
      case Unit::second:
        sum_.add_time(value, fraction, microseconds_per_second);
        if (fraction != 0) return all_seconds();
        break;
      case Unit::minute:
        sum_.add_time(value, fraction, microseconds_per_minute);
        break;
      case Unit::hour:
        sum_.add_time(value, fraction, microseconds_per_hour);
        unit_ = Unit::day;  // of a number that stands before, as in "1 2 hours"
        return bit(Unit::hour);
      case Unit::day:
        sum_.add_days(value, 1);
        sum_.add_time_fraction(fraction, microseconds_per_day);
        break;
      case Unit::week:
        sum_.add_days(value, days_per_week);
        sum_.add_day_fraction(fraction, days_per_week);
        break;
      case Unit::month:
        sum_.add_months(value, fraction);
        break;
      case Unit::year:
        sum_.add_years(value, fraction, 1);
        break;
      case Unit::decade:
        sum_.add_years(value, fraction, 10);
        break;
      case Unit::century:
        sum_.add_years(value, fraction, 100);
        break;
      case Unit::millennium:
        sum_.add_years(value, fraction, 1000);
        break;
      default:
        fail_bad_format();
    }
    return bit(unit_);
  }

  std::vector<DateTimeField> fields_;
  std::int32_t range_;
  Unit unit_ = Unit::none;
  bool ago_ = false;
  Sum sum_;
};

class IsoIntervalReader {
 public:
  explicit IsoIntervalReader(std::string_view text) : text_(text) {}

  Interval read() {
    if (text_.size() < 2 || text_[0] != 'P') fail_bad_format();
    at_ = 1;
    while (at_ < text_.size()) {
      if (peek() == 'T') {
        start_time();
      } else if (in_date_ ? read_date_part() : read_time_part()) {
        break;
      }
    }
    return sum_.interval();
  }

 private:
  struct Number {
    std::int64_t whole = 0;
    double fraction = 0;
  };

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void start_time() {
    in_date_ = false;
    has_part_ = false;
    ++at_;
  }

  Number read_number() {
    const char first = peek();
    if (!(first >= '0' && first <= '9') && first != '-' && first != '.') fail_bad_format();
    const char* begin = text_.c_str() + at_;
    char* end = nullptr;
    errno = 0;
    const double value = std::strtod(begin, &end);
    if (end == begin || errno != 0) fail_bad_format();
    at_ += static_cast<std::size_t>(end - begin);
    if (std::isnan(value) || value < -1.0e15 || value > 1.0e15) fail_overflow();
    Number number;
    number.whole = static_cast<std::int64_t>(value);
    number.fraction = value - static_cast<double>(number.whole);
    return number;
  }

  std::size_t digits_from(std::size_t at) const {
    if (at < text_.size() && text_[at] == '-') ++at;
    std::size_t count = 0;
    while (at + count < text_.size() && text_[at + count] >= '0' && text_[at + count] <= '9') ++count;
    return count;
  }

  // These return whether the text is at its end.
  bool read_date_part() {
    const std::size_t begin = at_;
    const Number number = read_number();
    const char unit = peek();
    switch (unit) {
      case 'Y':
        sum_.add_years(number.whole, number.fraction, 1);
        break;
      case 'M':
        sum_.add_months(number.whole, number.fraction);
        break;
      case 'W':
        sum_.add_days(number.whole, days_per_week);
        sum_.add_day_fraction(number.fraction, days_per_week);
        break;
      case 'D':
        sum_.add_days(number.whole, 1);
        sum_.add_time_fraction(number.fraction, microseconds_per_day);
        break;
      case 'T':
      case '\0':
        if (digits_from(begin) == 8 && !has_part_) {  // yyyymmdd
          sum_.add_years(number.whole / 10000, 0, 1);
          sum_.add_months(number.whole / 100 % 100, 0);
          sum_.add_days(number.whole % 100, 1);
          sum_.add_time_fraction(number.fraction, microseconds_per_day);
          if (unit == '\0') return true;
          start_time();
          return false;
        }
        return read_dashed_date(number);
      case '-':
        return read_dashed_date(number);
      default:
        fail_bad_format();
    }
    ++at_;
    has_part_ = true;
    return false;
  }

  // yyyy-mm-dd, or a part of it.
  bool read_dashed_date(Number number) {
    if (has_part_) fail_bad_format();
    for (int place = 0;; ++place) {
      if (place == 0) sum_.add_years(number.whole, number.fraction, 1);
      if (place == 1) sum_.add_months(number.whole, number.fraction);
      if (place == 2) {
        sum_.add_days(number.whole, 1);
        sum_.add_time_fraction(number.fraction, microseconds_per_day);
      }
      if (peek() == '\0' && at_ == text_.size()) return true;
      if (peek() == 'T') {
        start_time();
        return false;
      }
      if (peek() != '-' || place == 2) fail_bad_format();
      ++at_;
      number = read_number();
    }
  }

  bool read_time_part() {
    const std::size_t begin = at_;
    const Number number = read_number();
    switch (peek()) {
      case 'H':
        sum_.add_time(number.whole, number.fraction, microseconds_per_hour);
        break;
      case 'M':
        sum_.add_time(number.whole, number.fraction, microseconds_per_minute);
        break;
      case 'S':
        sum_.add_time(number.whole, number.fraction, microseconds_per_second);
        break;
      case '\0':
        if (digits_from(begin) == 6 && !has_part_) {  // hhmmss
          sum_.add_time(number.whole / 10000, 0, microseconds_per_hour);
          sum_.add_time(number.whole / 100 % 100, 0, microseconds_per_minute);
          sum_.add_time(number.whole % 100, 0, microseconds_per_second);
          sum_.add_time_fraction(number.fraction, 1);
          return true;
        }
        return read_clock(number);
      case ':':
        return read_clock(number);
      default:
        fail_bad_format();
    }
    ++at_;
    has_part_ = true;
    return false;
  }

  // hh:mm:ss, or a part of it.
  bool read_clock(Number number) {
    if (has_part_) fail_bad_format();
    for (const std::int64_t unit : {microseconds_per_hour, microseconds_per_minute, microseconds_per_second}) {
      sum_.add_time(number.whole, number.fraction, unit);
      if (at_ == text_.size()) return true;
      if (peek() != ':' || unit == microseconds_per_second) fail_bad_format();
      ++at_;
      number = read_number();
    }
    return true;
  }

  std::string text_;
  std::size_t at_ = 0;
  bool in_date_ = true;
  bool has_part_ = false;
  Sum sum_;
};

constexpr std::size_t room = 256;

}  // namespace

Interval read_interval(std::string_view text, std::int32_t modifier) {
  using Failure = DateTimeFailure::Kind;
  try {
    try {
      return IntervalReader(split_datetime_fields(text, room), interval_fields::of_modifier(modifier)).read();
    } catch (const DateTimeFailure& failure) {
      if (failure.kind != Failure::bad_format) throw;
      return IsoIntervalReader(text).read();
    }
  } catch (const DateTimeFailure& failure) {
    const bool overflow = failure.kind == Failure::field_overflow;
    throw_datetime_failure(overflow ? DateTimeFailure{Failure::interval_overflow} : failure, text, "interval");
  }
}

}  // namespace polarsim::engine
