#include "sim/host.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "sim/assert.h"
#include "sim/simulation.h"

namespace polarsim::sim {
namespace {

// What a host record of the digest says. Numbers are part of recorded digests.
enum LifeEvent : std::uint64_t {
  booted = 1,
  crashed = 2,
  stopped = 3,
  put_to_sleep,
  resumed,
  disk_lost,
  version_booted
};

}  // namespace

Host::Host(Simulation& simulation, std::string name)
    : simulation_(simulation),
      name_(std::move(name)),
      name_hash_(stable_hash(name_)),
      clock_waiters_(simulation.scheduler(), "the host's clock"),
      group_(std::make_unique<TaskGroup>(name_)) {
  group_->become_machine();
  disk_ = std::make_unique<Disk>(*this);
  clock_.on_rate_change([this] { on_clock_change(); });
}

Host::~Host() { go_down(Ending::teardown); }

Scheduler& Host::scheduler() { return simulation_.scheduler(); }

void Host::note(std::uint64_t life_event, std::uint64_t argument, std::string_view text) {
  simulation_.digest().absorb(DigestKind::host, name_hash_, life_event, argument);
  if (!simulation_.trace().enabled()) return;
  simulation_.trace().add(simulation_.now(), TraceKind::host, name_, text);
}

// --- life ---

void Host::set_program(Program program, std::string version) {
  program_ = std::move(program);
  program_version_ = std::move(version);
}

void Host::boot() {
  if (up()) return;
  POLARSIM_ASSERT(program_ != nullptr, "a host without a program was booted");
  // Tasks spawned while the host was down: cancelled, but their turn has not come.
  if (!group_->empty()) scheduler().cancel_group(*group_);
  POLARSIM_ASSERT(group_->empty() && calls_.empty(), "a host was booted before its last life had ended");
  state_ = HostState::up;
  ++incarnation_;
  version_ = program_version_;
  note(LifeEvent::booted, incarnation_, "boot");
  if (!version_.empty()) note(LifeEvent::version_booted, stable_hash(version_), "version " + version_);
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

void Host::crash_and_restart(Duration pause) { end_and_restart(Ending::power_loss, pause); }

void Host::stop_and_restart(Duration pause) { end_and_restart(Ending::stop, pause); }

void Host::end_and_restart(Ending ending, Duration pause) {
  const std::uint64_t life = incarnation_;
  const bool later = up() && must_end_later();
  if (later) end_later(ending);
  // Set before the end, from which a task of this host does not return.
  scheduler().call_at(deadline_after(simulation_.now(), pause), [this, life] {
    if (incarnation_ == life) boot();
  });
  if (later) {
    leave_caller();
  } else {
    end(ending);
  }
}

void Host::lose_disk() {
  if (up()) {
    end(Ending::disk_loss);
  } else {
    replace_disk();
  }
}

void Host::end(Ending ending) {
  if (!up()) return;
  if (must_end_later()) {
    end_later(ending);
    leave_caller();
    return;
  }
  // The function outlives the caller if the caller is a task of this host: it may refer to the host only.
  scheduler().on_scheduler_stack([this, ending] { go_down(ending); });
}

bool Host::must_end_later() { return scheduler().unwinding() || !scheduler().can_unwind_machine(*group_); }

void Host::end_later(Ending ending) {
  const std::uint64_t life = incarnation_;
  scheduler().call_at(simulation_.now(), [this, ending, life] {
    if (incarnation_ == life) go_down(ending);
  });
}

void Host::leave_caller() {
  if (scheduler().current_machine() != group_.get() || scheduler().unwinding()) return;
  scheduler().cancel(scheduler().current());
  throw TaskCancelled{};
}

void Host::go_down(Ending ending) {
  if (!up()) return;
  state_ = HostState::down;
  const bool stops = ending == Ending::stop;
  note(stops ? LifeEvent::stopped : LifeEvent::crashed, incarnation_, stops ? "stop" : "crash");
  for (const auto& [id, call] : calls_) scheduler().cancel_timer(call.timer);
  // The captures may do anything when they are destroyed: the map must be whole by then.
  const std::map<HostTimerId, Call> dropped = std::exchange(calls_, {});
  if (stops) {
    simulation_.network().host_stopping(*this);
  } else {
    simulation_.network().host_crashed(*this);
  }
  if (ending == Ending::power_loss || ending == Ending::disk_loss) disk_->crash();
  scheduler().cancel_group(*group_);
  POLARSIM_ASSERT(group_->empty(), "a task has outlived its host");
  scheduler().resume_machine(*group_);
  if (ending == Ending::disk_loss) replace_disk();
}

void Host::replace_disk() {
  note(LifeEvent::disk_lost, incarnation_, "disk lost");
  disk_->replace_with_blank();
}

// --- pause ---

void Host::pause() {
  if (!up() || paused()) return;
  ++pauses_;
  note(LifeEvent::put_to_sleep, incarnation_, "pause");
  scheduler().pause_machine(*group_);
}

void Host::resume() {
  if (!paused()) return;
  note(LifeEvent::resumed, incarnation_, "resume");
  scheduler().resume_machine(*group_);
  // Oldest first. Timers again, so that each runs where any other call does, and not within the caller.
  std::vector<std::pair<Duration, HostTimerId>> overdue;
  for (const auto& [id, call] : calls_) {
    if (call.overdue && call.timer == 0) overdue.emplace_back(call.due, id);
  }
  std::sort(overdue.begin(), overdue.end());
  for (const auto& [due, id] : overdue) {
    calls_.at(id).timer = scheduler().call_at(simulation_.now(), [this, late = id] { on_call_due(late); });
  }
}

void Host::pause_for(Duration length) {
  if (!up() || paused()) return;
  // Set before the pause, from which a task of this host returns only then.
  scheduler().call_at(deadline_after(simulation_.now(), length), [this, number = pauses_ + 1] {
    if (pauses_ == number) resume();
  });
  pause();
}

// --- time ---

void Host::sleep_for(Duration local) {
  if (local <= Duration(0)) return scheduler().yield();
  const Time until = deadline_after(Time(clock_.elapsed(simulation_.now())), local);
  for (;;) {
    const Duration left = until - Time(clock_.elapsed(simulation_.now()));
    if (left <= Duration(0)) return;
    if (clock_waiters_.wait("sleep", deadline_in(left)) == WakeReason::cancelled) return;
  }
}

HostTimerId Host::call_in(Duration local, std::function<void()> callback) {
  POLARSIM_ASSERT(callback != nullptr, "a timer needs a callback");
  if (!up()) return 0;
  const HostTimerId id = next_call_++;
  const Time due = deadline_after(Time(clock_.elapsed(simulation_.now())), std::max(local, Duration(0)));
  Call& call = calls_[id];
  call.due = due.time_since_epoch();
  call.callback = std::move(callback);
  arm(id, call);
  return id;
}

bool Host::cancel_call(HostTimerId timer) {
  const auto found = calls_.find(timer);
  if (found == calls_.end()) return false;
  scheduler().cancel_timer(found->second.timer);
  const std::function<void()> dropped = std::move(found->second.callback);
  calls_.erase(found);
  return true;
}

void Host::arm(HostTimerId id, Call& call) {
  const Time when = deadline_in(call.due - clock_.elapsed(simulation_.now()));
  if (when == never) {
    call.timer = 0;
    return;
  }
  call.timer = scheduler().call_at(when, [this, id] { on_call_due(id); });
}

void Host::on_call_due(HostTimerId id) {
  const auto found = calls_.find(id);
  POLARSIM_ASSERT(found != calls_.end(), "a host's timer has lost its callback");
  found->second.timer = 0;
  if (paused()) {
    found->second.overdue = true;
    return;
  }
  const std::function<void()> callback = std::move(found->second.callback);
  calls_.erase(found);
  callback();
}

void Host::on_clock_change() {
  clock_waiters_.notify_all();
  for (auto& [id, call] : calls_) {
    if (call.overdue) continue;
    scheduler().cancel_timer(call.timer);
    arm(id, call);
  }
}

// --- for the program ---

TaskRef Host::spawn(std::string name, std::function<void()> body) {
  TaskRef task = scheduler().spawn(std::move(name), std::move(body), group_.get());
  if (!up()) scheduler().cancel(task);
  return task;
}

Time Host::deadline_in(Duration local) const {
  const Time now = simulation_.now();
  return deadline_after(now, clock_.to_true(now, local));
}

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
    case FaultAction::Kind::pause:
      if (action->delay > Duration(0)) {
        pause_for(action->delay);
      } else {
        pause();
      }
      return FaultOutcome::none;
  }
  return FaultOutcome::none;
}

void Host::reached(std::string_view probe) {
  simulation_.probes().reached(probe);
  simulation_.digest().absorb(DigestKind::probe, stable_hash(probe), name_hash_);
  if (simulation_.trace().enabled()) {
    simulation_.trace().add(simulation_.now(), TraceKind::probe, name_, probe);
  }
}

void Host::log(std::string text) { simulation_.trace().add(simulation_.now(), TraceKind::log, name_, text); }

}  // namespace polarsim::sim
