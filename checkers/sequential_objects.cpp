#include "checkers/sequential_objects.h"

#include <algorithm>
#include <deque>
#include <set>

namespace polarsim::checkers {

namespace {

constexpr std::size_t elements_shown = 6;

// "[1 2 3 ... 12 more]".
template <typename Numbers>
std::string numbers_text(const Numbers& numbers, const SequentialObject::Names& names) {
  std::string text = "[";
  std::size_t shown = 0;
  for (const std::uint32_t number : numbers) {
    if (shown == elements_shown) {
      text += " ... " + std::to_string(numbers.size() - shown) + " more";
      break;
    }
    text += (shown++ == 0 ? "" : " ") + names[number];
  }
  return text + "]";
}

// What an operation of unknown outcome wrote must be seen by the next one: if that one overwrites it, the first might
// as well not have happened. So such orders are refused.
class Register : public SequentialObject {
 public:
  bool apply(const ObjectOperation& operation) override {
    const State before = state_;
    const bool uncertain = !operation.known && operation.completed < 0;
    if (operation.action == Action::write) {
      if (state_.unseen || (uncertain && operation.argument == state_.value)) return false;
      state_ = {operation.argument, uncertain};
    } else if (operation.action == Action::compare_and_set) {
      if (state_.value != operation.argument) return false;
      state_ = {operation.second, uncertain};
    } else {
      if (operation.result != state_.value) return false;
      state_.unseen = false;
    }
    before_.push_back(before);
    return true;
  }
  void undo(const ObjectOperation&) override {
    state_ = before_.back();
    before_.pop_back();
  }
  void append_state(std::string& out) const override {
    append_number(out, state_.value);
    out.push_back(state_.unseen ? '1' : '0');
  }

  std::string state_text(const Names& names) const override { return "the register holds " + names[state_.value]; }
  std::string refusal_text(const ObjectOperation& operation, const Names& names) const override {
    if (operation.action == Action::read) return "it read " + names[operation.result];
    if (operation.action == Action::compare_and_set) return "it found " + names[operation.argument] + " there";
    return state_.unseen ? "nobody would have seen what it overwrites, of unknown outcome" : "it would change nothing";
  }

 private:
  struct State {
    std::uint32_t value = 0;
    bool unseen = false;  // an operation of unknown outcome wrote it, and nobody has seen it yet
  };
  State state_;
  std::vector<State> before_;
};

class Set : public SequentialObject {
 public:
  explicit Set(std::size_t values) : has_(values, false) {}

  bool apply(const ObjectOperation& operation) override {
    bool changed = false;
    if (operation.action == Action::add || operation.action == Action::remove) {
      const bool present = operation.action == Action::add;
      changed = has_[operation.argument] != present;
      if (changed) put(operation.argument, present);
    } else if (operation.known && !agrees(operation)) {
      return false;
    }
    changed_.push_back(changed);
    return true;
  }
  void undo(const ObjectOperation& operation) override {
    if (changed_.back()) put(operation.argument, operation.action != Action::add);
    changed_.pop_back();
  }
  void append_state(std::string& out) const override {
    char byte = 0;
    for (std::size_t i = 0; i < has_.size(); ++i) {
      byte = static_cast<char>((byte << 1) | (has_[i] ? 1 : 0));
      if (i % 8 == 7 || i + 1 == has_.size()) out.push_back(byte);
    }
  }

  std::string state_text(const Names& names) const override {
    std::vector<std::uint32_t> present;
    for (std::uint32_t i = 0; i < has_.size(); ++i) {
      if (has_[i]) present.push_back(i);
    }
    return "the set holds " + numbers_text(present, names);
  }
  std::string refusal_text(const ObjectOperation& operation, const Names& names) const override {
    if (operation.action == Action::contains) {
      return "it " + std::string(operation.result != 0 ? "found " : "did not find ") + names[operation.argument];
    }
    std::vector<std::uint32_t> missing;
    for (std::uint32_t i = 0; i < has_.size(); ++i) {
      if (has_[i] && !std::binary_search(operation.elements.begin(), operation.elements.end(), i)) missing.push_back(i);
    }
    std::vector<std::uint32_t> extra;
    for (const std::uint32_t element : operation.elements) {
      if (!has_[element]) extra.push_back(element);
    }
    std::string text = "it showed ";
    if (extra.empty()) return text + "all but " + numbers_text(missing, names);
    text += numbers_text(extra, names) + " beside";
    return missing.empty() ? text : text + ", and not " + numbers_text(missing, names);
  }

