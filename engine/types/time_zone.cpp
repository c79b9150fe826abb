#include "engine/types/time_zone.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>

#include "engine/types/function.h"
#include "engine/types/time_zone_data/time_zone_data.h"

namespace polarsim::engine {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return result;
}

// When the change happens in a year, by a local clock that does not change.
std::int64_t change_at_s(const TimeZone::Change& change, std::int32_t year) {
  const std::int64_t new_year = std::int64_t{julian_day(year, 1, 1)} - julian_day_of_1970;
  std::int64_t day = new_year;
  switch (change.kind) {
    case TimeZone::Change::Kind::julian:  // February 29 is never counted
      day += change.day - 1 + (change.day >= 60 && is_leap_year(year) ? 1 : 0);
      break;
    case TimeZone::Change::Kind::zero_based:
      day += change.day;
      break;
    case TimeZone::Change::Kind::month_week_day: {
      const std::int32_t first = julian_day(year, change.month, 1);
      int day_of_month = 1 + (change.day - day_of_week(first) + 7) % 7 + 7 * (change.week - 1);
      while (day_of_month > days_in_month(year, change.month)) day_of_month -= 7;
      day = std::int64_t{first} - julian_day_of_1970 + day_of_month - 1;
      break;
    }
  }
  return day * seconds_per_day + change.time_s;
}

// The zones' files (RFC 8536).
class FileReader {
 public:
  explicit FileReader(std::string_view file) : rest_(file) {}
  std::int64_t number(std::size_t bytes) {
    std::uint64_t number = static_cast<signed char>(rest_[0]) < 0 && bytes > 1 ? ~std::uint64_t{0} : 0;
    for (std::size_t i = 0; i < bytes; ++i) number = number << 8 | static_cast<unsigned char>(rest_[i]);
    rest_.remove_prefix(bytes);
    return static_cast<std::int64_t>(number);
  }
  std::string_view text(std::size_t bytes) {
    const std::string_view text = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return text;
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

TimeZone parse_file(std::string name, std::string_view file) {
  FileReader reader(file);
  reader.text(20);
  std::size_t counts[6];  // isut, isstd, leap seconds, transitions, offsets, characters of the abbreviations
  for (std::size_t& count : counts) count = static_cast<std::size_t>(reader.number(4));
  std::vector<TimeZone::Transition> transitions(counts[3]);
  for (TimeZone::Transition& transition : transitions) transition.at_s = reader.number(8);
  for (TimeZone::Transition& transition : transitions) transition.offset = static_cast<std::size_t>(reader.number(1));
  std::vector<TimeZone::Offset> offsets(counts[4]);
  std::vector<std::size_t> names(counts[4]);
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    offsets[i].east_s = static_cast<std::int32_t>(reader.number(4));
    offsets[i].is_daylight_saving = reader.number(1) != 0;
    names[i] = static_cast<std::size_t>(reader.number(1));
  }
  const std::string_view abbreviations = reader.text(counts[5]);
  for (std::size_t i = 0; i < offsets.size(); ++i)
    offsets[i].abbreviation = abbreviations.substr(names[i], abbreviations.find('\0', names[i]) - names[i]);
  reader.text(counts[2] * 12 + counts[1] + counts[0]);
  std::string_view footer = reader.rest();
  while (!footer.empty() && footer.front() == '\n') footer.remove_prefix(1);
  while (!footer.empty() && footer.back() == '\n') footer.remove_suffix(1);
  return {std::move(name), std::move(offsets), std::move(transitions), parse_time_zone_rule(footer)};
}

}  // namespace

TimeZone TimeZone::fixed(std::int32_t east_s, std::string name) {
  std::string abbreviation = name;
  return {std::move(name), {{east_s, false, std::move(abbreviation)}}, {}, std::nullopt};
}

const TimeZone::Offset& TimeZone::first_offset() const {
  if (offsets_.empty()) return rule_->standard;
  return offsets_.front();
}

TimeZone::Boundary TimeZone::next_boundary_by_rule(std::int64_t unix_s) const {
  if (!rule_->daylight) return {&rule_->standard, nullptr, 0};
  CivilTime time;
  set_julian_day(time, floor_divide(unix_s, seconds_per_day) + julian_day_of_1970);
  // Of the changes in the years around, the last before and the first after.
  std::array<Boundary, 6> changes;
  std::size_t count = 0;
  for (std::int32_t year = time.year - 1; year <= time.year + 1; ++year) {
    changes[count++] = {&rule_->standard, &*rule_->daylight, change_at_s(rule_->start, year) - rule_->standard.east_s};
    changes[count++] = {&*rule_->daylight, &rule_->standard, change_at_s(rule_->end, year) - rule_->daylight->east_s};
  }
  // Few, and mostly in order already: an insertion sort, which keeps the order of equal ones.
  for (auto next = changes.begin(); next != changes.end(); ++next)
    std::rotate(std::upper_bound(changes.begin(), next, *next,
                                 [](const Boundary& a, const Boundary& b) { return a.at_s < b.at_s; }),
                next, std::next(next));
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (changes[i].at_s > unix_s) return changes[i];
  }
  return {changes.back().after, nullptr, 0};
}

