#include "engine/catalog/sequence.h"

#include <gtest/gtest.h>

#include "engine/node/node_test_support.h"

namespace polarsim::engine::testing {
namespace {

TEST(SequenceOfANode, CountsWhateverBecomesOfTheTransaction) {
  TestNode node;
  node.run([](TestNode& running) {
    TestSession a = running.connect();
    TestSession b = running.connect();
    a.run("CREATE SEQUENCE s");
    EXPECT_EQ(a.outcome("SELECT currval('s')"), "55000 currval of sequence \"s\" is not yet defined in this session");
    EXPECT_EQ(a.outcome("SELECT lastval()"), "55000 lastval is not yet defined in this session");
    a.run("BEGIN");
    EXPECT_EQ(a.run("SELECT nextval('s')"), "1");
    a.run("ROLLBACK");
    EXPECT_EQ(b.run("SELECT nextval('s')"), "2");
    EXPECT_EQ(a.run("SELECT currval('s')"), "1");
    EXPECT_EQ(a.run("SELECT lastval()"), "1");
    EXPECT_EQ(a.run("SELECT setval('s', 10)"), "10");
    EXPECT_EQ(b.run("SELECT nextval('public.s')"), "11");
    EXPECT_EQ(b.outcome("SELECT nextval('nothing')"), "42P01 relation \"nothing\" does not exist");
    a.run("CREATE TABLE t (id bigint DEFAULT nextval('s') PRIMARY KEY, v int); INSERT INTO t (v) VALUES (1), (2)");
    EXPECT_EQ(a.run("SELECT id FROM t ORDER BY id"), "12;13");
    EXPECT_EQ(a.outcome("SELECT nextval('t')"), "42809 \"t\" is not a sequence");
    EXPECT_EQ(
        a.outcome("DROP SEQUENCE s"),
        "2BP01 cannot drop sequence s because other objects depend on it / default value for column id of table t "
        "depends on sequence s");
    EXPECT_EQ(a.run("DROP SEQUENCE s CASCADE"), "DROP SEQUENCE");
    EXPECT_EQ(a.outcome("SELECT lastval()"), "55000 lastval is not yet defined in this session");
  });
  EXPECT_TRUE(node.finished());
}

TEST(SequenceOfANode, EndsAtItsMaximum) {
  TestNode node;
  node.run([](TestNode& running) {
    TestSession session = running.connect();
    session.run("CREATE SEQUENCE s MAXVALUE 2");
    EXPECT_EQ(session.run("SELECT nextval('s')"), "1");
    EXPECT_EQ(session.run("SELECT nextval('s')"), "2");
    EXPECT_EQ(session.outcome("SELECT nextval('s')"), "2200H nextval: reached maximum value of sequence \"s\" (2)");
  });
  EXPECT_TRUE(node.finished());
}

// Whatever the crash leaves of the page: a number that somebody was told never comes again.
TEST(SequenceOfANode, NoNumberComesTwiceOverCrashes) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    TestNode node(seed);
    std::int64_t last = 0;
    node.run([&](TestNode& running) {
      TestSession session = running.connect();
      session.run("CREATE SEQUENCE s; CREATE TABLE t (v bigint)");
    });
    for (int round = 0; round < 6; ++round) {
      node.run([&](TestNode& running) {
        TestSession session = running.connect();
        const int count = 1 + (round * 17 + static_cast<int>(seed)) % 40;
        for (int i = 0; i < count; ++i) {
          if (i == count / 2 && round % 2 == 0) session.run("CHECKPOINT");
          session.run("BEGIN");
          const std::int64_t value = session.execute("SELECT nextval('s')").rows.at(0).at(0).as_integer();
          session.run("COMMIT");
          ASSERT_GT(value, last) << "seed " << seed << ", round " << round;
          ASSERT_LE(value, last + 33) << "seed " << seed << ", round " << round;
          last = value;
        }
        running.host().crash();
      });
    }
  }
}

}  // namespace
}  // namespace polarsim::engine::testing
