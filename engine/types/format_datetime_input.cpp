#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <limits>
#include <span>

#include "engine/types/datetime.h"
#include "engine/types/datetime_fields.h"
#include "engine/types/error.h"
#include "engine/types/format_datetime.h"
#include "engine/types/format_names.h"
#include "engine/types/format_pattern.h"
#include "engine/types/utf8.h"

// to_timestamp() and to_date(): first a text is read by the pattern, then what it said is put together.
namespace polarsim::engine {
namespace {

constexpr std::size_t copied_digits_max = 12;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

[[noreturn]] void throw_format_error(std::string message, std::string detail = "", std::string hint = "") {
  throw SqlError("22007", std::move(message), std::move(detail), std::move(hint));
}

// What the text said; 0 is "nothing" for most of it, as PostgreSQL has it.
struct Said {
  DateMode mode = DateMode::none;
  std::int32_t hour = 0, minute = 0, second = 0, seconds_of_day = 0, millisecond = 0, microsecond = 0;
  std::int32_t is_pm = 0, is_before_christ = 0;
  bool is_12_hours = false;
  std::int32_t day_of_week = 0;  // 1 is Sunday, or Monday in an ISO week
  std::int32_t day_of_month = 0, day_of_year = 0, month = 0, year = 0, century = 0;
  std::int32_t julian = 0, week_of_year = 0, week_of_month = 0;
  std::int32_t year_digits = 0;
  std::int32_t fraction_digits = 0;
  std::int32_t zone_sign = 0, zone_hours = 0, zone_minutes = 0;
};

// Years with fewer than four digits are the nearest to 2020.
std::int32_t full_year(std::int32_t year) {
  if (year < 70) return year + 2000;
  if (year < 100) return year + 1900;
  if (year < 520) return year + 2000;
  if (year < 1000) return year + 1000;
  return year;
}

class PatternReader {
 public:
  PatternReader(std::string_view text, std::string_view pattern) : text_(text), nodes_(parse_date_pattern(pattern)) {}

  Said read() {
    for (node_ = 0; node_ < nodes_.size() && at_ < text_.size(); ++node_) {
      const DateNode& node = nodes_[node_];
      const bool is_word = node.kind == DateNode::Kind::word;
      if (!fixed_ && !(is_word && node.word->key == DateKey::fixed) && (is_word || node_ == 0)) {
        while (at_ < text_.size() && is_pattern_space(text_[at_])) skip_extra();
      }
      if (is_word) {
        read_word(node);
        if (fixed_) continue;
        skipped_ = 0;
        while (at_ < text_.size() && is_pattern_space(text_[at_])) skip_extra();
      } else {
        skip_literal(node);
      }
    }
    return said_;
  }

 private:
  // `skipped_` counts characters passed over beyond those that the pattern asked for.
  void skip_extra() {
    ++at_;
    ++skipped_;
  }
  void skip_character() {
    if (at_ < text_.size()) at_ += utf8::length_at(text_, at_);
  }
  void skip_literal(const DateNode& node) {
    if (fixed_) {
      skip_character();
    } else if (node.kind == DateNode::Kind::character) {
      if (skipped_ > 0) {
        --skipped_;
      } else {
        skip_character();
      }
    } else {
      --skipped_;
      if (at_ < text_.size() && (is_pattern_space(text_[at_]) || is_pattern_separator(text_[at_]))) skip_extra();
    }
  }
  void skip_ordinal(const DateNode& node) {
    if (!node.ordinal()) return;
    skip_character();
    skip_character();
  }

  void set_mode(const DateNode& node) {
    const DateMode mode = node.word->mode;
    if (mode == DateMode::none) return;
    if (said_.mode != DateMode::none && said_.mode != mode) {
      throw_format_error("invalid combination of date conventions", "",
                         "Do not mix Gregorian and ISO week date conventions in a formatting template.");
    }
    said_.mode = mode;
  }

  static void set(std::int32_t& to, std::int32_t value, const DateNode& node) {
    if (to != 0 && to != value) {
      throw_format_error(fmt::format("conflicting values for \"{}\" field in formatting string", node.word->word),
                         "This value contradicts a previous setting for the same field type.");
    }
    to = value;
  }

