// A rolling 128-bit digest over everything that happened, and its ladder.
//
// Every random draw, every scheduled event and every I/O is absorbed as one fixed-size record. Two runs are equal
// exactly when their digests are; the ladder (one digest every `ladder_interval` records) narrows the first difference
// of two runs to one interval. XXH3-128 is not cryptographic: it guards against accident, not against malice.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace polarsim::sim {

// What a record is about. Numbers are part of recorded digests: append, never renumber.
enum class DigestKind : std::uint8_t {
  draw = 1,
  task_spawned = 2,
  task_resumed = 3,
  task_finished = 4,
  timer_fired = 5,
  network = 6,
  disk = 7,
  host = 8,
  fault = 9,
  probe = 10,
  user = 11,
  reseed = 12,
  timer_set = 13,
};
const char* to_string(DigestKind kind);

// One thing that happened, as the digest sees it. What the words mean depends on the kind; Simulation::describe() says
// it in words.
struct DigestRecord {
  std::uint64_t kind = 0, a = 0, b = 0, c = 0;
  friend bool operator==(const DigestRecord&, const DigestRecord&) = default;
};

struct Digest128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend bool operator==(const Digest128&, const Digest128&) = default;
  // 32 lower-case hexadecimal digits, high word first.
  std::string hex() const;
};

// A stable 64-bit hash of bytes (XXH3), the same in every build and run. Use it wherever std::hash would reach an
// output.
std::uint64_t stable_hash(std::string_view bytes, std::uint64_t seed = 0);

class RunningDigest {
 public:
  // ladder_interval: records per rung; 0 keeps no ladder.
  explicit RunningDigest(std::uint64_t ladder_interval = 4096);

  void absorb(DigestKind kind, std::uint64_t a, std::uint64_t b, std::uint64_t c = 0) {
    buffer_[filled_] = DigestRecord{static_cast<std::uint64_t>(kind), a, b, c};
    if (++filled_ == limit_) [[unlikely]]
      reach_limit();
  }
  // Absorbs a text or a byte buffer through its stable hash.
  void absorb_bytes(DigestKind kind, std::uint64_t a, std::string_view bytes);

  std::uint64_t count() const { return folded_ + filled_; }
  std::uint64_t ladder_interval() const { return ladder_interval_; }
  // The digest of all records so far; absorbing may go on afterwards. It does not depend on the ladder's interval.
  Digest128 value() const;
  const std::vector<Digest128>& ladder() const { return ladder_; }

  // Sees records as they are absorbed, for finding where two runs part. Observing changes no digest; it must change
  // nothing in the run either.
  struct Observer {
    // Every record from number `first` on (the first of the run has number 1), while the code that caused it runs.
    std::uint64_t first = 1;
    std::function<void(std::uint64_t number, const DigestRecord& record)> on_record;
    // Every rung, after its last record.
    std::function<void(std::size_t rung, const Digest128& digest)> on_rung;
  };
  // One at a time; an empty one ends the observation. Records cost a call each from then on.
  void observe(Observer observer);

 private:
  // Chains the full buffer into chain_ and empties it.
  void fold();
  // The buffer is full, or record next_stop_ was absorbed, or both.
  void reach_limit();
  // What is to be done at record next_stop_: a rung, an observation, or both.
  void stop_here();
  void choose_next_stop();
  void choose_limit();

  std::array<DigestRecord, 128> buffer_{};
  std::size_t filled_ = 0;
  std::size_t limit_ = 0;     // of filled_, at which something is to be done
  std::uint64_t folded_ = 0;  // records before those in the buffer
  std::uint64_t ladder_interval_;
  std::uint64_t next_rung_;
  std::uint64_t next_stop_;
  Digest128 chain_{};
  std::vector<Digest128> ladder_;
  Observer observer_;
};

}  // namespace polarsim::sim
