// The calendar against counting day by day.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "engine/types/calendar.h"

namespace polarsim::engine {
namespace {

TEST(Calendar, days_follow_each_other) {
  CivilTime date{.year = -4713, .month = 11, .day = 24};
  for (std::int32_t day = 0; day < 4'000'000; ++day) {
    CivilTime found;
    set_julian_day(found, day);
    ASSERT_EQ(found, date) << day;
    ASSERT_EQ(julian_day(date), day);
    if (++date.day <= days_in_month(date.year, date.month)) continue;
    date.day = 1;
    if (++date.month <= 12) continue;
    date.month = 1;
    ++date.year;
  }
}

RC_GTEST_PROP(Calendar, every_day_has_one_date, ()) {
  const auto day = *rc::gen::inRange<std::int32_t>(0, 2147483493);
  CivilTime date;
  set_julian_day(date, day);
  RC_ASSERT(has_julian_day(date.year, date.month, date.day));
  RC_ASSERT(julian_day(date) == day);
}

RC_GTEST_PROP(Calendar, iso_weeks_start_on_mondays_and_have_a_thursday_in_their_year, ()) {
  const auto day = *rc::gen::inRange<std::int32_t>(1'000'000, 4'000'000);
  CivilTime date;
  set_julian_day(date, day);
  const std::int32_t monday = julian_day_of_iso_week(iso_year(date), iso_week(date));
  RC_ASSERT(day_of_week(monday) == 1);
  RC_ASSERT(day >= monday && day < monday + 7);
  CivilTime thursday;
  set_julian_day(thursday, monday + 3);
  RC_ASSERT(thursday.year == iso_year(date));
}

}  // namespace
}  // namespace polarsim::engine
