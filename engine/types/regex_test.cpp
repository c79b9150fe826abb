#include <gtest/gtest.h>

#include "engine/types/call_test_support.h"

// What is expected was taken from a real PostgreSQL 15.
namespace polarsim::engine::test {
namespace {

TEST(RegularExpressions, LongestOverall) {
  expect_calls({
      {"regexp_match", {"text=XY1234Z", "text=Y*([0-9]{1,3})"}, "{<123>}"},
      {"regexp_match", {"text=XY1234Z", "text=Y*?([0-9]{1,3})"}, "{<1>}"},
      {"regexp_match", {"text=abc01234xyz", "text=(.*)(\\d+)(.*)"}, "{<abc0123>,<4>,<xyz>}"},
      {"regexp_match", {"text=abc01234xyz", "text=(.*?)(\\d+)(.*)"}, "{<abc>,<0>,<>}"},
      {"regexp_match", {"text=abc01234xyz", "text=(?:(.*?)(\\d+)(.*)){1,1}"}, "{<abc>,<01234>,<xyz>}"},
      {"regexp_match", {"text=abcd", "text=(a|ab)(c|bcd)(d*)"}, "{<ab>,<c>,<d>}"},
      {"regexp_match", {"text=abcd", "text=(?:a|ab)(c|bcd)(d*)"}, "{<c>,<d>}"},
      {"regexp_match", {"text=ab", "text=a|ab"}, "{<ab>}"},
      {"regexp_match", {"text=aaa", "text=a+?"}, "{<a>}"},
      {"regexp_match", {"text=aaa", "text=(?:a+?|b)"}, "{<aaa>}"},
  });
}

TEST(RegularExpressions, Repetitions) {
  expect_calls({
      {"regexp_match", {"text=ab", "text=(ab|a|b)*"}, "{<ab>}"},
      {"regexp_match", {"text=ab", "text=(ab|a|b)+"}, "{<b>}"},
      {"regexp_match", {"text=aa", "text=(a|)+"}, "{<>}"},
      {"regexp_match", {"text=aa", "text=(a|)*"}, "{<a>}"},
      {"regexp_match", {"text=", "text=(a*)*"}, "{<>}"},
      {"regexp_match", {"text=", "text=(a*?)*"}, "{NULL}"},
      {"regexp_match", {"text=", "text=((a*?))*"}, "{NULL,NULL}"},
      {"regexp_match", {"text=aa", "text=(a{0,2}?)*?$"}, "{<a>}"},
      {"regexp_match", {"text=ab", "text=(.{1,2})*?$"}, "{<ab>}"},
      {"regexp_match", {"text=ab", "text=(.{1,2}?)*?$"}, "{<b>}"},
      {"regexp_match", {"text=aaaa", "text=(a{2}){2}"}, "{<aa>}"},
      {"regexp_match", {"text=aaa", "text=a{2}?"}, "{<aa>}"},
      {"regexp_match", {"text=aaa", "text=(a){0}b|(a)"}, "{NULL,<a>}"},
      {"regexp_match", {"text=aba", "text=(a|b|){0,2}"}, "{<b>}"},
  });
}

TEST(RegularExpressions, BackReferences) {
  expect_calls({
      {"regexp_match", {"text=abcabc", "text=(.+)\\1"}, "{<abc>}"},
      {"regexp_match", {"text=aba", "text=(a)b\\1"}, "{<a>}"},
      {"regexp_match", {"text=aA", "text=(a)\\1", "text=i"}, "{<a>}"},
      {"regexp_match", {"text=aaaa", "text=(a*)\\1"}, "{<aa>}"},
      {"regexp_match", {"text=b", "text=(a)?\\1b"}, "NULL"},
      {"regexp_match", {"text=b", "text=(a)|b\\1"}, "NULL"},
      {"regexp_match", {"text=abab", "text=^(ab|a)(b?)\\1$"}, "{<ab>,<>}"},
      {"regexp_match", {"text=a\tb", "text=\\11b"}, "{<\tb>}"},
      {"regexp_match",
       {"text=abc", "text=\\1"},
       "ERROR 2201B: invalid regular expression: invalid backreference number"},
      {"regexp_match",
       {"text=abc", "text=(a\\1)"},
       "ERROR 2201B: invalid regular expression: invalid backreference number"},
      {"regexp_match", {"text=b", "text=(x|$)|\\1"}, "NULL"},
  });
}

TEST(RegularExpressions, Constraints) {
  expect_calls({
      {"regexp_match", {"text=foo bar", "text=\\mb"}, "{<b>}"},
      {"regexp_match", {"text=foo bar", "text=o\\M"}, "{<o>}"},
      {"regexp_match", {"text=foo bar", "text=o\\Y"}, "{<o>}"},
      {"regexp_match", {"text=foo bar", "text=[[:<:]]bar[[:>:]]"}, "{<bar>}"},
      {"regexp_match", {"text=a\nb", "text=^b"}, "NULL"},
      {"regexp_match", {"text=a\nb", "text=^b", "text=n"}, "{<b>}"},
      {"regexp_match", {"text=a\nb", "text=a.b", "text=n"}, "NULL"},
      {"regexp_match", {"text=a\nb", "text=a.b", "text=w"}, "{<a\nb>}"},
      {"regexp_match", {"text=a\nb", "text=a[^x]b", "text=p"}, "NULL"},
      {"regexp_match", {"text=a\nb", "text=a\\Wb", "text=n"}, "{<a\nb>}"},
      {"regexp_match", {"text=a\nb", "text=a$", "text=n"}, "{<a>}"},
      {"regexp_match", {"text=a\nb", "text=a\\Z", "text=n"}, "NULL"},
      {"regexp_match", {"text=abc", "text=b(?=c)"}, "{<b>}"},
      {"regexp_match", {"text=abc", "text=b(?!c)"}, "NULL"},
      {"regexp_match", {"text=abc", "text=(?<=a)b"}, "{<b>}"},
      {"regexp_match", {"text=abc", "text=(?<!a)b"}, "NULL"},
      {"regexp_match", {"text=abc", "text=(?<=(a))."}, "{<b>}"},
      {"regexp_match",
       {"text=abc", "text=(?=(b))\\1"},
       "ERROR 2201B: invalid regular expression: invalid backreference number"},
      {"regexp_match", {"text=abc", "text=^*"}, "ERROR 2201B: invalid regular expression: quantifier operand invalid"},
  });
}

TEST(RegularExpressions, Brackets) {
  expect_calls({
      {"regexp_match", {"text=a]b", "text=[]]"}, "{<]>}"},
      {"regexp_match", {"text=a-b", "text=[a-]+"}, "{<a->}"},
      {"regexp_match", {"text=a-b", "text=[^-]+"}, "{<a>}"},
      {"regexp_match", {"text=x1_", "text=[[:alpha:]_\\d]+"}, "{<x1_>}"},
      {"regexp_match", {"text=xé1", "text=[^a-z]"}, "{<é>}"},
      {"regexp_match", {"text=XYZ", "text=[a-y]+", "text=i"}, "{<XY>}"},
      {"regexp_match", {"text=ab", "text=[[:upper:]]+", "text=i"}, "{<ab>}"},
      {"regexp_match", {"text=a.b", "text=[[.a.][=.=]]+"}, "{<a.>}"},
      {"regexp_match", {"text=a-b", "text=[[.hyphen.][=low-line=]]"}, "{<->}"},
      {"regexp_match", {"text=a7b", "text=[[.zero.]-[.nine.]]"}, "{<7>}"},
      {"regexp_match",
       {"text=a", "text=[[.foo.]]"},
       "ERROR 2201B: invalid regular expression: invalid collating element"},
      {"regexp_match", {"text=ab", "text=[b-a]"}, "ERROR 2201B: invalid regular expression: invalid character range"},
      {"regexp_match",
       {"text=ab", "text=[[:foo:]]"},
       "ERROR 2201B: invalid regular expression: invalid character class"},
      {"regexp_match", {"text=ab", "text=[a"}, "ERROR 2201B: invalid regular expression: brackets [] not balanced"},
      {"regexp_match", {"text=ab", "text=[a-b-c]"}, "ERROR 2201B: invalid regular expression: invalid character range"},
      {"regexp_match", {"text=\\", "text=[\\\\]"}, "{<\\>}"},
      {"regexp_match", {"text=\\", "text=[\\]", "text=e"}, "{<\\>}"},
  });
}

TEST(RegularExpressions, Escapes) {
  expect_calls({
      {"regexp_match", {"text=a\tb", "text=\\t"}, "{<\t>}"},
      {"regexp_match", {"text=é", "text=\\u00e9"}, "{<é>}"},
      {"regexp_match", {"text=é", "text=\\xe9"}, "{<é>}"},
      {"regexp_match", {"text=A", "text=\\101"}, "{<A>}"},
      {"regexp_match", {"text=a\n", "text=\\c\\j|\\cJ"}, "{<\n>}"},
      {"regexp_match", {"text=a b", "text=\\S+\\s\\w"}, "{<a b>}"},
      {"regexp_match", {"text=abc", "text=\\q"}, "ERROR 2201B: invalid regular expression: invalid escape \\ sequence"},
      {"regexp_match", {"text=abc", "text=a\\"}, "ERROR 2201B: invalid regular expression: invalid escape \\ sequence"},
      {"regexp_match", {"text=😀", "text=\\U0001f600"}, "{<😀>}"},
      {"regexp_match", {"text=a.b", "text=a\\.b"}, "{<a.b>}"},
  });
}

TEST(RegularExpressions, Metasyntax) {
  expect_calls({
      {"regexp_match", {"text=a.b", "text=***=."}, "{<.>}"},
      {"regexp_match", {"text=ABC", "text=(?i)b"}, "{<B>}"},
      {"regexp_match", {"text=ABC", "text=***:(?i)b"}, "{<B>}"},
      {"regexp_match", {"text=a b", "text=(?x) a # comment\n \\s b"}, "{<a b>}"},
      {"regexp_match", {"text=ab", "text=a(?#comment)b"}, "{<ab>}"},
      {"regexp_match", {"text=a+b", "text=a+b", "text=q"}, "{<a+b>}"},
      {"regexp_match", {"text=a+b", "text=a+b", "text=b"}, "{<a+b>}"},
      {"regexp_match", {"text=aab", "text=\\(a\\{2\\}\\)b", "text=b"}, "{<aa>}"},
      {"regexp_match", {"text=ab*", "text=^*b*", "text=b"}, "NULL"},
      {"regexp_match", {"text=aa", "text=\\(a\\)\\1", "text=b"}, "{<a>}"},
      {"regexp_match", {"text=a)", "text=(?e)a)"}, "{<a)>}"},
      {"regexp_match",
       {"text=ab", "text=(?e)a??b"},
       "ERROR 2201B: invalid regular expression: quantifier operand invalid"},
      {"regexp_match", {"text=ad", "text=(?e)a|\\d"}, "{<a>}"},
      {"regexp_match", {"text=ab", "text=a+b", "text=e"}, "NULL"},
      {"regexp_match", {"text=*b", "text=^*b*", "text=b"}, "{<*b>}"},
      {"regexp_match", {"text=aa", "text=a\\{,2\\}", "text=b"}, "{<aa>}"},
      {"regexp_match", {"text=x^b$", "text=x^b$", "text=b"}, "NULL"},
      {"regexp_match", {"text=xb", "text=\\(^x\\)b", "text=b"}, "{<x>}"},
      {"regexp_match",
       {"text=abc", "text=***?a"},
       "ERROR 2201B: invalid regular expression: invalid regexp (reg version 0.8)"},
      {"regexp_match", {"text=abc", "text=(?z)a"}, "ERROR 2201B: invalid regular expression: invalid embedded option"},
      {"regexp_match",
       {"text=abc", "text=****"},
       "ERROR 2201B: invalid regular expression: quantifier operand invalid"},
  });
}

TEST(RegularExpressions, Errors) {
  expect_calls({
      {"regexp_match", {"text=a", "text=*a"}, "ERROR 2201B: invalid regular expression: quantifier operand invalid"},
      {"regexp_match", {"text=a", "text=a**"}, "ERROR 2201B: invalid regular expression: quantifier operand invalid"},
      {"regexp_match", {"text=a", "text=(a"}, "ERROR 2201B: invalid regular expression: parentheses () not balanced"},
      {"regexp_match", {"text=a", "text=a)"}, "ERROR 2201B: invalid regular expression: parentheses () not balanced"},
      {"regexp_match",
       {"text=a", "text=a{2,1}"},
       "ERROR 2201B: invalid regular expression: invalid repetition count(s)"},
      {"regexp_match",
       {"text=a", "text=a{256}"},
       "ERROR 2201B: invalid regular expression: invalid repetition count(s)"},
      {"regexp_match", {"text=a", "text=a{1"}, "ERROR 2201B: invalid regular expression: braces {} not balanced"},
      {"regexp_match",
       {"text=a", "text=a{1x}"},
       "ERROR 2201B: invalid regular expression: invalid repetition count(s)"},
      {"regexp_match", {"text=a", "text={1}"}, "ERROR 2201B: invalid regular expression: quantifier operand invalid"},
      {"regexp_match", {"text=a", "text=(?<a)"}, "ERROR 2201B: invalid regular expression: quantifier operand invalid"},
      {"regexp_match", {"text=a{", "text=a{"}, "{<a{>}"},
  });
}

}  // namespace
}  // namespace polarsim::engine::test
