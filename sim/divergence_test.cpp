// Programs with planted nondeterminism: the first record that differs must be found, where it comes from must be named.
#include "sim/divergence.h"

#include <gtest/gtest.h>

#include <csignal>
#include <ctime>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "sim/sanitizer.h"

namespace polarsim::sim {
namespace {

// Tasks that sleep for drawn times, so that there is a long equal past; after `sane_draws` draws of its own, one of
// them asks `odd` how long to sleep.
void run_world(const std::function<void(Simulation&)>& witness, const std::function<std::int64_t()>& odd,
               int sane_rounds = 2000) {
  Simulation simulation{SimulationOptions{}};
  witness(simulation);
  for (int task = 0; task < 4; ++task) {
    simulation.scheduler().spawn("sane" + std::to_string(task), [&simulation] {
      RandomStream& waits = simulation.random("waits");
      for (int round = 0; round < 3000; ++round) {
        const std::int64_t wait = waits.between(1, 1000);
        simulation.scheduler().sleep_for(Duration(wait));
      }
    });
  }
  simulation.scheduler().spawn("odd", [&] {
    for (int round = 0; round < sane_rounds; ++round) simulation.scheduler().sleep_for(Duration(500));
    for (int round = 0; round < 50; ++round) simulation.scheduler().sleep_for(Duration(1 + odd() % 1000));
  });
  simulation.run();
}

std::optional<Divergence> divergence_of(const std::function<std::int64_t()>& odd, std::uint64_t known_equal = 0) {
  return find_divergence([&](const auto& witness) { run_world(witness, odd); }, {known_equal});
}

__attribute__((noinline)) std::int64_t wall_clock_wait() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_nsec;
}

// The number of the object that a set of pointers shows first.
[[maybe_unused]] __attribute__((noinline)) std::int64_t address_order_wait() {
  struct Object {
    std::int64_t number;
    char padding[40];
  };
  std::vector<std::unique_ptr<Object>> objects;
  std::set<Object*> by_address;
  for (std::int64_t i = 0; i < 64; ++i) {
    objects.push_back(std::make_unique<Object>(Object{i, {}}));
    by_address.insert(objects.back().get());
  }
  std::int64_t mixed = 0;
  for (const Object* object : by_address) mixed = (mixed * 31 + object->number) % 1'000'003;
  return mixed;
}

[[maybe_unused]] __attribute__((noinline)) std::int64_t uninitialised_heap_wait() {
  const std::unique_ptr<volatile unsigned char[]> memory(new volatile unsigned char[64]);
  std::int64_t sum = 0;
  for (int i = 0; i < 64; ++i) sum += memory[static_cast<std::size_t>(i)];
  return sum;
}

void expect_found_in_the_odd_task(const std::optional<Divergence>& divergence) {
  ASSERT_TRUE(divergence.has_value());
  ASSERT_TRUE(divergence->first.has_value());
  ASSERT_TRUE(divergence->second.has_value());
  EXPECT_EQ(divergence->first->number, divergence->second->number);
  EXPECT_FALSE(divergence->first->record == divergence->second->record);
  // After the first odd wait, not before: 2,000 sleeps of 500 ns.
  EXPECT_GE(divergence->first->time, Time(Duration(1'000'000)));
  EXPECT_EQ(divergence->before.size(), 8u);
}

TEST(Divergence, EqualRunsHaveNone) {
  EXPECT_FALSE(divergence_of([] { return 7; }).has_value());
}

TEST(Divergence, FindsAWallClock) {
  const auto divergence = divergence_of(wall_clock_wait);
  expect_found_in_the_odd_task(divergence);
  EXPECT_NE(divergence->text().find("the runs part at record"), std::string::npos);
}

#ifndef POLARSIM_ASAN  // has a heap of its own, which is disturbed enough, but not by us
TEST(Divergence, FindsAnOrderOfAddresses) { expect_found_in_the_odd_task(divergence_of(address_order_wait)); }

TEST(Divergence, FindsAReadOfUninitialisedMemory) {
  expect_found_in_the_odd_task(divergence_of(uninitialised_heap_wait));
}
#endif

TEST(Divergence, ADrawNamesItsStreamTaskAndStack) {
  // The program itself draws a different number of times: the record is the draw.
  const auto divergence = find_divergence([](const auto& witness) {
    Simulation simulation{SimulationOptions{}};
    witness(simulation);
    simulation.scheduler().spawn("drawer", [&simulation] {
      simulation.random("sane").next();
      simulation.random(wall_clock_wait() % 2 == 0 ? "even" : "odd").next();
      simulation.random("time/" + std::to_string(wall_clock_wait())).next();
    });
    simulation.run();
  });
  ASSERT_TRUE(divergence.has_value());
  const std::string text = divergence->text();
  EXPECT_NE(text.find("draw"), std::string::npos) << text;
  EXPECT_NE(text.find("in task \"drawer\""), std::string::npos) << text;
  EXPECT_NE(text.find("from sane"), std::string::npos) << text;
#ifdef POLARSIM_LIBBACKTRACE
  EXPECT_NE(text.find("divergence_test.cpp"), std::string::npos) << text;
  EXPECT_EQ(text.find("RunningDigest"), std::string::npos) << text;
#endif
}

TEST(Divergence, IsFoundWithoutStacksKnownToBeEqualAndAlsoIfThatWasWrong) {
  const auto exact = divergence_of(wall_clock_wait);
  ASSERT_TRUE(exact.has_value());
  expect_found_in_the_odd_task(divergence_of(wall_clock_wait, 8192));
  const auto wrong = divergence_of(wall_clock_wait, 1'000'000);
  expect_found_in_the_odd_task(wrong);
  EXPECT_FALSE(wrong->first->frames.empty());
}

TEST(Divergence, AnEndBeforeTheOtherIsADivergence) {
  const auto divergence = find_divergence([](const auto& witness) {
    Simulation simulation{SimulationOptions{}};
    witness(simulation);
    simulation.scheduler().spawn("t", [&simulation] {
      simulation.random("sane").next();
      const std::int64_t own = wall_clock_wait();
      if (own % 2 == 0 || own % 3 == 0) throw std::runtime_error("at " + std::to_string(own));
      throw std::runtime_error("odd at " + std::to_string(own));
    });
    simulation.run();
  });
  ASSERT_TRUE(divergence.has_value());
  EXPECT_NE(divergence->text().find("an exception ended the run: "), std::string::npos) << divergence->text();
}

TEST(Divergence, ACrashIsReported) {
  const auto divergence = find_divergence([](const auto& witness) {
    Simulation simulation{SimulationOptions{}};
    witness(simulation);
    std::raise(SIGTERM);
  });
  ASSERT_TRUE(divergence.has_value());
  EXPECT_TRUE(divergence->died_alike);
  EXPECT_NE(divergence->text().find("died in the same way"), std::string::npos) << divergence->text();
  EXPECT_NE(divergence->text().find("the process crashed"), std::string::npos) << divergence->text();
}

__attribute__((noinline)) StackFrames here() { return capture_stack(); }

TEST(StackTrace, NamesTheFunctionsThatAreRunning) {
  const std::vector<std::string> lines = name_frames(here());
  ASSERT_FALSE(lines.empty());
#ifdef POLARSIM_LIBBACKTRACE
  EXPECT_NE(lines.front().find("here"), std::string::npos) << lines.front();
  EXPECT_NE(lines.front().find("divergence_test.cpp"), std::string::npos) << lines.front();
#else
  EXPECT_NE(lines.front().find("+0x"), std::string::npos) << lines.front();
#endif
}

TEST(StackTrace, EndsAtTheEntryOfAFiber) {
  Simulation simulation{SimulationOptions{}};
  std::size_t depth = 0;
  simulation.scheduler().spawn("t", [&depth] { depth = here().size(); });
  simulation.run();
  EXPECT_GT(depth, 2u);
  EXPECT_LT(depth, 20u);
}

}  // namespace
}  // namespace polarsim::sim
