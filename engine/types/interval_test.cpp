// Intervals: literals and arithmetic. The results are those of PostgreSQL 15.20 with TimeZone UTC.
#include <gtest/gtest.h>

#include "engine/types/call_test_support.h"

namespace polarsim::engine::test {
namespace {

TEST(Intervals, read_all_forms) {
  expect_calls({
      {"+", {"interval=1 year 2 mons 3 days 04:05:06.789", "interval=0"}, "1 year 2 mons 3 days 04:05:06.789"},
      {"+", {"interval=1 day ago", "interval=0"}, "-1 days"},
      {"+", {"interval=1-2", "interval=0"}, "1 year 2 mons"},
      {"+", {"interval=1-2 3 -4:05:06", "interval=0"}, "1 year 2 mons 3 days -04:05:06"},
      {"+", {"interval=1.5 years", "interval=0"}, "1 year 6 mons"},
      {"+", {"interval=1.5 months", "interval=0"}, "1 mon 15 days"},
      {"+", {"interval=1.7 weeks", "interval=0"}, "11 days 21:36:00"},
      {"+", {"interval=1.5 days 1.5 hours", "interval=0"}, "1 day 13:30:00"},
      {"+", {"interval=4:05", "interval=0"}, "04:05:00"},
      {"+", {"interval=4:05.5", "interval=0"}, "00:04:05.5"},
      {"+", {"interval=5", "interval=0"}, "00:00:05"},
      {"+", {"interval=2 12:34", "interval=0"}, "2 days 12:34:00"},
      {"+", {"interval=1 2 hours", "interval=0"}, "1 day 02:00:00"},
      {"+", {"interval=P1Y2M3DT4H5M6.5S", "interval=0"}, "1 year 2 mons 3 days 04:05:06.5"},
      {"+", {"interval=P1W", "interval=0"}, "7 days"},
      {"+", {"interval=P0001-02-03T04:05:06", "interval=0"}, "1 year 2 mons 3 days 04:05:06"},
      {"+", {"interval=P00010203T040506", "interval=0"}, "1 year 2 mons 3 days 04:05:06"},
      {"+", {"interval=PT1.5H", "interval=0"}, "01:30:00"},
      {"+", {"interval=P-1Y", "interval=0"}, "-1 years"},
      {"+", {"interval=@ 1 minute", "interval=0"}, "00:01:00"},
      {"+", {"interval=1y2mon3d4h5m6s", "interval=0"}, "1 year 2 mons 3 days 04:05:06"},
      {"+", {"interval=1 millennium 1 century 1 decade", "interval=0"}, "1110 years"},
      {"+", {"interval=0.0000015 s", "interval=0"}, "00:00:00.000001"},
      {"+",
       {"interval=2147483648 days", "interval=0"},
       "ERROR 22015: interval field value out of range: \"2147483648 days\""},
      {"+", {"interval=178956970 years 8 mons", "interval=0"}, "ERROR 22008: interval out of range"},
      {"+", {"interval=1 foo", "interval=0"}, "ERROR 22007: invalid input syntax for type interval: \"1 foo\""},
      {"+",
       {"interval=1 day 1 day", "interval=0"},
       "ERROR 22007: invalid input syntax for type interval: \"1 day 1 day\""},
      {"+", {"interval=P1S", "interval=0"}, "ERROR 22007: invalid input syntax for type interval: \"P1S\""},
      {"+", {"interval=", "interval=0"}, "ERROR 22007: invalid input syntax for type interval: \"\""},
      {"+", {"interval=1-13", "interval=0"}, "ERROR 22015: interval field value out of range: \"1-13\""},
  });
}

TEST(Intervals, calculate) {
  expect_calls({
      {"+", {"interval=1 mon -1 day", "interval=1 day 02:00"}, "1 mon 02:00:00"},
      {"-", {"interval=1 mon", "interval=1 year 1 us"}, "-11 mons -00:00:00.000001"},
      {"+", {"interval=2147483647 days", "interval=1 day"}, "ERROR 22008: interval out of range"},
      {"*", {"interval=1 mon 1 day", "float8=1.5"}, "1 mon 16 days 12:00:00"},
      {"*", {"float8=0.1", "interval=1 year"}, "1 mon 6 days"},
      {"/", {"interval=1 mon", "float8=7"}, "4 days 06:51:25.6896"},
      {"/", {"interval=1 day", "float8=0"}, "ERROR 22012: division by zero"},
      {"*", {"interval=1 day", "float8=NaN"}, "ERROR 22008: interval out of range"},
      {"*", {"interval=2000000000 days", "float8=2"}, "ERROR 22008: interval out of range"},
      {"/", {"interval=41 years -12 days", "float8=10"}, "4 years 1 mon 5 days -04:48:00"},
      {"justify_hours", {"interval=2 days 27:00"}, "3 days 03:00:00"},
      {"justify_days", {"interval=35 days -1 mon"}, "5 days"},
      {"justify_interval", {"interval=1 mon -1 hour"}, "29 days 23:00:00"},
      {"justify_interval", {"interval=2147483647 days 24:00"}, "5965232 years 4 mons 8 days"},
  });
}

TEST(Intervals, compare_by_span) {
  expect_calls({
      {"=", {"interval=1 mon", "interval=30 days"}, "t"},
      {"<", {"interval=1 mon", "interval=30 days 1 us"}, "t"},
      {"=", {"interval=24:00", "interval=1 day"}, "t"},
      {">", {"interval=178000000 years", "interval=2147483647 days"}, "t"},
      {"interval_cmp", {"interval=-1 mon", "interval=-29 days"}, "-1"},
  });
}

}  // namespace
}  // namespace polarsim::engine::test
