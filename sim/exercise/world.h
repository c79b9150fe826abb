// One run of the exercise: random machines with random programs under random faults, and what must hold all the same.
//
// The world keeps what the programs were promised (how many records a disk acknowledged, how many bytes a sender gave
// to a connection) outside the hosts, where no crash reaches it. A broken promise is a violation of the simulation.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/simulation.h"

namespace polarsim::sim::exercise {

// Counts how many are in a scope, however they leave it.
class Presence {
 public:
  explicit Presence(std::int64_t& count) : count_(count) { ++count_; }
  ~Presence() { --count_; }
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;

 private:
  std::int64_t& count_;
};

// What a connection's two ends know of each other. `sent` counts bytes before they are given to send(), so it bounds
// what can arrive; `finished_at` is how many there were when the sender announced its end.
struct Flow {
  std::uint64_t sent = 0;
  std::optional<std::uint64_t> finished_at;
};
struct Conversation {
  Flow request, answer;
};

// What became durable under one name, by the disk's own word.
struct Durable {
  std::uint64_t acknowledged = 0;
};

class World {
 public:
  explicit World(std::uint64_t seed, std::uint64_t ladder_interval);
  // To the end of the run; the first broken promise ends it early.
  void run();

  Simulation& simulation() { return simulation_; }
  Scheduler& scheduler() { return simulation_.scheduler(); }
  Time now() const { return simulation_.now(); }
  const std::vector<std::string>& host_names() const { return host_names_; }
  bool faults_over() const { return now() >= faults_end; }
  // `detail` is built only if the promise is broken.
  template <typename Detail>
  void require(bool holds, const char* promise, Detail&& detail) {
    if (!holds) simulation_.violate(promise, std::string(detail()));
  }

  std::uint64_t open_conversation() {
    conversations_.emplace_back();
    return conversations_.size() - 1;
  }
  // Null for a number that no client has made.
  Conversation* conversation(std::uint64_t number) {
    return number < conversations_.size() ? &conversations_[number] : nullptr;
  }
  Durable& durable(const std::string& name) { return durable_[name]; }
  // Counts what was done to a host's clock, so that a program can tell whether a wait was disturbed.
  std::uint64_t& clock_changes(const std::string& host) { return clock_changes_[host]; }
  // Counts an action that matters, so that a run that exercised nothing shows.
  void count(const char* what) { ++counts_[what]; }
  const std::map<std::string, std::uint64_t>& counts() const { return counts_; }
  // How many tasks of a host's plan are under way that end by themselves once the faults are over.
  std::int64_t& unfinished() { return unfinished_; }

  static constexpr Time faults_end = time_zero + std::chrono::seconds(3);
  // Longer than any timeout of a connection that a fault may have left behind.
  static constexpr Time probe_at = faults_end + std::chrono::seconds(40);
  static constexpr Time run_end = probe_at + std::chrono::seconds(20);

 private:
  void add_hosts();
  void draw_links();
  void check_liveness();

  std::vector<std::string> host_names_;
  std::vector<std::string> servers_;
  std::deque<Conversation> conversations_;  // programs keep references
  std::map<std::string, Durable> durable_;
  std::map<std::string, std::uint64_t> clock_changes_;
  std::map<std::string, std::uint64_t> counts_;
  std::int64_t unfinished_ = 0;
  std::size_t answered_ = 0;
  Simulation simulation_;  // last: it still unwinds tasks that use the others
};

// The programs. Each runs as a task of a host until the host goes down; `label` is unique on the host and names streams
// and files.
void serve_streams(World& world, Host& host, const std::string& label);
void use_streams(World& world, Host& host, const std::string& label);
// One conversation whose end is awaited: true if all came back.
bool converse_once(World& world, Host& host, const std::string& server);
void write_log(World& world, Host& host, const std::string& label);
void write_checkpoints(World& world, Host& host, const std::string& label);
void scribble(World& world, Host& host, const std::string& label);
void exclude_each_other(World& world, Host& host, const std::string& label);
void pass_values(World& world, Host& host, const std::string& label);
void raise_children(World& world, Host& host, const std::string& label);
void keep_time(World& world, Host& host, const std::string& label);

// Breaks things until World::faults_end, then mends everything. A task of no host.
void break_things(World& world);

DurationDistribution draw_latency(RandomStream& random, Duration typical);

}  // namespace polarsim::sim::exercise
