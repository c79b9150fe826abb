// What a history of register writes and reads says about each key: who wrote and read which version, and the order of
// versions that can be inferred. A transaction's external read of a key is its first operation on it, if that is a
// read; its external write is its last write. Initially every register is nil. Keys have the numbers that Operations
// gives them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "checkers/operations.h"

namespace polarsim::checkers {

class RegisterIndex {
 public:
  struct Version {
    std::int64_t value = 0;
    std::uint32_t key = 0;
    std::uint32_t writer = no_vertex;  // of any outcome
    bool initial = false;              // nil
    bool intermediate = false;         // its writer wrote the key again
    bool external = false;             // its writer is ok and this was its last write of the key
    bool real = false;                 // it was seen, or an operation that may have happened left it
  };
  // A version directly before another, as far as is known.
  using Order = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

  // Where an order of versions was inferred from; nil comes first whatever the options.
  enum class Source : std::uint8_t { reads_before_writes, processes, real_time };
  // Versions that would come before themselves if this source, with those used before it, told their order.
  struct VersionCycle {
    Source source = Source::reads_before_writes;
    std::vector<std::uint32_t> versions;
  };

  // `operations` must outlive the index.
  RegisterIndex(const Operations& operations, const RegisterOptions& options);

  const std::string& problem() const { return problem_; }
  const std::vector<Version>& versions() const { return versions_; }
  // What a step wrote or saw.
  std::uint32_t version_in(const Step& step) const { return version_of_step_[operations_.place_of(step)]; }
  // The ok operations whose external read it is.
  std::span<const std::uint32_t> readers_of(std::uint32_t version) const {
    return {readers_.data() + reader_offsets_[version], readers_.data() + reader_offsets_[version + 1]};
  }
  const Order& order() const { return order_; }
  // A key of which two committed versions stand in no inferred order, the lowest there is; empty if all orders are
  // known. Versions of unknown outcome that nobody read do not count.
  std::optional<std::uint32_t> key_without_order() const;
  // Whether anybody read what a transaction of unknown outcome wrote.
  bool reads_of_unknown_outcome() const;
  // By source, key and component. A source that has any was not used.
  const std::vector<VersionCycle>& cyclic_versions() const { return cyclic_; }

 private:
  // A write, where its key's writes stand together.
  struct Write {
    std::int64_t value = 0;
    std::uint32_t operation = 0;
    std::uint32_t step = 0;  // its place among all steps
  };
  // Where the versions of a key begin: the initial one, then those written, by value.
  struct Key {
    std::uint32_t initial = 0;
    std::uint32_t written = 0;
    bool initial_was_read = false;
  };
  bool refuse_lists();
  void index_writes();
  void index_writes_of(std::uint32_t key, std::span<Write> writes);
  void index_reads();
  void index_external(const RegisterOptions& options);
  void infer_order(const RegisterOptions& options);
  void order_by_initial();
  Order order_by_processes() const;
  Order order_by_real_time() const;
  void add_source(Source source, const Order& order);

  // What an operation showed of a key from outside: the version it met first and the one it left.
  struct Access {
    std::uint32_t key = 0;
    std::uint32_t operation = 0;
    std::uint32_t first = 0, last = 0;
  };

  const Operations& operations_;
  std::vector<Key> keys_;
  std::vector<Version> versions_;  // those that nobody wrote stand behind all others
  std::vector<std::uint32_t> version_of_step_;
  std::vector<std::uint32_t> reader_offsets_, readers_;
  std::vector<Access> accesses_;  // by key, then by operation; only if some option needs them
  Order read_then_written_;
  Order order_;
  std::vector<VersionCycle> cyclic_;
  std::string problem_;
  std::pair<std::uint32_t, std::uint32_t> problem_at_{no_vertex, no_vertex};  // operation, step
};

}  // namespace polarsim::checkers
