#include "faults/injector.h"

#include <gtest/gtest.h>

namespace polarsim::faults {
namespace {

using namespace std::chrono_literals;

const Topology topology{{"cn1"}, {"dn1", "dn2"}, {"client1"}};

Fault make(FaultKind kind, sim::Duration at, std::vector<std::string> targets, sim::Duration duration,
           double factor = 0) {
  return Fault{at, kind, std::move(targets), duration, factor, "", 1};
}

// A machine of idle hosts; run_until() moves true time.
class InjectorTest : public ::testing::Test {
 protected:
  InjectorTest() : simulation_(sim::SimulationOptions{}) {
    for (const char* name : {"cn1", "dn1", "dn2", "client1"}) {
      sim::Host& host = simulation_.add_host(name);
      host.set_program([](sim::Host& self) {
        while (true) {
          self.simulation().scheduler().sleep_for(100ms);
          self.fault_point("test/step");
        }
      });
      host.boot();
    }
  }
  ~InjectorTest() override { injector_.reset(); }

  void start(std::vector<Fault> faults) {
    injector_ = std::make_unique<Injector>(simulation_, topology);
    injector_->start(Schedule{"explicit", std::move(faults)});
  }
  void run_until(sim::Duration time) { simulation_.run(sim::time_zero + time); }
  double slowdown(const char* host) { return simulation_.host(host).disk().parameters().slowdown; }
  double drift(const char* host) { return simulation_.host(host).clock().drift_ppm(); }
  bool cut(const char* from, const char* to) { return simulation_.network().is_cut(from, to); }

