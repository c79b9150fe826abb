#include "sim/simulation.h"

#include <utility>

#include "sim/assert.h"

namespace polarsim::sim {

Simulation::Simulation(const SimulationOptions& options)
    : options_(options), digest_(options.ladder_interval), trace_(options.trace) {
  choices_ = std::make_unique<ChoiceOracle>(options_.seed, &digest_);
  scheduler_ = std::make_unique<Scheduler>(options_.scheduler, digest_, *choices_);
  network_ = std::make_unique<Network>(*this);
}

Simulation::~Simulation() {
  for (const auto& host : hosts_) host->go_down(Host::Ending::teardown);
  // Tasks and timers may refer to hosts and the network: they end while these still exist.
  scheduler_->shut_down();
}

Host& Simulation::add_host(std::string name) {
  POLARSIM_ASSERT(find_host(name) == nullptr, "two hosts of one name");
  hosts_.push_back(std::make_unique<Host>(*this, std::move(name)));
  return *hosts_.back();
}

Host& Simulation::host(std::string_view name) {
  Host* const found = find_host(name);
  POLARSIM_ASSERT(found != nullptr, "no host of this name");
  return *found;
}

Host* Simulation::find_host(std::string_view name) {
  for (const auto& host : hosts_) {
    if (host->name() == name) return host.get();
  }
  return nullptr;
}

RunOutcome Simulation::run(Time limit) {
  if (violation_) return RunOutcome::stopped;
  return scheduler_->run(limit);
}

void Simulation::violate(std::string name, std::string detail) {
  if (!violation_) {
    trace_.add(now(), TraceKind::log, "", "invariant violated: " + name + ": " + detail);
    violation_ = InvariantViolation{std::move(name), std::move(detail), now()};
  }
  scheduler_->stop();
  if (!scheduler_->in_task()) return;
  scheduler_->cancel(scheduler_->current());
  if (!scheduler_->unwinding()) throw TaskCancelled{};
}

}  // namespace polarsim::sim
