#include "engine/types/time_zone.h"

#include <gtest/gtest.h>

#include "engine/types/function.h"

namespace polarsim::engine {
namespace {

std::int32_t hours_of_local(const char* zone, std::int32_t year, std::int32_t month, std::int32_t day,
                            std::int32_t hour, std::int32_t minute) {
  return find_time_zone(zone)->east_of_local_s({year, month, day, hour, minute, 0, 0}) / 3600;
}

TEST(TimeZone, zones_are_found_in_any_case_and_by_description) {
  ASSERT_NE(find_time_zone("europe/BERLIN"), nullptr);
  EXPECT_EQ(find_time_zone("europe/BERLIN")->name(), "Europe/Berlin");
  EXPECT_EQ(find_time_zone("Nowhere/Land"), nullptr);
  EXPECT_EQ(find_time_zone(""), nullptr);
  EXPECT_EQ(find_time_zone("<+03>-3")->constant_east_s(), 3 * 3600);
  EXPECT_EQ(find_time_zone("Etc/GMT+5")->constant_east_s(), -5 * 3600);
  EXPECT_FALSE(find_time_zone("Europe/Berlin")->constant_east_s().has_value());
  EXPECT_GT(time_zone_names().size(), 400U);
}

TEST(TimeZone, a_skipped_time_is_read_as_before_and_a_repeated_one_as_after) {
  EXPECT_EQ(hours_of_local("Europe/Berlin", 2024, 3, 31, 1, 59), 1);
  EXPECT_EQ(hours_of_local("Europe/Berlin", 2024, 3, 31, 2, 30), 1);
  EXPECT_EQ(hours_of_local("Europe/Berlin", 2024, 3, 31, 3, 0), 2);
  EXPECT_EQ(hours_of_local("Europe/Berlin", 2024, 10, 27, 1, 59), 2);
  EXPECT_EQ(hours_of_local("Europe/Berlin", 2024, 10, 27, 2, 30), 1);
  EXPECT_EQ(hours_of_local("Europe/Moscow", 2014, 10, 26, 1, 30), 3);
}

TEST(TimeZone, the_last_rule_holds_for_ever) {
  EXPECT_EQ(hours_of_local("America/New_York", 2500, 7, 1, 12, 0), -4);
  EXPECT_EQ(hours_of_local("America/New_York", 2500, 12, 1, 12, 0), -5);
  EXPECT_EQ(hours_of_local("EST5EDT,M3.2.0,M11.1.0", 2024, 7, 1, 12, 0), -4);
  EXPECT_EQ(hours_of_local("FOO-1BAR", 2024, 7, 1, 12, 0), 2);
}

TEST(TimeZone, descriptions_that_are_none_are_refused) {
  for (const char* text :
       {"FOO", "FOO1BAR,", "FOO1BAR,M13.1.0,M11.1.0", "FOO1BAR,M3.2.0", "FOO200", "FOO1BAR,M3.2.0,M11.1.0x"})
    EXPECT_FALSE(parse_time_zone_rule(text).has_value()) << text;
}

TEST(TimeZone, the_session_has_a_name_or_an_offset) {
  EXPECT_EQ(session_time_zone({}).name(), "UTC");
  EXPECT_EQ(session_time_zone({.time_zone = "Asia/Tokyo"}).constant_east_s().value_or(0) / 3600, 0);
  EXPECT_EQ(session_time_zone({.time_zone = "Asia/Tokyo"}).at(0).east_s, 9 * 3600);
  EXPECT_EQ(session_time_zone({.time_zone_offset_s = 5400}).at(0).abbreviation, "+01:30");
}

TEST(TimeZone, abbreviations_mean_what_they_meant_then) {
  const TimeZoneAbbreviation* msk = find_time_zone_abbreviation("msk");
  ASSERT_NE(msk, nullptr);
  const TimeZone* moscow = find_time_zone(msk->zone);
  EXPECT_EQ(moscow->abbreviated("MSK", 1309500000)->east_s, 4 * 3600);  // 2011
  EXPECT_EQ(moscow->abbreviated("MSK", 1467300000)->east_s, 3 * 3600);  // 2016
  EXPECT_EQ(find_time_zone_abbreviation("edt")->east_s, -4 * 3600);
  EXPECT_EQ(find_time_zone_abbreviation("foo"), nullptr);
}

}  // namespace
}  // namespace polarsim::engine
