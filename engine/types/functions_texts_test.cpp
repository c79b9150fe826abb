#include <gtest/gtest.h>

#include "engine/types/call_test_support.h"

// What is expected was taken from a real PostgreSQL 15.
namespace polarsim::engine::test {
namespace {

TEST(TextFunctions, Case) {
  expect_calls({
      {"lower", {"text=aBÉx"}, "abÉx"},
      {"upper", {"text=aBéx"}, "ABéX"},
      {"initcap", {"text=hELLO wörld-foo_bar 1abc éa"}, "Hello WöRld-Foo_Bar 1abc éA"},
      {"lower", {"text"}, "NULL"},
  });
}

TEST(TextFunctions, Length) {
  expect_calls({
      {"length", {"text=aé€😀"}, "4"},
      {"length", {"bpchar=ab  "}, "2"},
      {"octet_length", {"bpchar=ab  "}, "4"},
      {"octet_length", {"text=é"}, "2"},
      {"bit_length", {"text=é"}, "16"},
      {"char_length", {"text="}, "0"},
      {"length", {"bytea=\\x00ff"}, "2"},
  });
}

TEST(TextFunctions, Substring) {
  expect_calls({
      {"substring", {"text=abcdef", "int4=2", "int4=3"}, "bcd"},
      {"substring", {"text=abcdef", "int4=-1", "int4=4"}, "ab"},
      {"substring", {"text=abcdef", "int4=0", "int4=2147483647"}, "abcdef"},
      {"substring", {"text=abcdef", "int4=3"}, "cdef"},
      {"substring", {"text=abcdef", "int4=10"}, ""},
      {"substring", {"text=abc", "int4=1", "int4=-1"}, "ERROR 22011: negative substring length not allowed"},
      {"substring", {"text=abc", "int4=-5", "int4=-1"}, "ERROR 22011: negative substring length not allowed"},
      {"substring", {"text=abc", "int4=-5", "int4=2"}, ""},
      {"substring", {"text=aé€😀x", "int4=2", "int4=3"}, "é€😀"},
      {"substr", {"text=abc", "int4=-2147483648"}, "abc"},
      {"left", {"text=abc", "int4=-1"}, "ab"},
      {"left", {"text=abc", "int4=-5"}, ""},
      {"left", {"text=éa", "int4=1"}, "é"},
      {"right", {"text=abc", "int4=2"}, "bc"},
      {"right", {"text=abc", "int4=-1"}, "bc"},
      {"right", {"text=abc", "int4=-2147483648"}, "abc"},
  });
}

TEST(TextFunctions, Padding) {
  expect_calls({
      {"lpad", {"text=hi", "int4=5", "text=xy"}, "xyxhi"},
      {"rpad", {"text=hi", "int4=5", "text=xy"}, "hixyx"},
      {"lpad", {"text=hello", "int4=3"}, "hel"},
      {"lpad", {"text=hi", "int4=5", "text="}, "hi"},
      {"lpad", {"text=hi", "int4=-1"}, ""},
      {"lpad", {"text=é", "int4=4", "text=€a"}, "€a€é"},
      {"lpad", {"text=a", "int4=300000000"}, "ERROR 54000: requested length too large"},
      {"repeat", {"text=ab", "int4=3"}, "ababab"},
      {"repeat", {"text=ab", "int4=-1"}, ""},
      {"repeat", {"text=a", "int4=2000000000"}, "ERROR 54000: requested length too large"},
      {"repeat", {"text=", "int4=2147483647"}, ""},
  });
}

TEST(TextFunctions, Trimming) {
  expect_calls({
      {"btrim", {"text=  a "}, "a"},
      {"btrim", {"text=xyaxy", "text=xy"}, "a"},
      {"ltrim", {"text=zzzytest", "text=xyz"}, "test"},
      {"rtrim", {"text=aéé", "text=é"}, "a"},
      {"ltrim", {"text=abc", "text="}, "abc"},
      {"rtrim", {"text=a\t "}, "a\t"},
  });
}

TEST(TextFunctions, Searching) {
  expect_calls({
      {"strpos", {"text=high", "text=ig"}, "2"},
      {"strpos", {"text=abc", "text="}, "1"},
      {"position", {"text=aéb", "text=b"}, "3"},
      {"strpos", {"text=a", "text=abc"}, "0"},
      {"starts_with", {"text=abc", "text=ab"}, "t"},
      {"^@", {"text=abc", "text=b"}, "f"},
      {"split_part", {"text=a,b,c", "text=,", "int4=2"}, "b"},
      {"split_part", {"text=a,b,c", "text=,", "int4=-1"}, "c"},
      {"split_part", {"text=a,b,c", "text=,", "int4=-4"}, ""},
      {"split_part", {"text=a,b,c", "text=,", "int4=4"}, ""},
      {"split_part", {"text=", "text=x", "int4=1"}, ""},
      {"split_part", {"text=abc", "text=", "int4=1"}, "abc"},
      {"split_part", {"text=abc", "text=", "int4=-1"}, "abc"},
      {"split_part", {"text=abc", "text=", "int4=2"}, ""},
      {"split_part", {"text=abc", "text=,", "int4=0"}, "ERROR 22023: field position must not be zero"},
  });
}

TEST(TextFunctions, Replacing) {
  expect_calls({
      {"overlay", {"text=abcdef", "text=XX", "int4=3"}, "abXXef"},
      {"overlay", {"text=abcdef", "text=XX", "int4=3", "int4=0"}, "abXXcdef"},
      {"overlay", {"text=abcdef", "text=XX", "int4=3", "int4=-2"}, "abXXabcdef"},
      {"overlay", {"text=abc", "text=x", "int4=0"}, "ERROR 22011: negative substring length not allowed"},
      {"overlay", {"text=abc", "text=x", "int4=5", "int4=2147483647"}, "ERROR 22003: integer out of range"},
      {"replace", {"text=aaa", "text=aa", "text=b"}, "ba"},
      {"replace", {"text=abc", "text=", "text=x"}, "abc"},
      {"translate", {"text=12345", "text=143", "text=ax"}, "a2x5"},
      {"translate", {"text=aéa", "text=é", "text=€"}, "a€a"},
      {"reverse", {"text=aé€1"}, "1€éa"},
      {"||", {"text=a", "text=b"}, "ab"},
  });
}

TEST(TextFunctions, Characters) {
  expect_calls({
      {"chr", {"int4=233"}, "é"},
      {"chr", {"int4=0"}, "ERROR 54000: null character not permitted"},
      {"chr", {"int4=-1"}, "ERROR 22023: character number must be positive"},
      {"chr", {"int4=1114112"}, "ERROR 54000: requested character too large for encoding: 1114112"},
      {"chr", {"int4=55296"}, "ERROR 54000: requested character not valid for encoding: 55296"},
      {"ascii", {"text=é"}, "233"},
      {"ascii", {"text="}, "0"},
      {"unistr", {"text=\\d83d\\de00\\0041\\+01f600\\\\x"}, "😀A😀\\x"},
      {"unistr", {"text=\\zz"}, "ERROR 42601: invalid Unicode escape"},
      {"unistr", {"text=\\d800"}, "ERROR 42601: invalid Unicode surrogate pair"},
      {"unistr", {"text=\\d800a"}, "ERROR 42601: invalid Unicode surrogate pair"},
      {"unistr", {"text=\\+110000"}, "ERROR 22023: invalid Unicode code point: 110000"},
      {"unistr", {"text=\\0000"}, "ERROR 22023: invalid Unicode code point: 0000"},
      {"unistr", {"text=\\u00e9\\U0001f600"}, "é😀"},
  });
}

TEST(TextFunctions, Lists) {
  expect_calls({
      {"string_to_array", {"text=a,,b", "text=,", "text="}, "{<a>,NULL,<b>}"},
      {"string_to_array", {"text=abc", "text"}, "{<a>,<b>,<c>}"},
      {"string_to_array", {"text=abc", "text="}, "{<abc>}"},
      {"string_to_array", {"text=", "text=,"}, "{}"},
      {"string_to_array", {"text", "text=,"}, "NULL"},
      {"string_to_array", {"text=abc", "text", "text=b"}, "{<a>,NULL,<c>}"},
      {"string_to_array", {"text=abc", "text=", "text=abc"}, "{NULL}"},
      {"string_to_array", {"text=a,b,", "text=,"}, "{<a>,<b>,<>}"},
      {"string_to_table", {"text=a,,b", "text=,", "text="}, "a | NULL | b"},
      {"string_to_table", {"text", "text=,"}, ""},
  });
}

TEST(TextFunctions, Concatenation) {
  expect_calls({
      {"concat", {"text=a", "bpchar=b  ", "text"}, "ab  "},
      {"concat_ws", {"text=,", "text=a", "text", "text=b"}, "a,b"},
      {"concat_ws", {"text", "text=a"}, "NULL"},
      {"concat_ws", {"text=,", "text"}, ""},
  });
}

TEST(TextFunctions, Format) {
  expect_calls({
      {"format", {"text=%s %I %L %%", "text=a", "text=b c", "text=d'e"}, "a \"b c\" 'd''e' %"},
      {"format", {"text=%2$s %1$s %s", "text=a", "text=b"}, "b a b"},
      {"format", {"text=%-5s|%5s", "text=ab", "text=cd"}, "ab   |   cd"},
      {"format", {"text=%*s|", "int4=4", "text=x"}, "   x|"},
      {"format", {"text=%-*s|", "int4=4", "text=x"}, "x   |"},
      {"format", {"text=%*s|", "int4=-4", "text=x"}, "x   |"},
      {"format", {"text=%*s|", "int4", "text=x"}, "x|"},
      {"format", {"text=%5I|", "text=a"}, "    a|"},
      {"format", {"text=%-2$s", "text=a", "text=b"}, "ERROR 22023: unrecognized format() type specifier \"$\""},
      {"format", {"text=%--5s|", "text=a"}, "a    |"},
      {"format", {"text=%5-s|", "text=a"}, "ERROR 22023: unrecognized format() type specifier \"-\""},
      {"format",
       {"text=%0$s", "text=a"},
       "ERROR 22023: format specifies argument 0, but arguments are numbered from 1"},
      {"format",
       {"text=%*0$s|", "int4=5", "text=a"},
       "ERROR 22023: format specifies argument 0, but arguments are numbered from 1"},
      {"format", {"text=%1$*2$s|", "text=x", "int4=5"}, "    x|"},
      {"format", {"text=%"}, "ERROR 22023: unterminated format() type specifier"},
      {"format", {"text=%x", "text=a"}, "ERROR 22023: unrecognized format() type specifier \"x\""},
      {"format", {"text=%s"}, "ERROR 22023: too few arguments for format()"},
      {"format", {"text=%2$s", "text=a"}, "ERROR 22023: too few arguments for format()"},
      {"format", {"text=%1$", "text=a"}, "ERROR 22023: unterminated format() type specifier"},
      {"format", {"text=%I", "text"}, "ERROR 22004: null values cannot be formatted as an SQL identifier"},
      {"format", {"text=%L|%5L", "text", "text"}, "NULL| NULL"},
      {"format", {"text=%99999999999s", "text=a"}, "ERROR 22003: number is out of range"},
      {"format", {"text"}, "NULL"},
      {"format", {"text=%éx", "text=a"}, "ERROR 22023: unrecognized format() type specifier \"é\""},
  });
}

TEST(TextFunctions, Quoting) {
  expect_calls({
      {"quote_ident", {"text=a b"}, "\"a b\""},
      {"quote_ident", {"text=select"}, "\"select\""},
      {"quote_ident", {"text=abort"}, "abort"},
      {"quote_ident", {"text=Aa"}, "\"Aa\""},
      {"quote_ident", {"text=a\"b"}, "\"a\"\"b\""},
      {"quote_ident", {"text=1a"}, "\"1a\""},
      {"quote_ident", {"text=a$"}, "\"a$\""},
      {"quote_ident", {"text=é"}, "\"é\""},
      {"quote_ident", {"text="}, "\"\""},
      {"quote_ident", {"text=_a1"}, "_a1"},
      {"quote_literal", {"text=a'b\\c"}, "E'a''b\\\\c'"},
      {"quote_nullable", {"text"}, "NULL"},
      {"quote_nullable", {"text=a"}, "'a'"},
  });
}

TEST(TextFunctions, ParseIdent) {
  expect_calls({
      {"parse_ident", {"text=\"a\"\"b\".C.d$1 . é", "bool=t"}, "{<a\"b>,<c>,<d$1>,<é>}"},
      {"parse_ident", {"text=", "bool=t"}, "ERROR 22023: string is not a valid identifier: \"\""},
      {"parse_ident", {"text=a.", "bool=t"}, "ERROR 22023: string is not a valid identifier: \"a.\""},
      {"parse_ident", {"text=.a", "bool=t"}, "ERROR 22023: string is not a valid identifier: \".a\""},
      {"parse_ident", {"text=\"a", "bool=t"}, "ERROR 22023: string is not a valid identifier: \"\"a\""},
      {"parse_ident", {"text=\"\"", "bool=t"}, "ERROR 22023: string is not a valid identifier: \"\"\"\""},
      {"parse_ident", {"text=a b", "bool=t"}, "ERROR 22023: string is not a valid identifier: \"a b\""},
      {"parse_ident", {"text=a b", "bool=f"}, "{<a>}"},
      {"parse_ident", {"text=a..b", "bool=f"}, "ERROR 22023: string is not a valid identifier: \"a..b\""},
      {"parse_ident", {"text=a.\"b\"c", "bool=f"}, "{<a>,<b>}"},
      {"parse_ident", {"text=1a", "bool=f"}, "ERROR 22023: string is not a valid identifier: \"1a\""},
  });
}

TEST(TextFunctions, Comparisons) {
  expect_calls({
      {"<", {"text=a", "text=b"}, "t"},
      {"<", {"text=a", "text=A"}, "f"},
      {"=", {"bpchar=a ", "bpchar=a"}, "t"},
      {"<", {"bpchar=a", "bpchar=a\t"}, "t"},
      {"<", {"text=a", "text=a\t"}, "t"},
      {">=", {"text=é", "text=z"}, "t"},
      {"=", {"name=a", "text=a"}, "t"},
      {"<", {"char=a", "char=\\377"}, "t"},
      {"~<~", {"text=a", "text=b"}, "t"},
      {"~>=~", {"bpchar=a ", "bpchar=a"}, "t"},
      {"<>", {"text=a", "text"}, "NULL"},
      {"text_larger", {"text=a", "text=b"}, "b"},
      {"text_smaller", {"text=a", "text=b"}, "a"},
  });
}

TEST(TextFunctions, Casts) {
  expect_calls({
      {"name", {"text=éééééééééééééééééééééééééééééééééééééééé"}, "ééééééééééééééééééééééééééééééé"},
      {"name", {"bpchar=a  "}, "a"},
      {"text", {"bpchar=ab  "}, "ab"},
      {"char", {"text=éx"}, "\\303"},
      {"char", {"text=\\101"}, "A"},
      {"text", {"char=\\303"}, "\\303"},
      {"int4", {"char=\\376"}, "-2"},
      {"char", {"int4=300"}, "ERROR 22003: \"char\" out of range"},
      {"char", {"int4=-2"}, "\\376"},
  });
}

}  // namespace
}  // namespace polarsim::engine::test
