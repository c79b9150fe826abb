#include "sim/host.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "sim/simulation.h"
#include "sim/sync.h"

namespace polarsim::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class HostTest : public ::testing::Test {
 protected:
  Simulation simulation{SimulationOptions{}};
  std::vector<std::string> log;
};

TEST_F(HostTest, BootRunsTheProgramAndItsReturnStopsTheHost) {
  Host& host = simulation.add_host("a");
  host.set_program([&](Host& self) {
    EXPECT_TRUE(self.up());
    self.spawn("helper", [&] { simulation.scheduler().park("forever"); });
    self.sleep_for(seconds(1));
    log.push_back("program");
  });
  EXPECT_FALSE(host.up());
  EXPECT_EQ(host.incarnation(), 0u);
  host.boot();
  host.boot();
  EXPECT_EQ(host.incarnation(), 1u);
  EXPECT_EQ(simulation.run(), RunOutcome::idle);
  EXPECT_FALSE(host.up());
  EXPECT_EQ(simulation.scheduler().live_tasks(), 0u);
  EXPECT_EQ(log.size(), 1u);
}

TEST_F(HostTest, CrashUnwindsEveryTaskAfterTheHostIsDown) {
  Host& host = simulation.add_host("a");
  struct Witness {
    Host& host;
    std::vector<std::string>& log;
    std::string name;
    ~Witness() { log.push_back(name + (host.up() ? " saw it up" : " saw it down")); }
  };
  host.set_program([&](Host& self) {
    const Witness main{self, log, "main"};
    self.spawn("helper", [&] {
      const Witness helper{self, log, "helper"};
      simulation.scheduler().park("forever");
    });
    Nursery nursery(simulation.scheduler(), "nursery");
    nursery.spawn("child", [&] {
      const Witness child{self, log, "child"};
      simulation.scheduler().park("forever");
    });
    nursery.wait();
  });
  host.boot();
  simulation.run();
  host.crash();
  host.crash();
  EXPECT_EQ(log, (std::vector<std::string>{"helper saw it down", "child saw it down", "main saw it down"}));
  EXPECT_EQ(simulation.scheduler().live_tasks(), 0u);
}

TEST_F(HostTest, AnyTaskOfTheHostMayCrashIt) {
  for (const std::string who : {"main", "helper", "child"}) {
    Host& host = simulation.add_host("host-" + who);
    host.set_program([&, who](Host& self) {
      auto perhaps = [&](const std::string& me) {
        simulation.scheduler().yield();
        if (me != who) simulation.scheduler().park("forever");
        self.crash();
        log.push_back("not reached");
      };
      self.spawn("helper", [&] { perhaps("helper"); });
      Nursery nursery(simulation.scheduler(), "nursery");
      nursery.spawn("child", [&] { perhaps("child"); });
      perhaps("main");
    });
    host.boot();
    EXPECT_EQ(simulation.run(), RunOutcome::idle);
    EXPECT_FALSE(host.up());
    EXPECT_EQ(simulation.scheduler().live_tasks(), 0u);
  }
  EXPECT_TRUE(log.empty());
}

TEST_F(HostTest, CrashFromADestructorThatUnwindsComesRightAfter) {
  Host& host = simulation.add_host("a");
  struct Crasher {
    Host& host;
    ~Crasher() { host.crash(); }
  };
  TaskRef victim;
  host.set_program([&](Host& self) {
    victim = self.spawn("victim", [&] {
      const Crasher crasher{self};
      simulation.scheduler().park("forever");
    });
    simulation.scheduler().park("forever");
  });
  host.boot();
  simulation.run();
  simulation.scheduler().cancel(victim);
  simulation.run();
  EXPECT_FALSE(host.up());
  EXPECT_EQ(simulation.scheduler().live_tasks(), 0u);
}

