// A replicated key-value store: each key is an atomic register that several clients write and read.
//
// Algorithm: H. Attiya, A. Bar-Noy, D. Dolev, "Sharing Memory Robustly in Message-Passing Systems", JACM 42(1), 1995,
// with the two phases per write that N. Lynch and A. Shvartsman (FTCS 1997) added for several writers. Every version of
// a key carries a tag. A write asks a majority for the newest tag and stores its value under a newer one on a majority.
// A read asks a majority for the newest version and stores it on a majority before it returns it.
//
// Promise: reads and writes of a key are linearizable. They go on while a majority of replicas answers, whatever
// happens to messages, clocks and power, as long as synced sectors survive. Not offered: transactions over several
// keys, read-modify-write, change of membership.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/host.h"
#include "sim/sync.h"

namespace replicated_kv {

namespace sim = polarsim::sim;

// Defects that can be planted, to see whether the test finds them.
enum class Bug {
  none,
  no_write_back,     // a read returns the newest version without storing it on a majority
  no_fsync,          // a replica answers before its disk has the write
  quorum_of_one,     // a client is content with the first answer
  clock_timestamps,  // a writer takes its timestamp from its clock instead of asking a majority
  reused_tag,        // a writer forgets the tag of a write that failed half-way, and may use it again
};

// Tags order the versions of a key. The writer's number makes them unique.
struct Tag {
  std::int64_t timestamp = 0;
  std::int64_t writer = 0;
  auto operator<=>(const Tag&) const = default;
};

// Tag{} is the version that every key has before it is written.
struct Version {
  Tag tag;
  std::int64_t value = 0;
  auto operator<=>(const Version&) const = default;
};

// What replicas and clients say to each other, and what a replica keeps of a key on its disk.
struct Message {
  enum class Kind : std::int64_t { query = 1, store = 2, answer = 3 } kind = Kind::query;
  std::int64_t key = 0;
  Version version;
};

// The program of a replica. Make one on the stack of a host's program: a crash then takes its memory away.
class Replica {
 public:
  Replica(sim::Host& host, Bug bug) : host_(host), bug_(bug), storing_(host.scheduler()) {}
  // Reads the disk, then answers until the host goes down. Returns early if the disk fails.
  void serve();

 private:
  bool recover();
  void serve_connection(sim::Connection& connection);
  // Keeps the version if it is newer than what is there. False if the disk failed: the version must not be
  // acknowledged.
  bool store(std::int64_t key, const Version& version);

  sim::Host& host_;
  Bug bug_;
  sim::File file_;
  sim::Mutex storing_;
  std::map<std::int64_t, Version> durable_;  // what the disk surely holds
};

struct WriteResult {
  enum class Outcome {
    done,
    not_done,  // nothing was sent that changes anything
    unknown,   // some replicas may have the value: it may show, or not
  } outcome = Outcome::unknown;
  Version version;
};

// A client of the store. One operation at a time.
class Client {
 public:
  // `id` must be positive, and belong to this object alone: a client that restarts takes a new one.
  Client(sim::Host& host, std::int64_t id, std::vector<std::string> replicas, sim::Duration timeout, Bug bug)
      : host_(host), id_(id), replicas_(std::move(replicas)), timeout_(timeout), bug_(bug) {}
  WriteResult write(std::int64_t key, std::int64_t value);
  // Nothing if no majority answered in time.
  std::optional<Version> read(std::int64_t key);

 private:
  std::optional<Version> newest(std::int64_t key);
  bool store_on_majority(std::int64_t key, const Version& version);
  // The answers of a majority; fewer if they did not come within the timeout.
  std::vector<Message> ask_majority(const Message& request);
  std::optional<Message> ask(const std::string& replica, const Message& request, sim::Time deadline);
  std::size_t majority() const { return bug_ == Bug::quorum_of_one ? 1 : replicas_.size() / 2 + 1; }

  sim::Host& host_;
  std::int64_t id_;
  std::vector<std::string> replicas_;
  sim::Duration timeout_;
  Bug bug_;
  std::int64_t last_timestamp_ = 0;
};

}  // namespace replicated_kv
