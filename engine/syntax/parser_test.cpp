#include "engine/syntax/parser.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "engine/sql/error.h"

namespace polarsim::engine::syntax {
namespace {

// "", or "SQLSTATE: message @position".
std::string error_of(std::string_view text) {
  try {
    (void)parse(text);
    return "";
  } catch (const SqlError& error) {
    return std::string(error.what()) + " @" + std::to_string(error.fields().position);
  }
}

TEST(ParserTest, ReadsStatements) {
  for (const char* text : {"select a, 1 + 2.5, b.c from s.t join u using (x) where y between 1 and 2 order by 1",
                           "with recursive w as (select 1 union all select 2) insert into t select * from w",
                           "update t set (a, b) = (select 1, 2), c[1] = default from u where t.x = u.x returning *",
                           "create table t (a int primary key, b text default 'x' not null, unique (b))"}) {
    EXPECT_EQ(error_of(text), "") << text;
    EXPECT_EQ(parse(text).size(), 1U);
  }
  EXPECT_EQ(error_of("listen x"), "0A000: LISTEN is not supported @0");
  EXPECT_EQ(error_of("select 1 +"), "42601: syntax error at end of input @11");
}

}  // namespace
}  // namespace polarsim::engine::syntax
