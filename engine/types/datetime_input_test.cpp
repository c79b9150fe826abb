// Literals and text forms. The results are those of PostgreSQL 15.20 with TimeZone UTC.
#include <gtest/gtest.h>

#include "engine/types/error.h"
#include "engine/types/text_form.h"

namespace polarsim::engine {
namespace {

using enum TypeId;

std::string read(TypeId type, std::string_view text, std::int32_t modifier = no_modifier) {
  try {
    const CallContext context{.transaction_start_us = 1700000000123456, .statement_start_us = 1700000000123456};
    return output_value(input_value(text, {type, modifier}, context), type, context);
  } catch (const SqlError& error) {
    return error.sqlstate() + " " + error.fields().message + (error.fields().hint.empty() ? "" : " (hint)");
  }
}

TEST(DateTimeInput, reads_dates_in_all_orders) {
  for (const char* text : {"2004-01-05", "1/5/2004", "20040105", "040105", "Jan 5 2004", "5 Jan 2004", "2004-Jan-05",
                           "05-Jan-04", "2004.005", "y2004m1d5", "J2453010", "1.5.2004", "Monday January 5, 2004 AD"})
    EXPECT_EQ(read(date, text), "2004-01-05") << text;
  EXPECT_EQ(read(date, "January 8, 99 BC"), "0099-01-08 BC");
  EXPECT_EQ(read(date, "infinity"), "infinity");
  EXPECT_EQ(read(date, "epoch"), "1970-01-01");
  EXPECT_EQ(read(date, "tomorrow"), "2023-11-15");
  EXPECT_EQ(read(date, "1-1-69"), "2069-01-01");
  EXPECT_EQ(read(date, "1-1-70"), "1970-01-01");
}

TEST(DateTimeInput, refuses_dates_as_postgresql_does) {
  EXPECT_EQ(read(date, "13/2/2003"), "22008 date/time field value out of range: \"13/2/2003\" (hint)");
  EXPECT_EQ(read(date, "2000-02-30"), "22008 date/time field value out of range: \"2000-02-30\"");
  EXPECT_EQ(read(date, "4714-11-23 BC"), "22008 date out of range: \"4714-11-23 BC\"");
  EXPECT_EQ(read(date, "5874898-01-01"), "22008 date out of range: \"5874898-01-01\"");
  EXPECT_EQ(read(date, "x"), "22007 invalid input syntax for type date: \"x\"");
}

}  // namespace
}  // namespace polarsim::engine
