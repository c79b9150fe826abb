#include "checkers/named_checkers.h"

#include <algorithm>

#include "checkers/linearizability.h"
#include "checkers/session_guarantees.h"
#include "checkers/workload_checkers.h"

namespace polarsim::checkers {

namespace {

using Object = LinearizabilityOptions::Object;

template <Object object>
Verdict linearizable(const History& history) {
  return check_linearizability(history, {.object = object});
}

template <SessionGuarantee guarantee>
Verdict session(const History& history) {
  return check_session_guarantee(history, guarantee);
}

}  // namespace

const std::vector<NamedChecker>& named_checkers() {
  static const std::vector<NamedChecker> checkers{
      {{"counter", "adds and reads: every read lies between what was acknowledged and what was asked for"},
       check_counter},
      {{"linearizable-cas-register", "linearizability of registers with writes, reads and compare-and-set, key by key"},
       linearizable<Object::cas_register>},
      {{"linearizable-queue", "linearizability of first-in-first-out queues, key by key"}, linearizable<Object::queue>},
      {{"linearizable-register",
        "linearizability of registers, key by key; also of transactions of one write or one read"},
       linearizable<Object::simple_register>},
      {{"linearizable-set", "linearizability of sets, key by key, and element by element unless all are read at once"},
       linearizable<Object::set>},
      {{"long-fork", "no two reads see two writes in contrary order"}, check_long_fork},
      {{"monotonic", "values that only grow do, for each process and in real time"}, check_monotonic},
      {{"monotonic-reads", "session guarantee: no session sees a key go back"},
       session<SessionGuarantee::monotonic_reads>},
      {{"monotonic-writes", "session guarantee: what a session writes takes effect in that order"},
       session<SessionGuarantee::monotonic_writes>},
      {{"read-your-writes", "session guarantee: a session sees what it wrote"},
       session<SessionGuarantee::read_your_writes>},
      {{"set", "elements that were added are in the last read, and nothing else is"}, check_set},
      {{"set-full", "the timeline of every element of a set: lost, stale or never read"},
       [](const History& history) { return check_set_full(history, {}); }},
      {{"unique-ids", "no id is given out twice"}, check_unique_ids},
      {{"upsert", "no key is inserted twice"}, check_upsert},
      {{"writes-follow-reads", "session guarantee: what a session writes comes after what it has seen"},
       session<SessionGuarantee::writes_follow_reads>},
  };
  return checkers;
}

const NamedChecker* find_named_checker(std::string_view name) {
  const std::vector<NamedChecker>& all = named_checkers();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const NamedChecker& checker) { return checker.info.name == name; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace polarsim::checkers
