#include <gtest/gtest.h>

#include "engine/node/node_test_support.h"

namespace polarsim::engine::testing {
namespace {

constexpr const char* twice_unique =
    "CREATE TABLE t (id int PRIMARY KEY, code int UNIQUE, v int); INSERT INTO t VALUES (1, 10, 0), (2, 20, 0)";

void on_node(const char* setup, const std::function<void(TestNode&, TestSession&)>& body, std::uint64_t seed = 1,
             NodeConfig config = {}, sim::SchedulingPolicy policy = sim::SchedulingPolicy::fifo) {
  TestNode node(seed, config, policy);
  node.run([&](TestNode& running) {
    TestSession session = running.connect();
    session.run(setup);
    body(running, session);
  });
  EXPECT_TRUE(node.finished());
}

TEST(Upsert, OnlyTheArbiterIsForgiven) {
  on_node(twice_unique, [](TestNode&, TestSession& s) {
    EXPECT_EQ(s.run("INSERT INTO t VALUES (3, 10, 1) ON CONFLICT (code) DO UPDATE SET v = t.v + 5"), "INSERT 0 1");
    EXPECT_EQ(s.outcome("INSERT INTO t VALUES (3, 10, 1) ON CONFLICT (id) DO NOTHING"),
              "23505 duplicate key value violates unique constraint \"t_code_key\" / Key (code)=(10) already exists.");
    EXPECT_EQ(s.run("INSERT INTO t VALUES (3, 10, 1) ON CONFLICT DO NOTHING"), "INSERT 0 0");
    EXPECT_EQ(s.run("INSERT INTO t VALUES (2, 30, 1) ON CONFLICT DO NOTHING"), "INSERT 0 0");
    EXPECT_EQ(
        s.run("INSERT INTO t VALUES (3, 20, 7) ON CONFLICT ON CONSTRAINT t_code_key DO UPDATE SET v = excluded.v"),
        "INSERT 0 1");
    EXPECT_EQ(s.run("SELECT * FROM t ORDER BY id"), "1|10|5;2|20|7");
    EXPECT_EQ(s.outcome("INSERT INTO t VALUES (3, 20, 7) ON CONFLICT (id, code) DO NOTHING"),
              "42P10 there is no unique or exclusion constraint matching the ON CONFLICT specification");
    EXPECT_EQ(s.outcome("INSERT INTO t VALUES (3, 20, 7) ON CONFLICT ON CONSTRAINT x DO NOTHING"),
              "42704 constraint \"x\" for table \"t\" does not exist");
  });
}

TEST(Upsert, NullsNeverConflict) {
  on_node(twice_unique, [](TestNode&, TestSession& s) {
    EXPECT_EQ(s.run("INSERT INTO t VALUES (3, NULL, 1), (4, NULL, 1) ON CONFLICT (code) DO NOTHING"), "INSERT 0 2");
  });
}

TEST(Upsert, RowOfTheSameCommandIsNotChangedAgain) {
  on_node(twice_unique, [](TestNode&, TestSession& s) {
    const std::string twice = "21000 ON CONFLICT DO UPDATE command cannot affect row a second time";
    EXPECT_EQ(s.outcome("INSERT INTO t VALUES (3, 30, 1), (3, 31, 2) ON CONFLICT (id) DO UPDATE SET v = 9"), twice);
    EXPECT_EQ(s.outcome("INSERT INTO t VALUES (1, 40, 1), (1, 41, 2) ON CONFLICT (id) DO UPDATE SET v = 9"), twice);
    EXPECT_EQ(s.run("INSERT INTO t VALUES (3, 30, 1), (3, 31, 2) ON CONFLICT (id) DO NOTHING"), "INSERT 0 1");
    EXPECT_EQ(
        s.run("BEGIN; INSERT INTO t VALUES (4, 50, 1); INSERT INTO t VALUES (4, 51, 2) ON CONFLICT (id) DO UPDATE "
              "SET v = t.v + excluded.v RETURNING v"),
        "3");
    s.run("COMMIT");
  });
}

TEST(Upsert, ConditionIsAskedOfTheNewestVersion) {
  on_node(twice_unique, [](TestNode& node, TestSession& a) {
    TestSession b = node.connect();
    a.run("BEGIN; UPDATE t SET v = 100 WHERE id = 1");
    auto skipped = b.start("INSERT INTO t VALUES (1, 0, 0) ON CONFLICT (id) DO UPDATE SET v = t.v + 1 WHERE t.v < 50");
    EXPECT_FALSE(skipped.done());
    a.run("COMMIT");
    EXPECT_EQ(skipped.outcome(), "INSERT 0 0");
    EXPECT_EQ(a.run("SELECT v FROM t WHERE id = 1"), "100");
  });
}

// Under read committed the row need not be visible; under repeatable read what is not visible must not decide.
TEST(Upsert, RepeatableReadRefusesWhatItsSnapshotDoesNotShow) {
  on_node(twice_unique, [](TestNode& node, TestSession& a) {
    TestSession b = node.connect();
    const std::string refused = "40001 could not serialize access due to concurrent update";
    a.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM t");
    b.run("INSERT INTO t VALUES (5, 50, 0)");
    EXPECT_EQ(a.outcome("INSERT INTO t VALUES (5, 50, 1) ON CONFLICT (id) DO NOTHING"), refused);
    a.run("ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM t");
    b.run("INSERT INTO t VALUES (6, 60, 0)");
    EXPECT_EQ(a.outcome("INSERT INTO t VALUES (6, 60, 1) ON CONFLICT (id) DO UPDATE SET v = 7"), refused);
    a.run("ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM t");
    b.run("UPDATE t SET v = 1 WHERE id = 1");
    EXPECT_EQ(a.outcome("INSERT INTO t VALUES (1, 60, 1) ON CONFLICT (id) DO UPDATE SET v = 7"), refused);
    a.run("ROLLBACK");
  });
}

// However two insertions of a key interleave, one makes the row and the others count it up; nobody fails. Insertions
// are held up between their look at the index and their entry there, so that they overtake each other.
TEST(Upsert, ConcurrentUpsertsOfNewKeysAddUp) {
  std::uint64_t speculations_failed = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    TestNode node(seed, {}, sim::SchedulingPolicy::random);
    node.run([&](TestNode& running) {
      TestSession setup = running.connect();
      setup.run("CREATE TABLE t (id int PRIMARY KEY, n int)");
      for (std::uint64_t visit = 1; visit <= 40; visit += 1 + seed % 3) {
        running.simulation().fault_points().arm("wal/append", "dn1", visit,
                                                {sim::FaultAction::Kind::delay, sim::Duration(1'000'000), {}});
      }
      std::vector<sim::TaskRef> tasks;
      for (int client = 0; client < 4; ++client) {
        tasks.push_back(running.spawn([&running] {
          TestSession session = running.connect();
          for (int key = 0; key < 8; ++key) {
            EXPECT_EQ(session.outcome("INSERT INTO t VALUES (" + std::to_string(key) +
                                      ", 1) ON CONFLICT (id) DO UPDATE SET n = t.n + 1"),
                      "INSERT 0 1");
          }
        }));
      }
      running.join(tasks);
      EXPECT_EQ(setup.run("SELECT count(*), min(n), max(n) FROM t"), "8|4|4") << "seed " << seed;
    });
    EXPECT_TRUE(node.finished());
    speculations_failed += node.reached("insert/speculation-failed");
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_GE(speculations_failed, 10U) << "insertions did not overtake each other";
}

}  // namespace
}  // namespace polarsim::engine::testing
