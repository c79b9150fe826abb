// Paused hosts, clocks that change under a wait, lost disks, software versions.
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "sim/host.h"
#include "sim/simulation.h"
#include "sim/sync.h"
#include "sim/test_world.h"

namespace polarsim::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class HostPauseTest : public ::testing::Test {
 protected:
  void at(Duration time, std::function<void()> action) {
    world.simulation.scheduler().call_at(Time(time), std::move(action));
  }
  TestWorld world{{"a", "b"}};
  Host& a = world.host("a");
  Host& b = world.host("b");
  std::vector<std::pair<std::string, Time>> seen;
  void see(std::string what) { seen.emplace_back(std::move(what), world.now()); }
  using Seen = std::vector<std::pair<std::string, Time>>;
};

TEST_F(HostPauseTest, NothingOfAPausedHostRunsAndTimeGoesOn) {
  world.spawn("a", [&] {
    Nursery nursery(world.simulation.scheduler(), "nursery");
    nursery.spawn("child", [&] {
      Nursery inner(world.simulation.scheduler(), "inner");
      inner.spawn("grandchild", [&] {
        a.sleep_for(seconds(2));
        see("grandchild");
      });
      inner.wait();
    });
    a.sleep_for(seconds(1));
    see("task");
    a.sleep_for(seconds(1));
    see("task");
    nursery.wait();
  });
  a.call_in(seconds(3), [&] { see("late call"); });
  a.call_in(seconds(1), [&] { see("early call"); });
  world.spawn("b", [&] {
    b.sleep_for(seconds(5));
    see("b");
  });
  at(milliseconds(500), [&] { a.pause(); });
  at(seconds(10), [&] { a.resume(); });
  world.run();
  const Seen expected = {{"b", Time(seconds(5))},           {"early call", Time(seconds(10))},
                         {"late call", Time(seconds(10))},  {"task", Time(seconds(10))},
                         {"grandchild", Time(seconds(10))}, {"task", Time(seconds(11))}};
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(a.clock().monotonic(Time(seconds(10))), seconds(10));
}

TEST_F(HostPauseTest, ATaskMayPauseItsOwnHost) {
  world.spawn("a", [&] {
    a.pause_for(seconds(3));
    see("resumed");
    a.pause_for(seconds(3));
    see("resumed early");
    a.sleep_for(seconds(10));
    see("not paused again");
  });
  at(seconds(4), [&] { a.resume(); });
  world.run();
  const Seen expected = {
      {"resumed", Time(seconds(3))}, {"resumed early", Time(seconds(4))}, {"not paused again", Time(seconds(14))}};
  EXPECT_EQ(seen, expected);
}

TEST_F(HostPauseTest, RunnableTasksAreSetAsideInOrderUnderEveryPolicy) {
  for (const SchedulingPolicy policy : {SchedulingPolicy::fifo, SchedulingPolicy::random}) {
    TestWorld other{{"a"}, 1, policy};
    std::vector<int> ran;
    other.run();
    for (int i = 0; i < 5; ++i) other.spawn("a", [&, i] { ran.push_back(i); });
    other.host("a").pause();
    EXPECT_EQ(other.simulation.run(), RunOutcome::idle);
    EXPECT_TRUE(ran.empty());
    EXPECT_EQ(other.simulation.scheduler().parked_tasks().size(), 6u);
    EXPECT_EQ(other.simulation.scheduler().parked_tasks().back().reason, "paused");
    other.host("a").resume();
    other.run();
    EXPECT_EQ(ran.size(), 5u);
  }
}

TEST_F(HostPauseTest, TheKernelOfAPausedHostGoesOn) {
  std::string received;
  world.spawn("b", [&] {
    auto listener = b.listen(7).value();
    auto connection = listener.accept().value();
    while (connection.receive(received).value_or(0) > 0) {
    }
    see("end of stream");
  });
  world.run();
  b.pause();
  world.spawn("a", [&] {
    auto connection = a.connect({"b", 7}).value();
    EXPECT_TRUE(connection.send("hello").has_value());
    a.sleep_for(seconds(60));  // far beyond the user timeout: the kernel has acknowledged
    EXPECT_TRUE(connection.open());
    EXPECT_TRUE(connection.send(" world").has_value());
    see("sent");
  });
  at(seconds(100), [&] { b.resume(); });
  world.run();
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].first, "sent");
  EXPECT_EQ(seen[1], (std::pair<std::string, Time>{"end of stream", Time(seconds(100))}));
  EXPECT_EQ(received, "hello world");
}

