// What a history of register writes and reads says about each key: who wrote and read which version, and the order of
// versions that can be inferred. A transaction's external read of a key is its first operation on it, if that is a
// read; its external write is its last write. Initially every register is nil.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
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
    std::uint32_t key = 0;             // dense number
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
  // What a step of an operation wrote or saw; `op` must be one of the steps of its transaction itself.
  std::uint32_t version_in(std::uint32_t operation, const MicroOp& op) const {
    return steps_[step_offsets_[operation] +
                  static_cast<std::size_t>(&op - operations_.list[operation].transaction->data())];
  }
  // The ok operations whose external read it is.
  std::span<const std::uint32_t> readers_of(std::uint32_t version) const {
    return {readers_.data() + reader_offsets_[version], readers_.data() + reader_offsets_[version + 1]};
  }
  std::span<const std::int64_t> keys() const { return keys_; }  // by number
  const Order& order() const { return order_; }
  // A key of which two committed versions stand in no inferred order, the lowest there is; empty if all orders are
  // known. Versions of unknown outcome that nobody read do not count.
  std::optional<std::int64_t> key_without_order() const;
  // By source, key and component. A source that has any was not used.
  const std::vector<VersionCycle>& cyclic_versions() const { return cyclic_; }

 private:
  std::uint32_t intern(std::int64_t key, std::int64_t value, bool initial);
  void index_writes();
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

  struct Slot {
    std::int64_t key = 0;
    std::int64_t value = 0;
    bool initial = false;
    friend bool operator==(const Slot&, const Slot&) = default;
  };
  struct SlotHash {
    std::size_t operator()(const Slot& slot) const {
      std::uint64_t x = static_cast<std::uint64_t>(slot.value) +
                        0x9e3779b97f4a7c15ULL * static_cast<std::uint64_t>(slot.key) + (slot.initial ? 7 : 0);
      x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93ULL;
      x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93ULL;
      return x ^ (x >> 32);
    }
  };
  const Operations& operations_;
  boost::unordered_flat_map<Slot, std::uint32_t, SlotHash> numbers_;
  boost::unordered_flat_map<std::int64_t, std::uint32_t> key_numbers_;
  std::vector<Version> versions_;
  std::vector<std::int64_t> keys_;
  std::vector<std::uint32_t> initial_of_key_;  // `no_vertex` if nobody read nil
  std::vector<std::uint32_t> step_offsets_, steps_;
  std::vector<std::uint32_t> reader_offsets_, readers_;
  std::vector<Access> accesses_;  // by key, then by operation; only if some option needs them
  Order read_then_written_;
  Order order_;
  std::vector<VersionCycle> cyclic_;
  std::string problem_;
};

}  // namespace polarsim::checkers
