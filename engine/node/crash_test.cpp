// Power loss at every disk operation, and around it: what was acknowledged is there afterwards, and everything else is
// all or nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "engine/node/database.h"
#include "engine/node/node_test_support.h"
#include "engine/sanitizer_test_support.h"

namespace polarsim::engine::testing {
namespace {

// What the clients of one run know. It lives outside the simulated world, so no crash takes it away.
struct Knowledge {
  std::set<int> attempted;
  std::set<int> acknowledged;
  // Of prepared transactions: how far each got.
  enum class Phase { preparing, prepared, committing, committed, rolling_back, rolled_back };
  std::map<int, Phase> phases;
};

struct Scenario {
  std::string setup;
  std::function<void(TestNode&, Knowledge&)> work;
  std::function<void(TestNode&, const Knowledge&)> verify;
};

constexpr std::uint64_t small_segment = 1024;
// Of the instants at which the power may fail, the n-th ones are tried.
constexpr std::size_t instants_stride = under_sanitizer ? 9 : 1;

std::unique_ptr<TestNode> make_node(std::uint64_t seed, bool trace = false) {
  auto node = std::make_unique<TestNode>(seed, NodeConfig{}, sim::SchedulingPolicy::fifo, trace);
  node->config().wal_segment_bytes = small_segment;
  node->config().shared_buffers = storage::buffers_min;
  return node;
}

void work(TestNode& node, const Scenario& scenario, Knowledge& knowledge) {
  node.run([&](TestNode& running) {
    running.connect().run(scenario.setup);
    scenario.work(running, knowledge);
  });
}

// The instants just before, at, and just after each disk operation since `from`, and half way to the next one.
std::vector<sim::Time> instants(TestNode& node, sim::Time from) {
  std::set<std::int64_t> times;
  std::int64_t previous = 0;
  for (const sim::TraceEvent& event : node.simulation().trace().events()) {
    if (event.kind != sim::TraceKind::io || event.time < from) continue;
    const std::int64_t time = sim::nanoseconds(event.time);
    for (const std::int64_t near : {time - 1, time, time + 1}) times.insert(near);
    if (previous != 0) times.insert((previous + time) / 2);
    previous = time;
  }
  std::vector<sim::Time> result;
  for (const std::int64_t time : times) {
    if (time >= sim::nanoseconds(from)) result.push_back(sim::time_zero + sim::Duration(time));
  }
  return result;
}

void crash_at(TestNode& node, sim::Time when) {
  node.simulation().scheduler().call_at(when, [&node] { node.host().crash(); });
}

void expect_verified(TestNode& node, const Scenario& scenario, const Knowledge& knowledge, const std::string& what) {
  SCOPED_TRACE(what);
  node.run([&](TestNode& running) { scenario.verify(running, knowledge); });
  EXPECT_TRUE(node.finished()) << "recovery or verification did not end";
}

void crash_everywhere(const Scenario& scenario, std::uint64_t seed) {
  Knowledge ignored;
  const auto dry = make_node(seed, true);
  work(*dry, scenario, ignored);
  ASSERT_TRUE(dry->finished());
  const std::vector<sim::Time> times = instants(*dry, sim::time_zero);
  ASSERT_GT(times.size(), 40U);
  for (std::size_t i = seed % instants_stride; i < times.size(); i += instants_stride) {
    const sim::Time time = times[i];
    Knowledge knowledge;
    const auto node = make_node(seed);
    crash_at(*node, time);
    work(*node, scenario, knowledge);
    expect_verified(*node, scenario, knowledge,
                    "seed " + std::to_string(seed) + ", crash at " + std::to_string(sim::nanoseconds(time)) + " ns");
    if (::testing::Test::HasFailure()) return;
  }
}

// Crashes once in the work, at one of `stride` instants, and once in each step of the recovery that follows.
void crash_in_recovery(const Scenario& scenario, std::uint64_t seed, std::size_t stride) {
  Knowledge ignored;
  const auto dry = make_node(seed, true);
  work(*dry, scenario, ignored);
  const std::vector<sim::Time> times = instants(*dry, sim::time_zero);
  for (std::size_t i = 20; i < times.size(); i += stride * instants_stride) {
    const auto rehearsal = make_node(seed, true);
    crash_at(*rehearsal, times[i]);
    Knowledge unused;
    work(*rehearsal, scenario, unused);
    // Restarts happen some time after the crash, so that the two cannot be confused.
    const sim::Time reboot = rehearsal->simulation().now();
    rehearsal->run([](TestNode&) {});
    for (const sim::Time second : instants(*rehearsal, reboot)) {
      Knowledge knowledge;
      const auto node = make_node(seed);
      crash_at(*node, times[i]);
      work(*node, scenario, knowledge);
      crash_at(*node, second);
      node->run([](TestNode&) {});
      expect_verified(*node, scenario, knowledge,
                      "seed " + std::to_string(seed) + ", crashes at " + std::to_string(sim::nanoseconds(times[i])) +
                          " and " + std::to_string(sim::nanoseconds(second)) + " ns");
      if (::testing::Test::HasFailure()) return;
    }
  }
}

void expect_sound_indexes(TestNode& node) {
  Database& database = node.instance().database();
  for (const catalog::TablePtr& table : database.catalog().tables(nullptr)) {
    for (const catalog::Index& index : table->indexes)
      EXPECT_EQ(database.tree(index).check(), std::nullopt) << index.description->name;
  }
}

// Transfers between accounts, each with its own row in a log: the balances must be those that the log explains.
Scenario transfers() {
  Scenario scenario;
  scenario.setup =
      "BEGIN; CREATE TABLE account (id int PRIMARY KEY, balance int);"
      "CREATE TABLE log (id int PRIMARY KEY, source int, target int, amount int);"
      "INSERT INTO account VALUES (0, 100), (1, 100), (2, 100); COMMIT";
  scenario.work = [](TestNode& node, Knowledge& knowledge) {
    std::vector<sim::TaskRef> tasks;
    for (int client = 0; client < 3; ++client) {
      tasks.push_back(node.spawn([&node, &knowledge, client] {
        TestSession session = node.connect();
        for (int i = 0; i < 4; ++i) {
          const int id = client * 100 + i;
          const int source = std::min(client, (client + 1) % 3);
          const int target = std::max(client, (client + 1) % 3);
          try {
            session.run("BEGIN");
            session.run("UPDATE account SET balance = balance - 5 WHERE id = " + std::to_string(source));
            session.run("INSERT INTO log VALUES (" + std::to_string(id) + ", " + std::to_string(source) + ", " +
                        std::to_string(target) + ", 5)");
            session.run("UPDATE account SET balance = balance + 5 WHERE id = " + std::to_string(target));
            if (i == 2) {
              session.run("ROLLBACK");
              continue;
            }
            knowledge.attempted.insert(id);
            session.run("COMMIT");
          } catch (const SqlError& error) {
            // A failed write of the log is the only error that any of the tests provokes; it takes the whole
            // transaction back.
            ASSERT_EQ(error.sqlstate(), sqlstate::io_error);
            session.run("ROLLBACK");
            knowledge.attempted.erase(id);
            continue;
          }
          knowledge.acknowledged.insert(id);
        }
      }));
    }
    node.join(tasks);
  };
  scenario.verify = [](TestNode& node, const Knowledge& knowledge) {
    TestSession session = node.connect();
    if (node.instance().database().catalog().find_table(nullptr, "public", "account") == nullptr) {
      EXPECT_TRUE(knowledge.acknowledged.empty());
      EXPECT_EQ(node.instance().database().catalog().find_table(nullptr, "public", "log"), nullptr)
          << "tables of one transaction come together";
      return;
    }
    std::map<std::int64_t, std::int64_t> balances{{0, 100}, {1, 100}, {2, 100}};
    std::set<int> found;
    for (const Row& row : session.execute("SELECT id, source, target, amount FROM log").rows) {
      found.insert(static_cast<int>(row[0].as_integer()));
      balances[row[1].as_integer()] -= row[3].as_integer();
      balances[row[2].as_integer()] += row[3].as_integer();
    }
    EXPECT_TRUE(
        std::includes(found.begin(), found.end(), knowledge.acknowledged.begin(), knowledge.acknowledged.end()));
    EXPECT_TRUE(std::includes(knowledge.attempted.begin(), knowledge.attempted.end(), found.begin(), found.end()));
    for (const Row& row : session.execute("SELECT id, balance FROM account").rows) {
      EXPECT_EQ(row[1].as_integer(), balances[row[0].as_integer()]) << "account " << row[0].as_integer();
    }
    session.run("SET lock_timeout = 50");
    EXPECT_EQ(session.outcome("UPDATE account SET balance = balance + 1"), "UPDATE 3") << "no lock is left";
    for (int id = 0; id < 300; ++id) {
      if (found.contains(id)) continue;
      EXPECT_EQ(session.outcome("INSERT INTO log VALUES (" + std::to_string(id) + ", 0, 0, 0)"), "INSERT 0 1")
          << "no key is held";
    }
  };
  return scenario;
}

Scenario two_phases() {
  using Phase = Knowledge::Phase;
  Scenario scenario;
  scenario.setup = "CREATE TABLE t (id int PRIMARY KEY)";
  scenario.work = [](TestNode& node, Knowledge& knowledge) {
    std::vector<sim::TaskRef> tasks;
    for (int client = 0; client < 2; ++client) {
      tasks.push_back(node.spawn([&node, &knowledge, client] {
        TestSession session = node.connect();
        for (int i = 0; i < 4; ++i) {
          const int id = client * 10 + i;
          const std::string gid = "'g" + std::to_string(id) + "'";
          session.run("BEGIN; INSERT INTO t VALUES (" + std::to_string(id) + ")");
          knowledge.phases[id] = Phase::preparing;
          session.run("PREPARE TRANSACTION " + gid);
          knowledge.phases[id] = Phase::prepared;
          if (i == 3) continue;
          knowledge.phases[id] = i == 1 ? Phase::rolling_back : Phase::committing;
          session.run((i == 1 ? "ROLLBACK PREPARED " : "COMMIT PREPARED ") + gid);
          knowledge.phases[id] = i == 1 ? Phase::rolled_back : Phase::committed;
        }
      }));
    }
    node.join(tasks);
  };
  scenario.verify = [](TestNode& node, const Knowledge& knowledge) {
    if (node.instance().database().catalog().find_table(nullptr, "public", "t") == nullptr) {
      EXPECT_TRUE(knowledge.phases.empty());
      return;
    }
    TestSession session = node.connect();
    session.run("SET lock_timeout = 50");
    const std::vector<std::string> gids = node.instance().prepared_gids();
    for (const auto& [id, phase] : knowledge.phases) {
      SCOPED_TRACE("transaction " + std::to_string(id) + " in phase " + std::to_string(static_cast<int>(phase)));
      const bool prepared = std::find(gids.begin(), gids.end(), "g" + std::to_string(id)) != gids.end();
      const bool visible = session.run("SELECT count(*) FROM t WHERE id = " + std::to_string(id)) == "1";
      EXPECT_FALSE(prepared && visible);
      if (phase == Phase::preparing || phase == Phase::rolling_back) {
        EXPECT_FALSE(visible);
      }
      if (phase == Phase::prepared) {
        EXPECT_TRUE(prepared);
      }
      if (phase == Phase::committing) {
        EXPECT_TRUE(prepared || visible);
      }
      if (phase == Phase::committed) {
        EXPECT_TRUE(visible);
      }
      if (phase == Phase::rolled_back) {
        EXPECT_FALSE(prepared || visible);
      }
      const std::string insert = "INSERT INTO t VALUES (" + std::to_string(id) + ")";
      if (prepared) {
        EXPECT_EQ(session.outcome(insert).substr(0, 5), "55P03") << "the key is held";
      }
    }
    for (const std::string& gid : gids) {
      session.run("COMMIT PREPARED '" + gid + "'");
      EXPECT_EQ(session.run("SELECT count(*) FROM t WHERE id = " + gid.substr(1)), "1");
    }
  };
  return scenario;
}

// The same while checkpoints and vacuum go on beside it, with few buffers.
Scenario transfers_with_maintenance() {
  Scenario scenario = transfers();
  scenario.work = [work = scenario.work](TestNode& node, Knowledge& knowledge) {
    const sim::TaskRef maintenance = node.spawn([&node] {
      TestSession session = node.connect();
      for (int i = 0; i < 3; ++i) session.run("CHECKPOINT; VACUUM account; VACUUM");
    });
    work(node, knowledge);
    node.join({maintenance});
  };
  scenario.verify = [verify = scenario.verify](TestNode& node, const Knowledge& knowledge) {
    verify(node, knowledge);
    expect_sound_indexes(node);
  };
  return scenario;
}

// Tables come and go with their rows.
Scenario schema_changes() {
  Scenario scenario;
  scenario.setup = "CREATE TABLE marks (id int PRIMARY KEY)";
  scenario.work = [](TestNode& node, Knowledge& knowledge) {
    TestSession session = node.connect();
    for (int i = 0; i < 6; ++i) {
      const std::string number = std::to_string(i);
      session.run("BEGIN; CREATE TABLE made_" + number +
                  " (id int PRIMARY KEY, v text DEFAULT 'd'); INSERT INTO made_" + number +
                  " VALUES (1), (2); INSERT INTO marks VALUES (" + number + ")");
      session.run("CREATE INDEX by_v_" + number + " ON made_" + number + " (v); TRUNCATE made_" + number +
                  "; INSERT INTO made_" + number + " VALUES (1), (2)");
      if (i > 0) session.run("DROP TABLE made_" + std::to_string(i - 1));
      knowledge.attempted.insert(i);
      session.run("COMMIT");
      knowledge.acknowledged.insert(i);
    }
  };
  scenario.verify = [](TestNode& node, const Knowledge& knowledge) {
    TestSession session = node.connect();
    if (node.instance().database().catalog().find_table(nullptr, "public", "marks") == nullptr) {
      EXPECT_TRUE(knowledge.attempted.empty());
      return;
    }
    const QueryResult marks = session.execute("SELECT id FROM marks ORDER BY id");
    const int last = static_cast<int>(marks.rows.size()) - 1;
    EXPECT_GE(marks.rows.size(), knowledge.acknowledged.size());
    EXPECT_LE(marks.rows.size(), knowledge.attempted.size());
    for (int i = 0; i < 6; ++i) {
      const std::string table = "made_" + std::to_string(i);
      EXPECT_EQ(node.instance().database().catalog().find_table(nullptr, "public", table) != nullptr, i == last)
          << table;
    }
    if (last >= 0) {
      EXPECT_EQ(session.run("SELECT * FROM made_" + std::to_string(last)), "1|d;2|d");
      EXPECT_EQ(session.run("SELECT id FROM made_" + std::to_string(last) + " WHERE v = 'd'"), "1;2");
    }
    EXPECT_EQ(node.instance().database().files().list(), node.instance().database().catalog().files_in_use())
        << "every file belongs to a relation";
    expect_sound_indexes(node);
  };
  return scenario;
}

class CrashTest : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(CrashTest, TransfersAreAtomicAndDurable) { crash_everywhere(transfers(), GetParam()); }
TEST_P(CrashTest, PreparedTransactionsSurvive) { crash_everywhere(two_phases(), GetParam()); }
TEST_P(CrashTest, SchemaChangesAreAtomicAndDurable) { crash_everywhere(schema_changes(), GetParam()); }
TEST_P(CrashTest, MaintenanceGoesOn) { crash_everywhere(transfers_with_maintenance(), GetParam()); }
TEST_P(CrashTest, RecoveryMayCrashToo) { crash_in_recovery(two_phases(), GetParam(), 37); }
TEST_P(CrashTest, RecoveryOfSchemaChangesMayCrashToo) { crash_in_recovery(schema_changes(), GetParam(), 307); }

INSTANTIATE_TEST_SUITE_P(Seeds, CrashTest, ::testing::Values(1, 2, 3));

// How often the work of a scenario visits a fault point.
std::uint64_t count_visits(const Scenario& scenario, const char* point) {
  const auto node = make_node(1);
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  node->run([&](TestNode& running) {
    const auto visits = [&] { return running.simulation().fault_points().visits().at(point); };
    running.connect().run(scenario.setup);
    before = visits();
    Knowledge ignored;
    scenario.work(running, ignored);
    after = visits();
  });
  return after - before;
}

// Every visit to every fault point that a commit passes: a crash there, a failure, a delay.
TEST(CrashAtFaultPoint, CommitIsAllOrNothing) {
  const Scenario scenario = transfers();
  for (const char* point : {"wal/append", "wal/flush", "wal/sync"}) {
    const std::uint64_t visits = count_visits(scenario, point);
    ASSERT_GE(visits, 5U);
    for (const auto kind :
         {sim::FaultAction::Kind::crash, sim::FaultAction::Kind::fail, sim::FaultAction::Kind::delay}) {
      for (std::uint64_t occurrence = 1; occurrence <= visits; ++occurrence) {
        SCOPED_TRACE(std::string(point) + " kind " + std::to_string(static_cast<int>(kind)) + " visit " +
                     std::to_string(occurrence));
        const auto node = make_node(1);
        Knowledge knowledge;
        sim::FaultAction action;
        action.kind = kind;
        action.delay = sim::Duration(50'000'000);
        node->run([&](TestNode& running) {
          running.connect().run(scenario.setup);
          running.simulation().fault_points().arm(point, "dn1", occurrence, action);
          scenario.work(running, knowledge);
        });
        EXPECT_EQ(node->simulation().fault_points().taken(), 1U);
        expect_verified(*node, scenario, knowledge, "after the fault");
      }
    }
  }
}

// A table that is rolled back after a checkpoint: the log that is replayed changes its pages, but does not make its
// file.
TEST(CrashAfterRollback, OfATableLeavesANodeThatStarts) {
  for (const char* roll_back : {"ROLLBACK", "ROLLBACK TO s"}) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      const auto node = make_node(seed);
      node->run([&](TestNode& running) {
        TestSession creator = running.connect();
        TestSession other = running.connect();
        other.run("CREATE TABLE kept (id int)");
        creator.run("BEGIN; SAVEPOINT s; CREATE TABLE t (id int); INSERT INTO t VALUES (1)");
        other.run("CHECKPOINT");
        creator.run("INSERT INTO t VALUES (2)");
        other.run("INSERT INTO kept VALUES (1)");
        running.spawn([&] { creator.run(roll_back); });
        running.host().scheduler().sleep_for(sim::Duration(static_cast<std::int64_t>(seed) * 10'000));
        running.host().crash();
      });
      bool started = false;
      node->run([&](TestNode& running) {
        started = true;
        EXPECT_EQ(running.connect().run("SELECT * FROM kept"), "1");
        EXPECT_EQ(running.connect().outcome("SELECT * FROM t"), "42P01 relation \"t\" does not exist");
      });
      EXPECT_TRUE(started) << roll_back << ", seed " << seed;
    }
  }
}

TEST(CrashAtFaultPoint, FailedSyncIsAPanic) {
  TestNode node;
  node.run([](TestNode& running) {
    TestSession session = running.connect();
    session.run("CREATE TABLE t (id int)");
    running.simulation().fault_points().arm("wal/sync", "dn1", 1, {sim::FaultAction::Kind::fail, {}, {}});
    session.run("INSERT INTO t VALUES (1)");
    ADD_FAILURE() << "a commit whose sync failed was acknowledged";
  });
  EXPECT_FALSE(node.finished());
  EXPECT_FALSE(node.host().up());
  EXPECT_EQ(node.reached("storage/panic"), 1U);
}

}  // namespace
}  // namespace polarsim::engine::testing
