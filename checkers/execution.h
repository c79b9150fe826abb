// What committed transactions read from each other and wrote, and which sessions ran them: all that the axioms of
// Biswas and Enea ("On the Complexity of Checking Transactional Consistency", OOPSLA 2019) speak of, and, where it is
// known, the order of the versions of each key.
//
// Reads are external: of a version that another transaction wrote, or the initial one. Reads of own writes, and reads
// that are wrong whatever the level (aborted, intermediate, thin-air, own write missed), are judged elsewhere and are
// not part of an execution.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "checkers/dependency_graph.h"

namespace polarsim::checkers {

class Execution {
 public:
  // The initial version of every key is written by a transaction of its own, before all others.
  static constexpr std::uint32_t initial = no_vertex;

  struct Read {
    std::uint32_t key = 0;
    std::uint32_t writer = initial;
  };
  // `after` wrote the version of `key` that directly follows one of `before`.
  struct Overwrite {
    std::uint32_t key = 0;
    std::uint32_t before = 0, after = 0;
    friend bool operator==(const Overwrite&, const Overwrite&) = default;
  };

  // Transactions are added in an order that keeps the order of each session.
  class Builder {
   public:
    // Begins a transaction; its number is how many were begun before. Sessions are dense numbers.
    std::uint32_t begin(std::uint32_t session);
    // What the transaction begun last reads, in the order of its statements, and writes. Keys are dense numbers; the
    // writer may be a transaction that begins later.
    void read(std::uint32_t key, std::uint32_t writer);
    void write(std::uint32_t key);
    // What overwrites the initial version, or the transaction's own, is not kept.
    void overwrite(std::uint32_t key, std::uint32_t before, std::uint32_t after);
    Execution build() &&;

   private:
    std::vector<std::uint32_t> sessions_;
    std::vector<std::uint32_t> read_offsets_, write_offsets_;
    std::vector<Read> reads_;
    std::vector<std::uint32_t> writes_;
    std::vector<Overwrite> overwrites_;
    std::uint32_t keys_ = 0;
  };

  std::uint32_t transaction_count() const { return static_cast<std::uint32_t>(sessions_.size()); }
  std::uint32_t key_count() const { return keys_; }
  std::uint32_t session_count() const { return session_count_; }
  std::uint32_t session_of(std::uint32_t transaction) const { return sessions_[transaction]; }
  // How many transactions of its session come before this one.
  std::uint32_t place_in_session(std::uint32_t transaction) const { return places_[transaction]; }
  // The one directly before it in its session; `no_vertex` if there is none.
  std::uint32_t session_predecessor(std::uint32_t transaction) const { return predecessors_[transaction]; }

  // In the order of the statements.
  std::span<const Read> reads_of(std::uint32_t transaction) const {
    return {reads_.data() + read_offsets_[transaction], reads_.data() + read_offsets_[transaction + 1]};
  }
  // Each key once, ascending.
  std::span<const std::uint32_t> writes_of(std::uint32_t transaction) const {
    return {writes_.data() + write_offsets_[transaction], writes_.data() + write_offsets_[transaction + 1]};
  }
  bool writes(std::uint32_t transaction, std::uint32_t key) const;
  // As far as the order of versions is known.
  std::span<const Overwrite> overwrites() const { return overwrites_; }

 private:
  std::uint32_t keys_ = 0;
  std::uint32_t session_count_ = 0;
  std::vector<std::uint32_t> sessions_, places_, predecessors_;
  std::vector<std::uint32_t> read_offsets_, write_offsets_;
  std::vector<Read> reads_;
  std::vector<std::uint32_t> writes_;
  std::vector<Overwrite> overwrites_;
};

}  // namespace polarsim::checkers