  sim::Simulation simulation_;
  std::unique_ptr<Injector> injector_;
};

TEST_F(InjectorTest, partitions_cut_both_ways_overlap_and_end) {
  start({make(FaultKind::partition, 1s, {"dn1"}, 4s), make(FaultKind::partition, 2s, {"dn1", "dn2"}, 1s)});
  run_until(500ms);
  EXPECT_FALSE(cut("cn1", "dn1"));
  run_until(1500ms);
  EXPECT_TRUE(cut("cn1", "dn1"));
  EXPECT_TRUE(cut("dn1", "client1"));
  EXPECT_TRUE(cut("dn1", "dn2"));
  EXPECT_FALSE(cut("cn1", "dn2"));
  run_until(2500ms);
  EXPECT_TRUE(cut("cn1", "dn2"));
  run_until(3500ms);
  EXPECT_FALSE(cut("cn1", "dn2"));
  EXPECT_TRUE(cut("cn1", "dn1"));
  run_until(5500ms);
  EXPECT_FALSE(cut("cn1", "dn1"));
  EXPECT_FALSE(cut("dn1", "client1"));
  EXPECT_EQ(injector_->struck(), 2U);
}

TEST_F(InjectorTest, a_oneway_partition_leaves_the_other_direction) {
  start({make(FaultKind::partition_oneway, 1s, {"dn1"}, 1s)});
  run_until(1500ms);
  EXPECT_TRUE(cut("dn1", "cn1"));
  EXPECT_FALSE(cut("cn1", "dn1"));
  run_until(2500ms);
  EXPECT_FALSE(cut("dn1", "cn1"));
}

TEST_F(InjectorTest, the_slowest_of_overlapping_disk_faults_counts_and_each_ends_separately) {
  start({make(FaultKind::slow_disk, 1s, {"dn1"}, 2500ms, 10), make(FaultKind::slow_disk, 2s, {"dn1", "dn2"}, 2s, 4)});
  run_until(1500ms);
  EXPECT_EQ(slowdown("dn1"), 10);
  EXPECT_EQ(slowdown("dn2"), 1);
  run_until(2500ms);
  EXPECT_EQ(slowdown("dn1"), 10);
  EXPECT_EQ(slowdown("dn2"), 4);
  run_until(3700ms);
  EXPECT_EQ(slowdown("dn1"), 4);
  EXPECT_EQ(slowdown("dn2"), 4);
  run_until(5500ms);
  EXPECT_EQ(slowdown("dn1"), 1);
}

TEST_F(InjectorTest, clock_drifts_add_up) {
  start({make(FaultKind::clock_drift, 1s, {"dn1"}, 4s, 300), make(FaultKind::clock_drift, 2s, {"dn1"}, 1s, -100)});
  run_until(2500ms);
  EXPECT_EQ(drift("dn1"), 200);
  run_until(3500ms);
  EXPECT_EQ(drift("dn1"), 300);
  run_until(5500ms);
  EXPECT_EQ(drift("dn1"), 0);
}

TEST_F(InjectorTest, a_crash_of_a_host_that_is_down_does_nothing) {
  start({make(FaultKind::crash, 1s, {"dn1"}, 2s), make(FaultKind::crash, 2s, {"dn1"}, 9s),
         make(FaultKind::crash, 2500ms, {"dn1", "dn2"}, 1s)});
  run_until(1500ms);
  EXPECT_FALSE(simulation_.host("dn1").up());
  run_until(2700ms);
  EXPECT_FALSE(simulation_.host("dn2").up());
  run_until(3200ms);
  EXPECT_TRUE(simulation_.host("dn1").up());
  EXPECT_EQ(simulation_.host("dn1").incarnation(), 2U);
  run_until(20s);
  EXPECT_TRUE(simulation_.host("dn2").up());
  EXPECT_EQ(simulation_.host("dn1").incarnation(), 2U);
  EXPECT_EQ(injector_->struck(), 2U);
}

TEST_F(InjectorTest, crash_at_point_waits_for_its_time_and_its_visit) {
  Fault fault = make(FaultKind::crash_at_point, 1s, {"dn1"}, 1s);
  fault.point = "test/step";
  fault.occurrence = 3;
  Fault other = fault;
  other.point = "test/never";
  start({fault, other});
  run_until(1150ms);
  EXPECT_TRUE(simulation_.host("dn1").up());
  EXPECT_EQ(injector_->struck(), 0U);
  run_until(1450ms);
  EXPECT_FALSE(simulation_.host("dn1").up());
  EXPECT_EQ(injector_->struck(), 1U);
  run_until(2600ms);
  EXPECT_TRUE(simulation_.host("dn1").up());
  EXPECT_TRUE(simulation_.host("dn2").up());
}

TEST_F(InjectorTest, heal_ends_everything_and_nothing_comes_after_it) {
  Fault point = make(FaultKind::crash_at_point, 1s, {"dn2"}, 1s);
  point.point = "test/step";
  point.occurrence = 1000;
  start({make(FaultKind::partition, 1s, {"dn1"}, 9s), make(FaultKind::slow_disk, 1s, {"dn2"}, 9s, 7), point,
         make(FaultKind::crash, 1s, {"cn1"}, 9s), make(FaultKind::clock_drift, 1s, {"dn1"}, 9s, 50),
         make(FaultKind::crash, 3s, {"dn2"}, 1s)});
  run_until(2s);
  EXPECT_FALSE(simulation_.host("cn1").up());
  injector_->heal();
  EXPECT_TRUE(simulation_.host("cn1").up());
  EXPECT_FALSE(cut("cn1", "dn1"));
  EXPECT_EQ(slowdown("dn2"), 1);
  EXPECT_EQ(drift("dn1"), 0);
  run_until(300s);
  EXPECT_EQ(simulation_.host("cn1").incarnation(), 2U);
  EXPECT_EQ(simulation_.host("dn2").incarnation(), 1U);
  EXPECT_FALSE(cut("cn1", "dn1"));
  injector_->heal();
}

TEST_F(InjectorTest, faults_are_part_of_the_digest) {
  const auto digest_with = [](double factor) {
    sim::Simulation simulation{sim::SimulationOptions{}};
    for (const char* name : {"cn1", "dn1", "dn2", "client1"}) simulation.add_host(name);
    Injector injector(simulation, topology);
    injector.start(Schedule{"explicit", {make(FaultKind::slow_disk, 1s, {"dn1"}, 1s, factor)}});
    simulation.run();
    return simulation.digest().value();
  };
  EXPECT_EQ(digest_with(3), digest_with(3));
  EXPECT_NE(digest_with(3), digest_with(4));
}

}  // namespace
}  // namespace polarsim::faults
