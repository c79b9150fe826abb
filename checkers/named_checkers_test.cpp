// The list of checkers: complete, sorted, and every verdict calls itself by the name it was asked for by.
#include "checkers/named_checkers.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace polarsim::checkers {
namespace {

TEST(NamedCheckers, AreListedOnceInOrderWithASummary) {
  std::vector<std::string> names;
  for (const CheckerInfo& info : list_checkers()) {
    names.push_back(info.name);
    EXPECT_FALSE(info.summary.empty()) << info.name;
  }
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_EQ(names, (std::vector<std::string>{"anomaly-meter",
                                             "bank",
                                             "counter",
                                             "linearizable-cas-register",
                                             "linearizable-queue",
                                             "linearizable-register",
                                             "linearizable-set",
                                             "list-append",
                                             "long-fork",
                                             "monotonic",
                                             "monotonic-reads",
                                             "monotonic-writes",
                                             "prepared-residue",
                                             "read-committed-cluster",
                                             "read-your-writes",
                                             "rw-register",
                                             "set",
                                             "set-full",
                                             "unique-ids",
                                             "upsert",
                                             "writes-follow-reads"}));
}

TEST(NamedCheckers, CallThemselvesByTheirNames) {
  for (const NamedChecker& checker : named_checkers()) {
    const Verdict verdict = checker.check(History());
    EXPECT_EQ(verdict.checker, checker.info.name);
    EXPECT_NE(verdict.validity, Validity::invalid) << checker.info.name;
    EXPECT_EQ(find_named_checker(checker.info.name), &checker);
  }
  EXPECT_EQ(find_named_checker("list-append"), nullptr);
}

}  // namespace
}  // namespace polarsim::checkers