  // Whether a number ends where its digits end, because what follows in the pattern is no number.
  bool is_before_separator(const DateNode& node) const {
    if (node.ordinal() || node_ + 1 == nodes_.size()) return true;
    const DateNode& next = nodes_[node_ + 1];
    if (next.kind == DateNode::Kind::word) return !next.word->is_number;
    return !(next.character.size() == 1 && next.character[0] >= '0' && next.character[0] <= '9');
  }

  // Returns how many characters the number took. `to` may be null.
  std::size_t read_number(std::int32_t* to, std::size_t digits, const DateNode& node) {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_pattern_space(text_[at_])) ++at_;
    const std::size_t left = text_.size() - at_;
    const std::string copy = text_.substr(at_, std::min(digits, copied_digits_max));
    char* end = nullptr;
    errno = 0;
    long value = 0;
    if (node.fill_mode || is_before_separator(node)) {
      value = std::strtol(text_.c_str() + begin, &end, 10);
      at_ = static_cast<std::size_t>(end - text_.c_str());
    } else {
      const std::string_view word = node.word->word;
      constexpr const char* hint = "If your source string is not fixed-width, try using the \"FM\" modifier.";
      if (left < digits) {
        throw_format_error(fmt::format("source string too short for \"{}\" formatting field", word),
                           fmt::format("Field requires {} characters, but only {} remain.", digits, left), hint);
      }
      value = std::strtol(copy.c_str(), &end, 10);
      const auto used = static_cast<std::size_t>(end - copy.c_str());
      if (used > 0 && used < digits) {
        throw_format_error(fmt::format("invalid value \"{}\" for \"{}\"", copy, word),
                           fmt::format("Field requires {} characters, but only {} could be parsed.", digits, used),
                           hint);
      }
      at_ += used;
    }
    if (at_ == begin) {
      throw_format_error(fmt::format("invalid value \"{}\" for \"{}\"", copy, node.word->word),
                         "Value must be an integer.");
    }
    constexpr long most = std::numeric_limits<std::int32_t>::max();
    constexpr long least = std::numeric_limits<std::int32_t>::min();
    if (errno == ERANGE || value < least || value > most) {
      throw SqlError("22008", fmt::format("value for \"{}\" in source string is out of range", node.word->word),
                     fmt::format("Value must be in the range {} to {}.", least, most));
    }
    if (to != nullptr) set(*to, static_cast<std::int32_t>(value), node);
    return at_ - begin;
  }
  std::size_t read_number(std::int32_t* to, const DateNode& node) {
    return read_number(to, node.word->word.size(), node);
  }

  // Digits of a second's fraction: "25" is 250 milliseconds.
  void read_fraction(std::int32_t& to, std::size_t digits, std::size_t unit_digits, const DateNode& node) {
    const std::size_t used = read_number(&to, digits, node);
    for (std::size_t i = used; i < unit_digits; ++i) to *= 10;
  }

