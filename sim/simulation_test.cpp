#include "sim/simulation.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "sim/sync.h"

namespace polarsim::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Simulation, FindsHostsByName) {
  Simulation simulation{SimulationOptions{}};
  Host& a = simulation.add_host("a");
  EXPECT_EQ(&simulation.host("a"), &a);
  EXPECT_EQ(simulation.find_host("b"), nullptr);
}

TEST(Simulation, ViolationEndsTheRunAndTheTask) {
  Simulation simulation{SimulationOptions{}};
  bool reached = false;
  bool other = false;
  simulation.scheduler().spawn("t", [&] {
    simulation.scheduler().sleep_for(seconds(1));
    simulation.violate("no-dirty-page", "page 7");
    reached = true;
  });
  simulation.scheduler().spawn("other", [&] {
    simulation.scheduler().sleep_for(seconds(2));
    other = true;
  });
  EXPECT_EQ(simulation.run(), RunOutcome::stopped);
  EXPECT_FALSE(reached);
  ASSERT_TRUE(simulation.violation().has_value());
  EXPECT_EQ(simulation.violation()->name, "no-dirty-page");
  EXPECT_EQ(simulation.violation()->detail, "page 7");
  EXPECT_EQ(simulation.violation()->time, Time(seconds(1)));
  simulation.violate("second", "is ignored");
  EXPECT_EQ(simulation.violation()->name, "no-dirty-page");
  EXPECT_EQ(simulation.run(), RunOutcome::stopped);
  EXPECT_FALSE(other);
}

TEST(Simulation, IsTornDownAfterAnExceptionWithEverythingStillRunning) {
  auto token = std::make_shared<int>(0);
  {
    Simulation simulation{SimulationOptions{}};
    for (const std::string name : {"a", "b"}) {
      Host& host = simulation.add_host(name);
      host.set_program([&simulation, token](Host& self) {
        Nursery nursery(simulation.scheduler(), "n");
        nursery.spawn("child", [&, token] { simulation.scheduler().park("forever"); });
        self.sleep_for(seconds(1));
        if (self.name() == "b") throw std::runtime_error("broken program");
        nursery.wait();
      });
      host.boot();
    }
    simulation.scheduler().call_at(Time(seconds(9)), [token] {});
    simulation.scheduler().spawn("free", [&simulation, token] { simulation.scheduler().park("forever"); });
    EXPECT_THROW(simulation.run(), std::runtime_error);
  }
  EXPECT_EQ(token.use_count(), 1);
}

TEST(Simulation, TraceIsBoundedAndReadable) {
  SimulationOptions options;
  options.trace = {true, 5};
  Simulation simulation{options};
  Host& host = simulation.add_host("a");
  host.set_program([&](Host& self) {
    self.sleep_for(milliseconds(1500));
    self.log("hello");
    self.reached("middle");
  });
  host.boot();
  simulation.run();
  std::ostringstream text;
  simulation.trace().write_text(text);
  EXPECT_EQ(text.str(), "1.500000000 log a hello\n1.500000000 probe a middle\n1.500000000 host a stop\n"
                        "1.500000000 task a run #1\n1.500000000 task a finish #1\n");
  EXPECT_GT(simulation.trace().dropped(), 1u);
}

// A program that does a little of everything, steered by its own random streams.
void chaotic_program(Simulation& simulation, Host& self) {
  Scheduler& scheduler = simulation.scheduler();
  Channel<std::uint64_t> channel(scheduler);
  Mutex mutex(scheduler);
  Nursery nursery(scheduler, "workers");
  for (int worker = 0; worker < 4; ++worker) {
    nursery.spawn("worker" + std::to_string(worker), [&] {
      RandomStream& stream = self.random("work");
      while (const auto value = channel.pop("work", self.deadline_in(milliseconds(50)))) {
        mutex.lock();
        const Duration wait = stream.between(Duration(0), milliseconds(3));
        self.sleep_for(wait);
        mutex.unlock();
        simulation.digest().absorb(DigestKind::user, *value, 0);
        self.fault_point("work/done");
        if (stream.chance(0.02)) self.crash_and_restart(milliseconds(7));
        if (stream.chance(0.3)) scheduler.yield();
      }
    });
  }
  RandomStream& stream = self.random("feed");
  for (int i = 0; i < 40; ++i) {
    const std::uint64_t value = stream.below(1000);
    channel.push(value);
    if (stream.chance(0.5)) self.sleep_for(milliseconds(1));
  }
  nursery.wait();
}

struct RunResult {
  Digest128 digest;
  std::vector<Digest128> ladder;
  std::uint64_t events;
  Time end;
  friend bool operator==(const RunResult&, const RunResult&) = default;
};

RunResult run_once(std::uint64_t seed, SchedulingPolicy policy, int hosts, double drift_ppm) {
  SimulationOptions options;
  options.seed = seed;
  options.scheduler.policy = policy;
  options.ladder_interval = 64;
  Simulation simulation{options};
  for (int i = 0; i < hosts; ++i) {
    Host& host = simulation.add_host("h" + std::to_string(i));
    host.clock().set_drift_ppm(time_zero, drift_ppm * i);
    host.set_program([&simulation](Host& self) { chaotic_program(simulation, self); });
    host.boot();
  }
  simulation.fault_points().arm("work/done", "h0", 5, {FaultAction::Kind::crash, Duration(0), milliseconds(20)});
  simulation.run(Time(seconds(1)));
  return {simulation.digest().value(), simulation.digest().ladder(), simulation.scheduler().events(), simulation.now()};
}

RC_GTEST_PROP(SimulationProperty, TheSameSeedGivesTheSameRun, ()) {
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  const auto policy = *rc::gen::element(SchedulingPolicy::fifo, SchedulingPolicy::random);
  const int hosts = *rc::gen::inRange(1, 4);
  const double drift = *rc::gen::inRange(-1000, 1000);
  const RunResult first = run_once(seed, policy, hosts, drift);
  const RunResult second = run_once(seed, policy, hosts, drift);
  RC_ASSERT(first == second);
  RC_ASSERT(first.events > 100u);
  const RunResult other = run_once(seed + 1, policy, hosts, drift);
  RC_ASSERT(!(first.digest == other.digest));
}

TEST(Simulation, DigestIsTheSameForEveryCompilerAndBuild) {
  // A change of these values makes every recorded run unreplayable.
  EXPECT_EQ(run_once(1, SchedulingPolicy::fifo, 2, 100).digest.hex(), "f68a208ccd6a8287d8468d180ce62584");
  EXPECT_EQ(run_once(1, SchedulingPolicy::random, 2, 100).digest.hex(), "ed78526266678e753ce03fbe3569d942");
}

TEST(Simulation, RunningInPiecesIsRunningAtOnce) {
  auto run_in_steps = [](int steps) {
    Simulation simulation{SimulationOptions{}};
    Host& host = simulation.add_host("a");
    host.set_program([&simulation](Host& self) { chaotic_program(simulation, self); });
    host.boot();
    for (int i = 1; i <= steps; ++i) simulation.run(Time(milliseconds(600 * i / steps)));
    return simulation.digest().value();
  };
  EXPECT_EQ(run_in_steps(1), run_in_steps(600));
}

}  // namespace
}  // namespace polarsim::sim
