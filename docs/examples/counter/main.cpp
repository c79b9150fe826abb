// The server of docs/testing-your-own-system.md, mended: a count that no power loss takes back.
#include <iostream>
#include <string>

#include "sim/simulation.h"

using namespace std::chrono_literals;
namespace sim = polarsim::sim;

// Counts requests, and remembers the count on its disk.
void run_counter(sim::Host& host) {
  auto file = host.disk().open("count", sim::OpenMode::create);
  if (!file || !host.disk().sync_directory()) return;
  std::string text;
  if (!file->read(0, 20, text)) return;
  long count = text.empty() ? 0 : std::stol(text);
  auto listener = host.listen(80);
  while (auto connection = listener->accept()) {
    if (!file->write_all(0, std::to_string(++count)) || !file->sync()) return;
    if (!connection->send(std::to_string(count))) continue;
  }
}

// Asks for a number every 100 ms. No number may come twice.
void run_client(sim::Host& host) {
  long last = 0;
  for (int i = 0; i < 20; ++i) {
    host.sleep_for(100ms);
    auto connection = host.connect({"server", 80});
    std::string answer;
    if (!connection || connection->receive(answer).value_or(0) == 0) continue;
    host.log("got " + answer);
    if (std::stol(answer) <= last) host.simulation().violate("count", answer + " after " + std::to_string(last));
    last = std::stol(answer);
  }
}

// One run. True if it kept its promise.
bool run(std::uint64_t seed, bool trace) {
  sim::SimulationOptions options;
  options.seed = seed;
  options.trace.enabled = trace;
  sim::Simulation simulation(options);
  sim::Host& server = simulation.add_host("server");
  server.set_program(run_counter);
  simulation.add_host("client").set_program(run_client);
  for (const auto& host : simulation.hosts()) host->boot();

  simulation.scheduler().spawn("faults", [&] {
    sim::RandomStream& random = simulation.random("faults");
    simulation.scheduler().sleep_for(random.between(0ms, 2000ms));
    server.crash_and_restart(50ms);  // power loss
  });

  simulation.run(sim::time_zero + 10s);
  if (trace) simulation.trace().write_text(std::cout);
  std::cout << "seed " << seed << " digest " << simulation.digest().value().hex();
  if (simulation.violation()) std::cout << " FAILED " << simulation.violation()->detail;
  std::cout << '\n';
  return !simulation.violation();
}

int main(int argc, char** argv) {
  if (argc == 2) return run(std::stoull(argv[1]), true) ? 0 : 1;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    if (!run(seed, false)) return 1;
  }
}
