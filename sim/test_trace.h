// For tests of the trace: a small run with messages, tasks, timers, a disk, faults, probes and a crash.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sim/simulation.h"
#include "sim/sync.h"

namespace polarsim::sim {

inline void client_program(Simulation& world, Host& self) {
  auto connection = self.connect({"server", 7}).value();
  (void)connection.send("ping");
  std::string answer;
  (void)connection.receive(answer);
  self.log("client got " + answer);
  Condition condition(world.scheduler());
  Nursery nursery(world.scheduler(), "nursery");
  nursery.spawn("child", [&] {
    self.log("child runs");
    condition.notify_all();
  });
  condition.wait("child");
  self.log("notified");
  world.scheduler().call_at(world.now() + Duration(5), [&self] { self.log("called"); });
  self.sleep_for(std::chrono::seconds(1));
  self.log("woke");
  auto file = self.disk().open("file", OpenMode::create).value();
  (void)file.write(0, "bytes");
  (void)file.sync();
  self.reached("written");
  self.fault_point("end/crash");
}

inline void run_traced_world(Simulation& world) {
  Host& server = world.add_host("server");
  server.set_program([](Host& self) {
    auto listener = self.listen(7).value();
    auto connection = listener.accept().value();
    std::string request;
    (void)connection.receive(request);
    self.log("server got " + request);
    (void)connection.send("pong");
    self.scheduler().park("idle");
  });
  Host& client = world.add_host("client");
  client.set_program([&world](Host& self) { client_program(world, self); });
  world.fault_points().arm("end/crash", "client", 1, {FaultAction::Kind::crash, Duration(0), Duration(0)});
  server.boot();
  client.boot();
  world.run(Time(std::chrono::seconds(30)));
}

inline SimulationOptions traced(bool enabled, std::size_t capacity = 200'000) {
  SimulationOptions options;
  options.trace.enabled = enabled;
  options.trace.capacity = capacity;
  return options;
}

inline std::vector<TraceEvent> traced_world() {
  Simulation world(traced(true));
  run_traced_world(world);
  return world.trace().events();
}

inline std::string digest_of_world(bool enabled) {
  Simulation world(traced(enabled));
  run_traced_world(world);
  return world.digest().value().hex();
}

}  // namespace polarsim::sim
