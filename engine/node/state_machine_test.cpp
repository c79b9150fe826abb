// The node against a model of Read Committed and Repeatable Read (model/node_model.h), by random programs of several
// sessions.
#include "engine/node/model/state_machine.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <optional>
#include <utility>

#include "engine/node/model/random_program.h"
#include "engine/node/node_test_support.h"
#include "engine/sanitizer_test_support.h"

namespace polarsim::engine::testing {
namespace {

using model::Program;
using model::Report;

// The node's side of a comparison; to be used by a task of the node's host.
class NodeSubject : public model::Subject {
 public:
  NodeSubject(TestNode& node, int sessions) : node_(node) {
    for (int i = 0; i < sessions; ++i) sessions_.push_back(node.connect());
    pending_.resize(sessions_.size());
    for (const std::string& statement : model::setup_statements()) sessions_[0].run(statement);
  }

  // A program that ends early leaves statements that wait.
  ~NodeSubject() override {
    sim::Scheduler& scheduler = node_.host().scheduler();
    for (const Pending& pending : pending_) {
      if (pending.task) scheduler.cancel(pending.task);
    }
    for (const Pending& pending : pending_) {
      if (pending.task) scheduler.join(pending.task);
    }
  }

  void issue(int session, const std::string& sql) override {
    const auto place = static_cast<std::size_t>(session);
    pending_[place].task = node_.spawn([this, place, sql] {
      pending_[place].answer = execute(sessions_[place], sql);
      ++ended_;
    });
  }

  // Three times the timeout after which a waiter looks for a deadlock.
  void settle() override {
    std::size_t ended = 0;
    do {
      ended = ended_;
      node_.sleep_ms(30);
    } while (ended_ != ended);
  }

  std::optional<std::string> take(int session) override {
    return std::exchange(pending_[static_cast<std::size_t>(session)].answer, std::nullopt);
  }

 private:
  static std::string execute(TestSession& session, const std::string& sql) {
    try {
      const QueryResult result = session.execute(sql);
      return result.columns.empty() ? result.tag : result.tag + ": " + rows_text(result);
    } catch (const SqlError& error) {
      return "error " + error.sqlstate();
    }
  }

  struct Pending {
    sim::TaskRef task;
    std::optional<std::string> answer;
  };

  TestNode& node_;
  std::vector<TestSession> sessions_;
  std::vector<Pending> pending_;
  std::size_t ended_ = 0;
};

NodeConfig config_for_model() {
  NodeConfig config;
  config.deadlock_timeout = sim::Duration(10'000'000);
  // Vacuum would let new versions go where old ones were, and writes visit rows in the order in which they lie.
  config.autovacuum = false;
  return config;
}

Report run_on_node(const Program& program, int sessions, const NodeConfig& config, std::uint64_t seed,
                   sim::SchedulingPolicy policy) {
  Report report;
  TestNode node(seed, config, policy);
  node.run([&](TestNode& running) {
    NodeSubject subject(running, sessions);
    report = model::compare(program, sessions, subject);
  });
  if (!node.finished() && report.difference.empty()) report.difference = "the node hangs or has failed";
  return report;
}

void classify(const Report& report) {
  RC_CLASSIFY(!report.discarded.empty(), report.discarded);
  RC_CLASSIFY(report.events.waits > 0, "waits");
  RC_CLASSIFY(report.events.deadlocks > 0, "deadlocks");
  RC_CLASSIFY(report.events.rechecks > 0, "rechecks");
  RC_CLASSIFY(report.events.serialization_failures > 0, "serialization failures");
}

RC_GTEST_PROP(NodeStateMachine, DoesWhatTheModelDoes, ()) {
  const int sessions = *rc::gen::inRange(1, 7);
  const Program program = *model::any_program(sessions);
  const auto seed = *rc::gen::inRange<std::uint64_t>(1, 1000);
  const auto policy = *rc::gen::element(sim::SchedulingPolicy::fifo, sim::SchedulingPolicy::random);
  const Report report = run_on_node(program, sessions, config_for_model(), seed, policy);
  classify(report);
  if (!report.difference.empty()) RC_FAIL(report.text());
}

// More and longer ones than a property has patience for; what it finds is not made smaller.
TEST(NodeStateMachine, DoesItInThousandsOfLongPrograms) {
  constexpr int size = 130;
  constexpr int programs = under_sanitizer ? 400 : 3000;
  int discarded = 0, waiting = 0, deadlocked = 0, rechecked = 0, gave_up = 0;
  for (std::uint64_t seed = 1; seed <= programs; ++seed) {
    const int sessions = 1 + static_cast<int>(seed % 6);
    const Program program = model::any_program(sessions)(rc::Random(seed), size).value();
    const auto policy = seed % 2 == 0 ? sim::SchedulingPolicy::fifo : sim::SchedulingPolicy::random;
    const Report report = run_on_node(program, sessions, config_for_model(), seed, policy);
    ASSERT_EQ(report.difference, "") << "seed " << seed << "\n" << report.text();
    discarded += report.discarded.empty() ? 0 : 1;
    waiting += report.events.waits > 0 ? 1 : 0;
    deadlocked += report.events.deadlocks > 0 ? 1 : 0;
    rechecked += report.events.rechecks > 0 ? 1 : 0;
    gave_up += report.events.serialization_failures > 0 ? 1 : 0;
  }
  RecordProperty("programs", fmt::format("{}: {} discarded, {} with waits, {} deadlocks, {} rechecks, {} 40001",
                                         programs, discarded, waiting, deadlocked, rechecked, gave_up));
  // Agreement says little if the programs come upon nothing, or end early.
  EXPECT_LT(discarded, programs / 4);
  EXPECT_GT(waiting, programs / 2);
  EXPECT_GT(deadlocked, programs / 10);
  EXPECT_GT(rechecked, programs / 10);
  EXPECT_GT(gave_up, programs / 20);
}

// A bug that random programs do not find is one that the node may have.
class StateMachineFinds : public ::testing::TestWithParam<std::pair<PlantedBug, const char*>> {};

TEST_P(StateMachineFinds, ThePlantedBug) {
  NodeConfig config = config_for_model();
  config.planted.turn_on(GetParam().first);
  constexpr int sessions = 4;
  constexpr int size = 60;
  bool found = false;
  for (std::uint64_t seed = 1; seed <= 500 && !found; ++seed) {
    const Program program = model::any_program(sessions)(rc::Random(seed), size).value();
    found = !run_on_node(program, sessions, config, seed, sim::SchedulingPolicy::fifo).difference.empty();
  }
  EXPECT_TRUE(found);
}

INSTANTIATE_TEST_SUITE_P(
    Planted, StateMachineFinds,
    ::testing::Values(std::pair{PlantedBug::recheck_skipped, "recheck_skipped"},
                      std::pair{PlantedBug::recheck_set_but_not_where, "recheck_set_but_not_where"},
                      std::pair{PlantedBug::unique_check_without_wait, "unique_check_without_wait"},
                      std::pair{PlantedBug::savepoint_rollback_releases_locks_early,
                                "savepoint_rollback_releases_locks_early"}),
    [](const auto& parameter) { return std::string(parameter.param.second); });

}  // namespace
}  // namespace polarsim::engine::testing