  // The number of the first word that the text goes on with, in any case.
  int read_one_of(std::span<const std::string_view> words, std::size_t length_max, const DateNode& node) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::string_view word = words[i].substr(0, length_max);
      if (text_.size() - at_ < word.size()) continue;
      if (std::equal(word.begin(), word.end(), text_.begin() + static_cast<std::ptrdiff_t>(at_),
                     [](char a, char b) { return lower(a) == lower(b); })) {
        at_ += word.size();
        return static_cast<int>(i);
      }
    }
    std::string rest = text_.substr(at_);
    const auto blank = std::ranges::find_if(rest, is_pattern_space);
    rest.erase(blank, rest.end());
    throw_format_error(fmt::format("invalid value \"{}\" for \"{}\"", rest, node.word->word),
                       "The given value did not match any of the allowed values for this field.");
  }

  void read_year_with_comma(const DateNode& node) {
    int thousands = 0;
    int rest = 0;
    int used = 0;
    if (std::sscanf(text_.c_str() + at_, "%d,%03d%n", &thousands, &rest, &used) < 2)
      throw_format_error("invalid input string for \"Y,YYY\"");
    set(said_.year, static_cast<std::int32_t>(rest + std::int64_t{thousands} * 1000), node);
    said_.year_digits = 4;
    at_ += static_cast<std::size_t>(used);
  }

  void read_year(std::int32_t digits, const DateNode& node) {
    const std::size_t used = read_number(&said_.year, node);
    if (digits < 4 && used < 4) said_.year = full_year(said_.year);
    said_.year_digits = digits;
  }

  void read_zone_hours(const DateNode& node) {
    const char c = text_[at_];
    if (c == '+' || c == '-' || c == ' ') {
      said_.zone_sign = c == '-' ? -1 : 1;
      ++at_;
    } else {  // a minus may have been taken for a separator
      said_.zone_sign = skipped_ > 0 && at_ > 0 && text_[at_ - 1] == '-' ? -1 : 1;
    }
    read_number(&said_.zone_hours, 2, node);
  }

  void read_word(const DateNode& node) {
    set_mode(node);
    if (read_clock_word(node) || read_day_word(node)) return;
    switch (node.word->key) {
      case DateKey::fixed:
        fixed_ = true;
        return;
      case DateKey::quarter:
        read_number(nullptr, node);
        break;
      case DateKey::century:
        read_number(&said_.century, node);
        break;
      case DateKey::year_with_comma:
        read_year_with_comma(node);
        break;
      case DateKey::year_4:
      case DateKey::iso_year_4:
        read_year(4, node);
        break;
      case DateKey::year_3:
      case DateKey::iso_year_3:
        read_year(3, node);
        break;
      case DateKey::year_2:
      case DateKey::iso_year_2:
        read_year(2, node);
        break;
      case DateKey::year_1:
      case DateKey::iso_year_1:
        read_year(1, node);
        break;
      case DateKey::julian_day:
        read_number(&said_.julian, node);
        break;
      default:
        return;
    }
    skip_ordinal(node);
  }

  bool read_clock_word(const DateNode& node) {
    static constexpr std::string_view halves_dotted[] = {"a.m.", "p.m."};
    static constexpr std::string_view halves[] = {"am", "pm"};
    switch (node.word->key) {
      case DateKey::am_dotted:
      case DateKey::am:
        set(said_.is_pm, read_one_of(node.word->key == DateKey::am ? halves : halves_dotted, 4, node), node);
        said_.is_12_hours = true;
        return true;
      case DateKey::hour_12:
        read_number(&said_.hour, 2, node);
        said_.is_12_hours = true;
        break;
      case DateKey::hour_24:
        read_number(&said_.hour, 2, node);
        break;
      case DateKey::minute:
        read_number(&said_.minute, node);
        break;
      case DateKey::second:
        read_number(&said_.second, node);
        break;
      case DateKey::millisecond:
        read_fraction(said_.millisecond, 3, 3, node);
        break;
      case DateKey::fraction:
        said_.fraction_digits = node.word->word[2] - '0';
        read_fraction(said_.microsecond, static_cast<std::size_t>(said_.fraction_digits), 6, node);
        break;
      case DateKey::microsecond:
        read_fraction(said_.microsecond, 6, 6, node);
        break;
      case DateKey::seconds_of_day:
        read_number(&said_.seconds_of_day, node);
        break;
      case DateKey::zone_name:
      case DateKey::zone_offset:
        throw SqlError(sqlstate::feature_not_supported,
                       fmt::format("formatting field \"{}\" is only supported in to_char", node.word->word));
      case DateKey::zone_hours:
        read_zone_hours(node);
        return true;
      case DateKey::zone_minutes:
        if (said_.zone_sign == 0) said_.zone_sign = 1;
        read_number(&said_.zone_minutes, 2, node);
        return true;
      default:
        return false;
    }
    skip_ordinal(node);
    return true;
  }

  bool read_day_word(const DateNode& node) {
    static constexpr std::string_view eras_dotted[] = {"a.d.", "b.c."};
    static constexpr std::string_view eras[] = {"ad", "bc"};
    switch (node.word->key) {
      case DateKey::era_dotted:
      case DateKey::era:
        set(said_.is_before_christ, read_one_of(node.word->key == DateKey::era ? eras : eras_dotted, 4, node), node);
        return true;
      case DateKey::month_name:
        set(said_.month, read_one_of(format_names::months, 9, node) + 1, node);
        return true;
      case DateKey::short_month_name:
        set(said_.month, read_one_of(format_names::months, 3, node) + 1, node);
        return true;
      case DateKey::roman_month:
        set(said_.month, months_per_year - read_one_of(format_names::roman_months, 4, node), node);
        return true;
      case DateKey::day_name:
        set(said_.day_of_week, read_one_of(format_names::days, 9, node), node);
        ++said_.day_of_week;
        return true;
      case DateKey::short_day_name:
        set(said_.day_of_week, read_one_of(format_names::days, 3, node), node);
        ++said_.day_of_week;
        return true;
      case DateKey::month:
        read_number(&said_.month, node);
        break;
      case DateKey::day_of_year:
        read_number(&said_.day_of_year, node);
        break;
      case DateKey::iso_day_of_year:
        read_number(&said_.day_of_year, 3, node);
        break;
      case DateKey::day_of_month:
        read_number(&said_.day_of_month, node);
        break;
      case DateKey::day_of_week:
        read_number(&said_.day_of_week, node);
        break;
      case DateKey::iso_day_of_week:
        read_number(&said_.day_of_week, 1, node);
        if (++said_.day_of_week > 7) said_.day_of_week = 1;
        break;
      case DateKey::week_of_year:
      case DateKey::iso_week:
        read_number(&said_.week_of_year, node);
        break;
      case DateKey::week_of_month:
        read_number(&said_.week_of_month, node);
        break;
      default:
        return false;
    }
    skip_ordinal(node);
    return true;
  }

  std::string text_;
  std::vector<DateNode> nodes_;
  std::size_t node_ = 0;
  std::size_t at_ = 0;
  int skipped_ = 0;
  bool fixed_ = false;
  Said said_;
};

