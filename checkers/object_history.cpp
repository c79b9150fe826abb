#include "checkers/object_history.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <utility>

namespace polarsim::checkers {

namespace {

using Object = LinearizabilityOptions::Object;

const char* object_noun(Object object) {
  return object == Object::set ? "the set" : object == Object::queue ? "the queue" : "the register";
}

const char* known_functions(Object object) {
  switch (object) {
    case Object::simple_register:
      return ":write or :read";
    case Object::cas_register:
      return ":write, :read or :cas";
    case Object::set:
      return ":add, :remove, :contains or :read";
    case Object::queue:
      return ":enqueue or :dequeue";
  }
  return "";
}

std::optional<Action> action_of(Object object, std::string_view f) {
  const bool is_register = object == Object::simple_register || object == Object::cas_register;
  if (is_register && f == "write") return Action::write;
  if (is_register && f == "read") return Action::read;
  if (object == Object::cas_register && f == "cas") return Action::compare_and_set;
  if (object == Object::set && f == "add") return Action::add;
  if (object == Object::set && f == "remove") return Action::remove;
  if (object == Object::set && f == "contains") return Action::contains;
  if (object == Object::set && f == "read") return Action::read_all;
  if (object == Object::queue && f == "enqueue") return Action::enqueue;
  if (object == Object::queue && f == "dequeue") return Action::dequeue;
  return std::nullopt;
}

bool returns_something(Action action) {
  return action == Action::read || action == Action::contains || action == Action::read_all ||
         action == Action::dequeue;
}

// Sorts operations by key, and gives the values of each key numbers.
class ObjectHistoryReader {
 public:
  ObjectHistoryReader(const History& history, const std::vector<Call>& calls, Object object)
      : history_(history), calls_(calls), object_(object), keyed_(has_keys()) {}

  Read<std::vector<ObjectHistory>> read() {
    for (const Call& call : calls_) {
      if (!call.possible()) continue;
      const ValueProblem problem = has_transaction(call) ? read_transaction(call) : read_operation(call);
      if (!problem.empty()) return tl::unexpected(problem);
    }
    return std::move(parts_);
  }

 private:
  static bool has_transaction(const Call& call) {
    const auto* transaction = std::get_if<Transaction>(&call.invocation->value);
    return transaction != nullptr && !transaction->empty();
  }

  // "[1 2]" is a key and a value if every operation looks so, but of a compare-and-set only if the value is a pair
  // itself.
  bool has_keys() const {
    std::vector<Call> plain;
    for (const Call& call : calls_) {
      if (has_transaction(call)) continue;
      plain.push_back(call);
      if (call.invocation->f != "cas") continue;
      const auto form = form_of(call.invocation->value);
      const auto elements = form ? elements_of(*form) : std::nullopt;
      if (!elements || elements->size() != 2 || !elements_of(elements->back())) return false;
    }
    return has_independent_keys(plain);
  }

  ObjectHistory& part_of(const std::string& key) {
    const auto [entry, added] = part_numbers_.try_emplace(key, parts_.size());
    if (added) {
      parts_.push_back(
          {.label = key.empty() ? object_noun(object_) : "key " + key, .names = {"nil"}, .operations = {}});
      numbers_.emplace_back();
    }
    part_ = entry->second;
    return parts_[part_];
  }
  // The number of a value of the part at hand.
  std::uint32_t number_of(const std::string& value) {
    std::vector<std::string>& names = parts_[part_].names;
    const auto [entry, added] = numbers_[part_].try_emplace(value, static_cast<std::uint32_t>(names.size()));
    if (added) names.push_back(value);
    return entry->second;
  }

  static ObjectOperation times_of(const Call& call) {
    ObjectOperation operation;
    operation.invoked = call.invoked;
    operation.completed = call.ok() ? call.completed : -1;
    operation.known = call.ok();
    operation.index = call.index();
    operation.process = call.last().process;
    return operation;
  }

  ValueProblem read_transaction(const Call& call);
  ValueProblem read_operation(const Call& call);
  ValueProblem read_argument(const Call& call, std::string_view asked, ObjectOperation& operation);
  ValueProblem read_result(const Call& call, std::string_view answered, ObjectOperation& operation);
  ValueProblem read_contained(const Call& call, std::string_view answered, ObjectOperation& operation);
  ValueProblem read_nullable(const Event& event, std::string_view form, std::uint32_t& number);

