// What an observer of a cluster is told, and that the cluster does not notice it.
#include "engine/cluster/observer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "engine/cluster/test_cluster.h"

namespace polarsim::engine {
namespace {

class Told final : public ClusterObserver {
 public:
  void snapshot_taken(const std::string& node, std::uint32_t process_id) override {
    if (node.starts_with("dn") && workers.contains({node, process_id})) add("snapshot " + node);
  }
  void branch_begun(const std::string& node, storage::Xid xid, std::uint32_t process_id) override {
    if (!workers.contains({node, process_id})) return;
    branches[{node, xid}] = true;
    add("begun " + node);
  }
  void branch_prepared(const std::string& node, storage::Xid xid, const std::string& gid) override {
    if (!branches.contains({node, xid})) return;
    EXPECT_TRUE(gid.starts_with("polar_"));
    prepared.emplace_back(node, xid);
    add("prepared " + node);
  }
  void branch_ended(const std::string& node, storage::Xid xid, bool committed) override {
    if (branches.contains({node, xid})) add((committed ? "committed " : "aborted ") + node);
  }
  void task_begins(const CoordinatorSessionName& session, const std::string& node, std::uint32_t process_id) override {
    if (session != watched) return;
    workers[{node, process_id}] = true;
    add("task " + node);
  }
  void node_opened(const std::string& node, const StatusOf& status_of) override {
    ++opened[node];
    for (const auto& [where, xid] : prepared) {
      if (where == node) status_after_restart = status_of(xid);
    }
  }

  // Of one session only: what else goes on between nodes is not what the tests ask for.
  CoordinatorSessionName watched{"cn1", 0};
  std::vector<std::string> events;
  std::map<std::string, int> opened;
  std::optional<txn::XidStatus> status_after_restart;

 private:
  void add(std::string event) {
    if (watched.process_id != 0) events.push_back(std::move(event));
  }
  std::map<std::pair<std::string, std::uint32_t>, bool> workers;
  std::map<std::pair<std::string, storage::Xid>, bool> branches;
  std::vector<std::pair<std::string, storage::Xid>> prepared;
};

constexpr const char* schema = "CREATE TABLE account (id int PRIMARY KEY, balance int)";

// Accounts 1 and 3 lie on different nodes. Gives the session that is watched from here on.
pgwire::Client set_up(TestCluster& world, Told& told) {
  auto client = world.connect();
  TestCluster::ok(client, schema);
  TestCluster::ok(client, "SELECT create_distributed_table('account', 'id')");
  TestCluster::ok(client, "INSERT INTO account VALUES (1, 100), (3, 100)");
  auto watched = world.connect();
  told.watched.process_id = watched.backend_process_id();
  return watched;
}

// Where the two phases go on at the same time on both nodes, the order between them is left open.
std::vector<std::string> sorted(std::vector<std::string> events, std::size_t from, std::size_t count) {
  EXPECT_GE(events.size(), from + count);
  events = {events.begin() + static_cast<std::ptrdiff_t>(from),
            events.begin() + static_cast<std::ptrdiff_t>(std::min(events.size(), from + count))};
  std::sort(events.begin(), events.end());
  return events;
}

using Events = std::vector<std::string>;

TEST(ClusterObserver, IsToldOfTasksSnapshotsAndBranches) {
  TestCluster world;
  Told told;
  world.cluster().observe(&told);
  ASSERT_TRUE(world.run([&] {
    auto client = set_up(world, told);
    TestCluster::ok(client, "UPDATE account SET balance = 1 WHERE id = 1");
    EXPECT_EQ(told.events, (Events{"task dn1", "snapshot dn1", "begun dn1", "committed dn1"}));
    told.events.clear();
    TestCluster::ok(client, "SELECT balance FROM account WHERE id = 3");
    EXPECT_EQ(told.events, (Events{"task dn2", "snapshot dn2"}));
    told.events.clear();
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "UPDATE account SET balance = 2 WHERE id = 1");
    TestCluster::ok(client, "UPDATE account SET balance = 2 WHERE id = 3");
    EXPECT_EQ(told.events, (Events{"task dn1", "snapshot dn1", "begun dn1", "task dn2", "snapshot dn2", "begun dn2"}));
    TestCluster::ok(client, "COMMIT");
    EXPECT_EQ(sorted(told.events, 6, 2), (Events{"prepared dn1", "prepared dn2"}));
    EXPECT_EQ(sorted(told.events, 8, 2), (Events{"committed dn1", "committed dn2"}));
    told.events.clear();
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "UPDATE account SET balance = 3 WHERE id = 1");
    TestCluster::ok(client, "ROLLBACK");
    EXPECT_EQ(told.events, (Events{"task dn1", "snapshot dn1", "begun dn1", "aborted dn1"}));
    told.events.clear();
    // Two shards of one node are read by two statements, each with a snapshot of its own.
    TestCluster::ok(client, "SELECT sum(balance) FROM account");
    EXPECT_EQ(std::count(told.events.begin(), told.events.end(), "snapshot dn1"), 2);
    EXPECT_EQ(std::count(told.events.begin(), told.events.end(), "snapshot dn2"), 2);
    told.events.clear();
    // And under Repeatable Read with one.
    TestCluster::ok(client, "BEGIN ISOLATION LEVEL REPEATABLE READ");
    TestCluster::ok(client, "SELECT sum(balance) FROM account");
    TestCluster::ok(client, "COMMIT");
    EXPECT_EQ(std::count(told.events.begin(), told.events.end(), "snapshot dn1"), 1);
  }));
}

TEST(ClusterObserver, LearnsAfterARestartWhatBecameOfBranches) {
  TestCluster world;
  Told told;
  world.cluster().observe(&told);
  ASSERT_TRUE(world.run([&] {
    auto client = set_up(world, told);
    const int before = told.opened["dn1"];
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "UPDATE account SET balance = 2 WHERE id = 1");
    TestCluster::ok(client, "UPDATE account SET balance = 2 WHERE id = 3");
    TestCluster::ok(client, "COMMIT");
    sim::Host& node = world.simulation().host("dn1");
    node.crash();
    node.boot();
    world.sleep(in_seconds(5));
    EXPECT_EQ(told.opened["dn1"], before + 1);
    EXPECT_EQ(told.status_after_restart, txn::XidStatus::committed);
  }));
}

TEST(ClusterObserver, ChangesNothing) {
  const auto digest = [](bool observed) {
    TestCluster world;
    Told told;
    if (observed) world.cluster().observe(&told);
    EXPECT_TRUE(world.run([&] {
      auto client = set_up(world, told);
      TestCluster::ok(client, "BEGIN");
      TestCluster::ok(client, "UPDATE account SET balance = 2 WHERE id = 1");
      TestCluster::ok(client, "UPDATE account SET balance = 2 WHERE id = 3");
      TestCluster::ok(client, "COMMIT");
      TestCluster::ok(client, "SELECT sum(balance) FROM account");
    }));
    return world.simulation().digest().value();
  };
  EXPECT_EQ(digest(true), digest(false));
}

}  // namespace
}  // namespace polarsim::engine
