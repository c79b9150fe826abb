#include "checkers/linearizability_oracle_test_support.h"

#include <algorithm>
#include <deque>
#include <set>

namespace polarsim::checkers::test {

namespace {

constexpr int no_value = ClientOperation::no_value;

// The three objects at once; an operation uses one of them.
struct State {
  int value = no_value;
  std::set<int> elements;
  std::deque<int> queue;
};

// What an operation returns, and what it leaves behind.
struct Returned {
  int result = no_value;
  std::vector<int> elements;
  bool refused = false;  // a compare-and-set that found something else
};

Returned perform(State& state, const ClientOperation& operation, bool set) {
  Returned returned;
  if (operation.f == "write") {
    state.value = operation.argument;
  } else if (operation.f == "cas") {
    returned.refused = state.value != operation.argument;
    if (!returned.refused) state.value = operation.second;
  } else if (operation.f == "add") {
    state.elements.insert(operation.argument);
  } else if (operation.f == "remove") {
    state.elements.erase(operation.argument);
  } else if (operation.f == "contains") {
    returned.result = state.elements.contains(operation.argument) ? 1 : 0;
  } else if (operation.f == "enqueue") {
    state.queue.push_back(operation.argument);
  } else if (operation.f == "dequeue") {
    if (!state.queue.empty()) {
      returned.result = state.queue.front();
      state.queue.pop_front();
    }
  } else if (set) {
    returned.elements.assign(state.elements.begin(), state.elements.end());
  } else {
    returned.result = state.value;
  }
  return returned;
}

struct Trial {
  const std::vector<ClientOperation>& operations;
  bool set;
  std::int64_t until;
  std::vector<bool> taken;

  bool must(std::size_t i) const { return operations[i].outcome == EventType::ok && operations[i].completed <= until; }
  bool possible(std::size_t i) const {
    return operations[i].outcome != EventType::fail && operations[i].invoked < until;
  }

  bool go_on(const State& state) {
    bool done = true;
    for (std::size_t i = 0; i < operations.size(); ++i) done = done && (taken[i] || !must(i));
    if (done) return true;
    for (std::size_t i = 0; i < operations.size(); ++i) {
      if (taken[i] || !possible(i) || overtakes(i)) continue;
      State next = state;
      const Returned returned = perform(next, operations[i], set);
      if (returned.refused) continue;
      const bool known = operations[i].outcome == EventType::ok;
      if (known && (returned.result != operations[i].result || returned.elements != operations[i].elements)) continue;
      taken[i] = true;
      const bool found = go_on(next);
      taken[i] = false;
      if (found) return true;
    }
    return false;
  }

  // Whether another one, not yet taken, had completed before this one was invoked.
  bool overtakes(std::size_t i) const {
    for (std::size_t j = 0; j < operations.size(); ++j) {
      if (!taken[j] && j != i && must(j) && operations[j].completed < operations[i].invoked) return true;
    }
    return false;
  }
};

std::string value_text(int value) { return value == no_value ? "nil" : std::to_string(value); }

std::string event_text(const ClientOperation& operation, bool invocation) {
  const EventType type = invocation ? EventType::invoke : operation.outcome;
  const bool ok = type == EventType::ok;
  std::string value = value_text(operation.argument);
  if (operation.f == "cas") {
    value = "[" + value + " " + value_text(operation.second) + "]";
  } else if (ok && operation.f == "contains") {
    value = "[" + value + " " + (operation.result == 1 ? "true" : "false") + "]";
  } else if (ok && (operation.f == "read" || operation.f == "dequeue")) {
    value = value_text(operation.result);
  }
  if (ok && operation.f == "read" && operation.second == 0) {  // of a set
    value = "#{";
    for (const int element : operation.elements) value += (value.size() > 2 ? " " : "") + std::to_string(element);
    value += "}";
  }
  return std::string("{:type :") + to_string(type) + ", :process " + std::to_string(operation.process) +
         ", :f :" + operation.f + ", :value " + value + "}\n";
}

class Clients {
 public:
  Clients(const ObjectRun& run, Choices& choices) : run_(run), choices_(choices), busy_(run.processes, none) {
    for (std::size_t i = 0; i < run.processes; ++i) process_.push_back(static_cast<int>(i));
  }

  std::vector<ClientOperation> run() {
    while (true) {
      std::vector<std::size_t> movable;
      for (std::size_t client = 0; client < busy_.size(); ++client) {
        if (busy_[client] != none || operations_.size() < run_.operations) movable.push_back(client);
      }
      if (movable.empty()) return std::move(operations_);
      step(movable[choices_.below(movable.size())]);
    }
  }

 private:
  static constexpr std::size_t none = ~std::size_t{0};
  using Object = LinearizabilityOptions::Object;
  bool set() const { return run_.object == Object::set; }
  int some_value() { return static_cast<int>(choices_.below(run_.values)); }
  int new_value() { return run_.distinct ? static_cast<int>(run_.values + operations_.size()) : some_value(); }
  bool struck() { return choices_.once_in(run_.defect_once_in); }

