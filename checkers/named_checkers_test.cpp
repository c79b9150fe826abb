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
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  for (const char* name : {"bank", "list-append", "rw-register", "prepared-residue", "linearizable-register",
                           "monotonic-reads", "set-full", "long-fork"}) {
    EXPECT_TRUE(std::find(names.begin(), names.end(), name) != names.end()) << name;
  }
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