TimeZone::Boundary TimeZone::next_boundary(std::int64_t unix_s) const {
  const auto next = std::ranges::upper_bound(transitions_, unix_s, {}, &Transition::at_s);
  const Offset& before = next == transitions_.begin() ? first_offset() : offsets_[std::prev(next)->offset];
  if (next != transitions_.end()) return {&before, &offsets_[next->offset], next->at_s};
  if (!rule_) return {&before, nullptr, 0};
  return next_boundary_by_rule(unix_s);
}

const TimeZone::Offset& TimeZone::at(std::int64_t unix_s) const {
  if (transitions_.empty() && (!rule_ || !rule_->daylight)) return first_offset();
  return *next_boundary(unix_s).before;
}

std::int32_t TimeZone::east_of_local_s(const CivilTime& local) const {
  if (!has_julian_day(local.year, local.month, local.day)) return 0;
  const std::int64_t local_s = (std::int64_t{julian_day(local)} - julian_day_of_1970) * seconds_per_day +
                               local.microseconds_of_day() / microseconds_per_second;
  // No zone is a day away from UTC, and no two transitions are within two days.
  const Boundary boundary = next_boundary(local_s - seconds_per_day);
  const std::int32_t before_s = boundary.before->east_s;
  if (boundary.after == nullptr) return before_s;
  const std::int32_t after_s = boundary.after->east_s;
  const std::int64_t if_before = local_s - before_s;
  const std::int64_t if_after = local_s - after_s;
  if (if_before < boundary.at_s && if_after < boundary.at_s) return before_s;
  if (if_before > boundary.at_s && if_after >= boundary.at_s) return after_s;
  return if_before > if_after ? before_s : after_s;
}

std::optional<std::int32_t> TimeZone::constant_east_s() const {
  if (rule_ && rule_->daylight) return std::nullopt;
  const std::int32_t east_s = first_offset().east_s;
  if (std::ranges::any_of(offsets_, [&](const Offset& one) { return one.east_s != east_s; })) return std::nullopt;
  return east_s;
}

const TimeZone::Offset* TimeZone::abbreviated(std::string_view abbreviation, std::int64_t unix_s) const {
  const std::string wanted = upper(abbreviation);
  const auto is_wanted = [&](const Offset& offset) { return offset.abbreviation == wanted; };
  if (transitions_.empty() || (unix_s >= transitions_.back().at_s && rule_)) {
    if (rule_ && is_wanted(rule_->standard)) return &rule_->standard;
    if (rule_ && rule_->daylight && is_wanted(*rule_->daylight)) return &*rule_->daylight;
  }
  const auto next = std::ranges::upper_bound(transitions_, unix_s, {}, &Transition::at_s);
  for (auto before = next; before != transitions_.begin();) {
    --before;
    if (is_wanted(offsets_[before->offset])) return &offsets_[before->offset];
  }
  if (!offsets_.empty() && is_wanted(offsets_.front())) return &offsets_.front();
  for (auto after = next; after != transitions_.end(); ++after) {
    if (is_wanted(offsets_[after->offset])) return &offsets_[after->offset];
  }
  return nullptr;
}

const TimeZone* find_time_zone(std::string_view name) {
  // Parsed when they are asked for. A zone is a function of its name alone, so that the order does not matter.
  static std::map<std::string, TimeZone, std::less<>> known;
  if (name.empty() || name.size() > 255) return nullptr;
  const std::string key = lower(name);
  if (const auto found = known.find(key); found != known.end()) return &found->second;
  for (const TimeZoneData& zone : time_zone_data()) {
    if (lower(zone.name) == key) return &known.emplace(key, parse_file(zone.name, zone.file)).first->second;
  }
  std::string description = upper(name);
  auto rule = parse_time_zone_rule(description);
  if (!rule) return nullptr;
  return &known.emplace(key, TimeZone(std::move(description), {}, {}, std::move(rule))).first->second;
}

std::vector<std::string_view> time_zone_names() {
  std::vector<std::string_view> names;
  for (const TimeZoneData& zone : time_zone_data()) names.emplace_back(zone.name);
  std::ranges::sort(names);
  return names;
}

const TimeZone& session_time_zone(const CallContext& context) {
  static const TimeZone utc = TimeZone::fixed(0, "UTC");
  if (context.time_zone_offset_s != 0) {
    static std::map<std::int32_t, TimeZone> fixed;
    const std::int32_t east_s = context.time_zone_offset_s;
    const auto found = fixed.find(east_s);
    if (found != fixed.end()) return found->second;
    std::string name(1, east_s < 0 ? '-' : '+');
    const std::int32_t minutes = std::abs(east_s) / 60;
    for (const std::int32_t digit : {minutes / 600, minutes / 60 % 10}) name += static_cast<char>('0' + digit);
    if (minutes % 60 != 0) {
      name += ':';
      for (const std::int32_t digit : {minutes % 60 / 10, minutes % 10}) name += static_cast<char>('0' + digit);
    }
    return fixed.emplace(east_s, TimeZone::fixed(east_s, std::move(name))).first->second;
  }
  if (context.time_zone == "UTC") return utc;
  const TimeZone* zone = find_time_zone(context.time_zone);
  return zone != nullptr ? *zone : utc;
}

}  // namespace polarsim::engine
