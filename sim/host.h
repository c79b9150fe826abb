// A simulated machine: it boots a program, owns a disk and a clock, and can crash at any scheduling point.
//
// Life: down -> boot() -> up -> stop() or crash() -> down. Booting runs the program as the host's first task; every
// task that it (or its tasks) spawn through the host belongs to the host. When the host goes down, its network and disk
// are cut off first and then its tasks are unwound, last spawned first, so that no destructor can touch the world. The
// program returning ends the host's life as stop() does. Objects kept on the program's stack are the host's memory:
// gone after a crash. The disk stays, unless it is lost.
//
// Pause: what SIGSTOP does to every process of the machine. No task of the host runs, those of its tasks' nurseries
// included; what falls due for them (timers, arrivals, timers of call_in()) waits, and happens after resume(): tasks go
// on in the order in which they would have, and calls are made in the order in which they fell due, as timers of the
// instant of the resumption. Time goes on, on the host's clock too: a resumed task finds that it has jumped. The
// kernel goes on as well: connections are accepted into the listener's queue, segments are acknowledged into the
// bounded windows, keepalive probes are answered, so that peers notice no more than silence. A disk operation under way
// ends for its task when it runs again: what a sync made durable counts from then on. For a whole machine that stands
// still, clocks included, pause() it and freeze() its clock.
//
// Waits. sleep_for() and call_in() follow the host's monotonic clock, also when its rate changes while they wait. A
// deadline made by deadline_in() is a true time computed once: it does not.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "sim/clock.h"
#include "sim/disk.h"
#include "sim/fault_point.h"
#include "sim/network.h"
#include "sim/scheduler.h"
#include "sim/sync.h"

namespace polarsim::sim {

class Simulation;

enum class HostState : std::uint8_t { down, up };

// Names a pending timer of a host; 0 is no timer.
using HostTimerId = std::uint64_t;

class Host {
 public:
  using Program = std::function<void(Host&)>;

  Host(Simulation& simulation, std::string name);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  const std::string& name() const { return name_; }
  Simulation& simulation() { return simulation_; }
  Scheduler& scheduler();
  Disk& disk() { return *disk_; }
  HostClock& clock() { return clock_; }

  // --- life, for operators and faults ---
  // What the next boot runs; `version` is a tag for people, the trace and the digest. A program that runs goes on.
  void set_program(Program program, std::string version = {});
  // The tag of the program that runs, or ran last.
  const std::string& version() const { return version_; }
  // No effect if up.
  void boot();
  // Power loss. May be called by a task of this very host, which then does not return from it (so not from a noexcept
  // function; a call made while the task unwinds takes effect as the next timer instead, as does one that a task of the
  // host makes while another waits in a destructor for its end). No effect if down.
  void crash();
  // Clean end of the process: connections are closed in order, the page cache survives (the machine keeps its power).
  // As crash() does, it ends a caller that belongs to the host.
  void stop();
  // crash() now, boot() after `pause` of true time, unless someone else has booted the host by then.
  void crash_and_restart(Duration pause);
  // The same with stop(): with set_program() before it, a step of a rolling upgrade.
  void stop_and_restart(Duration pause);
  // The disk dies and takes the host down as crash() does, if it is up; a blank one takes its place. The host is left
  // down.
  void lose_disk();
  HostState state() const { return state_; }
  bool up() const { return state_ == HostState::up; }
  // Counts boots; 0 before the first.
  std::uint64_t incarnation() const { return incarnation_; }

  // No effect if down or paused. A caller that belongs to the host returns after the pause.
  void pause();
  // No effect if not paused. Going down ends a pause too.
  void resume();
  // pause() now, resume() after `length` of true time, unless the host has been resumed, or gone down, by then.
  void pause_for(Duration length);
  bool paused() const { return group_->paused(); }

  // --- for the program ---
  // On a host that is down, the task is cancelled before it starts.
  TaskRef spawn(std::string name, std::function<void()> body);
  // Durations of this host's own clock.
  void sleep_for(Duration local);
  // Runs `callback` on the scheduler's own stack once the host's own clock has advanced by `local`, but not while the
  // host is paused, and never if it goes down before. Callbacks must not block. 0 if the host is down.
  HostTimerId call_in(Duration local, std::function<void()> callback);
  // False if it has run or was cancelled already.
  bool cancel_call(HostTimerId timer);
  std::size_t pending_calls() const { return calls_.size(); }
  // The true time at which the host's own clock will have advanced by `local`, if nobody changes its rate until then.
  Time deadline_in(Duration local) const;
  std::int64_t realtime_us() const;
  tl::expected<Listener, NetError> listen(std::uint16_t port, const ListenOptions& options = {});
  tl::expected<DatagramSocket, DatagramError> open_datagram(std::uint16_t port = 0,
                                                            const DatagramOptions& options = {});
  tl::expected<Connection, NetError> connect(const Address& to, const ConnectionOptions& options = {});
  // The stream "<host>/<purpose>".
  RandomStream& random(std::string_view purpose);
  // Visits the point "name" on this host: may crash it (does not return to a task of the host), pause it, delay the
  // caller, or ask it to fail. Visits made while the host is down or the caller unwinds are not counted and do nothing.
  FaultOutcome fault_point(std::string_view name);
  // Counts a state worth visiting.
  void reached(std::string_view probe);
  void log(std::string text);

 private:
  enum class Ending : std::uint8_t { power_loss, stop, disk_loss, teardown };
  friend class Simulation;
  // A pending call_in().
  struct Call {
    Duration due;  // by the clock's elapsed()
    TimerId timer = 0;
    bool overdue = false;  // fell due during a pause
    std::function<void()> callback;
  };
  // Runs go_down() where it can end the caller: on the scheduler's stack, and later if some task cannot be unwound now.
  void end(Ending ending);
  bool must_end_later();
  void end_later(Ending ending);
  // For a call that is not to return to a task of the host.
  void leave_caller();
  void end_and_restart(Ending ending, Duration pause);
  void go_down(Ending ending);
  void replace_disk();
  void on_clock_change();
  void arm(HostTimerId id, Call& call);
  void on_call_due(HostTimerId id);
  void note(std::uint64_t life_event, std::uint64_t argument, std::string_view text);
  Simulation& simulation_;
  std::string name_;
  Program program_;
  std::string program_version_;  // of program_
  std::string version_;          // of what was booted last
  HostState state_ = HostState::down;
  std::uint64_t incarnation_ = 0;
  std::uint64_t pauses_ = 0;
  std::uint64_t name_hash_;
  HostClock clock_;
  WaitQueue clock_waiters_;  // tasks in sleep_for()
  std::map<HostTimerId, Call> calls_;
  HostTimerId next_call_ = 1;
  std::unique_ptr<Disk> disk_;
  std::unique_ptr<TaskGroup> group_;
};

}  // namespace polarsim::sim
