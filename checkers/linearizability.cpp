#include "checkers/linearizability.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
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

std::unique_ptr<SequentialObject> make_object(Object object, const ObjectHistory& part) {
  if (object == Object::set) return make_set(part.names.size());
  return object == Object::queue ? make_queue() : make_register();
}

class PartJudge {
 public:
  PartJudge(const ObjectHistory& part, const LinearizabilityOptions& options, CallFindings& findings)
      : part_(part), options_(options), findings_(findings), object_(make_object(options.object, part)) {}

  void run() {
    using Outcome = LinearizationResult::Outcome;
    const LinearizationResult result =
        search_linearization(part_.operations, *object_, {.steps = options_.steps, .memory = options_.memory});
    if (result.outcome == Outcome::linearizable) return;
    if (result.outcome == Outcome::not_linearizable) {
      report(result);
      return;
    }
    const bool steps = result.outcome == Outcome::out_of_steps;
    findings_.undecided("the search for a linearization of " + part_.label + " ended at its bound of " +
                        std::to_string(steps ? options_.steps : options_.memory) +
                        (steps ? " steps" : " bytes of memory") + ", with " + std::to_string(part_.operations.size()) +
                        " operations");
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
  std::string why_not(std::uint32_t operation) const {
    const ObjectOperation& at = part_.operations[operation];
    if (object_->apply(at)) {
      object_->undo(at);
      return text(operation) + " can be next, but no order that goes on so comes to the completion either";
    }
    return text(operation) + " cannot be next, because " + object_->refusal_text(at, part_.names);
  }

  std::string partial_text(const std::vector<std::uint32_t>& order, std::uint32_t stuck) const {
    for (const std::uint32_t operation : order) object_->apply(part_.operations[operation]);
    std::string line = order_text(order) + "; " + object_->state_text(part_.names) + ". ";
    const std::vector<std::uint32_t> open = open_after(part_.operations, order, stuck);
    for (std::size_t i = 0; i < open.size() && i < open_shown; ++i) line += (i > 0 ? "; " : "") + why_not(open[i]);
    if (open.size() > open_shown) line += "; so for " + std::to_string(open.size() - open_shown) + " more";
    for (auto last = order.rbegin(); last != order.rend(); ++last) object_->undo(part_.operations[*last]);
    return line + ".";
  }

  void report(const LinearizationResult& result) {
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
  CallFindings& findings_;
  std::unique_ptr<SequentialObject> object_;
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
  for (const ObjectHistory& part : *parts) PartJudge(part, options, findings).run();
  return std::move(findings).verdict(calls.size());
}

}  // namespace polarsim::checkers
