// The parts of the families of dates, times and intervals. Private to them.
#pragma once

#include <string>
#include <string_view>

#include "engine/types/datetime.h"
#include "engine/types/datetime_fields.h"
#include "engine/types/families.h"
#include "engine/types/interval.h"

namespace polarsim::engine::families {

void add_datetime_comparisons(Entries& to);
void add_datetime_arithmetic(Entries& to);
void add_datetime_differences(Entries& to);  // age, overlaps, generate_series, in_range
void add_datetime_parts(Entries& to);        // extract, date_part
void add_datetime_truncation(Entries& to);   // date_trunc, date_bin
void add_datetime_making(Entries& to);       // make_date, ..., now, ..., to_timestamp
void add_datetime_zones(Entries& to);        // timezone

// For tables of entries: strict scalar functions.
inline FunctionEntry immutable(const char* name, std::vector<TypeId> arguments, TypeId result,
                               ScalarFunction function) {
  return {.name = name, .arguments = std::move(arguments), .result = result, .scalar = function};
}
inline FunctionEntry stable(const char* name, std::vector<TypeId> arguments, TypeId result, ScalarFunction function) {
  FunctionEntry entry = immutable(name, std::move(arguments), result, function);
  entry.volatility = Volatility::stable;
  return entry;
}
// An operator and the function behind it.
struct ArithmeticEntry {
  const char* symbol;
  TypeId left;
  TypeId right;
  TypeId result;
  const char* function_name;
  ScalarFunction function;
  const char* commutator = nullptr;
  Volatility volatility = Volatility::immutable;
};
void add_operator(Entries& to, const ArithmeticEntry& entry);

// The sums, as timestamp_pl_interval() and timestamptz_pl_interval() have them. Infinity stays. They throw 22008.
std::int64_t timestamp_plus(std::int64_t timestamp, const Interval& interval);
std::int64_t timestamptz_plus(std::int64_t timestamp, const Interval& interval, const TimeZone& zone);
// Around the clock; months and days do not count, and the sum wraps around at 64 bits.
std::int64_t time_plus(std::int64_t time, const Interval& interval);
// With each part of the sign exchanged, without a check, as timestamp_mi_interval() does.
Interval negated_for_sum(const Interval& interval);

// The unit that extract() and date_trunc() are asked for, in lower case.
struct NamedUnit {
  std::string name;
  DateTimeWord word;
  DateTimeUnit unit() const;  // epoch, too; none if it is another word
};
// `all`: also those that only extract() knows.
NamedUnit named_unit(std::string_view name, bool all);
[[noreturn]] void throw_unit_unknown(const NamedUnit& unit, TypeId type);                           // 22023
[[noreturn]] void throw_unit_refused(const NamedUnit& unit, TypeId type, const char* detail = "");  // 0A000

// The zone that the argument of timezone() and the like names: an abbreviation or a name. Throws 22023.
struct NamedZone {
  const TimeZoneAbbreviation* abbreviation = nullptr;
  const TimeZone* zone = nullptr;  // of the database, also where the abbreviation depends on it
  std::string name;
  std::int32_t east_at_s(std::int64_t timestamptz) const;
  std::int32_t east_of_local_s(const CivilTime& local) const;
};
NamedZone named_zone(std::string_view name);

}  // namespace polarsim::engine::families
