// Each planted bug that lives in one node does its harm when it is on, and none when it is off.
#include "engine/planted_bugs.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "engine/node/node_test_support.h"

namespace polarsim::engine::testing {
namespace {

NodeConfig with(std::optional<PlantedBug> bug) {
  NodeConfig config;
  if (bug) config.planted.turn_on(*bug);
  return config;
}

TEST(PlantedBugs, RegistryIsConsistent) {
  std::set<std::string_view> names;
  for (const PlantedBugInfo& info : planted_bugs()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_FALSE(info.summary.empty());
    EXPECT_FALSE(info.source.empty());
    EXPECT_EQ(find_planted_bug(info.name), info.bug);
  }
  EXPECT_EQ(find_planted_bug("no-such-bug"), std::nullopt);
  EXPECT_FALSE(PlantedBugs().on(PlantedBug::recheck_skipped));
}

// What is left of a commit record that was acknowledged just before a power loss.
std::string records_after_crash(std::optional<PlantedBug> bug) {
  TestNode node(1, with(bug));
  node.run([](TestNode& running) {
    TestSession session = running.connect();
    session.run(
        "SET allow_system_table_mods = on; CREATE TABLE pg_catalog.pg_dist_transaction (groupid int, gid text); CREATE "
        "TABLE t (id int)");
    session.run("INSERT INTO t VALUES (1)");
    session.run("INSERT INTO pg_dist_transaction VALUES (0, 'x')");
    EXPECT_EQ(running.connect().run("SELECT gid FROM pg_dist_transaction"), "x") << "visible to all";
    running.host().crash();
  });
  std::string left;
  node.run([&](TestNode& running) {
    TestSession session = running.connect();
    left = session.run("SELECT count(*) FROM pg_dist_transaction") + " records, " +
           session.run("SELECT count(*) FROM t") + " rows";
  });
  return left;
}

std::string counter_after_prepared_increment(std::optional<PlantedBug> bug) {
  TestNode node(1, with(bug));
  std::string value;
  node.run([&](TestNode& running) {
    TestSession a = running.connect();
    TestSession b = running.connect();
    a.run("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 0)");
    a.run("BEGIN; UPDATE t SET v = v + 1; PREPARE TRANSACTION 'x'");
    auto second = b.start("UPDATE t SET v = v + 1");
    EXPECT_EQ(second.done(), bug.has_value());
    a.run("COMMIT PREPARED 'x'");
    EXPECT_EQ(second.outcome(), "UPDATE 1");
    value = a.run("SELECT v FROM t");
  });
  return value;
}

TEST(PlantedBugs, LocksReleasedAtPrepareLosesAnUpdate) {
  EXPECT_EQ(counter_after_prepared_increment(std::nullopt), "2");
  // Both versions replaced the same one, and neither knows of the other.
  EXPECT_EQ(counter_after_prepared_increment(PlantedBug::locks_released_at_prepare), "1;1");
}

TEST(PlantedBugs, PreparedLostOnRestartForgetsTheTransaction) {
  for (const bool planted : {false, true}) {
    TestNode node(1, with(planted ? std::optional(PlantedBug::prepared_lost_on_restart) : std::nullopt));
    node.run([](TestNode& running) {
      running.connect().run(
          "CREATE TABLE t (id int PRIMARY KEY); BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'x'");
      running.host().crash();
    });
    // Twice: what one recovery forgot the next must not find again.
    for (int boot = 0; boot < 2; ++boot) {
      node.run([&](TestNode& running) {
        EXPECT_EQ(running.instance().prepared_gids().size(), planted ? 0U : 1U);
        running.host().crash();
      });
    }
    node.run([&](TestNode& running) {
      TestSession session = running.connect();
      EXPECT_EQ(session.outcome("COMMIT PREPARED 'x'").substr(0, 5), planted ? "42704" : "COMMI");
      EXPECT_EQ(session.run("SELECT count(*) FROM t"), planted ? "0" : "1");
    });
    EXPECT_TRUE(node.finished());
  }
}

std::string counter_after_waiting(std::optional<PlantedBug> bug, const std::string& increment) {
  TestNode node(1, with(bug));
  std::string value;
  node.run([&](TestNode& running) {
    TestSession a = running.connect();
    TestSession b = running.connect();
    a.run("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 0)");
    a.run("BEGIN; UPDATE t SET v = v + 1");
    auto second = b.start(increment);
    a.run("COMMIT");
    second.outcome();
    value = a.run("SELECT v FROM t");
  });
  return value;
}

TEST(PlantedBugs, RecheckSkippedLosesAnUpdate) {
  const std::string update = "UPDATE t SET v = v + 1 WHERE id = 1";
  const std::string upsert = "INSERT INTO t VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET v = t.v + 1";
  for (const std::string& increment : {update, upsert}) {
    EXPECT_EQ(counter_after_waiting(std::nullopt, increment), "2") << increment;
    EXPECT_EQ(counter_after_waiting(PlantedBug::recheck_skipped, increment), "1") << increment;
  }
  const std::string removal = "DELETE FROM t WHERE v = 0";
  EXPECT_EQ(counter_after_waiting(std::nullopt, removal), "1");
  EXPECT_EQ(counter_after_waiting(PlantedBug::recheck_skipped, removal), "") << "deletes what no longer qualifies";
}

TEST(PlantedBugs, SkippedFlushLosesAcknowledgedCommitRecords) {
  EXPECT_EQ(records_after_crash(std::nullopt), "1 records, 1 rows");
  EXPECT_EQ(records_after_crash(PlantedBug::two_pc_skip_commit_record_flush), "0 records, 1 rows")
      << "other commits are flushed";
}

}  // namespace
}  // namespace polarsim::engine::testing