TEST_F(HostPauseTest, APausedHostMayCrashAndIsNotPausedAfterwards) {
  int unwound = 0;
  struct Witness {
    int& count;
    ~Witness() { ++count; }
  };
  world.spawn("a", [&] {
    const Witness witness{unwound};
    a.sleep_for(seconds(1));
    see("not reached");
  });
  world.spawn("a", [&] {
    const Witness witness{unwound};
    world.simulation.scheduler().yield();
    a.pause_for(seconds(20));
    see("not reached");
  });
  at(seconds(5), [&] { a.crash_and_restart(seconds(1)); });
  world.run(seconds(10));
  EXPECT_TRUE(seen.empty());
  EXPECT_EQ(unwound, 2);
  EXPECT_TRUE(a.up());
  EXPECT_FALSE(a.paused());
  a.pause();
  world.run(seconds(30));
  EXPECT_TRUE(a.paused()) << "the end of the pause before the crash is not the end of this one";
}

TEST_F(HostPauseTest, CancelledTasksOfAPausedHostEndWhenItIsResumed) {
  TaskRef task = a.spawn("task", [&] { a.sleep_for(seconds(100)); });
  world.run(seconds(1));
  a.pause();
  world.simulation.scheduler().cancel(task);
  world.run(seconds(1));
  EXPECT_FALSE(task.finished());
  a.resume();
  world.run(seconds(1));
  EXPECT_TRUE(task.finished());
}

TEST_F(HostPauseTest, AFaultPointMayPauseTheHost) {
  world.simulation.fault_points().arm("wal/flush", "a", 2, {FaultAction::Kind::pause, seconds(7), Duration(0)});
  world.simulation.fault_points().arm("wal/flush", "b", 9, {FaultAction::Kind::fail, Duration(0), Duration(0)});
  ASSERT_EQ(world.simulation.fault_points().armed().size(), 2u);
  EXPECT_EQ(world.simulation.fault_points().armed()[1].host, "b");
  EXPECT_EQ(world.simulation.fault_points().armed()[1].remaining, 9u);
  world.spawn("a", [&] {
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(a.fault_point("wal/flush"), FaultOutcome::none);
      see("flush");
    }
  });
  b.fault_point("wal/flush");
  world.run();
  const Seen expected = {{"flush", time_zero}, {"flush", Time(seconds(7))}, {"flush", Time(seconds(7))}};
  EXPECT_EQ(seen, expected);
  const FaultPoints& points = world.simulation.fault_points();
  ASSERT_EQ(points.armed().size(), 1u);
  EXPECT_EQ(points.armed()[0].remaining, 8u);
  EXPECT_EQ(points.visits().at("wal/flush"), 4u);
  EXPECT_EQ(points.visits_by_host("wal/flush").at("a"), 3u);
  EXPECT_EQ(points.visits_by_host("wal/flush").at("b"), 1u);
  EXPECT_TRUE(points.visits_by_host("elsewhere").empty());
}

