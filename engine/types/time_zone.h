// Time zones: how far local clocks were ahead of UTC at every moment, as PostgreSQL sees them (src/timezone).
//
// A zone is UTC, one of the IANA database ("Europe/Berlin"), or a POSIX description ("EST5EDT", "<+03>-3",
// "FOO-1BAR,M3.5.0,M10.5.0/3"). The database is that of the machine where polarsim was built (package tzdata),
// compiled in: a run reads nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/types/calendar.h"

namespace polarsim::engine {

struct CallContext;

class TimeZone {
 public:
  struct Offset {
    std::int32_t east_s = 0;
    bool is_daylight_saving = false;
    std::string abbreviation;
    friend bool operator==(const Offset&, const Offset&) = default;
  };
  // When daylight saving time starts or ends in each year: the POSIX forms Mm.w.d, Jn and n, with a time of day.
  struct Change {
    enum class Kind : std::uint8_t { month_week_day, julian, zero_based } kind = Kind::month_week_day;
    int month = 0;
    int week = 0;
    int day = 0;
    std::int32_t time_s = 7200;
  };
  // What holds for ever after the last of the listed transitions.
  struct Rule {
    Offset standard;
    std::optional<Offset> daylight;
    Change start;
    Change end;
  };
  struct Transition {
    std::int64_t at_s = 0;  // since the Unix epoch
    std::size_t offset = 0;
  };

  TimeZone(std::string name, std::vector<Offset> offsets, std::vector<Transition> transitions, std::optional<Rule> rule)
      : name_(std::move(name)),
        offsets_(std::move(offsets)),
        transitions_(std::move(transitions)),
        rule_(std::move(rule)) {}
  static TimeZone fixed(std::int32_t east_s, std::string name);

  // As the database spells it.
  const std::string& name() const { return name_; }
  // Seconds since the Unix epoch.
  const Offset& at(std::int64_t unix_s) const;
  // What a local clock means. A time that clocks skip is read with the offset from before, a time that they show twice
  // with the one from after (PostgreSQL's DetermineTimeZoneOffset). 0 if it is beyond the calendar.
  std::int32_t east_of_local_s(const CivilTime& local) const;
  // If it never changes.
  std::optional<std::int32_t> constant_east_s() const;
  // What an abbreviation of the zone meant last at the time, or first after it; none if the zone never used it. In
  // lower or upper case.
  const Offset* abbreviated(std::string_view abbreviation, std::int64_t unix_s) const;

 private:
  struct Boundary {
    const Offset* before = nullptr;
    const Offset* after = nullptr;
    std::int64_t at_s = 0;
  };
  const Offset& first_offset() const;
  // The first transition after a time; `after` is null if there is none.
  Boundary next_boundary(std::int64_t unix_s) const;
  Boundary next_boundary_by_rule(std::int64_t unix_s) const;

  std::string name_;
  std::vector<Offset> offsets_;
  std::vector<Transition> transitions_;
  std::optional<Rule> rule_;
};

// By name, in any case; null if there is none. Zones live for ever.
const TimeZone* find_time_zone(std::string_view name);
// A POSIX description; none if it is not one.
std::optional<TimeZone::Rule> parse_time_zone_rule(std::string_view description);
// The names of the database's zones, in order.
std::vector<std::string_view> time_zone_names();
// The zone of the session: `time_zone_offset_s` if it is not 0, else `time_zone`.
const TimeZone& session_time_zone(const CallContext& context);

// What an abbreviation in a literal means whatever the session's zone: PostgreSQL's timezone_abbreviations = 'Default'.
struct TimeZoneAbbreviation {
  const char* abbreviation;  // in lower case
  std::int32_t east_s;
  bool is_daylight_saving;
  const char* zone;  // if what it means depends on the time: as it is used there; null otherwise
};
// In lower case; null if it is none.
const TimeZoneAbbreviation* find_time_zone_abbreviation(std::string_view abbreviation);

}  // namespace polarsim::engine