 private:
  void put(std::uint32_t value, bool present) {
    has_[value] = present;
    present ? ++size_ : --size_;
  }
  bool agrees(const ObjectOperation& operation) const {
    if (operation.action == Action::contains) return has_[operation.argument] == (operation.result != 0);
    return operation.elements.size() == size_ &&
           std::all_of(operation.elements.begin(), operation.elements.end(), [&](std::uint32_t i) { return has_[i]; });
  }

  std::vector<bool> has_;
  std::size_t size_ = 0;
  std::vector<bool> changed_;
};

class Queue : public SequentialObject {
 public:
  explicit Queue(std::span<const ObjectOperation> all) { look_ahead(all); }

  bool apply(const ObjectOperation& operation) override {
    if (operation.action == Action::enqueue) {
      if (!may_enqueue(operation.argument)) return false;
      values_.push_back(operation.argument);
      set_waiting(operation.argument, false);
      return true;
    }
    const std::uint32_t head = values_.empty() ? 0 : values_.front();
    if (operation.known ? operation.result != head : is_taken_by_another(head)) return false;
    taken_.push_back(head);
    if (!values_.empty()) values_.pop_front();
    return true;
  }
  void undo(const ObjectOperation& operation) override {
    if (operation.action == Action::enqueue) {
      set_waiting(operation.argument, true);
      values_.pop_back();
      return;
    }
    if (taken_.back() != 0) values_.push_front(taken_.back());
    taken_.pop_back();
  }
  void append_state(std::string& out) const override {
    for (const std::uint32_t value : values_) append_number(out, is_anonymous(value) ? 0 : value);
  }

  std::string state_text(const Names& names) const override {
    return values_.empty() ? "the queue is empty" : "the queue holds " + numbers_text(values_, names);
  }
  std::string refusal_text(const ObjectOperation& operation, const Names& names) const override {
    if (operation.action == Action::enqueue) return "what was dequeued before it is not yet in the queue";
    if (!operation.known) return "another operation takes the head of the queue";
    return operation.result == 0 ? "it found the queue empty" : "it took " + names[operation.result];
  }

 private:
  static constexpr std::size_t never = ~std::size_t{0};
  // What is known of a value that is enqueued once.
  struct Value {
    std::size_t rank = never;  // place of its dequeue among those that are certain, by completion
    std::size_t needs = 0;     // so many of these must have been enqueued before it
  };

  void look_ahead(std::span<const ObjectOperation> all);
  bool is_anonymous(std::uint32_t value) const { return !dequeued_.empty() && !dequeued_[value]; }
  bool may_enqueue(std::uint32_t value) const {
    return values_known_.empty() || waiting_.empty() || *waiting_.begin() >= values_known_[value].needs;
  }
  bool is_taken_by_another(std::uint32_t value) const {
    return value != 0 && !values_known_.empty() && values_known_[value].rank != never;
  }
  void set_waiting(std::uint32_t value, bool waits) {
    if (values_known_.empty() || values_known_[value].rank == never) return;
    if (waits) {
      waiting_.insert(values_known_[value].rank);
    } else {
      waiting_.erase(values_known_[value].rank);
    }
  }

