// For tests: linearizability of a few operations by trying every order, and histories of objects that are linearizable
// by construction, with defects to plant.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "checkers/history.h"
#include "checkers/linearizability.h"
#include "checkers/test_histories.h"

namespace polarsim::checkers::test {

// One operation of a client, as the tests see it. Values are small numbers; `no_value` is nil.
struct ClientOperation {
  static constexpr int no_value = -1;
  std::string f;
  int argument = no_value, second = no_value;
  int result = no_value;                     // read, dequeue; of contains 0 or 1
  std::vector<int> elements;                 // of a read of a set
  std::int64_t invoked = 0, completed = -1;  // positions in the history
  EventType outcome = EventType::info;
  int process = 0;
};

// Whether some order of those that completed by `until` (and of any of the others invoked by then) that keeps real time
// lets each return what it did. An operation that ends as ok after `until` returns what it returned if it takes effect.
bool linearizable_by_trying(const std::vector<ClientOperation>& operations, bool set, std::int64_t until);

// The history of such operations in Jepsen's shapes.
std::string edn_of(const std::vector<ClientOperation>& operations);

enum class Defect { none, stale_read, lost_write, repeated_dequeue, lost_enqueue, swapped_dequeue, lost_add };

struct ObjectRun {
  LinearizabilityOptions::Object object = LinearizabilityOptions::Object::cas_register;
  std::size_t processes = 3;
  std::size_t operations = 6;
  std::size_t values = 3;
  bool distinct = false;         // what is written or enqueued is new each time
  std::size_t info_once_in = 6;  // how often an operation ends with an unknown outcome
  bool reads_of_all = true;      // of a set
  Defect defect = Defect::none;
  std::size_t defect_once_in = 10;
};
// Concurrent clients of one object; every operation takes effect at one moment while it runs, but for the defect.
std::vector<ClientOperation> run_clients(const ObjectRun& run, Choices& choices);

// Replaces what a few operations returned by something else.
void disturb(std::vector<ClientOperation>& operations, std::size_t values, Choices& choices);

}  // namespace polarsim::checkers::test
