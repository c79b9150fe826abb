#include "engine/syntax/object_names.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/types/error.h"

namespace polarsim::engine::syntax {
namespace {

TEST(ObjectNamesTest, IndexesAreCalledAsInPostgresql) {
  const auto none = [](const std::string&) { return false; };
  EXPECT_EQ(default_index_name("t", {"a", "b"}, "key", none), "t_a_b_key");
  EXPECT_EQ(default_index_name("t", {}, "pkey", none), "t_pkey");
  const std::string table = "longname_longname_longname_longname_longname_longname";
  const std::string column = "longcolumn_longcolumn_longcolumn";
  EXPECT_EQ(default_index_name(table, {"b", column}, "key", none),
            "longname_longname_longname_lo_b_longcolumn_longcolumn_longc_key");
  EXPECT_EQ(default_index_name(table, {column}, "key", none),
            "longname_longname_longname_lo_longcolumn_longcolumn_longcol_key");
  const auto first_two = [](const std::string& name) { return name == "t_a_idx" || name == "t_a_idx1"; };
  EXPECT_EQ(default_index_name("t", {"a"}, "idx", first_two), "t_a_idx2");
}

TEST(ObjectNamesTest, NamesInTextsAreReadAsInPostgresql) {
  const auto read = [](std::string_view text) {
    try {
      const TableName name = parse_relation_name(text);
      return name.schema + "/" + name.name;
    } catch (const SqlError& error) {
      return std::string(error.what());
    }
  };
  EXPECT_EQ(read("A"), "/a");
  EXPECT_EQ(read(" Public . \"a\"\"B\" "), "public/a\"B");
  EXPECT_EQ(read("1a"), "/1a");
  EXPECT_EQ(read(""), "42602: invalid name syntax");
  EXPECT_EQ(read("a b"), "42602: invalid name syntax");
  EXPECT_EQ(read("a."), "42602: invalid name syntax");
  EXPECT_EQ(read("\"a"), "42602: invalid name syntax");
  EXPECT_EQ(read("a.b.c.d"), "42601: improper relation name (too many dotted names): a.b.c.d");
}

}  // namespace
}  // namespace polarsim::engine::syntax
