#include "checkers/linearization_search.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_set.hpp>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace polarsim::checkers {

namespace {

constexpr std::uint32_t none = 0xffffffffU;
constexpr std::size_t partial_kept = 3;

// Keys of bytes, each once, one after another in one buffer.
class Memo {
 public:
  // Whether the key is new.
  bool insert(std::string_view key) {
    const std::size_t start = bytes_.size();
    bytes_ += key;
    const bool added = keys_.insert({start, key.size()}).second;
    if (!added) bytes_.resize(start);
    return added;
  }
  std::uint64_t memory() const { return bytes_.size() + 2 * sizeof(Key) * keys_.size(); }

 private:
  struct Key {
    std::size_t start, size;
  };
  struct Hash {
    const std::string* bytes;
    std::size_t operator()(const Key& key) const {
      std::uint64_t hash = 0xcbf29ce484222325ULL;
      for (std::size_t i = 0; i < key.size; ++i) {
        hash = (hash ^ static_cast<unsigned char>((*bytes)[key.start + i])) * 0x100000001b3ULL;
      }
      return hash ^ (hash >> 29);
    }
  };
  struct Equal {
    const std::string* bytes;
    bool operator()(const Key& a, const Key& b) const {
      return a.size == b.size && bytes->compare(a.start, a.size, *bytes, b.start, b.size) == 0;
    }
  };
  std::string bytes_;
  boost::unordered_flat_set<Key, Hash, Equal> keys_{0, Hash{&bytes_}, Equal{&bytes_}};
};

class Search {
 public:
  using Outcome = LinearizationResult::Outcome;

  Search(std::span<const ObjectOperation> operations, SequentialObject& object, const LinearizationLimits& limits)
      : operations_(operations), object_(object), limits_(limits), linearized_(operations.size(), false) {
    link_entries();
    order_twins();
  }

  // `record`: an operation; linearizations of all that completed before it, and not of it, are kept.
  LinearizationResult run(std::uint32_t record) {
    record_ = record;
    result_.outcome = search();
    while (!frames_.empty()) take_back();
    return std::move(result_);
  }

 private:
  // An invocation or a completion in the list of those of operations not yet linearized; 0 is the list's head.
  struct Entry {
    std::uint32_t operation = none;
    bool completion = false;
    std::uint32_t previous = 0, next = 0;  // the last one's next is 0
  };
  struct Frame {
    std::uint32_t operation;
    bool forced;  // no other operation need be tried in its place
  };

  void link_entries();
  void order_twins();
  Outcome search();
  bool take_observations();
  bool remember();
  bool advance(std::uint32_t entry);
  std::uint32_t retreat();
  void linearize(std::uint32_t operation, bool forced);
  void take_back();
  void unlink(std::uint32_t entry);
  void relink(std::uint32_t entry);
  bool exhausted();
  void keep_partial();

