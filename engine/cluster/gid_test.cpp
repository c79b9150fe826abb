#include "engine/cluster/gid.h"

#include <gtest/gtest.h>

namespace polarsim::engine::cluster {
namespace {

TEST(Gid, NamesGroupProcessTransactionAndConnection) {
  const Gid gid{2, TransactionId{1000017, 42}, 3};
  EXPECT_EQ(gid.text(), "polar_2_1000017_42_3");
  EXPECT_EQ(Gid::parse(gid.text()), gid);
}

TEST(Gid, IsReadExactly) {
  EXPECT_EQ(Gid::parse("polar_24_1_1_1")->group_id, 24);
  for (const char* text :
       {"", "polar", "polar_", "polar_2", "polar_2_1_1", "polar_2_1_1_", "polar_2_1_1_1_1", "polar_2_1_1_1 ",
        " polar_2_1_1_1", "polar_02_1_1_1", "polar_-2_1_1_1", "polar_+2_1_1_1", "polar_2__1_1", "polar_a_1_1_1",
        "polarX2_1_1_1", "citus_2_1_1_1", "polar_99999999999_1_1_1"}) {
    EXPECT_FALSE(Gid::parse(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace polarsim::engine::cluster
