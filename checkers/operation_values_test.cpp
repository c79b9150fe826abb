// Reading values out of EDN text: what is taken, and what is refused and how.
#include "checkers/operation_values.h"

#include <gtest/gtest.h>

#include "checkers/test_histories.h"

namespace polarsim::checkers {
namespace {

using Forms = std::vector<std::string_view>;

TEST(OperationValues, Elements) {
  EXPECT_EQ(elements_of("[1 2]"), (Forms{"1", "2"}));
  EXPECT_EQ(elements_of("[ 1, [2 3] \"a b\" #{4} ]"), (Forms{"1", "[2 3]", "\"a b\"", "#{4}"}));
  EXPECT_EQ(elements_of("#{}"), Forms{});
  EXPECT_EQ(elements_of("(1)"), Forms{"1"});
  EXPECT_EQ(elements_of("#jepsen.history.Pair [1 2]"), (Forms{"1", "2"}));
  for (const char* form : {"", "1", "nil", "{1 2}", "[1 2", "[1 2] 3", "[1 2)", "#[1]", "# {1}", "\"[1 2]\"", "#{1"}) {
    EXPECT_EQ(elements_of(form), std::nullopt) << form;
  }
}

TEST(OperationValues, ScalarsAndNumbers) {
  EXPECT_EQ(as_scalar("7"), "7");
  EXPECT_EQ(as_scalar("+7"), "7");
  EXPECT_EQ(as_scalar("7N"), "7");
  EXPECT_EQ(as_scalar(":a"), ":a");
  EXPECT_EQ(as_scalar("\"a b\""), "\"a b\"");
  for (const char* form : {"", "nil", "[1]", "#{1}", "#inst \"x\"", "\"a\" b", "a b"}) {
    EXPECT_EQ(as_scalar(form), std::nullopt) << form;
  }
  EXPECT_EQ(as_integer("-3"), -3);
  for (const char* form : {"", "3.5", "3 4", "nil", "99999999999999999999"}) EXPECT_EQ(as_integer(form), std::nullopt);
  EXPECT_EQ(as_boolean("true"), true);
  EXPECT_EQ(as_boolean("nil"), std::nullopt);
}

TEST(OperationValues, KeysAreIndependentIfEveryInvocationHasOne) {
  const auto keyed = [](const std::vector<std::string>& lines) {
    const History history = test::history_of(lines);
    return has_independent_keys(calls_of(history));
  };
  EXPECT_TRUE(keyed({"invoke 0 write [1 2]", "ok 0 write nil", "invoke 0 read [:x nil]"}));
  EXPECT_FALSE(keyed({"invoke 0 write [1 2]", "ok 0 write nil", "invoke 0 read nil"}));
  EXPECT_FALSE(keyed({"invoke 0 write [[1] 2]"}));
  EXPECT_FALSE(keyed({"invoke 0 write [1 2 3]"}));
  EXPECT_FALSE(keyed({}));
}

TEST(OperationValues, RefusalsNameTheOperation) {
  const History history = test::history_of({"invoke 0 read [1 2 3]", "ok 0 read {1 2}"});
  EXPECT_EQ(read_keyed(history.events[0], true).error(), "op 0 (:read): expected [key value], found [1 2 3]");
  EXPECT_EQ(read_keyed(history.events[1], true).error(), "op 1 (:read): expected [key value], found a map");
  EXPECT_EQ(read_integer(history.events[0], "[1 2 3]").error(),
            "op 0 (:read): expected a 64-bit integer, found [1 2 3]");
  const std::string longest(200, 'x');
  EXPECT_EQ(read_integer(history.events[0], longest).error(),
            "op 0 (:read): expected a 64-bit integer, found " + std::string(80, 'x') + "...");
}

}  // namespace
}  // namespace polarsim::checkers
