// What a history of appends and reads says about each key: who wrote which element, in which order the elements came,
// who read which version. The version order of a key is its longest read, without repetitions; elements never read come
// after it, in no known order.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "checkers/operations.h"

namespace polarsim::checkers {

class ListAppendIndex {
 public:
  // One element that was appended to or read from a key.
  struct Element {
    std::int64_t value = 0;
    std::uint32_t key = 0;             // dense number
    std::uint32_t writer = no_vertex;  // the ok or info operation that appended it
    std::uint32_t failed = no_vertex;  // the failed operation that tried to
    std::int32_t position = -1;        // in the version order of its key; -1: not in it
    bool intermediate = false;         // its writer appended more to the key afterwards
  };
  struct Key {
    std::int64_t key = 0;
    const MicroOp* longest = nullptr;  // the longest read
    std::uint32_t longest_reader = no_vertex;
    std::vector<std::uint32_t> order;  // elements by version
    std::size_t clean_length =
        0;  // so many leading elements of the longest read are distinct and written by ok or info operations
    std::uint32_t initial = 0;  // the element that stands for the empty list
  };

  // `operations` must outlive the index.
  explicit ListAppendIndex(const Operations& operations);

  // Why the history is malformed; empty if it is not.
  const std::string& problem() const { return problem_; }
  std::span<const Key> keys() const { return keys_; }
  std::uint32_t key_count() const { return static_cast<std::uint32_t>(keys_.size()); }
  const Key& key(std::uint32_t number) const { return keys_[number]; }
  const Element& element(std::uint32_t number) const { return elements_[number]; }
  // `no_vertex` for an element that was neither appended, nor read last, nor is in the version order.
  std::uint32_t find_element(std::uint32_t key, std::int64_t value) const;

  // What a step of an operation appended, or the version that it saw: the last element, or the key's initial one. `op`
  // must be one of the steps of its transaction itself.
  std::uint32_t version_in(std::uint32_t operation, const MicroOp& op) const {
    return steps_[step_offsets_[operation] +
                  static_cast<std::size_t>(&op - operations_.list[operation].transaction->data())];
  }
  // The version that an append came directly after, as far as is known.
  std::uint32_t version_before(std::uint32_t element) const;
  // The operations that read a version; an operation may be named more than once.
  std::span<const std::uint32_t> readers_of(std::uint32_t element) const;
  // Reads that say something: any by an ok operation, those of info that are not nil.
  static bool informative(const Operation& operation, const MicroOp& read) { return operation.ok() || read.known; }

 private:
  void index_appends();
  void index_reads();
  void index_orders();
  void index_readers();
  std::uint32_t intern_key(std::int64_t key);
  std::uint32_t intern_element(std::uint32_t key, std::int64_t value);

  struct PairHash {
    std::size_t operator()(const std::pair<std::uint32_t, std::int64_t>& pair) const {
      std::uint64_t x = static_cast<std::uint64_t>(pair.second) + 0x9e3779b97f4a7c15ULL * (pair.first + 1ULL);
      x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93ULL;
      x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93ULL;
      return x ^ (x >> 32);
    }
  };
  const Operations& operations_;
  boost::unordered_flat_map<std::int64_t, std::uint32_t> key_numbers_;
  boost::unordered_flat_map<std::pair<std::uint32_t, std::int64_t>, std::uint32_t, PairHash> element_numbers_;
  std::vector<Key> keys_;
  std::vector<Element> elements_;
  std::vector<std::uint32_t> step_offsets_, steps_;
  std::vector<std::uint32_t> reader_offsets_, readers_;
  std::string problem_;
};

}  // namespace polarsim::checkers
