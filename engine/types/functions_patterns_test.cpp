#include <gtest/gtest.h>

#include "engine/types/call_test_support.h"

// What is expected was taken from a real PostgreSQL 15.
namespace polarsim::engine::test {
namespace {

TEST(PatternFunctions, Like) {
  expect_calls({
      {"~~", {"text=abc", "text=a%"}, "t"},
      {"~~", {"text=abc", "text=_b_"}, "t"},
      {"~~", {"text=aé", "text=a_"}, "t"},
      {"~~", {"text=ABC", "text=abc"}, "f"},
      {"~~*", {"text=ABC", "text=a%c"}, "t"},
      {"~~*", {"text=É", "text=é"}, "f"},
      {"~~", {"text=a%c", "text=a\\%c"}, "t"},
      {"~~", {"text=abc", "text=a\\%c"}, "f"},
      {"~~", {"text=", "text=%"}, "t"},
      {"~~", {"text=a", "text=a\\"}, "f"},
      {"~~", {"text=", "text=%\\"}, "f"},
      {"~~", {"text=ab", "text=a_%\\"}, "f"},
      {"~~", {"text=ab", "text=a%_\\"}, "ERROR 22025: LIKE pattern must not end with escape character"},
      {"~~", {"text=aXbXc", "text=%X%c"}, "t"},
      {"~~", {"text=abcabcabd", "text=%abd"}, "t"},
      {"!~~", {"text=a", "text"}, "NULL"},
      {"~~", {"bytea=\\xff00", "bytea=\\x5f25"}, "t"},
      {"~~", {"bpchar=a  ", "text=a"}, "f"},
      {"like_escape", {"text=a#_\\", "text=#"}, "a\\_\\\\"},
      {"like_escape", {"text=a\\_", "text="}, "a\\\\_"},
      {"like_escape", {"text=a", "text=ab"}, "ERROR 22025: invalid escape string"},
      {"like_escape", {"text=a##b", "text=#"}, "a\\#b"},
      {"like_escape", {"bytea=\\x2361", "bytea=\\x23"}, "\\x5c61"},
  });
}

TEST(PatternFunctions, SimilarTo) {
  expect_calls({
      {"similar_to_escape", {"text=a|b"}, "^(?:a|b)$"},
      {"similar_to_escape", {"text=a%_[^x]"}, "^(?:a.*.[^x])$"},
      {"similar_to_escape", {"text=a#\"b#\"c", "text=#"}, "^(?:a){1,1}?(b){1,1}(?:c)$"},
      {"similar_to_escape", {"text=a.^$", "text="}, "^(?:a\\.\\^\\$)$"},
      {"similar_to_escape",
       {"text=a#\"b#\"c#\"d", "text=#"},
       "ERROR 2200C: SQL regular expression may not contain more than two escape-double-quote separators"},
      {"similar_to_escape", {"text=a#%#(", "text=#"}, "^(?:a\\%\\()$"},
      {"similar_to_escape", {"text=[a#]b]", "text=#"}, "^(?:[a\\]b])$"},
      {"similar_to_escape", {"text=(a|b)*+?{1}"}, "^(?:(?:a|b)*+?{1})$"},
      {"similar_to_escape", {"text=\\d"}, "^(?:\\d)$"},
      {"similar_to_escape", {"text=[[:alpha:]]"}, "^(?:[[:alpha:]])$"},
      {"similar_to_escape", {"text=a", "text=ab"}, "ERROR 22025: invalid escape string"},
      {"similar_escape", {"text=a\\%", "text"}, "^(?:a\\%)$"},
      {"substring", {"text=abcdefg", "text=a#\"(b_d)#\"%", "text=#"}, "bcd"},
      {"substring", {"text=abc", "text=x", "text=#"}, "NULL"},
  });
}

TEST(PatternFunctions, Operators) {
  expect_calls({
      {"~", {"text=abc", "text=^a.c$"}, "t"},
      {"~*", {"text=ABC", "text=b"}, "t"},
      {"!~", {"text=abc", "text=d"}, "t"},
      {"!~*", {"text=abc", "text=B"}, "f"},
      {"~", {"name=abc", "text=b"}, "t"},
      {"~", {"bpchar=ab ", "text=b$"}, "f"},
  });
}

TEST(PatternFunctions, Match) {
  expect_calls({
      {"regexp_match", {"text=foobarbequebaz", "text=(bar)(beque)"}, "{<bar>,<beque>}"},
      {"regexp_match", {"text=foobarbequebaz", "text=barbeque"}, "{<barbeque>}"},
      {"regexp_match", {"text=abc", "text=x"}, "NULL"},
      {"regexp_match", {"text=abc", "text=(x)?b"}, "{NULL}"},
      {"regexp_match", {"text=abc", "text=B", "text=i"}, "{<b>}"},
      {"regexp_match",
       {"text=abc", "text=b", "text=g"},
       "ERROR 22023: regexp_match() does not support the \"global\" option"},
      {"regexp_match", {"text=abc", "text=b", "text=z"}, "ERROR 22023: invalid regular expression option: \"z\""},
      {"regexp_matches",
       {"text=foobarbequebazilbarfbonk", "text=(b[^b]+)(b[^b]+)", "text=g"},
       "{<bar>,<beque>} | {<bazil>,<barf>}"},
      {"regexp_matches", {"text=abab", "text=b"}, "{<b>}"},
      {"regexp_matches", {"text=abc", "text=", "text=g"}, "{<>} | {<>} | {<>} | {<>}"},
      {"regexp_like", {"text=abc", "text=b"}, "t"},
      {"regexp_like",
       {"text=abc", "text=B", "text=g"},
       "ERROR 22023: regexp_like() does not support the \"global\" option"},
      {"substring", {"text=foobar", "text=o(.)b"}, "o"},
      {"substring", {"text=foobar", "text=o.b"}, "oob"},
      {"substring", {"text=foobar", "text=(z)?b"}, "NULL"},
  });
}

TEST(PatternFunctions, Replace) {
  expect_calls({
      {"regexp_replace", {"text=foobarbaz", "text=b..", "text=X"}, "fooXbaz"},
      {"regexp_replace", {"text=foobarbaz", "text=b..", "text=X", "text=g"}, "fooXX"},
      {"regexp_replace",
       {"text=foobarbaz", "text=b(..)", "text=X\\1Y\\&\\\\\\", "text=g"},
       "fooXarYbar\\\\XazYbaz\\\\"},
      {"regexp_replace",
       {"text=abc", "text=b", "text=x", "text=3"},
       "ERROR 22023: invalid regular expression option: \"3\""},
      {"regexp_replace", {"text=A PostgreSQL function", "text=a|e|i|o|u", "text=X", "int4=1"}, "A PXstgreSQL function"},
      {"regexp_replace",
       {"text=A PostgreSQL function", "text=a|e|i|o|u", "text=X", "int4=1", "int4=3", "text=i"},
       "A PostgrXSQL function"},
      {"regexp_replace", {"text=abc", "text=.", "text=X", "int4=2", "int4=0"}, "aXX"},
      {"regexp_replace",
       {"text=abc", "text=b", "text=x", "int4=0"},
       "ERROR 22023: invalid value for parameter \"start\": 0"},
      {"regexp_replace",
       {"text=abc", "text=b", "text=x", "int4=1", "int4=-1"},
       "ERROR 22023: invalid value for parameter \"n\": -1"},
      {"regexp_replace", {"text=abc", "text=", "text=-", "text=g"}, "-a-b-c-"},
  });
}

TEST(PatternFunctions, Split) {
  expect_calls({
      {"regexp_split_to_array", {"text=the quick brown", "text=\\s+"}, "{<the>,<quick>,<brown>}"},
      {"regexp_split_to_array", {"text=abc", "text=\\s*"}, "{<a>,<b>,<c>}"},
      {"regexp_split_to_array", {"text=abc", "text="}, "{<a>,<b>,<c>}"},
      {"regexp_split_to_array", {"text=", "text=,"}, "{<>}"},
      {"regexp_split_to_array",
       {"text=abc", "text=b", "text=g"},
       "ERROR 22023: regexp_split_to_array() does not support the \"global\" option"},
      {"regexp_split_to_table", {"text=a,b,,c", "text=,"}, "a | b |  | c"},
      {"regexp_split_to_table", {"text=aXbxc", "text=x", "text=i"}, "a | b | c"},
  });
}

TEST(PatternFunctions, CountAndPosition) {
  expect_calls({
      {"regexp_count", {"text=abababab", "text=a.b"}, "0"},
      {"regexp_count", {"text=ABCABCABCABC", "text=Abc", "int4=1", "text=i"}, "4"},
      {"regexp_count", {"text=abc", "text=b", "int4=0"}, "ERROR 22023: invalid value for parameter \"start\": 0"},
      {"regexp_instr", {"text=abcdefghi", "text=d.f"}, "4"},
      {"regexp_instr", {"text=abcabcabc", "text=a.c", "int4=1", "int4=3", "int4=1"}, "10"},
      {"regexp_instr",
       {"text=1234567890", "text=(123)(4(56)(78))", "int4=1", "int4=1", "int4=0", "text=i", "int4=4"},
       "7"},
      {"regexp_instr",
       {"text=abc", "text=b", "int4=1", "int4=1", "int4=1", "text=", "int4=-1"},
       "ERROR 22023: invalid value for parameter \"subexpr\": -1"},
      {"regexp_instr", {"text=abc", "text=b", "int4=1", "int4=0"}, "ERROR 22023: invalid value for parameter \"n\": 0"},
      {"regexp_instr",
       {"text=abc", "text=b", "int4=1", "int4=1", "int4=2"},
       "ERROR 22023: invalid value for parameter \"endoption\": 2"},
      {"regexp_substr", {"text=1234567890", "text=(123)(4(56)(78))", "int4=1", "int4=1", "text=i", "int4=2"}, "45678"},
      {"regexp_substr", {"text=abc", "text=x"}, "NULL"},
      {"regexp_substr", {"text=abcabc", "text=b.", "int4=3", "int4=1"}, "bc"},
  });
}

}  // namespace
}  // namespace polarsim::engine::test