TEST_F(HostPauseTest, WaitsFollowAClockWhoseRateChanges) {
  world.spawn("a", [&] {
    a.sleep_for(seconds(10));
    see("sleep");
  });
  a.call_in(seconds(10), [&] { see("call"); });
  // Four seconds at true speed, then half speed for two, then frozen for one, then double speed.
  at(seconds(4), [&] { a.clock().set_drift_ppm(world.now(), -500'000); });
  at(seconds(6), [&] { a.clock().freeze(world.now()); });
  at(seconds(7), [&] {
    a.clock().set_drift_ppm(world.now(), 0);
    a.clock().thaw(world.now());
    a.clock().set_drift_ppm(world.now(), 250'000);
  });
  world.run();
  const Seen expected = {{"call", Time(seconds(11))}, {"sleep", Time(seconds(11))}};
  EXPECT_EQ(seen, expected);
}

TEST_F(HostPauseTest, AWaitOnAFrozenClockEndsAfterTheThaw) {
  a.clock().freeze(time_zero);
  world.spawn("a", [&] {
    a.sleep_for(seconds(1));
    see("awake");
  });
  EXPECT_EQ(world.simulation.run(), RunOutcome::idle);
  EXPECT_TRUE(seen.empty());
  a.clock().thaw(world.now());
  const Time thawed = world.now();
  world.run();
  EXPECT_EQ(seen, (Seen{{"awake", thawed + seconds(1)}}));
}

TEST_F(HostPauseTest, OverdueCallsRunOnTheSchedulersStackAndNotWithinTheirResumer) {
  Scheduler& scheduler = world.simulation.scheduler();
  HostTimerId cancelled = 0;
  a.call_in(seconds(2), [&] {
    see(scheduler.in_task() ? "within a task" : "first");
    EXPECT_TRUE(a.cancel_call(cancelled));
    a.pause();
  });
  cancelled = a.call_in(seconds(3), [&] { see("cancelled"); });
  a.call_in(seconds(4), [&] {
    see("second");
    b.crash();
  });
  at(seconds(1), [&] { a.pause(); });
  world.spawn("b", [&] {
    b.sleep_for(seconds(10));
    a.resume();
    see("resumer");
    b.sleep_for(seconds(10));
    a.resume();
    b.sleep_for(seconds(10));
    see("b is down");
  });
  world.run();
  const Seen expected = {{"resumer", Time(seconds(10))}, {"first", Time(seconds(10))}, {"second", Time(seconds(20))}};
  EXPECT_EQ(seen, expected);
}

TEST_F(HostPauseTest, CallsCanBeCancelledAndEndWithTheHost) {
  const HostTimerId cancelled = a.call_in(seconds(1), [&] { see("cancelled"); });
  EXPECT_TRUE(a.cancel_call(cancelled));
  EXPECT_FALSE(a.cancel_call(cancelled));
  EXPECT_FALSE(a.cancel_call(0));
  a.call_in(seconds(2), [&] { see("runs"); });
  a.call_in(seconds(3), [&] { see("crashed"); });
  at(milliseconds(2500), [&] { a.crash(); });
  world.run();
  EXPECT_EQ(seen, (Seen{{"runs", Time(seconds(2))}}));
  EXPECT_EQ(a.pending_calls(), 0u);
  EXPECT_EQ(a.call_in(seconds(1), [&] { see("down"); }), 0u);
  // Everything that is overdue at the end of a pause runs, unless the first of it ends the host.
  b.call_in(seconds(1), [&] { b.crash(); });
  b.call_in(seconds(2), [&] { see("after the end"); });
  b.pause();
  world.run(seconds(10));
  b.resume();
  world.run(seconds(10));
  EXPECT_EQ(seen.size(), 1u);
}

TEST_F(HostPauseTest, ALostDiskComesBackBlank) {
  DiskParameters parameters = a.disk().parameters();
  parameters.capacity_bytes = 12'345;
  a.disk().set_parameters(parameters);
  world.spawn("a", [&] {
    auto file = a.disk().open("file", OpenMode::create).value();
    EXPECT_TRUE(file.write(0, "kept").has_value());
    EXPECT_TRUE(file.sync().has_value());
    EXPECT_TRUE(a.disk().sync_directory().has_value());
    see("synced");
    a.lose_disk();
    see("not reached");
  });
  world.run();
  EXPECT_EQ(seen.size(), 1u);
  EXPECT_FALSE(a.up());
  a.boot();
  EXPECT_TRUE(a.disk().list().empty());
  EXPECT_EQ(a.disk().parameters().capacity_bytes, 12'345u);
  world.spawn("a", [&] {
    EXPECT_TRUE(a.disk().open("file", OpenMode::create_new).has_value());
    a.crash();
  });
  world.run();
  a.lose_disk();
  EXPECT_FALSE(a.up());
  EXPECT_TRUE(a.disk().list().empty());
}

TEST_F(HostPauseTest, ANewVersionTakesOverTheDiskAtTheNextBoot) {
  const auto program = [this](std::string version) {
    return [this, version](Host& self) {
      see(version + " reads " + (self.disk().exists("file") ? "file" : "nothing"));
      auto file = self.disk().open("file", OpenMode::create).value();
      self.sleep_for(seconds(5));
      see(version + " ends");
    };
  };
  Host& c = world.simulation.add_host("c");
  c.set_program(program("1.0"), "1.0");
  c.boot();
  EXPECT_EQ(c.version(), "1.0");
  c.set_program(program("1.1"), "1.1");
  EXPECT_EQ(c.version(), "1.0") << "what runs goes on";
  at(seconds(1), [&] { c.stop_and_restart(seconds(1)); });
  world.run();
  EXPECT_EQ(c.version(), "1.1");
  EXPECT_EQ(
      seen,
      (Seen{{"1.0 reads nothing", time_zero}, {"1.1 reads file", Time(seconds(2))}, {"1.1 ends", Time(seconds(7))}}));
}

Digest128 digest_of(const std::string& version, bool paused) {
  TestWorld world({"a"});
  world.run();
  Host& host = world.host("a");
  host.stop();
  host.set_program([](Host& self) { self.sleep_for(seconds(1)); }, version);
  host.boot();
  if (paused) {
    host.pause();
    host.resume();
  }
  world.run();
  return world.simulation.digest().value();
}

TEST(HostDigest, VersionsAndPausesAreSeen) {
  EXPECT_EQ(digest_of("1", false), digest_of("1", false));
  EXPECT_NE(digest_of("1", false).hex(), digest_of("2", false).hex());
  EXPECT_NE(digest_of("1", false).hex(), digest_of("1", true).hex());
}

TEST_F(HostPauseTest, ACrashDuringBootLeavesABootableHost) {
  Host& c = world.simulation.add_host("c");
  int steps = 0;
  c.set_program([&](Host& self) {
    ++steps;
    self.fault_point("boot/first");
    self.sleep_for(seconds(1));
    see("booted");
  });
  // Before the first step, by another; at the first step, by itself.
  c.boot();
  c.crash();
  EXPECT_EQ(steps, 0);
  world.simulation.fault_points().arm("boot/first", "c", 1, {FaultAction::Kind::crash, Duration(0), seconds(1)});
  c.boot();
  world.run();
  EXPECT_EQ(steps, 2);
  EXPECT_EQ(c.incarnation(), 3u);
  EXPECT_EQ(seen, (Seen{{"booted", Time(seconds(2))}}));
  EXPECT_EQ(world.simulation.scheduler().live_tasks(), 2u);
}

TEST_F(HostPauseTest, AHostThatWasGivenTasksWhileItWasDownBoots) {
  Host& c = world.simulation.add_host("c");
  c.set_program([&](Host& self) {
    self.sleep_for(seconds(1));
    see("program");
  });
  const TaskRef early = c.spawn("too early", [&] { see("too early"); });
  c.boot();
  EXPECT_TRUE(early.finished());
  world.run();
  EXPECT_EQ(seen, (Seen{{"program", Time(seconds(1))}}));
}

// A nursery that is left unwinds its task, in whose handler the host crashes: the owner of the nursery, in the midst of
// its destructor, cannot be unwound until that is done.
TEST_F(HostPauseTest, ATaskMayCrashItsHostWhileAnotherWaitsForItsEnd) {
  for (const bool owner_unwinds : {false, true}) {
    for (const Duration restart_after : {Duration(0), Duration(seconds(1))}) {
      seen.clear();
      Host& c = world.simulation.add_host("c" + std::to_string(world.simulation.hosts().size()));
      const Time start = world.now();
      c.set_program([&](Host& self) {
        see("boot");
        if (self.incarnation() > 1) return;
        self.spawn("owner", [&] {
          try {
            Nursery nursery(self.scheduler(), "nursery");
            nursery.spawn("child", [&] {
              try {
                self.sleep_for(seconds(5));
              } catch (const TaskCancelled&) {
                self.crash_and_restart(restart_after);
                see("went on after its host's crash");
                throw;
              }
            });
            self.sleep_for(seconds(1));
            if (owner_unwinds) throw std::runtime_error("the owner has failed");
          } catch (const std::runtime_error&) {
            see("caught");
          }
          self.sleep_for(seconds(1));
          see("still up");
        });
        self.sleep_for(seconds(100));
      });
      c.boot();
      world.run();
      Seen expected{{"boot", start}, {"boot", start + seconds(1) + restart_after}};
      if (owner_unwinds) expected.insert(expected.begin() + 1, {"caught", start + seconds(1)});
      EXPECT_EQ(seen, expected);
      EXPECT_EQ(c.incarnation(), 2u);
    }
  }
}

}  // namespace
}  // namespace polarsim::sim
