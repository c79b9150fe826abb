// A simulated machine: it boots a program, owns a disk and a clock, and can crash at any scheduling point.
//
// Life: down -> boot() -> up -> stop() or crash() -> down. Booting runs the program as the host's first task; every
// task that it (or its tasks) spawn through the host belongs to the host. When the host goes down, its network and disk
// are cut off first and then its tasks are unwound, last spawned first, so that no destructor can touch the world. The
// program returning ends the host's life as stop() does. Objects kept on the program's stack are the host's memory:
// gone after a crash. The disk stays.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "sim/clock.h"
#include "sim/disk.h"
#include "sim/fault_point.h"
#include "sim/network.h"
#include "sim/scheduler.h"

namespace polarsim::sim {

class Simulation;

enum class HostState : std::uint8_t { down, up };

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
  void set_program(Program program) { program_ = std::move(program); }
  // No effect if up.
  void boot();
  // Power loss. May be called by a task of this very host, which then does not return from it (so not from a noexcept
  // function; a call made while the task unwinds takes effect as the next timer instead). No effect if down.
  void crash();
  // Clean end of the process: connections are closed in order, the page cache survives (the machine keeps its power).
  // As crash() does, it ends a caller that belongs to the host.
  void stop();
  // crash() now, boot() after `pause` of true time, unless someone else has booted the host by then.
  void crash_and_restart(Duration pause);
  HostState state() const { return state_; }
  bool up() const { return state_ == HostState::up; }
  // Counts boots; 0 before the first.
  std::uint64_t incarnation() const { return incarnation_; }

  // --- for the program ---
  // On a host that is down, the task is cancelled before it starts.
  TaskRef spawn(std::string name, std::function<void()> body);
  // Durations of this host's own clock.
  void sleep_for(Duration local);
  // The true time at which the host's own clock will have advanced by `local`.
  Time deadline_in(Duration local) const;
  std::int64_t realtime_us() const;
  tl::expected<Listener, NetError> listen(std::uint16_t port, const ListenOptions& options = {});
  tl::expected<DatagramSocket, DatagramError> open_datagram(std::uint16_t port = 0,
                                                            const DatagramOptions& options = {});
  tl::expected<Connection, NetError> connect(const Address& to, const ConnectionOptions& options = {});
  // The stream "<host>/<purpose>".
  RandomStream& random(std::string_view purpose);
  // Visits the point "name" on this host: may crash it (does not return to a task of the host), delay the caller, or
  // ask it to fail. Visits made while the host is down or the caller unwinds are not counted and do nothing.
  FaultOutcome fault_point(std::string_view name);
  // Counts a state worth visiting.
  void reached(std::string_view probe);
  void log(std::string text);

 private:
  enum class Ending : std::uint8_t { power_loss, stop, teardown };
  friend class Simulation;
  // Runs go_down() where it can end the caller: on the scheduler's stack, and later if the caller unwinds.
  void end(Ending ending);
  void go_down(Ending ending);
  Simulation& simulation_;
  std::string name_;
  Program program_;
  HostState state_ = HostState::down;
  std::uint64_t incarnation_ = 0;
  std::uint64_t name_hash_;
  HostClock clock_;
  std::unique_ptr<Disk> disk_;
  std::unique_ptr<TaskGroup> group_;
};

}  // namespace polarsim::sim
