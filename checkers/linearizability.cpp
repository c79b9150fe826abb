#include "checkers/linearizability.h"

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "checkers/calls.h"
#include "checkers/linearization_search.h"
#include "checkers/object_history.h"

namespace polarsim::checkers {

namespace {

using Object = LinearizabilityOptions::Object;

constexpr std::size_t linearization_shown = 8;
constexpr std::size_t open_shown = 6;

const char* checker_name(Object object) {
  switch (object) {
    case Object::simple_register:
      return "linearizable-register";
    case Object::cas_register:
      return "linearizable-cas-register";
    case Object::set:
      return "linearizable-set";
    case Object::queue:
      return "linearizable-queue";
  }
  return "linearizable-register";
}

// The operations invoked before the end of a prefix; those still open then may have taken effect, and if so returned
// what they returned later.
std::vector<ObjectOperation> prefix_of(const std::vector<ObjectOperation>& operations, std::int64_t end) {
  std::vector<ObjectOperation> prefix;
  for (const ObjectOperation& operation : operations) {
    if (operation.invoked > end) break;
    prefix.push_back(operation);
    if (operation.completed > end) prefix.back().completed = -1;
  }
  return prefix;
}

// What searches may cost. Once so many are at their bound as should be rare, each further one gets less, so that a
// history of thousands of hard keys comes to an end and easy ones among them are still decided.
class Budget {
 public:
  explicit Budget(const LinearizabilityOptions& options) : options_(options) {}
  LinearizationLimits limits() const {
    const bool scarce = spent_ / 10 >= options_.steps;
    return {.steps = scarce ? options_.steps / 100 : options_.steps, .memory = options_.memory};
  }
  void spend(std::uint64_t steps) { spent_ += steps; }

 private:
  const LinearizabilityOptions& options_;
  std::uint64_t spent_ = 0;
};

class PartJudge {
 public:
  using Outcome = LinearizationResult::Outcome;

  PartJudge(const ObjectHistory& part, const LinearizabilityOptions& options, Budget& budget, CallFindings& findings)
      : part_(part), options_(options), budget_(budget), findings_(findings) {}

  void run() {
    const LinearizationLimits limits = budget_.limits();
    const LinearizationResult result = search(part_.operations, part_.operations, false);
    if (result.outcome == Outcome::linearizable) return;
    if (result.outcome == Outcome::not_linearizable) {
      report(options_.object == Object::queue ? end_of_shortest_prefix(result.stuck)
                                              : part_.operations[result.stuck].completed);
      return;
    }
    const bool steps = result.outcome == Outcome::out_of_steps;
    findings_.undecided("the search for a linearization of " + part_.label + " ended at its bound of " +
                        std::to_string(steps ? limits.steps : limits.memory) + (steps ? " steps" : " bytes of memory") +
                        ", with " + std::to_string(part_.operations.size()) + " operations");
  }

 private:
  std::unique_ptr<SequentialObject> make_object(std::span<const ObjectOperation> foreseen) const {
    if (options_.object == Object::set) return make_set(part_.names.size());
    return options_.object == Object::queue ? make_queue(foreseen) : make_register();
  }

  LinearizationResult search(std::span<const ObjectOperation> operations, std::span<const ObjectOperation> foreseen,
                             bool partial) const {
    const std::unique_ptr<SequentialObject> object = make_object(foreseen);
    LinearizationResult result = search_linearization(operations, *object, budget_.limits(), partial);
    budget_.spend(result.steps);
    return result;
  }

  // A queue looks ahead, so that its search may stop before it has to. What it stopped at begins the range in which
  // the shortest prefix without a linearization ends; a prefix of one that has one has one. 0 if the bounds do not let
  // it be found.
  std::int64_t end_of_shortest_prefix(std::uint32_t stuck) const {
    std::vector<std::int64_t> ends;
    for (const ObjectOperation& operation : part_.operations) {
      if (operation.completed >= part_.operations[stuck].completed) ends.push_back(operation.completed);
    }
    std::sort(ends.begin(), ends.end());
    std::size_t low = 0;
    std::size_t high = ends.size() - 1;
    while (low < high) {
      const std::size_t middle = (low + high) / 2;
      const std::vector<ObjectOperation> prefix = prefix_of(part_.operations, ends[middle]);
      const LinearizationResult result = search(prefix, prefix, false);
      if (result.outcome == Outcome::not_linearizable) {
        high = middle;
      } else if (result.outcome == Outcome::linearizable) {
        low = middle + 1;
      } else {
        return 0;
      }
    }
    return ends[low];
  }