  ClientOperation ask() {
    ClientOperation asked;
    const std::size_t kind = choices_.below(run_.object == Object::queue ? 2 : 4);
    if (run_.object == Object::queue) {
      asked.f = kind == 0 ? "enqueue" : "dequeue";
      if (kind == 0) asked.argument = new_value();
    } else if (set()) {
      asked.f = kind == 0 ? "add" : kind == 1 ? "remove" : kind == 2 || !run_.reads_of_all ? "contains" : "read";
      if (asked.f == "read") {
        asked.second = 0;
      } else {
        asked.argument = some_value();
      }
    } else {
      asked.f = kind < 2 ? "read" : kind == 2 || run_.object == Object::simple_register ? "write" : "cas";
      if (asked.f == "write") asked.argument = new_value();
      if (asked.f == "cas") asked.argument = some_value();
      if (asked.f == "cas") asked.second = some_value();
    }
    return asked;
  }

  void step(std::size_t client) {
    if (busy_[client] == none) {
      busy_[client] = operations_.size();
      operations_.push_back(ask());
      operations_.back().process = process_[client];
      operations_.back().invoked = position_++;
      done_.push_back(false);
      return;
    }
    ClientOperation& operation = operations_[busy_[client]];
    if (!done_[busy_[client]]) {
      done_[busy_[client]] = true;
      take_effect(operation);
      return;
    }
    operation.completed = position_++;
    if (choices_.once_in(run_.info_once_in)) {
      operation.outcome = EventType::info;
      process_[client] += static_cast<int>(run_.processes);
    }
    busy_[client] = none;
  }

  void take_effect(ClientOperation& operation) {
    operation.outcome = EventType::ok;
    // What ends as info has taken effect half of the time; some fail.
    const bool happens = !choices_.once_in(12);
    if (!happens) {
      operation.outcome = EventType::fail;
      return;
    }
    const State before = state_;
    const Returned returned = perform(state_, operation, set());
    operation.outcome = returned.refused ? EventType::fail : EventType::ok;
    operation.result = returned.result;
    operation.elements = returned.elements;
    spoil(operation, before);
  }

  void spoil(ClientOperation& operation, const State& before) {
    if (run_.defect == Defect::stale_read && operation.f == "read" && !set() && !older_.empty() && struck()) {
      operation.result = older_[choices_.below(older_.size())];
    }
    if (operation.f == "write") older_.push_back(before.value);
    const bool lost = (run_.defect == Defect::lost_write && operation.f == "write") ||
                      (run_.defect == Defect::lost_enqueue && operation.f == "enqueue") ||
                      (run_.defect == Defect::lost_add && operation.f == "add");
    const bool repeated = run_.defect == Defect::repeated_dequeue && operation.f == "dequeue";
    if ((lost || repeated) && struck()) state_ = before;
    if (run_.defect == Defect::swapped_dequeue && operation.f == "enqueue" && state_.queue.size() > 1 && struck()) {
      std::swap(state_.queue.front(), state_.queue.back());
    }
  }

  const ObjectRun& run_;
  Choices& choices_;
  std::vector<std::size_t> busy_;
  std::vector<int> process_;
  std::vector<ClientOperation> operations_;
  std::vector<bool> done_;
  std::vector<int> older_;
  State state_;
  std::int64_t position_ = 0;
};

}  // namespace

bool linearizable_by_trying(const std::vector<ClientOperation>& operations, bool set, std::int64_t until) {
  return Trial{operations, set, until, std::vector<bool>(operations.size(), false)}.go_on({});
}

std::string edn_of(const std::vector<ClientOperation>& operations) {
  std::vector<std::string> lines(2 * operations.size());
  for (const ClientOperation& operation : operations) {
    lines[static_cast<std::size_t>(operation.invoked)] = event_text(operation, true);
    if (operation.completed >= 0) lines[static_cast<std::size_t>(operation.completed)] = event_text(operation, false);
  }
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

std::vector<ClientOperation> run_clients(const ObjectRun& run, Choices& choices) { return Clients(run, choices).run(); }

void disturb(std::vector<ClientOperation>& operations, std::size_t values, Choices& choices) {
  for (ClientOperation& operation : operations) {
    if (operation.outcome != EventType::ok || !choices.once_in(3)) continue;
    const int other = static_cast<int>(choices.below(values + 1)) - 1;
    if (operation.f == "contains") {
      operation.result = 1 - operation.result;
    } else if (operation.f == "read" && operation.second == 0) {
      const auto found = std::find(operation.elements.begin(), operation.elements.end(), other);
      if (found != operation.elements.end()) {
        operation.elements.erase(found);
      } else if (other != no_value) {
        operation.elements.push_back(other);
        std::sort(operation.elements.begin(), operation.elements.end());
      }
    } else if (operation.f == "read" || operation.f == "dequeue") {
      operation.result = other;
    }
  }
}

}  // namespace polarsim::checkers::test
