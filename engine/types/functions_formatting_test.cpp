// to_char() and its inverses. The results are those of PostgreSQL 15.20 with TimeZone UTC.
#include <gtest/gtest.h>

#include "engine/types/call_test_support.h"

namespace polarsim::engine::test {
namespace {

TEST(Formatting, writes_times) {
  expect_calls({
      {"to_char", {"timestamp=2001-02-03 14:05:06.789", "text=YYYY-MM-DD HH24:MI:SS.US"}, "2001-02-03 14:05:06.789000"},
      {"to_char", {"timestamp=2001-02-03 14:05:06.789", "text=HH12:MI am"}, "02:05 pm"},
      {"to_char", {"timestamp=2001-02-03 14:05:06.789", "text=HH a.m."}, "02 p.m."},
      {"to_char", {"timestamp=2001-02-03 14:05:06.789", "text=Day, DD Month YYYY"}, "Saturday , 03 February  2001"},
      {"to_char", {"timestamp=2001-02-03 14:05:06.789", "text=FMDay, FMDD FMMonth YYYY"}, "Saturday, 3 February 2001"},
      {"to_char", {"timestamp=2001-02-03 14:05:06.789", "text=DAY Dy dy MON mon"}, "SATURDAY  Sat sat FEB feb"},
      {"to_char", {"timestamp=2001-02-03 14:05:06.789", "text=DDth ddTH"}, "03rd 03RD"},
      {"to_char", {"timestamp=2001-02-03 14:05:06.789", "text=Y,YYY YYY YY Y"}, "2,001 001 01 1"},
      {"to_char", {"timestamp=2001-02-03 14:05:06.789", "text=IYYY-IW-ID IDDD"}, "2001-05-6 034"},
      {"to_char", {"timestamp=2001-02-03 14:05:06.789", "text=CC Q WW W D J"}, "21 1 05 1 7 2451944"},
      {"to_char", {"timestamp=2001-02-03 14:05:06.789", "text=RM rm FMRM"}, "II   ii   II"},
      {"to_char", {"timestamp=2001-02-03 14:05:06.789", "text=SSSS SSSSS MS FF1 FF3 FF6"}, "50706 50706 789 7 789 789000"},
      {"to_char", {"timestamp=2001-02-03 14:05:06.789", "text=BC a.d."}, "AD a.d."},
      {"to_char", {"timestamp=2001-02-03 14:05:06.789", "text=TZ OF TZH:TZM"}, " +00 +00:00"},
      {"to_char", {"timestamp=2001-02-03 14:05:06.789", "text=\"literal \\\" text\" \\\"x"}, "literal \" text \"x"},
      {"to_char", {"timestamp=2001-02-03 14:05:06.789", "text=TMMonth TMDay"}, "February Saturday"},
      {"to_char", {"timestamp=2001-02-03 14:05:06.789", "text="}, "NULL"},
      {"to_char", {"timestamp=0044-03-15 BC", "text=YYYY CC BC Y,YYY"}, "0044 -01 BC 0,044"},
      {"to_char", {"timestamp=infinity", "text=YYYY"}, "NULL"},
      {"to_char", {"interval=15 mons -3 days 30:05:06", "text=YYYY MM DD HH24 HH12 MI SS DDD"}, "0001 03 -3 30 06 05 06 447"},
      {"to_char", {"interval=-1 year -1 mon", "text=RM YYYY MM"}, "XII  -0001 -01"},
      {"to_char", {"interval=1 day", "text=Month"}, "ERROR 22007: invalid format specification for an interval value"},
  });
}

TEST(Formatting, reads_times) {
  expect_calls({
      {"to_timestamp", {"text=2001-02-03 14:05:06.789", "text=YYYY-MM-DD HH24:MI:SS.MS"}, "2001-02-03 14:05:06.789+00"},
      {"to_timestamp", {"text=2001-02-03 02:05 pm", "text=YYYY-MM-DD HH12:MI am"}, "2001-02-03 14:05:00+00"},
      {"to_date", {"text=05 Dec 2000", "text=DD Mon YYYY"}, "2000-12-05"},
      {"to_date", {"text=  20000101", "text=YYYYMMDD"}, "2000-01-01"},
      {"to_date", {"text=2005-W03-4", "text=IYYY-\"W\"IW-ID"}, "2005-01-20"},
      {"to_date", {"text=2005 123", "text=YYYY DDD"}, "2005-05-03"},
      {"to_date", {"text=44-03-15 BC", "text=YYYY-MM-DD BC"}, "0044-03-15 BC"},
      {"to_date", {"text=21 07", "text=CC YY"}, "2007-01-01"},
      {"to_date", {"text=1,234", "text=Y,YYY"}, "1234-01-01"},
      {"to_date", {"text=97", "text=YY"}, "1997-01-01"},
      {"to_date", {"text=IV 2000", "text=RM YYYY"}, "2000-04-01"},
      {"to_date", {"text=2451545", "text=J"}, "2000-01-01"},
      {"to_timestamp", {"text=2000-01-01 10:00 +05:30", "text=YYYY-MM-DD HH24:MI TZH:TZM"}, "2000-01-01 04:30:00+00"},
      {"to_timestamp", {"text=15:12:02.020.001230", "text=HH24:MI:SS.MS.US"}, "0001-01-01 15:12:02.02123+00 BC"},
      {"to_timestamp", {"text=0.123456", "text=SS.FF3"}, "0001-01-01 00:00:00.123+00 BC"},
      {"to_date", {"text=2000 13", "text=YYYY MM"}, "ERROR 22008: date/time field value out of range: \"2000 13\""},
      {"to_date", {"text=2000-02-30", "text=YYYY-MM-DD"}, "ERROR 22008: date/time field value out of range: \"2000-02-30\""},
      {"to_timestamp", {"text=13:00 am", "text=HH12:MI am"}, "ERROR 22007: hour \"13\" is invalid for the 12-hour clock"},
      {"to_date", {"text=2000 05 IW", "text=YYYY IW"}, "ERROR 22007: invalid combination of date conventions"},
      {"to_date", {"text=x", "text=MM"}, "ERROR 22007: invalid value \"x\" for \"MM\""},
      {"to_date", {"text=1", "text=FXMM"}, "0001-01-01 BC"},
      {"to_date", {"text=200", "text=YYYYMM"}, "ERROR 22007: source string too short for \"YYYY\" formatting field"},
      {"to_date", {"text=Juny", "text=Month"}, "ERROR 22007: invalid value \"Juny\" for \"Month\""},
      {"to_timestamp", {"text=2000 UTC", "text=YYYY TZ"}, "ERROR 0A000: formatting field \"TZ\" is only supported in to_char"},
      {"to_date", {"text=123", "text=DDD"}, "ERROR 22007: cannot calculate day of year without year information"},
      {"to_date", {"text=2000 1 2", "text=YYYY MM MM"}, "ERROR 22007: conflicting values for \"MM\" field in formatting string"},
      {"to_date", {"text=99999999999", "text=YYYY"}, "ERROR 22008: value for \"YYYY\" in source string is out of range"},
      {"to_date", {"text=2000/01/02", "text=FXYYYY-MM-DD"}, "2000-01-02"},
      {"to_date", {"text=2000--01", "text=YYYY-MM"}, "ERROR 22008: date/time field value out of range: \"2000--01\""},
  });
}

TEST(Formatting, writes_numbers) {
  expect_calls({
      {"to_char", {"int4=-485", "text=999"}, "-485"},
      {"to_char", {"int4=485", "text=0999"}, " 0485"},
      {"to_char", {"int4=485", "text=FM0999"}, "0485"},
      {"to_char", {"int4=485", "text=9 9 9"}, " 4 8 5"},
      {"to_char", {"int4=1485", "text=9,999"}, " 1,485"},
      {"to_char", {"int4=12345", "text=999"}, " ###"},
      {"to_char", {"int4=-485", "text=999S"}, "485-"},
      {"to_char", {"int4=485", "text=S999"}, "+485"},
      {"to_char", {"int4=-485", "text=999MI"}, "485-"},
      {"to_char", {"int4=485", "text=PL999"}, "+ 485"},
      {"to_char", {"int4=485", "text=SG999"}, "+485"},
      {"to_char", {"int4=-485", "text=999PR"}, "<485>"},
      {"to_char", {"int4=482", "text=999th"}, " 482nd"},
      {"to_char", {"int4=485", "text=RN"}, "        CDLXXXV"},
      {"to_char", {"int4=485", "text=FMrn"}, "cdlxxxv"},
      {"to_char", {"int4=0", "text=RN"}, "###############"},
      {"to_char", {"int4=12", "text=99V999"}, " 12000"},
      {"to_char", {"int4=12345", "text=9.99EEEE"}, " 1.23e+04"},
      {"to_char", {"int4=485", "text=\"Good number:\"999"}, "Good number: 485"},
      {"to_char", {"int8=-9223372036854775808", "text=9G999G999G999G999G999G999"}, "-9,223,372,036,854,775,808"},
      {"to_char", {"int8=9223372036854775807", "text=9.9EEEE"}, " 9.2e+18"},
      {"to_char", {"numeric=-0.1", "text=99.99"}, "  -.10"},
      {"to_char", {"numeric=-0.1", "text=FM9.99"}, "-.1"},
      {"to_char", {"numeric=0.1", "text=0.9"}, " 0.1"},
      {"to_char", {"numeric=12.34", "text=999D999"}, "  12.340"},
      {"to_char", {"numeric=12.34", "text=FM999.990"}, "12.340"},
      {"to_char", {"numeric=0", "text=FM9.9"}, "0."},
      {"to_char", {"numeric=148.5", "text=FM999.999"}, "148.5"},
      {"to_char", {"numeric=123456", "text=9.99"}, " #.##"},
      {"to_char", {"numeric=NaN", "text=999.9"}, " NaN"},
      {"to_char", {"numeric=0.0004859", "text=9.99EEEE"}, " 4.86e-04"},
      {"to_char", {"numeric=-1234.5", "text=L9,999.99PR"}, " <1,234.50>"},
      {"to_char", {"numeric=5.2", "text=9V9"}, " 52"},
      {"to_char", {"float8=123456789012345678", "text=999999999999999999.99"}, " 123456789012345680"},
      {"to_char", {"float8=0.1", "text=9.999999999999999999"}, "  .10000000000000"},
      {"to_char", {"float8=NaN", "text=9.9EEEE"}, " #.#####"},
      {"to_char", {"float4=1234.5", "text=9999.999"}, " 1234.50"},
      {"to_char", {"float4=3.7", "text=RN"}, "             IV"},
      {"to_char", {"numeric=1", "text=9.9.9"}, "ERROR 42601: multiple decimal points"},
      {"to_char", {"numeric=1", "text=9PR9"}, "ERROR 42601: \"9\" must be ahead of \"PR\""},
      {"to_char", {"numeric=1", "text=SPL9"}, "  1"},
      {"to_char", {"numeric=1", "text=EEEE9"}, "ERROR 42601: \"EEEE\" must be the last pattern used"},
      {"to_char", {"numeric=1", "text="}, ""},
  });
}

TEST(Formatting, reads_numbers) {
  expect_calls({
      {"to_number", {"text=12,454.8-", "text=99G999D9S"}, "-12454.8"},
      {"to_number", {"text=-34,338,492", "text=99G999G999"}, "-34338492"},
      {"to_number", {"text=<564646.654564>", "text=999999.999999PR"}, "-564646.654564"},
      {"to_number", {"text=0.00001-", "text=9.999999S"}, "-0.00001"},
      {"to_number", {"text=5.01-", "text=FM9.999999S"}, "-5.01"},
      {"to_number", {"text=.01", "text=FM9.99"}, "0.01"},
      {"to_number", {"text=.-01", "text=S99.99"}, "-0.01"},
      {"to_number", {"text= . 1", "text=99 . 99"}, "0.1"},
      {"to_number", {"text=$1,234.56", "text=L99,999.99"}, "1234.56"},
      {"to_number", {"text=1234.56", "text=L99,999.99"}, "1234.56"},
      {"to_number", {"text=42nd", "text=99th"}, "42"},
      {"to_number", {"text=123456", "text=99999V99"}, "1234.5600000000000000"},
      {"to_number", {"text=12x3", "text=99x9"}, "123"},
      {"to_number", {"text=x", "text=9"}, "ERROR 22P02: invalid input syntax for type numeric: \" \""},
      {"to_number", {"text=1.234", "text=9.9"}, "1.2"},
      {"to_number", {"text=1", "text=EEEE"}, "ERROR 0A000: \"EEEE\" not supported for input"},
      {"to_number", {"text=I", "text=RN"}, "ERROR 0A000: \"RN\" not supported for input"},
      {"to_number", {"text=", "text=9"}, "ERROR 22P02: invalid input syntax for type numeric: \" \""},
      {"to_number", {"text=100", "text="}, "NULL"},
  });
}

}  // namespace
}  // namespace polarsim::engine::test
