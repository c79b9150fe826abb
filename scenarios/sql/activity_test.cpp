// What pg_stat_activity tells of the other sessions of a coordinator, and where a lock of a data node is waited for.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/cluster/test_cluster.h"

namespace polarsim::engine {
namespace {

using pgwire::Client;

TEST(Activity, OtherSessionsAndWhatTheyWaitForAreSeen) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    Client b = world.connect();
    Client c = world.connect();
    world.create_accounts(b, 2);
    TestCluster::ok(b, "SET application_name = 'b'");
    TestCluster::ok(c, "SET application_name = 'c'");
    const auto told = [&](Client& by, const std::string& of, const std::string& what) {
      return TestCluster::rows(by, "SELECT " + what + " FROM pg_stat_activity WHERE application_name = '" + of + "'");
    };
    const std::string all = "state, query, wait_event_type, wait_event";
    EXPECT_EQ(told(c, "b", all), "idle|SET application_name = 'b'|Client|ClientRead");
    TestCluster::ok(b, "BEGIN");
    TestCluster::ok(b, "UPDATE account SET balance = 5 WHERE id = 1");
    EXPECT_EQ(told(c, "b", "state, query"), "idle in transaction|UPDATE account SET balance = 5 WHERE id = 1");
    EXPECT_EQ(told(c, "b", "backend_start <= xact_start AND xact_start <= query_start AND query_start <= state_change"),
              "t");
    EXPECT_EQ(told(c, "c", "state, wait_event, backend_type"), "active||client backend");
    EXPECT_EQ(told(c, "c", "datname, usename, pid = pg_backend_pid(), query LIKE '%pg_stat_activity%'"),
              "postgres|polar|t|t");

    const auto look_and_commit = [&] {
      world.sleep(milliseconds(100));
      EXPECT_EQ(told(b, "c", all), "active|UPDATE account SET balance = 6 WHERE id = 1|Extension|Extension");
      const std::string waits = "SELECT count(*) FROM pg_locks WHERE NOT granted";
      EXPECT_EQ(TestCluster::rows(b, "SELECT sum(result::int) FROM run_command_on_workers('" + waits + "')"), "1");
      return TestCluster::outcome(b, "COMMIT");
    };
    const auto update = [&] { return TestCluster::outcome(c, "UPDATE account SET balance = 6 WHERE id = 1"); };
    EXPECT_EQ(world.all_of({look_and_commit, update}), (std::vector<std::string>{"COMMIT", "UPDATE 1"}));
    EXPECT_EQ(told(b, "c", "state"), "idle");
    TestCluster::ok(b, "BEGIN");
    TestCluster::fails(b, "SELECT 1/0");
    EXPECT_EQ(told(c, "b", "state, query"), "idle in transaction (aborted)|SELECT 1/0");
    EXPECT_EQ(TestCluster::rows(c,
                                "SELECT pg_postmaster_start_time() <= backend_start AND pg_conf_load_time() <= now() "
                                "FROM pg_stat_activity WHERE pid = pg_backend_pid()"),
              "t");
  }));
}

}  // namespace
}  // namespace polarsim::engine
