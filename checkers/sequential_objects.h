// The objects whose linearizability is decided, as they behave when operations come one after another: a register with
// compare-and-set, a set, a FIFO queue. Values are numbers that the caller gave to them; 0 is nil.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace polarsim::checkers {

enum class Action : std::uint8_t {
  write,            // argument
  compare_and_set,  // from argument to second; it found what it compared with
  read,             // result: the value, or nil
  add,              // argument
  remove,           // argument; also of what is not there
  contains,         // argument; result: 1 or 0
  read_all,         // elements
  enqueue,          // argument
  dequeue,          // result: the value, or nil from an empty queue
};

struct ObjectOperation {
  Action action = Action::read;
  std::uint32_t argument = 0;
  std::uint32_t second = 0;
  std::uint32_t alike =
      0;  // if not 0, arguments do not matter: operations of one action with the same number are alike
  std::uint32_t result = 0;
  bool known = false;                   // what it returned is known: the operation is ok
  std::vector<std::uint32_t> elements;  // ascending, each once
  std::int64_t invoked = 0;             // positions in the history
  std::int64_t completed = -1;          // -1: it may take effect at any time after its invocation, or never
  std::int64_t index = 0;
  std::int64_t process = 0;
};

class SequentialObject {
 public:
  // How values print, by number.
  using Names = std::vector<std::string>;

  virtual ~SequentialObject() = default;
  // Lets an operation take effect; false, and nothing changes, if the object would not return what it returned.
  virtual bool apply(const ObjectOperation& operation) = 0;
  // Takes back the last operation that was applied and not taken back.
  virtual void undo(const ObjectOperation& operation) = 0;
  // Bytes that are the same for two states iff the states are.
  virtual void append_state(std::string& out) const = 0;

  // "the register holds 3".
  virtual std::string state_text(const Names& names) const = 0;
  // Why apply() says no: "it read 3".
  virtual std::string refusal_text(const ObjectOperation& operation, const Names& names) const = 0;
};

std::unique_ptr<SequentialObject> make_register();
std::unique_ptr<SequentialObject> make_set(std::size_t values);
// `all`: the operations that are to be put in order. If they enqueue each value once, the queue refuses what cannot
// lead to an order of all of them: a value that was dequeued later than another, acknowledged before, is enqueued after
// it; what an operation is known to dequeue no other one takes away.
std::unique_ptr<SequentialObject> make_queue(std::span<const ObjectOperation> all);

// Whether an operation never changes the object, whatever its state.
bool only_observes(const ObjectOperation& operation);

// "write 3", "compare-and-set 1 to 2", ...
std::string action_text(const ObjectOperation& operation, const SequentialObject::Names& names);

void append_number(std::string& out, std::uint64_t number);  // in as few bytes as needed

}  // namespace polarsim::checkers