// Puts together what was said. Parts that were checked only together with others have bits.
class PatternDate {
 public:
  PatternDate(const Said& said, std::string_view text) : said_(said), text_(text) { time_.month = time_.day = 1; }

  PatternTime result() {
    set_clock();
    set_year();
    set_day();
    check();
    PatternTime result;
    result.civil = time_;
    result.fraction_digits = said_.fraction_digits;
    if (said_.zone_sign != 0) {
      if (said_.zone_hours < 0 || said_.zone_hours > 15 || said_.zone_minutes < 0 || said_.zone_minutes >= 60)
        throw_datetime_failure({DateTimeFailure::Kind::zone_overflow}, text_, "timestamp");
      result.east_s = said_.zone_sign * (said_.zone_hours * 60 + said_.zone_minutes) * 60;
    }
    return result;
  }

 private:
  void set_clock() {
    if (said_.seconds_of_day != 0) {
      time_.hour = said_.seconds_of_day / 3600;
      time_.minute = said_.seconds_of_day % 3600 / 60;
      time_.second = said_.seconds_of_day % 60;
    }
    if (said_.second != 0) time_.second = said_.second;
    if (said_.minute != 0) time_.minute = said_.minute;
    if (said_.hour != 0) time_.hour = said_.hour;
    if (!said_.is_12_hours) return;
    if (time_.hour < 1 || time_.hour > 12) {
      throw_format_error(fmt::format("hour \"{}\" is invalid for the 12-hour clock", time_.hour), "",
                         "Use the 24-hour clock, or give an hour between 1 and 12.");
    }
    if (said_.is_pm != 0 && time_.hour < 12) time_.hour += 12;
    if (said_.is_pm == 0 && time_.hour == 12) time_.hour = 0;
  }