  std::span<const ObjectOperation> operations_;
  SequentialObject& object_;
  LinearizationLimits limits_;
  std::vector<Entry> entries_{1};
  std::vector<std::uint32_t> invocation_of_, completion_of_;  // entries by operation; 0: none
  std::vector<std::uint32_t> twin_before_;  // an operation that must be linearized before this one, or `none`
  std::vector<bool> linearized_;
  std::vector<Frame> frames_;
  std::size_t must_ = 0;  // how many operations that must be linearized are not
  std::int64_t furthest_ = -1;
  std::uint32_t record_ = none;
  std::string key_;
  Memo memo_;
  LinearizationResult result_;
};

void Search::link_entries() {
  std::vector<std::pair<std::int64_t, Entry>> events;
  for (std::uint32_t i = 0; i < operations_.size(); ++i) {
    events.push_back({operations_[i].invoked, {.operation = i}});
    if (operations_[i].completed < 0) continue;
    events.push_back({operations_[i].completed, {.operation = i, .completion = true}});
    ++must_;
  }
  std::sort(events.begin(), events.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  invocation_of_.assign(operations_.size(), 0);
  completion_of_.assign(operations_.size(), 0);
  for (const auto& [position, event] : events) {
    const auto number = static_cast<std::uint32_t>(entries_.size());
    (event.completion ? completion_of_ : invocation_of_)[event.operation] = number;
    entries_.push_back(event);
    entries_.back().previous = number - 1;
    entries_[number - 1].next = number;
  }
}

void Search::order_twins() {
  twin_before_.assign(operations_.size(), none);
  using Effect = std::tuple<bool, Action, std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t>;
  std::map<Effect, std::uint32_t> last;
  for (std::uint32_t i = 0; i < operations_.size(); ++i) {
    const ObjectOperation& operation = operations_[i];
    if (only_observes(operation)) continue;
    const std::uint32_t argument = operation.alike == 0 ? operation.argument : 0;
    const Effect effect{operation.completed < 0, operation.action, operation.alike, argument,
                        operation.second,        operation.result};
    const auto [found, first] = last.try_emplace(effect, i);
    if (first) continue;
    const ObjectOperation& before = operations_[found->second];
    if (operation.completed < 0 || before.completed < operation.completed) twin_before_[i] = found->second;
    found->second = i;
  }
}

void Search::unlink(std::uint32_t entry) {
  entries_[entries_[entry].previous].next = entries_[entry].next;
  if (entries_[entry].next != 0) entries_[entries_[entry].next].previous = entries_[entry].previous;
}

void Search::relink(std::uint32_t entry) {
  entries_[entries_[entry].previous].next = entry;
  if (entries_[entry].next != 0) entries_[entries_[entry].next].previous = entry;
}

void Search::linearize(std::uint32_t operation, bool forced) {
  unlink(invocation_of_[operation]);
  if (completion_of_[operation] != 0) {
    unlink(completion_of_[operation]);
    --must_;
  }
  linearized_[operation] = true;
  frames_.push_back({operation, forced});
}

// In the opposite order, so that each entry finds its neighbours as it left them.
void Search::take_back() {
  const std::uint32_t operation = frames_.back().operation;
  frames_.pop_back();
  linearized_[operation] = false;
  if (completion_of_[operation] != 0) {
    relink(completion_of_[operation]);
    ++must_;
  }
  relink(invocation_of_[operation]);
  object_.undo(operations_[operation]);
}

bool Search::exhausted() { return ++result_.steps > limits_.steps; }

// Linearizes what only observes, and can be next. False if the steps are used up.
bool Search::take_observations() {
  std::uint32_t entry = entries_[0].next;
  while (entry != 0 && !entries_[entry].completion) {
    if (exhausted()) return false;
    const std::uint32_t operation = entries_[entry].operation;
    const std::uint32_t next = entries_[entry].next;
    if (only_observes(operations_[operation]) && operations_[operation].completed >= 0 &&
        object_.apply(operations_[operation])) {
      // Its own completion may be what came next, and with it further operations may begin.
      const bool own = next == completion_of_[operation];
      entry = own ? entries_[next].next : next;
      linearize(operation, true);
      continue;
    }
    entry = next;
  }
  return true;
}

// Whether this configuration is new. What is not yet linearized before the first completion tells, with the state, all
// of it: what was invoked before and is not among that is linearized, and nothing else can be.
bool Search::remember() {
  key_.clear();
  std::uint32_t entry = entries_[0].next;
  std::uint32_t previous = 0;
  for (; entry != 0 && !entries_[entry].completion; entry = entries_[entry].next) {
    append_number(key_, entries_[entry].operation + 1 - previous);
    previous = entries_[entry].operation + 1;
  }
  append_number(key_, 0);
  if (entry != 0) {
    const std::uint32_t operation = entries_[entry].operation;
    const std::int64_t position = operations_[operation].completed;
    if (position > furthest_) {
      furthest_ = position;
      result_.stuck = operation;
    }
    if (operation == record_) keep_partial();
  }
  object_.append_state(key_);
  return memo_.insert(key_);
}

void Search::keep_partial() {
  const auto shorter = [](const auto& a, const auto& b) { return a.size() < b.size(); };
  if (result_.partial.size() == partial_kept && frames_.size() >= result_.partial.back().size()) return;
  std::vector<std::uint32_t> order;
  order.reserve(frames_.size());
  for (const Frame& frame : frames_) order.push_back(frame.operation);
  const auto place = std::upper_bound(result_.partial.begin(), result_.partial.end(), order, shorter);
  result_.partial.insert(place, std::move(order));
  if (result_.partial.size() > partial_kept) result_.partial.pop_back();
}

// Linearizes the first operation from an entry on that can be next. False if none can.
bool Search::advance(std::uint32_t entry) {
  for (; entry != 0 && !entries_[entry].completion; entry = entries_[entry].next) {
    if (exhausted()) return false;
    const std::uint32_t operation = entries_[entry].operation;
    const std::uint32_t twin = twin_before_[operation];
    if (twin != none && !linearized_[twin]) continue;
    if (!object_.apply(operations_[operation])) continue;
    linearize(operation, false);
    return true;
  }
  return false;
}

// Takes operations back until one that others may be tried in place of; the entry to go on from, or `none`.
std::uint32_t Search::retreat() {
  while (!frames_.empty()) {
    const Frame frame = frames_.back();
    take_back();
    if (!frame.forced) return entries_[invocation_of_[frame.operation]].next;
  }
  return none;
}

Search::Outcome Search::search() {
  while (true) {
    if (!take_observations()) return Outcome::out_of_steps;
    if (must_ == 0) return Outcome::linearizable;
    std::uint32_t entry = remember() ? entries_[0].next : retreat();
    if (memo_.memory() > limits_.memory) return Outcome::out_of_memory;
    while (true) {
      if (entry == none) return Outcome::not_linearizable;
      if (advance(entry)) break;
      if (result_.steps > limits_.steps) return Outcome::out_of_steps;
      entry = retreat();
    }
  }
}

}  // namespace

LinearizationResult search_linearization(std::span<const ObjectOperation> operations, SequentialObject& object,
                                         const LinearizationLimits& limits, bool partial) {
  LinearizationResult result = Search(operations, object, limits).run(none);
  if (!partial || result.outcome != LinearizationResult::Outcome::not_linearizable) return result;
  // Once more, the same way, now that it is known how far one gets.
  return Search(operations, object, limits).run(result.stuck);
}

std::vector<std::uint32_t> open_after(std::span<const ObjectOperation> operations,
                                      const std::vector<std::uint32_t>& partial, std::uint32_t stuck) {
  std::vector<bool> taken(operations.size(), false);
  for (const std::uint32_t operation : partial) taken[operation] = true;
  std::vector<std::uint32_t> open = {stuck};
  for (std::uint32_t i = 0; i < operations.size(); ++i) {
    if (i != stuck && !taken[i] && operations[i].invoked < operations[stuck].completed) open.push_back(i);
  }
  return open;
}

}  // namespace polarsim::checkers
