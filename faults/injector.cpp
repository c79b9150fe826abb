#include "faults/injector.h"

#include "faults/family.h"
#include "sim/assert.h"

namespace polarsim::faults {

struct Injector::Implementation {
  Implementation(sim::Simulation& simulation, Topology topology)
      : state(simulation, std::move(topology)), points_taken_before(simulation.fault_points().taken()) {}

  // Sets a timer that forgets itself once it has fired.
  void at(sim::Time when, std::function<void()> action) {
    const std::size_t slot = timers.size();
    timers.push_back(0);
    timers[slot] = state.simulation.scheduler().call_at(when, [this, slot, action = std::move(action)] {
      timers[slot] = 0;
      action();
    });
  }

  void strike(const Fault& fault) {
    const KindDescription& kind = description_of(fault.kind);
    record("begins", fault);
    if (kind.strike(state, fault)) ++struck;
    if (kind.end == nullptr) return;
    at(sim::deadline_after(state.simulation.now(), fault.duration), [this, &fault, &kind] {
      record("ends", fault);
      kind.end(state, fault);
    });
  }

  void record(std::string_view what, const Fault& fault) {
    const std::string text = std::string(what) + ": " + describe(fault);
    state.simulation.digest().absorb_bytes(sim::DigestKind::fault, static_cast<std::uint64_t>(fault.kind), text);
    sim::Trace& trace = state.simulation.trace();
    const std::string host = fault.targets.empty() ? "" : fault.targets.front();
    if (trace.enabled()) trace.add(state.simulation.now(), sim::TraceKind::fault, host, text);
  }

  void cancel_timers() {
    for (sim::TimerId& timer : timers) {
      if (timer != 0) state.simulation.scheduler().cancel_timer(timer);
      timer = 0;
    }
  }

  InjectionState state;
  Schedule schedule;
  bool started = false;
  std::vector<sim::TimerId> timers;  // 0: fired or cancelled
  std::uint64_t struck = 0;
  std::uint64_t points_taken_before;
};

Injector::Injector(sim::Simulation& simulation, Topology topology)
    : impl_(std::make_unique<Implementation>(simulation, std::move(topology))) {}

Injector::~Injector() { impl_->cancel_timers(); }

void Injector::start(const Schedule& schedule) {
  POLARSIM_ASSERT(!impl_->started, "an injector carries out one schedule");
  const std::string problem = validate(schedule, impl_->state.topology);
  POLARSIM_ASSERT(problem.empty(), problem.c_str());
  impl_->started = true;
  impl_->schedule = schedule;
  const sim::Time now = impl_->state.simulation.now();
  for (const Fault& fault : impl_->schedule.faults) {
    impl_->at(sim::deadline_after(now, fault.at), [this, &fault] { impl_->strike(fault); });
  }
}

void Injector::heal() {
  impl_->cancel_timers();
  sim::Simulation& simulation = impl_->state.simulation;
  simulation.digest().absorb_bytes(sim::DigestKind::fault, 0, "heal");
  if (simulation.trace().enabled())
    simulation.trace().add(simulation.now(), sim::TraceKind::fault, "", "all faults heal");
  for (const KindDescription* kind : all_kinds()) {
    if (kind->heal != nullptr) kind->heal(impl_->state);
  }
}

std::uint64_t Injector::struck() const {
  return impl_->struck + impl_->state.simulation.fault_points().taken() - impl_->points_taken_before;
}

}  // namespace polarsim::faults