 private:
  std::string text(std::uint32_t operation) const {
    const ObjectOperation& at = part_.operations[operation];
    return "op " + std::to_string(at.index) + " (process " + std::to_string(at.process) +
           (at.completed < 0 ? ", unknown outcome, " : ", ") + action_text(at, part_.names) + ")";
  }

  std::string order_text(const std::vector<std::uint32_t>& order) const {
    if (order.empty()) return "nothing has taken effect";
    const std::size_t left_out = order.size() > linearization_shown ? order.size() - linearization_shown : 0;
    std::string line = left_out == 0 ? "" : std::to_string(left_out) + " operations, then ";
    for (std::size_t i = left_out; i < order.size(); ++i) line += (i > left_out ? ", then " : "") + text(order[i]);
    return line;
  }

  // Why an operation is not next after the order that the object has just been led through.
  std::string why_not(SequentialObject& object, std::uint32_t operation) const {
    const ObjectOperation& at = part_.operations[operation];
    if (object.apply(at)) {
      object.undo(at);
      return text(operation) + " can be next, but no order that goes on so comes to the completion either";
    }
    return text(operation) + " cannot be next, because " + object.refusal_text(at, part_.names);
  }

  std::string partial_text(const std::vector<std::uint32_t>& order, std::uint32_t stuck) const {
    const std::unique_ptr<SequentialObject> object = make_object({});
    for (const std::uint32_t operation : order) object->apply(part_.operations[operation]);
    std::string line = order_text(order) + "; " + object->state_text(part_.names) + ". ";
    const std::vector<std::uint32_t> open = open_after(part_.operations, order, stuck);
    for (std::size_t i = 0; i < open.size() && i < open_shown; ++i)
      line += (i > 0 ? "; " : "") + why_not(*object, open[i]);
    if (open.size() > open_shown) line += "; so for " + std::to_string(open.size() - open_shown) + " more";
    return line + ".";
  }

  // The history up to this position has no linearization, and no shorter prefix has none.
  void report(std::int64_t end) {
    const std::vector<ObjectOperation> prefix = prefix_of(part_.operations, end);
    LinearizationResult result;
    if (end > 0) result = search(prefix, prefix_of(part_.operations, end - 1), true);
    if (result.partial.empty()) {
      findings_.anomaly("nonlinearizable", {}, [&] {
        return "Of " + part_.label +
               ", no order of all operations explains what they returned. The shortest prefix of " +
               "which that is true was not found within the bounds of the search.";
      });
      return;
    }
    const std::vector<std::uint32_t>& first = result.partial.front();
    std::vector<std::int64_t> involved = {part_.operations[result.stuck].index};
    const std::size_t shown = std::min(first.size(), linearization_shown);
    for (std::size_t i = first.size() - shown; i < first.size(); ++i) {
      involved.push_back(part_.operations[first[i]].index);
    }
    findings_.anomaly("nonlinearizable", std::move(involved), [&] {
      std::string explanation = "Of " + part_.label + ", the history up to the completion of " + text(result.stuck) +
                                " has no linearization; up to the completion before it, it has.";
      for (const std::vector<std::uint32_t>& order : result.partial) {
        explanation += (&order == &result.partial.front() ? " A linearization so far: " : " Another one: ") +
                       partial_text(order, result.stuck);
      }
      return explanation;
    });
  }

  const ObjectHistory& part_;
  const LinearizabilityOptions& options_;
  Budget& budget_;
  CallFindings& findings_;
};

}  // namespace

Verdict check_linearizability(const History& history, const LinearizabilityOptions& options) {
  CallFindings findings(checker_name(options.object));
  const std::vector<Call> calls = calls_of(history);
  auto parts = object_histories(history, calls, options.object);
  if (!parts) {
    findings.undecided(std::move(parts.error()));
    return std::move(findings).verdict(calls.size());
  }
  Budget budget(options);
  for (const ObjectHistory& part : *parts) PartJudge(part, options, budget, findings).run();
  return std::move(findings).verdict(calls.size());
}

}  // namespace polarsim::checkers