TEST_F(HostTest, OneHostMayCrashAnother) {
  Host& victim = simulation.add_host("victim");
  victim.set_program([&](Host&) { simulation.scheduler().park("forever"); });
  Host& killer = simulation.add_host("killer");
  killer.set_program([&](Host& self) {
    self.sleep_for(seconds(1));
    victim.crash();
    log.push_back("killed");
    self.sleep_for(seconds(1));
    log.push_back("alive");
  });
  victim.boot();
  killer.boot();
  simulation.run();
  EXPECT_EQ(log, (std::vector<std::string>{"killed", "alive"}));
}

TEST_F(HostTest, CrashAndRestartBootsAfterThePause) {
  Host& host = simulation.add_host("a");
  std::vector<Time> boots;
  host.set_program([&](Host& self) {
    boots.push_back(simulation.now());
    if (boots.size() == 1) {
      self.sleep_for(seconds(1));
      self.crash_and_restart(seconds(2));
    }
    simulation.scheduler().park("forever");
  });
  host.boot();
  simulation.run();
  EXPECT_EQ(boots, (std::vector<Time>{time_zero, Time(seconds(3))}));
  // A restart that someone else has overtaken does not happen.
  host.crash_and_restart(seconds(5));
  host.boot();
  host.crash();
  simulation.run();
  EXPECT_FALSE(host.up());
  EXPECT_EQ(host.incarnation(), 3u);
}

