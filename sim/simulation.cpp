#include "sim/simulation.h"

#include <fmt/format.h>

#include <utility>

#include "sim/assert.h"

namespace polarsim::sim {

Simulation::Simulation(const SimulationOptions& options)
    : options_(options), digest_(options.ladder_interval), trace_(options.trace) {
  choices_ = std::make_unique<ChoiceOracle>(options_.seed, &digest_);
  scheduler_ = std::make_unique<Scheduler>(options_.scheduler, digest_, *choices_);
  if (trace_.enabled()) scheduler_->set_trace(&trace_);
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

GoalOutcome Simulation::run_until(const TaskRef& task, Time limit) {
  if (violation_) return GoalOutcome::stopped;
  return scheduler_->run_until(task, limit);
}

void Simulation::replay_decisions(DecisionLog log, const DecisionReplayOptions& options) {
  // Destructors draw too (the FIN of a connection takes a latency), and nothing may be thrown out of them: the task
  // that draws is only marked, and unwinds when it next blocks.
  choices_->replay(std::move(log), options,
                   [this](const std::string& mismatch) { end_with_violation("decision-log", mismatch); });
}

void Simulation::end_with_violation(std::string name, std::string detail) {
  if (!violation_) {
    trace_.add(now(), TraceKind::log, "", "invariant violated: " + name + ": " + detail);
    violation_ = InvariantViolation{std::move(name), std::move(detail), now()};
  }
  scheduler_->stop();
  if (scheduler_->in_task()) scheduler_->cancel(scheduler_->current());
}

void Simulation::violate(std::string name, std::string detail) {
  end_with_violation(std::move(name), std::move(detail));
  if (scheduler_->in_task() && !scheduler_->unwinding()) throw TaskCancelled{};
}

std::string Simulation::describe(const DigestRecord& record) const {
  const auto kind = static_cast<DigestKind>(record.kind);
  const auto task = [&] {
    const std::string* const name = scheduler_->task_name(record.a);
    return name == nullptr ? fmt::format("{}", record.a) : fmt::format("{} \"{}\"", record.a, *name);
  };
  const auto host = [this](std::uint64_t hash) -> std::string {
    for (const auto& candidate : hosts_) {
      if (stable_hash(candidate->name()) == hash) return candidate->name();
    }
    return fmt::format("{:016x}", hash);
  };
  switch (kind) {
    case DigestKind::draw: {
      const std::string* const name = choices_->stream_name(record.a);
      return fmt::format("draw {:016x} from {}", record.b, name == nullptr ? "an unknown stream" : *name);
    }
    case DigestKind::task_spawned:
      return fmt::format("task {} spawned", task());
    case DigestKind::task_resumed:
      return fmt::format("task {} resumed at {} ns", task(), record.b);
    case DigestKind::task_finished:
      return fmt::format("task {} {}", task(), record.b != 0 ? "ended by cancellation" : "finished");
    case DigestKind::timer_fired:
      return fmt::format("timer {} fired at {} ns", record.a, record.b);
    case DigestKind::timer_set:
      return record.b == 0 ? fmt::format("timer set for {} ns", record.a)
                           : fmt::format("task {} waits until {} ns at most", record.b, record.a);
    case DigestKind::host:
      return fmt::format("host {}: life event {} of incarnation {}", host(record.a), record.b, record.c);
    case DigestKind::probe:
      return fmt::format("probe {:016x} on {}", record.a, host(record.b));
    case DigestKind::fault:
      return fmt::format("fault {:016x} on {}", record.a, host(record.b));
    case DigestKind::reseed:
      return fmt::format("reseeded with {}", record.a);
    case DigestKind::network:
    case DigestKind::disk:
    case DigestKind::user:
      break;
  }
  return fmt::format("{} {:x} {:x} {:x}", to_string(kind), record.a, record.b, record.c);
}

}  // namespace polarsim::sim