  std::deque<std::uint32_t> values_;
  std::vector<std::uint32_t> taken_;  // what each dequeue took; 0: nothing
  std::vector<bool> dequeued_;        // by value: whether some operation is known to dequeue it
  std::vector<Value> values_known_;   // by value; empty if some value is enqueued twice
  std::set<std::size_t> waiting_;     // ranks of values that are not yet enqueued
};

void Queue::look_ahead(std::span<const ObjectOperation> all) {
  std::vector<std::uint32_t> enqueued;
  std::vector<const ObjectOperation*> certain;  // dequeues of a value
  std::vector<const ObjectOperation*> dequeue_of;
  bool anything_may_go = false;
  for (const ObjectOperation& operation : all) {
    const std::uint32_t value = operation.action == Action::enqueue ? operation.argument : operation.result;
    if (dequeue_of.size() <= value) dequeue_of.resize(value + std::size_t{1}, nullptr);
    if (operation.action == Action::enqueue) {
      enqueued.push_back(value);
    } else if (!operation.known) {
      anything_may_go = true;
    } else if (value != 0) {
      // A second dequeue of a value may be one that never took effect: the first, or the certain one, counts.
      const bool better =
          dequeue_of[value] == nullptr || (dequeue_of[value]->completed < 0 && operation.completed >= 0);
      if (better) dequeue_of[value] = &operation;
      if (operation.completed >= 0) certain.push_back(&operation);
    }
  }
  for (const ObjectOperation* dequeue : dequeue_of) dequeued_.push_back(dequeue != nullptr);
  std::sort(enqueued.begin(), enqueued.end());
  if (std::adjacent_find(enqueued.begin(), enqueued.end()) != enqueued.end()) return;
  std::sort(certain.begin(), certain.end(), [](const auto* a, const auto* b) { return a->completed < b->completed; });
  values_known_.resize(dequeue_of.size());
  for (const std::uint32_t value : enqueued) {
    const ObjectOperation* dequeue = dequeue_of[value];
    // What may have been taken by an operation that does not say so can have been anywhere.
    if (anything_may_go && (dequeue == nullptr || dequeue->completed < 0)) continue;
    const auto before = [](const ObjectOperation* other, std::int64_t time) { return other->completed < time; };
    values_known_[value].needs =
        dequeue == nullptr
            ? certain.size()
            : static_cast<std::size_t>(std::lower_bound(certain.begin(), certain.end(), dequeue->invoked, before) -
                                       certain.begin());
  }
  for (std::size_t rank = 0; rank < certain.size(); ++rank) values_known_[certain[rank]->result].rank = rank;
  for (std::size_t rank = 0; rank < certain.size(); ++rank) {
    if (values_known_[certain[rank]->result].rank == rank) waiting_.insert(rank);
  }
}

}  // namespace

std::unique_ptr<SequentialObject> make_register() { return std::make_unique<Register>(); }
std::unique_ptr<SequentialObject> make_set(std::size_t values) { return std::make_unique<Set>(values); }
std::unique_ptr<SequentialObject> make_queue(std::span<const ObjectOperation> all) {
  return std::make_unique<Queue>(all);
}

bool only_observes(const ObjectOperation& operation) {
  switch (operation.action) {
    case Action::read:
    case Action::contains:
    case Action::read_all:
      return true;
    case Action::dequeue:
      return operation.known && operation.result == 0;
    case Action::compare_and_set:
      return operation.argument == operation.second;
    default:
      return false;
  }
}

std::string action_text(const ObjectOperation& operation, const SequentialObject::Names& names) {
  const std::string argument = names[operation.argument];
  const std::string result = operation.known ? names[operation.result] : "what is unknown";
  switch (operation.action) {
    case Action::write:
      return "write " + argument;
    case Action::compare_and_set:
      return "compare-and-set " + argument + " to " + names[operation.second];
    case Action::read:
      return "read " + result;
    case Action::add:
      return "add " + argument;
    case Action::remove:
      return "remove " + argument;
    case Action::contains:
      return "contains " + argument + (operation.result != 0 ? ": true" : ": false");
    case Action::read_all:
      return "read " + numbers_text(operation.elements, names);
    case Action::enqueue:
      return "enqueue " + argument;
    case Action::dequeue:
      return "dequeue " + result;
  }
  return "read";
}

void append_number(std::string& out, std::uint64_t number) {
  while (number >= 0x80) {
    out.push_back(static_cast<char>(0x80 | (number & 0x7f)));
    number >>= 7;
  }
  out.push_back(static_cast<char>(number));
}

}  // namespace polarsim::checkers