  const History& history_;
  const std::vector<Call>& calls_;
  Object object_;
  bool keyed_;
  std::vector<ObjectHistory> parts_;
  boost::unordered_flat_map<std::string, std::size_t> part_numbers_;
  std::vector<boost::unordered_flat_map<std::string, std::uint32_t>> numbers_;  // by part
  std::size_t part_ = 0;
};

ValueProblem ObjectHistoryReader::read_transaction(const Call& call) {
  const Event& event = call.ok() ? *call.completion : *call.invocation;
  const auto* transaction = std::get_if<Transaction>(&event.value);
  const std::string name = "op " + std::to_string(call.index());
  if (transaction == nullptr) return expected_but_found(event, "the transaction that was asked for").value();
  if (object_ == Object::set || object_ == Object::queue) {
    return name + " is a transaction: those are judged as operations on registers only";
  }
  if (transaction->size() != 1) {
    return name + " is a transaction of " + std::to_string(transaction->size()) +
           " steps: only those of one step are operations on one register (list-append and rw-register judge others, "
           "at "
           "strong-SER)";
  }
  const MicroOp& step = transaction->front();
  const bool writes = step.kind == MicroOp::Kind::write;
  if (!writes && step.kind != MicroOp::Kind::read) return name + " appends to or reads a list, which is no register";
  ObjectOperation operation = times_of(call);
  operation.action = writes ? Action::write : Action::read;
  ObjectHistory& part = part_of(history_.key_text(step.key));
  if (writes) operation.argument = number_of(std::to_string(step.argument));
  if (!writes && step.known) operation.result = number_of(std::to_string(step.argument));
  if (writes || call.ok()) part.operations.push_back(std::move(operation));
  return {};
}

ValueProblem ObjectHistoryReader::read_operation(const Call& call) {
  const auto action = action_of(object_, call.invocation->f);
  if (!action) {
    return "op " + std::to_string(call.index()) + ": expected " + known_functions(object_) +
           " after :f, found :" + call.invocation->f;
  }
  const auto asked = read_keyed(*call.invocation, keyed_);
  if (!asked) return asked.error();
  ObjectHistory& part = part_of(asked->key);
  ObjectOperation operation = times_of(call);
  operation.action = *action;
  if (ValueProblem problem = read_argument(call, asked->value, operation); !problem.empty()) return problem;
  if (call.ok()) {
    const bool silent = is_nil(form_of(call.completion->value).value_or(""));
    const auto answered = silent && !returns_something(*action) ? asked : read_keyed(*call.completion, keyed_);
    if (!answered) return answered.error();
    if (answered->key != asked->key) return expected_but_found(*call.completion, "the key " + asked->key).value();
    if (!returns_something(*action)) {
      if (answered->value == asked->value) {
        part.operations.push_back(std::move(operation));
        return {};
      }
      return expected_but_found(*call.completion, "what was asked for, " + std::string(asked->value) + ", or nil")
          .value();
    }
    if (ValueProblem problem = read_result(call, answered->value, operation); !problem.empty()) return problem;
  }
  if (call.ok() || !only_observes(operation)) part.operations.push_back(std::move(operation));
  return {};
}

ValueProblem ObjectHistoryReader::read_argument(const Call& call, std::string_view asked, ObjectOperation& operation) {
  const Event& event = *call.invocation;
  if (operation.action == Action::compare_and_set) {
    const auto pair = elements_of(asked);
    if (!pair || pair->size() != 2) return expected_but_found(event, "[old new]").value();
    if (ValueProblem problem = read_nullable(event, pair->front(), operation.argument); !problem.empty())
      return problem;
    auto next = read_scalar(event, pair->back());
    if (!next) return next.error();
    operation.second = number_of(*next);
    return {};
  }
  if (returns_something(operation.action) && operation.action != Action::contains) return {};
  // Jepsen's clients may carry a place for the answer: [3 nil].
  const auto elements = operation.action == Action::contains ? elements_of(asked) : std::nullopt;
  auto value = read_scalar(event, elements && !elements->empty() ? elements->front() : asked);
  if (!value) return value.error();
  operation.argument = number_of(*value);
  return {};
}

ValueProblem ObjectHistoryReader::read_result(const Call& call, std::string_view answered, ObjectOperation& operation) {
  if (operation.action == Action::contains) return read_contained(call, answered, operation);
  if (operation.action != Action::read_all) return read_nullable(*call.completion, answered, operation.result);
  const auto elements = read_scalars(*call.completion, answered);
  if (!elements) return elements.error();
  for (const std::string& element : *elements) operation.elements.push_back(number_of(element));
  std::sort(operation.elements.begin(), operation.elements.end());
  if (std::adjacent_find(operation.elements.begin(), operation.elements.end()) != operation.elements.end()) {
    return expected_but_found(*call.completion, "each element once").value();
  }
  return {};
}

ValueProblem ObjectHistoryReader::read_contained(const Call& call, std::string_view answered,
                                                 ObjectOperation& operation) {
  std::string_view result = answered;
  if (const auto pair = elements_of(answered)) {
    if (pair->size() != 2 || as_scalar(pair->front()) != parts_[part_].names[operation.argument]) {
      return expected_but_found(*call.completion, "[element true] or [element false], of the element asked for")
          .value();
    }
    result = pair->back();
  }
  const auto contained = as_boolean(result);
  if (!contained) return expected_but_found(*call.completion, "true or false").value();
  operation.result = *contained ? 1 : 0;
  return {};
}

ValueProblem ObjectHistoryReader::read_nullable(const Event& event, std::string_view form, std::uint32_t& number) {
  number = 0;
  if (is_nil(form)) return {};
  auto value = read_scalar(event, form);
  if (!value) return value.error();
  number = number_of(*value);
  return {};
}

// Of a register, an uncertain operation matters only if it left a value that a certain one found, or that another
// uncertain one which matters found.
void drop_unseen_by_register(std::vector<ObjectOperation>& operations) {
  boost::unordered_flat_set<std::uint32_t> found;
  std::vector<std::uint32_t> work;
  const auto find = [&](std::uint32_t value) {
    if (found.insert(value).second) work.push_back(value);
  };
  boost::unordered_flat_map<std::uint32_t, std::vector<std::uint32_t>> needed_for;  // new value -> old ones
  for (const ObjectOperation& operation : operations) {
    const bool exchanges = operation.action == Action::compare_and_set;
    if (exchanges && operation.completed < 0) {
      needed_for[operation.second].push_back(operation.argument);
    } else if (operation.action != Action::write) {
      find(exchanges ? operation.argument : operation.result);
    }
  }
  while (!work.empty()) {
    const std::uint32_t value = work.back();
    work.pop_back();
    const auto sources = needed_for.find(value);
    if (sources == needed_for.end()) continue;
    for (const std::uint32_t source : sources->second) find(source);
  }
  std::erase_if(operations, [&](const ObjectOperation& operation) {
    const bool exchanges = operation.action == Action::compare_and_set;
    return operation.completed < 0 && !found.contains(exchanges ? operation.second : operation.argument);
  });
}

// An uncertain add matters if somebody saw the element, an uncertain removal if somebody missed it.
void drop_unseen_by_set(std::vector<ObjectOperation>& operations, std::size_t values) {
  std::vector<bool> seen(values, false);
  std::vector<std::uint32_t> shown_by(values, 0);  // in how many reads of everything
  std::uint32_t reads = 0;
  std::vector<bool> missed(values, false);
  for (const ObjectOperation& operation : operations) {
    if (operation.action == Action::contains) (operation.result != 0 ? seen : missed)[operation.argument] = true;
    if (operation.action != Action::read_all) continue;
    ++reads;
    for (const std::uint32_t element : operation.elements) {
      seen[element] = true;
      ++shown_by[element];
    }
  }
  std::erase_if(operations, [&](const ObjectOperation& operation) {
    if (operation.completed >= 0) return false;
    if (operation.action == Action::add) return !seen[operation.argument];
    return !missed[operation.argument] && shown_by[operation.argument] == reads;
  });
}

// An uncertain element that nobody took need not have been put in, nor taken out by another uncertain operation.
// Certain ones that nobody is known to have taken are all alike.
void drop_unseen_by_queue(std::vector<ObjectOperation>& operations, std::size_t values) {
  std::vector<bool> taken(values, false);
  for (const ObjectOperation& operation : operations) {
    if (operation.action == Action::dequeue && operation.known) taken[operation.result] = true;
  }
  std::erase_if(operations, [&](const ObjectOperation& operation) {
    return operation.completed < 0 && operation.action == Action::enqueue && !taken[operation.argument];
  });
  for (ObjectOperation& operation : operations) {
    if (operation.action == Action::enqueue && !taken[operation.argument]) operation.alike = 1;
  }
}

// Nobody reads all elements at once: each element is an object of its own.
void split_set(const ObjectHistory& set, std::vector<ObjectHistory>& to) {
  const std::size_t first = to.size();
  boost::unordered_flat_map<std::uint32_t, std::size_t> places;
  for (const ObjectOperation& operation : set.operations) {
    const auto [entry, added] = places.try_emplace(operation.argument, to.size());
    if (added) {
      const std::string& element = set.names[operation.argument];
      to.push_back({.label = "element " + element + " of " + set.label, .names = {"nil", element}, .operations = {}});
    }
    to[entry->second].operations.push_back(operation);
    to[entry->second].operations.back().argument = 1;
  }
  if (first == to.size()) to.push_back(set);
}

}  // namespace

Read<std::vector<ObjectHistory>> object_histories(const History& history, const std::vector<Call>& calls,
                                                  LinearizabilityOptions::Object object) {
  auto parts = ObjectHistoryReader(history, calls, object).read();
  if (!parts) return parts;
  std::vector<ObjectHistory> result;
  for (ObjectHistory& part : *parts) {
    if (object == Object::queue) {
      drop_unseen_by_queue(part.operations, part.names.size());
    } else if (object == Object::set) {
      drop_unseen_by_set(part.operations, part.names.size());
    } else {
      drop_unseen_by_register(part.operations);
    }
    const bool whole =
        std::any_of(part.operations.begin(), part.operations.end(),
                    [](const ObjectOperation& operation) { return operation.action == Action::read_all; });
    if (object == Object::set && !whole) {
      split_set(part, result);
    } else {
      result.push_back(std::move(part));
    }
  }
  return result;
}

}  // namespace polarsim::checkers