TEST_F(HostTest, TimersFollowTheHostsOwnClock) {
  Host& host = simulation.add_host("a");
  host.clock().set_drift_ppm(time_zero, 250'000);
  host.set_program([&](Host& self) {
    self.sleep_for(seconds(5));
    EXPECT_EQ(simulation.now(), Time(seconds(4)));
    EXPECT_EQ(self.clock().monotonic(simulation.now()), seconds(5));
    EXPECT_EQ(self.deadline_in(seconds(5)), Time(seconds(8)));
    EXPECT_EQ(self.realtime_us(), HostClock::epoch_us + 5'000'000);
    log.push_back("done");
  });
  host.boot();
  simulation.run();
  EXPECT_EQ(log.size(), 1u);
}

TEST_F(HostTest, FaultPointsActOnTheVisitTheyAreArmedFor) {
  Host& host = simulation.add_host("a");
  std::vector<std::pair<FaultOutcome, Time>> outcomes;
  host.set_program([&](Host& self) {
    for (int i = 0; i < 6; ++i) {
      const FaultOutcome outcome = self.fault_point("wal/flush");
      outcomes.emplace_back(outcome, simulation.now());
    }
    simulation.scheduler().park("forever");
  });
  auto& points = simulation.fault_points();
  points.arm("wal/flush", "a", 2, {FaultAction::Kind::fail, Duration(0), Duration(0)});
  points.arm("wal/flush", "", 3, {FaultAction::Kind::delay, seconds(1), Duration(0)});
  points.arm("wal/flush", "b", 1, {FaultAction::Kind::fail, Duration(0), Duration(0)});
  points.arm("wal/flush", "a", 5, {FaultAction::Kind::crash, Duration(0), Duration(0)});
  host.boot();
  simulation.run();
  EXPECT_FALSE(host.up());
  const std::vector<std::pair<FaultOutcome, Time>> expected = {
      {FaultOutcome::none, time_zero},
      {FaultOutcome::fail, time_zero},
      {FaultOutcome::none, Time(seconds(1))},
      {FaultOutcome::none, Time(seconds(1))},
  };
  EXPECT_EQ(outcomes, expected);
  EXPECT_EQ(points.visits().at("wal/flush"), 5u);
  EXPECT_EQ(points.taken(), 3u);
}

TEST_F(HostTest, ActionsForOneVisitAreTakenOneVisitEach) {
  FaultPoints points;
  points.arm("p", "", 1, {FaultAction::Kind::fail, Duration(0), Duration(0)});
  points.arm("p", "", 1, {FaultAction::Kind::crash, Duration(0), Duration(0)});
  EXPECT_EQ(points.visit("p", "h")->kind, FaultAction::Kind::fail);
  EXPECT_EQ(points.visit("p", "h")->kind, FaultAction::Kind::crash);
  EXPECT_FALSE(points.visit("p", "h").has_value());
  points.arm("p", "", 1, {FaultAction::Kind::fail, Duration(0), Duration(0)});
  points.disarm_all();
  EXPECT_FALSE(points.visit("p", "h").has_value());
}

TEST_F(HostTest, ACrashingFaultPointRestartsTheHost) {
  Host& host = simulation.add_host("a");
  host.set_program([&](Host& self) {
    self.reached("booted");
    Nursery nursery(simulation.scheduler(), "workers");
    nursery.spawn("worker", [&] { self.fault_point("work/step"); });
    nursery.wait();
    simulation.scheduler().park("forever");
  });
  simulation.fault_points().arm("work/step", "a", 1, {FaultAction::Kind::crash, Duration(0), seconds(3)});
  host.boot();
  simulation.run();
  EXPECT_TRUE(host.up());
  EXPECT_EQ(host.incarnation(), 2u);
  EXPECT_EQ(simulation.now(), Time(seconds(3)));
  EXPECT_EQ(simulation.probes().counts().at("booted"), 2u);
}

TEST_F(HostTest, CrashFallsOnAnySchedulingPoint) {
  // Cuts the same program down after each of its events in turn; nothing may survive and every boot must work.
  std::uint64_t events = 1;
  for (bool ended = false; !ended; ++events) {
    Simulation world{SimulationOptions{}};
    Host& host = world.add_host("a");
    auto token = std::make_shared<int>(0);
    host.set_program([&world, token](Host& self) {
      Channel<int> channel(world.scheduler());
      Mutex mutex(world.scheduler());
      Nursery nursery(world.scheduler(), "workers");
      for (int i = 0; i < 3; ++i) {
        nursery.spawn("worker", [&, token] {
          while (const auto value = channel.pop("work", world.now() + seconds(1))) {
            mutex.lock();
            self.sleep_for(milliseconds(*value));
            mutex.unlock();
          }
        });
      }
      for (int i = 1; i < 20; ++i) {
        channel.push(i);
        if (i % 3 == 0) self.sleep_for(milliseconds(1));
      }
      nursery.wait();
    });
    host.boot();
    world.scheduler().break_at(events);
    ended = world.run() == RunOutcome::idle;
    world.scheduler().break_at(0);
    EXPECT_TRUE(!ended || !host.up());
    host.crash();
    EXPECT_EQ(world.scheduler().live_tasks(), 0u);
    EXPECT_EQ(world.scheduler().pending_timers(), 0u);
    EXPECT_EQ(token.use_count(), 2) << "only the program itself remembers it";
    host.boot();
    EXPECT_EQ(world.run(), RunOutcome::idle);
    EXPECT_FALSE(host.up());
  }
  EXPECT_GT(events, 50u) << "the program was meant to be longer than that";
}

TEST_F(HostTest, RestartStormLeavesNothingBehind) {
  Host& host = simulation.add_host("a");
  host.set_program([&](Host& self) {
    Nursery nursery(simulation.scheduler(), "nursery");
    for (int i = 0; i < 5; ++i) {
      self.spawn("helper", [&] { simulation.scheduler().park("forever"); });
      nursery.spawn("child", [&, i] {
        self.sleep_for(milliseconds(i));
        if (i == 4) self.crash_and_restart(milliseconds(1));
        simulation.scheduler().park("forever");
      });
    }
    nursery.wait();
  });
  host.boot();
  while (host.incarnation() < 1000) simulation.run(simulation.now() + seconds(1));
  host.crash();
  EXPECT_EQ(simulation.scheduler().live_tasks(), 0u);
  EXPECT_LE(simulation.scheduler().stacks_created(), 32u);
  EXPECT_LE(simulation.scheduler().pending_timers(), 1u);
}

TEST_F(HostTest, SpawningOnADeadHostNeverRuns) {
  Host& host = simulation.add_host("a");
  host.spawn("ghost", [&] { log.push_back("not reached"); });
  simulation.run();
  EXPECT_TRUE(log.empty());
}

}  // namespace
}  // namespace polarsim::sim
