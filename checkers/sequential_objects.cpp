#include "checkers/sequential_objects.h"

#include <algorithm>
#include <deque>

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

class Register : public SequentialObject {
 public:
  bool apply(const ObjectOperation& operation) override {
    const std::uint32_t before = value_;
    if (operation.action == Action::write) {
      value_ = operation.argument;
    } else if (operation.action == Action::compare_and_set) {
      if (value_ != operation.argument) return false;
      value_ = operation.second;
    } else if (operation.known && operation.result != value_) {
      return false;
    }
    before_.push_back(before);
    return true;
  }
  void undo(const ObjectOperation&) override {
    value_ = before_.back();
    before_.pop_back();
  }
  void append_state(std::string& out) const override { append_number(out, value_); }

  std::string state_text(const Names& names) const override { return "the register holds " + names[value_]; }
  std::string refusal_text(const ObjectOperation& operation, const Names& names) const override {
    if (operation.action == Action::read) return "it read " + names[operation.result];
    return "it found " + names[operation.argument] + " there";
  }

 private:
  std::uint32_t value_ = 0;
  std::vector<std::uint32_t> before_;
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
  bool apply(const ObjectOperation& operation) override {
    if (operation.action == Action::enqueue) {
      values_.push_back(operation.argument);
      return true;
    }
    const std::uint32_t head = values_.empty() ? 0 : values_.front();
    if (operation.known && operation.result != head) return false;
    taken_.push_back(head);
    if (!values_.empty()) values_.pop_front();
    return true;
  }
  void undo(const ObjectOperation& operation) override {
    if (operation.action == Action::enqueue) {
      values_.pop_back();
      return;
    }
    if (taken_.back() != 0) values_.push_front(taken_.back());
    taken_.pop_back();
  }
  void append_state(std::string& out) const override {
    for (const std::uint32_t value : values_) append_number(out, value);
  }

  std::string state_text(const Names& names) const override {
    return values_.empty() ? "the queue is empty" : "the queue holds " + numbers_text(values_, names);
  }
  std::string refusal_text(const ObjectOperation& operation, const Names& names) const override {
    return operation.result == 0 ? "it found the queue empty" : "it took " + names[operation.result];
  }

 private:
  std::deque<std::uint32_t> values_;
  std::vector<std::uint32_t> taken_;  // what each dequeue took; 0: nothing
};

}  // namespace

std::unique_ptr<SequentialObject> make_register() { return std::make_unique<Register>(); }
std::unique_ptr<SequentialObject> make_set(std::size_t values) { return std::make_unique<Set>(values); }
std::unique_ptr<SequentialObject> make_queue() { return std::make_unique<Queue>(); }

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