  // Centuries start with a year 1: the 21st runs from 2001 to 2100, the 6th BC from 600 to 501 BC.
  void set_year() {
    const std::int32_t century = said_.is_before_christ != 0 ? -said_.century : said_.century;
    if (said_.year != 0) {
      if (said_.century != 0 && said_.year_digits <= 2) {
        time_.year = said_.year % 100;
        if (time_.year == 0) {
          time_.year = century * 100 + (century >= 0 ? 0 : 1);
        } else {
          time_.year = century >= 0 ? time_.year + (century - 1) * 100 : (century + 1) * 100 - time_.year + 1;
        }
      } else {
        time_.year = said_.is_before_christ != 0 ? -said_.year : said_.year;
        if (time_.year < 0) ++time_.year;
      }
      has_year_ = true;
    } else if (said_.century != 0) {
      time_.year = century >= 0 ? (century - 1) * 100 + 1 : century * 100 + 1;
      has_year_ = true;
    }
  }

  void set_whole_date(std::int64_t julian_day) {
    set_julian_day(time_, julian_day);
    has_year_ = has_month_ = has_day_ = true;
  }

  void set_day() {
    if (said_.julian != 0) set_whole_date(said_.julian);
    std::int32_t day_of_year = said_.day_of_year;
    std::int32_t day_of_month = said_.day_of_month;
    if (said_.week_of_year != 0) {
      if (said_.mode == DateMode::iso_week) {
        const std::int64_t monday = julian_day_of_iso_week(time_.year, said_.week_of_year);
        // 1 is Sunday, the last day of its week.
        const int shift = said_.day_of_week == 0 ? 0 : said_.day_of_week > 1 ? said_.day_of_week - 2 : 6;
        set_whole_date(monday + shift);
      } else {
        day_of_year = static_cast<std::int32_t>((std::int64_t{said_.week_of_year} - 1) * 7 + 1);
      }
    }
    if (said_.week_of_month != 0)
      day_of_month = static_cast<std::int32_t>((std::int64_t{said_.week_of_month} - 1) * 7 + 1);
    if (day_of_month != 0) {
      time_.day = day_of_month;
      has_day_ = true;
    }
    if (said_.month != 0) {
      time_.month = said_.month;
      has_month_ = true;
    }
    if (day_of_year != 0 && (time_.month <= 1 || time_.day <= 1)) set_day_of_year(day_of_year);
  }

  void set_day_of_year(std::int32_t day) {
    if (time_.year == 0 && said_.is_before_christ == 0)
      throw_format_error("cannot calculate day of year without year information");
    if (said_.mode == DateMode::iso_week) {
      set_whole_date(std::int64_t{julian_day_of_iso_week(time_.year, 1)} - 1 + day);
      return;
    }
    std::int32_t before = 0;
    int month = 1;
    for (; month <= months_per_year; ++month) {
      const int size = days_in_month(time_.year, month);
      if (day <= before + size) break;
      before += size;
    }
    if (time_.month <= 1) time_.month = month;
    if (time_.day <= 1) time_.day = day - before;
    has_month_ = has_day_ = true;
  }

  void check() {
    bool valid =
        !(has_month_ && (time_.month < 1 || time_.month > 12)) && !(has_day_ && (time_.day < 1 || time_.day > 31));
    if (valid && has_year_ && has_month_ && has_day_) valid = time_.day <= days_in_month(time_.year, time_.month);
    const std::int64_t fraction = std::int64_t{said_.millisecond} * 1000 + said_.microsecond;
    valid = valid && time_.hour >= 0 && time_.hour < 24 && time_.minute >= 0 && time_.minute < 60 &&
            time_.second >= 0 && time_.second < 60 && fraction >= 0 && fraction < microseconds_per_second;
    if (!valid) throw_datetime_failure({DateTimeFailure::Kind::field_overflow}, text_, "timestamp");
    time_.microsecond = static_cast<std::int32_t>(fraction);
  }

  const Said& said_;
  std::string_view text_;
  CivilTime time_;
  bool has_year_ = false;
  bool has_month_ = false;
  bool has_day_ = false;
};

}  // namespace

PatternTime read_by_pattern(std::string_view text, std::string_view pattern) {
  const Said said = PatternReader(text, pattern).read();
  return PatternDate(said, text).result();
}

}  // namespace polarsim::engine
