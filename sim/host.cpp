#include "sim/host.h"

#include <utility>

#include "sim/assert.h"
#include "sim/simulation.h"

namespace polarsim::sim {
namespace {

// What a host record of the digest says. Numbers are part of recorded digests.
enum class LifeEvent : std::uint64_t { booted = 1, crashed = 2, stopped = 3 };

}  // namespace

Host::Host(Simulation& simulation, std::string name)
    : simulation_(simulation),
      name_(std::move(name)),
      name_hash_(stable_hash(name_)),
      group_(std::make_unique<TaskGroup>(name_)) {
  disk_ = std::make_unique<Disk>(*this);
}

Host::~Host() { go_down(Ending::teardown); }

Scheduler& Host::scheduler() { return simulation_.scheduler(); }

// --- life ---

void Host::boot() {
  if (up()) return;
  POLARSIM_ASSERT(program_ != nullptr, "a host without a program was booted");
  POLARSIM_ASSERT(group_->empty(), "a host was booted before its last life had ended");
  state_ = HostState::up;
  ++incarnation_;
  simulation_.digest().absorb(DigestKind::host, name_hash_, static_cast<std::uint64_t>(LifeEvent::booted),
                              incarnation_);
  simulation_.trace().add(simulation_.now(), TraceKind::host, name_, "boot");
  clock_.boot(simulation_.now());
  disk_->boot();
  // The program is copied: the host may be given another version while this one runs.
  spawn(name_ + "/main", [this, program = program_] {
    program(*this);
    stop();
  });
}

void Host::crash() { end(Ending::power_loss); }

void Host::stop() { end(Ending::stop); }

void Host::crash_and_restart(Duration pause) {
  // Set before the crash, from which a task of this host does not return.
  const std::uint64_t life = incarnation_;
  scheduler().call_at(deadline_after(simulation_.now(), pause), [this, life] {
    if (incarnation_ == life) boot();
  });
  crash();
}

void Host::end(Ending ending) {
  if (!up()) return;
  if (scheduler().unwinding()) {
    const std::uint64_t life = incarnation_;
    scheduler().call_at(simulation_.now(), [this, ending, life] {
      if (incarnation_ == life) go_down(ending);
    });
    return;
  }
  // The function outlives the caller if the caller is a task of this host: it may refer to the host only.
  scheduler().on_scheduler_stack([this, ending] { go_down(ending); });
}

void Host::go_down(Ending ending) {
  if (!up()) return;
  state_ = HostState::down;
  const bool power_loss = ending == Ending::power_loss;
  const LifeEvent event = power_loss ? LifeEvent::crashed : LifeEvent::stopped;
  simulation_.digest().absorb(DigestKind::host, name_hash_, static_cast<std::uint64_t>(event), incarnation_);
  simulation_.trace().add(simulation_.now(), TraceKind::host, name_, power_loss ? "crash" : "stop");
  if (ending == Ending::stop) {
    simulation_.network().host_stopping(*this);
  } else {
    simulation_.network().host_crashed(*this);
  }
  if (power_loss) disk_->crash();
  scheduler().cancel_group(*group_);
  POLARSIM_ASSERT(group_->empty(), "a task has outlived its host");
}

// --- for the program ---

TaskRef Host::spawn(std::string name, std::function<void()> body) {
  TaskRef task = scheduler().spawn(std::move(name), std::move(body), group_.get());
  if (!up()) scheduler().cancel(task);
  return task;
}

void Host::sleep_for(Duration local) { scheduler().sleep_until(deadline_in(local)); }

Time Host::deadline_in(Duration local) const { return deadline_after(simulation_.now(), clock_.to_true(local)); }

std::int64_t Host::realtime_us() const { return clock_.realtime_us(simulation_.now()); }

tl::expected<Listener, NetError> Host::listen(std::uint16_t port, const ListenOptions& options) {
  return simulation_.network().listen(*this, port, options);
}

tl::expected<DatagramSocket, DatagramError> Host::open_datagram(std::uint16_t port, const DatagramOptions& options) {
  return simulation_.network().open_datagram(*this, port, options);
}

tl::expected<Connection, NetError> Host::connect(const Address& to, const ConnectionOptions& options) {
  return simulation_.network().connect(*this, to, options);
}

RandomStream& Host::random(std::string_view purpose) {
  std::string stream = name_;
  stream += '/';
  stream += purpose;
  return simulation_.random(stream);
}

FaultOutcome Host::fault_point(std::string_view name) {
  if (!up() || scheduler().unwinding()) return FaultOutcome::none;
  const std::optional<FaultAction> action = simulation_.fault_points().visit(name, name_);
  if (!action) return FaultOutcome::none;
  simulation_.digest().absorb(DigestKind::fault, stable_hash(name), name_hash_,
                              static_cast<std::uint64_t>(action->kind));
  if (simulation_.trace().enabled()) {
    simulation_.trace().add(simulation_.now(), TraceKind::fault, name_, "fault point " + std::string(name));
  }
  switch (action->kind) {
    case FaultAction::Kind::crash:
      if (action->restart_after > Duration(0)) {
        crash_and_restart(action->restart_after);
      } else {
        crash();
      }
      // Only a caller that does not belong to the host gets here: for it, the operation has failed.
      return FaultOutcome::fail;
    case FaultAction::Kind::fail:
      return FaultOutcome::fail;
    case FaultAction::Kind::delay:
      if (scheduler().in_task()) scheduler().sleep_for(action->delay);
      return FaultOutcome::none;
  }
  return FaultOutcome::none;
}

void Host::reached(std::string_view probe) {
  simulation_.probes().reached(probe);
  simulation_.digest().absorb(DigestKind::probe, stable_hash(probe), name_hash_);
  if (simulation_.trace().enabled()) {
    simulation_.trace().add(simulation_.now(), TraceKind::probe, name_, std::string(probe));
  }
}

void Host::log(std::string text) { simulation_.trace().add(simulation_.now(), TraceKind::log, name_, std::move(text)); }

}  // namespace polarsim::sim
