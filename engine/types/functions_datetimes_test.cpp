// Functions and operators of dates and times. The results are those of PostgreSQL 15.20 with TimeZone UTC.
#include <gtest/gtest.h>

#include "engine/types/call_test_support.h"

namespace polarsim::engine::test {
namespace {

TEST(DateTimes, compare_across_types) {
  expect_calls({
      {"<", {"date=2000-01-01", "timestamp=2000-01-01 00:00:01"}, "t"},
      {"=", {"date=2000-01-01", "timestamptz=2000-01-01"}, "t"},
      {"<", {"date=5874897-12-31", "timestamp=infinity"}, "t"},
      {">", {"date=5874897-12-31", "timestamp=2000-01-01"}, "t"},
      {">=", {"timestamp=infinity", "date=infinity"}, "t"},
      {"<>", {"timestamp=2000-01-01", "timestamptz=2000-01-01 00:00+01"}, "t"},
      {"<", {"time=10:00", "time=24:00"}, "t"},
  });
}

TEST(DateTimes, add_and_subtract) {
  expect_calls({
      {"+", {"date=2000-02-28", "int4=2"}, "2000-03-01"},
      {"-", {"date=2000-03-01", "date=1999-03-01"}, "366"},
      {"+", {"date=infinity", "int4=1"}, "infinity"},
      {"+", {"date=2000-01-01", "int4=2147483647"}, "ERROR 22008: date out of range"},
      {"-", {"date=infinity", "date=2000-01-01"}, "ERROR 22008: cannot subtract infinite dates"},
      {"+", {"timestamp=2000-01-31", "interval=1 mon"}, "2000-02-29 00:00:00"},
      {"+", {"timestamp=2000-01-31 10:00", "interval=1 mon 1 day 20 hours"}, "2000-03-02 06:00:00"},
      {"-", {"timestamp=2000-03-31", "interval=1 mon"}, "2000-02-29 00:00:00"},
      {"-", {"timestamp=2000-01-03", "timestamp=2000-01-01 12:00"}, "1 day 12:00:00"},
      {"-", {"timestamp=infinity", "timestamp=2000-01-01"}, "ERROR 22008: cannot subtract infinite timestamps"},
      {"+", {"timestamp=294276-12-31", "interval=1 day"}, "ERROR 22008: timestamp out of range"},
      {"+", {"time=23:00", "interval=2 hours"}, "01:00:00"},
      {"-", {"time=01:00", "time=23:00"}, "-22:00:00"},
      {"+", {"date=2000-01-01", "time=24:00"}, "2000-01-02 00:00:00"},
      {"+", {"timestamptz=2000-01-01", "interval=1 year -1 day"}, "2000-12-31 00:00:00+00"},
      {"-", {"timestamp=4714-11-24 BC", "interval=1 us"}, "ERROR 22008: timestamp out of range"},
  });
}

TEST(DateTimes, take_parts) {
  expect_calls({
      {"extract", {"text=century", "timestamp=2001-02-16 20:38:40.5"}, "21"},
      {"extract", {"text=day", "timestamp=2001-02-16 20:38:40.5"}, "16"},
      {"extract", {"text=decade", "timestamp=2001-02-16 20:38:40.5"}, "200"},
      {"extract", {"text=dow", "timestamp=2001-02-16 20:38:40.5"}, "5"},
      {"extract", {"text=doy", "timestamp=2001-02-16 20:38:40.5"}, "47"},
      {"extract", {"text=epoch", "timestamp=2001-02-16 20:38:40.5"}, "982355920.500000"},
      {"extract", {"text=hour", "timestamp=2001-02-16 20:38:40.5"}, "20"},
      {"extract", {"text=isodow", "timestamp=2001-02-16 20:38:40.5"}, "5"},
      {"extract", {"text=isoyear", "timestamp=2001-02-16 20:38:40.5"}, "2001"},
      {"extract", {"text=julian", "timestamp=2001-02-16 20:38:40.5"}, "2451957.86019097222222222222"},
      {"extract", {"text=microseconds", "timestamp=2001-02-16 20:38:40.5"}, "40500000"},
      {"extract", {"text=millennium", "timestamp=2001-02-16 20:38:40.5"}, "3"},
      {"extract", {"text=milliseconds", "timestamp=2001-02-16 20:38:40.5"}, "40500.000"},
      {"extract", {"text=minute", "timestamp=2001-02-16 20:38:40.5"}, "38"},
      {"extract", {"text=month", "timestamp=2001-02-16 20:38:40.5"}, "2"},
      {"extract", {"text=quarter", "timestamp=2001-02-16 20:38:40.5"}, "1"},
      {"extract", {"text=second", "timestamp=2001-02-16 20:38:40.5"}, "40.500000"},
      {"extract", {"text=week", "timestamp=2001-02-16 20:38:40.5"}, "7"},
      {"extract", {"text=year", "timestamp=2001-02-16 20:38:40.5"}, "2001"},
      {"extract",
       {"text=timezone", "timestamp=2001-02-16 20:38:40.5"},
       "ERROR 0A000: unit \"timezone\" not supported for type timestamp without time zone"},
      {"extract",
       {"text=foo", "timestamp=2001-02-16 20:38:40.5"},
       "ERROR 22023: unit \"foo\" not recognized for type timestamp without time zone"},
      {"date_part", {"text=year", "timestamptz=0044-03-15 10:00 BC"}, "-44"},
      {"date_part", {"text=century", "timestamptz=0044-03-15 10:00 BC"}, "-1"},
      {"date_part", {"text=millennium", "timestamptz=0044-03-15 10:00 BC"}, "-1"},
      {"date_part", {"text=decade", "timestamptz=0044-03-15 10:00 BC"}, "-5"},
      {"date_part", {"text=isoyear", "timestamptz=0044-03-15 10:00 BC"}, "-44"},
      {"date_part", {"text=epoch", "timestamptz=0044-03-15 10:00 BC"}, "-63517788000"},
      {"date_part", {"text=timezone_hour", "timestamptz=0044-03-15 10:00 BC"}, "0"},
      {"date_part", {"text=julian", "timestamptz=0044-03-15 10:00 BC"}, "1705428.4166666667"},
      {"extract", {"text=epoch", "interval=1 year 1 mon 1 day 1.5 s"}, "34236001.500000"},
      {"extract", {"text=quarter", "interval=-4 mons"}, "0"},
      {"extract", {"text=week", "interval=1 day"}, "ERROR 0A000: unit \"week\" not supported for type interval"},
      {"extract", {"text=hour", "date=2000-01-01"}, "ERROR 0A000: unit \"hour\" not supported for type date"},
      {"extract", {"text=day", "timestamp=infinity"}, "NULL"},
      {"extract", {"text=year", "date=-infinity"}, "-Infinity"},
      {"extract", {"text=second", "time=10:11:12.25"}, "12.250000"},
      {"extract",
       {"text=day", "time=10:11"},
       "ERROR 0A000: unit \"day\" not supported for type time without time zone"},
  });
}

TEST(DateTimes, truncate) {
  expect_calls({
      {"date_trunc", {"text=microseconds", "timestamp=2001-02-16 20:38:40.123456"}, "2001-02-16 20:38:40.123456"},
      {"date_trunc", {"text=milliseconds", "timestamp=2001-02-16 20:38:40.123456"}, "2001-02-16 20:38:40.123"},
      {"date_trunc", {"text=second", "timestamp=2001-02-16 20:38:40.123456"}, "2001-02-16 20:38:40"},
      {"date_trunc", {"text=minute", "timestamp=2001-02-16 20:38:40.123456"}, "2001-02-16 20:38:00"},
      {"date_trunc", {"text=hour", "timestamp=2001-02-16 20:38:40.123456"}, "2001-02-16 20:00:00"},
      {"date_trunc", {"text=day", "timestamp=2001-02-16 20:38:40.123456"}, "2001-02-16 00:00:00"},
      {"date_trunc", {"text=week", "timestamp=2001-02-16 20:38:40.123456"}, "2001-02-12 00:00:00"},
      {"date_trunc", {"text=month", "timestamp=2001-02-16 20:38:40.123456"}, "2001-02-01 00:00:00"},
      {"date_trunc", {"text=quarter", "timestamp=2001-02-16 20:38:40.123456"}, "2001-01-01 00:00:00"},
      {"date_trunc", {"text=year", "timestamp=2001-02-16 20:38:40.123456"}, "2001-01-01 00:00:00"},
      {"date_trunc", {"text=decade", "timestamp=2001-02-16 20:38:40.123456"}, "2000-01-01 00:00:00"},
      {"date_trunc", {"text=century", "timestamp=2001-02-16 20:38:40.123456"}, "2001-01-01 00:00:00"},
      {"date_trunc", {"text=millennium", "timestamp=2001-02-16 20:38:40.123456"}, "2001-01-01 00:00:00"},
      {"date_trunc",
       {"text=dow", "timestamp=2001-02-16 20:38:40.123456"},
       "ERROR 22023: unit \"dow\" not recognized for type timestamp without time zone"},
      {"date_trunc",
       {"text=foo", "timestamp=2001-02-16 20:38:40.123456"},
       "ERROR 22023: unit \"foo\" not recognized for type timestamp without time zone"},
      {"date_trunc", {"text=week", "timestamp=2010-01-01"}, "2009-12-28 00:00:00"},
      {"date_trunc", {"text=century", "timestamp=0044-03-15 BC"}, "0100-01-01 00:00:00 BC"},
      {"date_trunc",
       {"text=day", "timestamptz=2001-02-16 20:38:40+00", "text=Australia/Sydney"},
       "2001-02-16 13:00:00+00"},
      {"date_trunc",
       {"text=day", "timestamptz=2001-02-16 20:38:40+00", "text=Nowhere"},
       "ERROR 22023: time zone \"Nowhere\" not recognized"},
      {"date_trunc", {"text=quarter", "interval=11 mons 5 days"}, "9 mons"},
      {"date_bin",
       {"interval=15 minutes", "timestamp=2020-02-11 15:44:17", "timestamp=2001-01-01"},
       "2020-02-11 15:30:00"},
      {"date_bin", {"interval=2 days", "timestamp=1999-12-31", "timestamp=2001-01-01"}, "1999-12-30 00:00:00"},
      {"date_bin",
       {"interval=1 mon", "timestamp=1999-12-31", "timestamp=2001-01-01"},
       "ERROR 0A000: timestamps cannot be binned into intervals containing months or years"},
      {"date_bin",
       {"interval=-1 day", "timestamp=1999-12-31", "timestamp=2001-01-01"},
       "ERROR 22008: stride must be greater than zero"},
  });
}

TEST(DateTimes, are_made_from_parts) {
  expect_calls({
      {"make_date", {"int4=2013", "int4=7", "int4=15"}, "2013-07-15"},
      {"make_date", {"int4=-44", "int4=3", "int4=15"}, "0044-03-15 BC"},
      {"make_date", {"int4=0", "int4=1", "int4=1"}, "ERROR 22008: date field value out of range: 0-01-01"},
      {"make_date", {"int4=2013", "int4=2", "int4=29"}, "ERROR 22008: date field value out of range: 2013-02-29"},
      {"make_time", {"int4=8", "int4=15", "float8=23.5"}, "08:15:23.5"},
      {"make_time", {"int4=24", "int4=0", "float8=0.1"}, "ERROR 22008: time field value out of range: 24:00:0.1"},
      {"make_timestamp",
       {"int4=2013", "int4=7", "int4=15", "int4=8", "int4=15", "float8=23.5"},
       "2013-07-15 08:15:23.5"},
      {"make_timestamp",
       {"int4=300000", "int4=1", "int4=1", "int4=0", "int4=0", "float8=0"},
       "ERROR 22008: timestamp out of range: 300000-01-01 0:00:00"},
      {"make_timestamptz",
       {"int4=2013", "int4=7", "int4=15", "int4=8", "int4=15", "float8=23.5", "text=America/New_York"},
       "2013-07-15 12:15:23.5+00"},
      {"make_timestamptz",
       {"int4=2013", "int4=7", "int4=15", "int4=8", "int4=15", "float8=23.5", "text=+5"},
       "2013-07-15 03:15:23.5+00"},
      {"make_timestamptz",
       {"int4=2013", "int4=7", "int4=15", "int4=8", "int4=15", "float8=23.5", "text=5"},
       "ERROR 22023: invalid input syntax for type numeric time zone: \"5\""},
      {"make_interval",
       {"int4=1", "int4=2", "int4=3", "int4=4", "int4=5", "int4=6", "float8=7.5"},
       "1 year 2 mons 25 days 05:06:07.5"},
      {"to_timestamp", {"float8=1284352323.5"}, "2010-09-13 04:32:03.5+00"},
      {"to_timestamp", {"float8=NaN"}, "ERROR 22008: timestamp cannot be NaN"},
      {"to_timestamp", {"float8=1e20"}, "ERROR 22008: timestamp out of range: \"1e+20\""},
  });
}

TEST(DateTimes, have_ages) {
  expect_calls({
      {"age", {"timestamp=2001-04-10", "timestamp=1957-06-13"}, "43 years 9 mons 27 days"},
      {"age", {"timestamp=1957-06-13", "timestamp=2001-04-10"}, "-43 years -9 mons -27 days"},
      {"age", {"timestamp=2000-03-01", "timestamp=2000-01-31"}, "1 mon 1 day"},
      {"age", {"timestamp=2000-03-01 00:00", "timestamp=2000-02-29 00:00:00.1"}, "23:59:59.9"},
      {"age", {"timestamptz=2000-03-01", "timestamptz=1999-12-31"}, "2 mons 1 day"},
  });
}

TEST(DateTimes, overlap) {
  expect_calls({
      {"overlaps",
       {"timestamp=2001-02-16", "timestamp=2001-12-21", "timestamp=2001-10-30", "timestamp=2002-10-30"},
       "t"},
      {"overlaps",
       {"timestamptz=2001-02-16", "timestamptz=2001-12-21", "timestamptz=2001-10-30", "timestamptz=2002-10-30"},
       "t"},
      {"overlaps", {"timestamp=2001-02-16", "interval=100 days", "timestamp=2001-10-30", "timestamp=2002-10-30"}, "f"},
      {"overlaps",
       {"timestamp=2001-10-29", "timestamp=2001-10-30", "timestamp=2001-10-30", "timestamp=2001-10-31"},
       "f"},
      {"overlaps",
       {"timestamp=2001-10-30", "timestamp=2001-10-30", "timestamp=2001-10-30", "timestamp=2001-10-31"},
       "t"},
      {"overlaps",
       {"timestamp=2001-10-30", "timestamp=2001-10-29", "timestamp=2001-10-28", "timestamp=2001-10-31"},
       "t"},
      {"overlaps", {"time=10:00", "interval=2 hours", "time=11:00", "time=13:00"}, "t"},
      {"overlaps", {"timestamp=2000-01-01", "timestamp", "timestamp=2000-01-02", "timestamp=2000-01-03"}, "NULL"},
  });
}

TEST(DateTimes, move_between_zones) {
  expect_calls({
      {"timezone", {"text=America/Denver", "timestamp=2001-02-16 20:38:40"}, "2001-02-17 03:38:40+00"},
      {"timezone", {"text=America/Denver", "timestamptz=2001-02-16 20:38:40-05"}, "2001-02-16 18:38:40"},
      {"timezone", {"text=MST", "timestamp=2001-07-16 20:38:40"}, "2001-07-17 03:38:40+00"},
      {"timezone", {"text=msk", "timestamptz=2011-07-16 20:38:40+00"}, "2011-07-17 00:38:40"},
      {"timezone", {"text=EST5EDT", "timestamptz=2001-07-16 20:38:40+00"}, "2001-07-16 16:38:40"},
      {"timezone", {"text=FOO-1BAR", "timestamptz=2001-07-16 20:38:40+00"}, "2001-07-16 22:38:40"},
      {"timezone", {"text=-3", "timestamptz=2001-07-16 20:38:40+00"}, "2001-07-16 23:38:40"},
      {"timezone", {"interval=-05:00", "timestamp=2001-07-16 20:38:40"}, "2001-07-17 01:38:40+00"},
      {"timezone",
       {"interval=1 day", "timestamp=2001-07-16 20:38:40"},
       "ERROR 22023: interval time zone \"1 day\" must not include months or days"},
      {"timezone", {"text=Nowhere", "timestamp=2001-07-16"}, "ERROR 22023: time zone \"Nowhere\" not recognized"},
      {"timezone", {"text=Europe/Berlin", "timestamp=2024-03-31 02:30"}, "2024-03-31 01:30:00+00"},
      {"timezone", {"text=Europe/Berlin", "timestamp=2024-10-27 02:30"}, "2024-10-27 01:30:00+00"},
      {"timezone", {"text=Europe/Berlin", "timestamp=2400-07-01"}, "2400-06-30 22:00:00+00"},
      {"timezone", {"text=Asia/Kolkata", "timestamp=1850-07-01"}, "1850-06-30 18:06:32+00"},
  });
}

}  // namespace
}  // namespace polarsim::engine::test
