#include "scenarios/cli/sabotage.h"

#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "scenarios/cli/exit_status.h"
#include "scenarios/cli/terminal.h"

namespace polarsim::scenarios::cli {

namespace {

using Waits = std::uint64_t (*)();

std::uint64_t from_wall_clock() { return static_cast<std::uint64_t>(wall_seconds() * 1e9); }

std::uint64_t from_address_order() {
  std::vector<std::unique_ptr<std::uint64_t>> numbers;
  std::set<const std::uint64_t*> by_address;
  for (std::uint64_t number = 0; number < 64; ++number) {
    numbers.push_back(std::make_unique<std::uint64_t>(number));
    by_address.insert(numbers.back().get());
  }
  std::uint64_t mixed = 0;
  for (const std::uint64_t* number : by_address) mixed = mixed * 31 + *number;
  return mixed;
}

std::uint64_t from_uninitialised_read() {
  // Volatile, so that no compiler can make anything of it but a read.
  const std::unique_ptr<volatile unsigned char[]> memory(new volatile unsigned char[256]);
  std::uint64_t mixed = 0;
  for (std::size_t i = 0; i < 256; ++i) mixed = mixed * 31 + memory[i];
  return mixed;
}

Waits waits_of(const std::string& name) {
  if (name == "wall-clock") return from_wall_clock;
  if (name == "address-order") return from_address_order;
  if (name == "uninitialised-read") return from_uninitialised_read;
  throw UsageError(
      fmt::format("--sabotage: expected one of wall-clock, address-order, uninitialised-read, found \"{}\"", name));
}

}  // namespace

std::function<void(sim::Simulation&)> sabotage(const std::string& name) {
  return [waits = waits_of(name)](sim::Simulation& simulation) {
    sim::Scheduler& scheduler = simulation.scheduler();
    scheduler.spawn("saboteur", [&scheduler, waits] {
      scheduler.sleep_for(std::chrono::seconds(1));
      for (;;) scheduler.sleep_for(std::chrono::milliseconds(50) + sim::Duration(waits() % 50'000'000));
    });
  };
}

}  // namespace polarsim::scenarios::cli
