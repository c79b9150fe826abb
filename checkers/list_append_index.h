// What a history of appends and reads says about each key: who wrote which element, in which order the elements came,
// who read which version. The version order of a key is its longest read, without repetitions; elements never read come
// after it, in no known order. Keys have the numbers that Operations gives them.
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
    std::uint32_t key = 0;
    std::uint32_t writer = no_vertex;  // the ok or info operation that appended it
    std::uint32_t failed = no_vertex;  // the failed operation that tried to
    std::int32_t position = -1;        // in the version order of its key; -1: not in it
    bool intermediate = false;         // its writer appended more to the key afterwards
  };
  struct Key {
    const Step* longest = nullptr;  // the longest read
    std::uint32_t longest_reader = no_vertex;
    // So many leading elements of the longest read are distinct and written by ok or info operations.
    std::uint32_t clean_length = 0;
    std::uint32_t initial = 0;  // the element that stands for the empty list; those that were appended follow it
    std::uint32_t appended = 0;
    std::uint32_t first_in_order = 0, order_length = 0;  // see order_of()
  };

  // `operations` must outlive the index.
  explicit ListAppendIndex(const Operations& operations);

  // Why the history is malformed; empty if it is not.
  const std::string& problem() const { return problem_; }
  std::span<const Key> keys() const { return keys_; }
  std::uint32_t key_count() const { return static_cast<std::uint32_t>(keys_.size()); }
  const Key& key(std::uint32_t number) const { return keys_[number]; }
  // The elements of a key by version.
  std::span<const std::uint32_t> order_of(std::uint32_t key) const {
    return {orders_.data() + keys_[key].first_in_order, keys_[key].order_length};
  }
  const Element& element(std::uint32_t number) const { return elements_[number]; }
  // `no_vertex` for an element that was neither appended, nor read last, nor is in the version order.
  std::uint32_t find_element(std::uint32_t key, std::int64_t value) const;

  // What a step appended, or the version that it saw: the last element, or the key's initial one.
  std::uint32_t version_in(const Step& step) const { return versions_[operations_.place_of(step)]; }
  // The version that an append came directly after, as far as is known.
  std::uint32_t version_before(std::uint32_t element) const;
  // The operations that read a version; an operation may be named more than once.
  std::span<const std::uint32_t> readers_of(std::uint32_t element) const {
    return {readers_.data() + reader_offsets_[element], readers_.data() + reader_offsets_[element + 1]};
  }
  // Reads that say something: any by an ok operation, those of info that are not nil.
  static bool informative(const Operation& operation, const Step& read) { return operation.ok() || read.known; }

 private:
  // An append, where its key's appends stand together.
  struct Append {
    std::int64_t value = 0;
    std::uint32_t operation = 0;
    std::uint32_t step = 0;  // its place among all steps
  };
  bool refuse_registers();
  std::vector<Append> group_appends(std::vector<std::uint32_t>& offsets) const;
  void index_appends();
  void index_appends_of(std::uint32_t key, std::span<Append> appends);
  void find_longest_reads();
  void index_orders();
  void index_reads();
  std::uint32_t intern_element(std::uint32_t key, std::int64_t value);

  const Operations& operations_;
  std::vector<Key> keys_;
  std::vector<Element> elements_;
  // Elements that nobody appended, behind all others.
  boost::unordered_flat_map<std::pair<std::uint32_t, std::int64_t>, std::uint32_t> unwritten_;
  std::vector<std::uint32_t> orders_;
  std::vector<std::uint32_t> versions_;  // by step
  std::vector<std::uint32_t> reader_offsets_, readers_;
  std::string problem_;
  std::pair<std::uint32_t, std::uint32_t> problem_at_{no_vertex, no_vertex};  // operation, step
};

}  // namespace polarsim::checkers
