#include "engine/types/datetime_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <span>

#include "engine/types/error.h"

namespace polarsim::engine {
namespace {

using Unit = DateTimeUnit;
using Word = DateTimeWord;

constexpr std::size_t fields_max = 25;
constexpr std::size_t significant_characters = 10;

constexpr Word unit(const char* word, Unit unit) { return {word, Word::Kind::unit, static_cast<int>(unit)}; }
constexpr Word reserved(const char* word, Word::Reserved value) { return {word, Word::Kind::reserved, value}; }
constexpr Word month(const char* word, int number) { return {word, Word::Kind::month, number}; }
constexpr Word day(const char* word, int number) { return {word, Word::Kind::day_of_week, number}; }

// Both tables are ordered by word.
constexpr Word datetime_words[] = {
    reserved("-infinity", Word::minus_infinity),
    {"ad", Word::Kind::era, 0},
    reserved("allballs", Word::midnight),
    {"am", Word::Kind::am_pm, Word::am},
    month("apr", 4),
    month("april", 4),
    {"at", Word::Kind::ignored, 0},
    month("aug", 8),
    month("august", 8),
    {"bc", Word::Kind::era, 1},
    unit("d", Unit::day),
    month("dec", 12),
    month("december", 12),
    unit("dow", Unit::day_of_week),
    unit("doy", Unit::day_of_year),
    {"dst", Word::Kind::daylight_saving, 3600},
    reserved("epoch", Word::epoch),
    month("feb", 2),
    month("february", 2),
    day("fri", 5),
    day("friday", 5),
    unit("h", Unit::hour),
    reserved("infinity", Word::infinity),
    unit("isodow", Unit::iso_day_of_week),
    unit("isoyear", Unit::iso_year),
    unit("j", Unit::julian),
    month("jan", 1),
    month("january", 1),
    unit("jd", Unit::julian),
    month("jul", 7),
    unit("julian", Unit::julian),
    month("july", 7),
    month("jun", 6),
    month("june", 6),
    unit("m", Unit::month),
    month("mar", 3),
    month("march", 3),
    month("may", 5),
    unit("mm", Unit::minute),
    day("mon", 1),
    day("monday", 1),
    month("nov", 11),
    month("november", 11),
    reserved("now", Word::now),
    month("oct", 10),
    month("october", 10),
    {"on", Word::Kind::ignored, 0},
    {"pm", Word::Kind::am_pm, Word::pm},
    unit("s", Unit::second),
    day("sat", 6),
    day("saturday", 6),
    month("sep", 9),
    month("sept", 9),
    month("september", 9),
    day("sun", 0),
    day("sunday", 0),
    {"t", Word::Kind::iso_time, static_cast<int>(Unit::iso_time)},
    day("thu", 4),
    day("thur", 4),
    day("thurs", 4),
    day("thursday", 4),
    reserved("today", Word::today),
    reserved("tomorrow", Word::tomorrow),
    day("tue", 2),
    day("tues", 2),
    day("tuesday", 2),
    day("wed", 3),
    day("wednesday", 3),
    day("weds", 3),
    unit("y", Unit::year),
    reserved("yesterday", Word::yesterday),
};

constexpr Word interval_words[] = {
    {"@", Word::Kind::ignored, 0},
    {"ago", Word::Kind::ago, 0},
    unit("c", Unit::century),
    unit("cent", Unit::century),
    unit("centuries", Unit::century),
    unit("century", Unit::century),
    unit("d", Unit::day),
    unit("day", Unit::day),
    unit("days", Unit::day),
    unit("dec", Unit::decade),
    unit("decade", Unit::decade),
    unit("decades", Unit::decade),
    unit("decs", Unit::decade),
    unit("h", Unit::hour),
    unit("hour", Unit::hour),
    unit("hours", Unit::hour),
    unit("hr", Unit::hour),
    unit("hrs", Unit::hour),
    unit("m", Unit::minute),
    unit("microsecon", Unit::microsecond),
    unit("mil", Unit::millennium),
    unit("millennia", Unit::millennium),
    unit("millennium", Unit::millennium),
    unit("millisecon", Unit::millisecond),
    unit("mils", Unit::millennium),
    unit("min", Unit::minute),
    unit("mins", Unit::minute),
    unit("minute", Unit::minute),
    unit("minutes", Unit::minute),
    unit("mon", Unit::month),
    unit("mons", Unit::month),
    unit("month", Unit::month),
    unit("months", Unit::month),
    unit("ms", Unit::millisecond),
    unit("msec", Unit::millisecond),
    unit("msecs", Unit::millisecond),
    unit("mseconds", Unit::millisecond),
    unit("qtr", Unit::quarter),
    unit("quarter", Unit::quarter),
    unit("s", Unit::second),
    unit("sec", Unit::second),
    unit("second", Unit::second),
    unit("seconds", Unit::second),
    unit("secs", Unit::second),
    unit("timezone", Unit::time_zone),
    unit("timezone_h", Unit::time_zone_hour),
    unit("timezone_m", Unit::time_zone_minute),
    unit("us", Unit::microsecond),
    unit("usec", Unit::microsecond),
    unit("usecs", Unit::microsecond),
    unit("useconds", Unit::microsecond),
    unit("w", Unit::week),
    unit("week", Unit::week),
    unit("weeks", Unit::week),
    unit("y", Unit::year),
    unit("year", Unit::year),
    unit("years", Unit::year),
    unit("yr", Unit::year),
    unit("yrs", Unit::year),
};

Word find_word(std::span<const Word> words, std::string_view word) {
  const std::string_view wanted = word.substr(0, significant_characters);
  for (const Word& one : words) {
    if (wanted == one.word) return one;
  }
  return {};
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_punctuation(char c) { return c > ' ' && c < 127 && !is_digit(c) && !is_letter(c); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

class FieldSplitter {
 public:
  FieldSplitter(std::string_view text, std::size_t room) : text_(text), room_(room) {}

  std::vector<DateTimeField> split() {
    while (true) {
      while (is_space(peek())) ++at_;
      if (at_ == text_.size()) return std::move(fields_);
      if (fields_.size() >= fields_max) fail_bad_format();
      field_ = {};
      if (is_digit(peek())) {
        read_number();
      } else if (peek() == '.') {
        take();
        take_while(is_digit);
        field_.kind = Kind::number;
      } else if (is_letter(peek())) {
        read_word();
      } else if (peek() == '+' || peek() == '-') {
        read_signed();
      } else if (is_punctuation(peek())) {
        ++at_;
        continue;
      } else {
        fail_bad_format();
      }
      use_room();  // the end of a string in C
      fields_.push_back(std::move(field_));
    }
  }

 private:
  using Kind = DateTimeField::Kind;
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void use_room() {
    if (used_++ >= room_) fail_bad_format();
  }
  void take() {
    use_room();
    field_.text += lower(text_[at_++]);
  }
  template <typename Predicate>
  void take_while(Predicate predicate) {
    while (at_ < text_.size() && predicate(text_[at_])) take();
  }

  // A time has colons; a date has two separators that are the same, or goes on with a name.
  void read_number() {
    take_while(is_digit);
    const char separator = peek();
    if (separator == ':') {
      field_.kind = Kind::time;
      take();
      take_while([](char c) { return is_digit(c) || c == ':' || c == '.'; });
    } else if (separator == '-' || separator == '/' || separator == '.') {
      take();
      if (is_digit(peek())) {
        field_.kind = separator == '.' ? Kind::number : Kind::date;
        take_while(is_digit);
        if (peek() == separator) {
          field_.kind = Kind::date;
          take_while([separator](char c) { return is_digit(c) || c == separator; });
        }
      } else {
        field_.kind = Kind::date;
        take_while([separator](char c) { return is_digit(c) || is_letter(c) || c == separator; });
      }
    } else {
      field_.kind = Kind::number;
    }
  }

  // A word, or a date that starts with a month, or the name of a time zone.
  void read_word() {
    field_.kind = Kind::word;
    take_while(is_letter);
    const char next = peek();
    bool is_date = next == '-' || next == '/' || next == '.';
    if (next == '+' || is_digit(next)) is_date = find_datetime_word(field_.text).kind == Word::Kind::unknown;
    if (!is_date) return;
    field_.kind = Kind::date;
    take_while([](char c) {
      return is_digit(c) || is_letter(c) || c == '+' || c == '-' || c == '/' || c == '_' || c == '.' || c == ':';
    });
  }

  // An offset from UTC or a signed number, or a signed word ("-infinity").
  void read_signed() {
    take();
    while (is_space(peek())) ++at_;
    if (is_digit(peek())) {
      field_.kind = Kind::zone;
      take_while([](char c) { return is_digit(c) || c == ':' || c == '.' || c == '-'; });
    } else if (is_letter(peek())) {
      field_.kind = Kind::special;
      take_while(is_letter);
    } else {
      fail_bad_format();
    }
  }

  std::string_view text_;
  std::size_t room_;
  std::size_t at_ = 0;
  std::size_t used_ = 0;
  DateTimeField field_;
  std::vector<DateTimeField> fields_;
};

}  // namespace

void throw_datetime_failure(DateTimeFailure failure, std::string_view text, std::string_view type) {
  using Kind = DateTimeFailure::Kind;
  switch (failure.kind) {
    case Kind::field_overflow:
      throw SqlError("22008", fmt::format("date/time field value out of range: \"{}\"", text));
    case Kind::month_day_overflow:
      throw SqlError("22008", fmt::format("date/time field value out of range: \"{}\"", text), "",
                     "Perhaps you need a different \"datestyle\" setting.");
    case Kind::interval_overflow:
      throw SqlError("22015", fmt::format("interval field value out of range: \"{}\"", text));
    case Kind::zone_overflow:
      throw SqlError("22009", fmt::format("time zone displacement out of range: \"{}\"", text));
    case Kind::bad_format:
      break;
  }
  throw SqlError("22007", fmt::format("invalid input syntax for type {}: \"{}\"", type, text));
}

std::vector<DateTimeField> split_datetime_fields(std::string_view text, std::size_t room) {
  return FieldSplitter(text, room).split();
}

DateTimeWord find_datetime_word(std::string_view word) { return find_word(datetime_words, word); }
DateTimeWord find_interval_word(std::string_view word) { return find_word(interval_words, word); }

std::int64_t read_int64(const std::string& text, std::size_t& at) {
  const bool negative = at < text.size() && text[at] == '-';
  std::size_t next = at + (at < text.size() && (text[at] == '-' || text[at] == '+') ? 1 : 0);
  if (next >= text.size() || !is_digit(text[next])) return 0;
  std::int64_t number = 0;
  for (; next < text.size() && is_digit(text[next]); ++next) {
    const int digit = text[next] - '0';
    if (__builtin_mul_overflow(number, std::int64_t{10}, &number) ||
        __builtin_add_overflow(number, std::int64_t{negative ? -digit : digit}, &number))
      fail_overflow();
  }
  at = next;
  return number;
}

std::int32_t read_int32(const std::string& text, std::size_t& at, DateTimeFailure::Kind on_overflow) {
  try {
    const std::int64_t number = read_int64(text, at);
    if (number == static_cast<std::int32_t>(number)) return static_cast<std::int32_t>(number);
  } catch (const DateTimeFailure&) {
    throw DateTimeFailure{on_overflow};
  }
  throw DateTimeFailure{on_overflow};
}

double read_fraction(const std::string& text, std::size_t at) {
  if (at + 1 == text.size()) return 0;
  char* end = nullptr;
  errno = 0;
  const double fraction = std::strtod(text.c_str() + at, &end);
  if (*end != '\0' || errno != 0) fail_bad_format();
  return fraction;
}

}  // namespace polarsim::engine
