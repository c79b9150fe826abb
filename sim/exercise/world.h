// One run of the exercise: random machines with random programs under random faults, and what must hold all the same.
//
// The world keeps what the programs were promised (how many records a disk acknowledged, how many bytes a sender gave
// to a connection) outside the hosts, where no crash reaches it. A broken promise is a violation of the simulation.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/simulation.h"

namespace polarsim::sim::exercise {

class World;

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
// what can arrive; `finished_at` is how many there were when the sender announced its end. `accepted` counts what send()
// took and `read` what receive() gave, the header included: their difference lies in the window.
struct Flow {
  std::uint64_t sent = 0;
  std::optional<std::uint64_t> finished_at;
  std::uint64_t accepted = 0;
  std::uint64_t read = 0;
};
struct Conversation {
  std::string client, server;
  std::uint64_t window = 0;
  Flow request, answer;
};

// One datagram from the world's point of view, which no fault changes.
struct Letter {
  std::string from, to;
  std::uint16_t port = 0;
  std::uint32_t bytes = 0;
  std::uint32_t arrivals = 0;
};

// What arrived over one directed link, as programs saw it. The link's own statistics bound each of these.
struct Seen {
  std::uint64_t flipped_bits = 0;  // in streams
  std::uint64_t damaged_letters = 0;
  std::uint64_t doubled_letters = 0;
  std::uint64_t overtaken_letters = 0;
  std::uint64_t letters = 0;
};

// Which faults a directed link has ever been given: the counters of the others stay at zero.
struct LinkFaults {
  bool loses = false, damages = false, damages_unseen = false, doubles = false, reorders = false;
};

// What became durable under one name, by the disk's own word.
struct Durable {
  std::uint64_t acknowledged = 0;
  // A name was given to contents of which it is not known that they are durable: its sync may have lied.
  bool suspect = false;
};

// What a host's disk does beside failing honestly. The kinds are apart, so that a program can tell exactly which of its
// promises a disk has broken.
enum class DiskNature : std::uint8_t {
  honest,    // what it acknowledges is durable, and what it returns is right
  liar,      // acknowledges syncs that it has not done
  damaging,  // bits rot, sectors cannot be read, writes get lost or go astray
};

struct HostRecord {
  DiskNature disk = DiskNature::honest;
  std::string version;  // what the next boot must run
  std::optional<Duration> boot_offset;
  Time clock_struck_at = time_zero;
  // Counts what was done to the host's clock or to its tasks' turns, so that a program can tell whether a wait was
  // disturbed.
  std::uint64_t disturbances = 0;
  // The latest monotonic reading, and the life that it belongs to.
  std::uint64_t incarnation = 0;
  Duration monotonic{0};
};

// What one host runs in each of its lives.
struct HostPlan {
  struct Task {
    std::string label;
    void (*program)(World&, Host&, const std::string&);
  };
  std::vector<Task> tasks;
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

  std::uint64_t open_conversation(const std::string& client, const std::string& server, std::uint64_t window) {
    conversations_.push_back({client, server, window, {}, {}});
    return conversations_.size() - 1;
  }
  // Null for a number that no client has made.
  Conversation* conversation(std::uint64_t number) {
    return number < conversations_.size() ? &conversations_[number] : nullptr;
  }
  std::deque<Letter>& letters() { return letters_; }
  Seen& seen(const std::string& from, const std::string& to) { return seen_[{from, to}]; }
  // Parameters of links are set here only.
  void set_link(const std::string& from, const std::string& to, const LinkParameters& link);
  const LinkFaults& link_faults(const std::string& from, const std::string& to) { return link_faults_[{from, to}]; }
  Durable& durable(const std::string& host, const std::string& name) { return durable_[{host, name}]; }
  // Nothing is promised any more of what this host's disk held.
  void forget_disk(const std::string& host);
  HostRecord& record(const std::string& host) { return records_[host]; }
  void disturb(const std::string& host) { ++records_[host].disturbances; }
  // Equal before and after if nothing has moved the host's clock or held its tasks up in between.
  std::uint64_t disturbances(const std::string& host);
  // What must hold whenever a task of a host runs: the host is up and not paused, and its clock has not gone back.
  void check_running(Host& host);
  // Gives the host its plan to run, under this version.
  void install(Host& host, const std::string& version);
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
  void probe(const std::string& client);
  // Runs until `tasks` have ended; a stall, or the passing of `limit`, is a violation.
  bool run_until(std::span<const TaskRef> tasks, Time limit, const char* goal);
  void shut_down();

  std::vector<std::string> host_names_;
  std::vector<std::string> servers_, letterboxes_;
  std::deque<Conversation> conversations_;  // programs keep references
  std::deque<Letter> letters_;
  std::map<std::pair<std::string, std::string>, Seen> seen_;         // by sender and receiver
  std::map<std::pair<std::string, std::string>, LinkFaults> link_faults_;
  std::map<std::pair<std::string, std::string>, Durable> durable_;  // by host and name
  std::map<std::string, HostRecord> records_;
  std::map<std::string, std::unique_ptr<HostPlan>> plans_;
  std::map<std::string, std::uint64_t> counts_;
  std::int64_t unfinished_ = 0;
  Simulation simulation_;  // last: it still unwinds tasks that use the others
};

// The programs. Each runs as a task of a host until the host goes down; `label` is unique on the host and names streams
// and files.
void serve_streams(World& world, Host& host, const std::string& label);
void use_streams(World& world, Host& host, const std::string& label);
void receive_letters(World& world, Host& host, const std::string& label);
void send_letters(World& world, Host& host, const std::string& label);
void write_log(World& world, Host& host, const std::string& label);
void write_checkpoints(World& world, Host& host, const std::string& label);
void carry_file(World& world, Host& host, const std::string& label);
void scribble(World& world, Host& host, const std::string& label);
void exclude_each_other(World& world, Host& host, const std::string& label);
void share_permits(World& world, Host& host, const std::string& label);
void keep_promises(World& world, Host& host, const std::string& label);
void pass_values(World& world, Host& host, const std::string& label);
void raise_children(World& world, Host& host, const std::string& label);
void keep_time(World& world, Host& host, const std::string& label);

// For a world that is mended. One conversation whose end is awaited: true if all came back.
bool converse_once(World& world, Host& host, const std::string& server);
// Letters to `server`, all of which must arrive.
void post_once(World& world, Host& host, const std::string& server);
// Tasks of no host that lock mutexes in a ring: they stall exactly if all go round the same way.
void check_deadlock(World& world);

// Breaks things until World::faults_end, then mends everything. A task of no host.
void break_things(World& world);
// The sums that the network's own counters must always give.
void check_accounts(World& world);

DurationDistribution draw_latency(RandomStream& random, Duration typical);

}  // namespace polarsim::sim::exercise
