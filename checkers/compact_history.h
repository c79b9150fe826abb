// The transactions of a history as the dependency checkers walk through them: rows of fixed size in a few arrays.
//
// A million transactions of Jepsen's usual shape take about 120 MB here and 700 MB as a `History`, because each list
// that was read is a prefix of the longest one that was read of its key, nearly always, and is kept as its length.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "checkers/history.h"

namespace polarsim::checkers {

// One step of a transaction; what it did is that of a MicroOp.
struct Step {
  std::uint32_t key = 0;  // a dense number, see Operations::key_text()
  MicroOp::Kind kind = MicroOp::Kind::read;
  bool known = false;         // reads: false is nil
  std::int64_t argument = 0;  // append, write: the value; read: the value seen, if known; read_list: see Operations

  bool is_read() const { return kind == MicroOp::Kind::read || kind == MicroOp::Kind::read_list; }
  // Of the list seen, if this is a read of one; nil has none.
  std::uint32_t length() const { return static_cast<std::uint32_t>(argument); }
};

// One transaction and how it ended. What never completed counts as info.
struct Operation {
  std::uint64_t first_step = 0;
  std::uint32_t step_count = 0;
  EventType outcome = EventType::info;
  bool final = false;      // ok, flagged `:final? true`, and without a write: what the system holds at rest
  std::uint16_t node = 0;  // number of the node that its events name, see Operations::node_name(); 0: none
  std::int64_t index = 0;  // Event::index of the completion, or of the invocation if there is none
  std::int64_t invoke_index = 0;
  std::int64_t process = 0;
  std::int64_t invoked = -1;    // positions in the sequence of events
  std::int64_t completed = -1;  // -1: never
  std::int64_t invoked_ns = 0, completed_ns = 0;
  bool possible() const { return outcome != EventType::fail; }
  bool ok() const { return outcome == EventType::ok; }
};

class Operations {
 public:
  std::vector<Operation> list;  // in order of invocation; the dependency graph numbers its vertices by position here
  std::string problem;          // why the history cannot be judged: an operation that is no transaction. Empty: fine.

  std::span<const Step> steps() const { return steps_; }
  std::span<const Step> steps_of(std::uint32_t operation) const {
    return {steps_.data() + list[operation].first_step, list[operation].step_count};
  }
  // Where a step stands in steps().
  std::size_t place_of(const Step& step) const { return static_cast<std::size_t>(&step - steps_.data()); }
  // What a read of a list saw.
  std::span<const std::int64_t> list_of(const Step& read) const {
    const auto odd = static_cast<std::uint32_t>(read.argument >> 32);
    const std::vector<std::int64_t>& whole = odd == 0 ? main_lists_[read.key] : odd_lists_[odd - 1];
    return {whole.data(), read.length()};
  }
  bool same_list(const Step& a, const Step& b) const;
  // Whether the one is known to be a prefix of the other without looking at the elements: the same key's main list.
  static bool on_one_list(const Step& a, const Step& b) {
    return a.key == b.key && (a.argument >> 32) == (b.argument >> 32);
  }
  std::uint32_t key_count() const { return static_cast<std::uint32_t>(keys_.size()); }
  // The key as the history has it.
  std::int64_t key(std::uint32_t number) const { return keys_[number]; }
  std::string key_text(std::uint32_t number) const;
  std::string_view node_name(std::uint16_t number) const;
  // So many events there were.
  std::int64_t event_count() const { return event_count_; }

 private:
  friend class OperationsBuilder;
  std::vector<Step> steps_;
  std::vector<std::int64_t> keys_;
  std::vector<std::string> key_names_, node_names_;
  // By key: a list such that those that were read are prefixes of it. The high half of a read's argument is 0 then;
  // else it is one more than the place of its list among the odd ones.
  std::vector<std::vector<std::int64_t>> main_lists_;
  std::vector<std::vector<std::int64_t>> odd_lists_;
  std::int64_t event_count_ = 0;
};

// Takes events one by one, in the order of the history, and keeps of them what Operations holds.
class OperationsBuilder {
 public:
  // The event must outlive the builder.
  void add(const Event& event) { add(event, &event.value); }
  // May take the event's value; the one that is left in its place is unspecified.
  void add_temporary(Event& event);
  // `nil_is_list` says that reads that saw nil are reads of lists whatever their kind. `key_names`: History's.
  Operations finish(bool nil_is_list, std::vector<std::string> key_names) &&;

 private:
  // What a process has asked for, while it waits.
  struct Open {
    std::uint32_t operation = 0;
    bool waits = false;
    bool flagged = false;
    const Value* asked = nullptr;  // nullptr: `kept`
    Value kept;
  };
  Open* add(const Event& event, const Value* asked);
  void complete(Open& open, const Event* completion);
  void keep(Operation& operation, const Transaction& transaction);
  void refuse(std::uint32_t operation, const Value& value);
  std::uint32_t number_of_key(std::int64_t key);
  std::int64_t place_of_list(std::uint32_t key, const std::vector<std::int64_t>& list);
  std::uint16_t number_of_node(std::string_view name);

  Operations operations_;
  boost::unordered_flat_map<std::int64_t, std::uint32_t> key_numbers_;
  boost::unordered_flat_map<std::int64_t, std::uint32_t> places_;  // of a process, in `open_`
  std::vector<Open> open_;
  std::vector<std::uint32_t> refused_;         // operations that are no transactions
  std::uint32_t first_refused_ = 0xffffffffU;  // of them
};

Operations collect_operations(const History& history);

// Copies the next part of a text to `into`, at most `size` bytes; returns how many, 0 only at its end.
using ReadSome = std::function<std::size_t(char* into, std::size_t size)>;

struct ReadingParts {
  std::size_t bytes = std::size_t{1} << 20U;  // asked for at a time
  // With less than this left of what was read, more is. No symbol or number may be longer.
  std::size_t low_water = std::size_t{64} << 10U;
};

// Reads a history as read_history() does, with the same errors, but keeps only what Operations holds, and of the text
// only the part at hand, so that it may be larger than the memory. `progress`, if there is one, is told now and then
// how many bytes have been read.
tl::expected<Operations, ReadError> read_operations(const ReadSome& source, std::string_view name,
                                                    const std::function<void(std::size_t)>& progress = {},
                                                    const ReadingParts& parts = {});

}  // namespace polarsim::checkers
