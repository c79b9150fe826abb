#include "checkers/calls.h"

#include <utility>

namespace polarsim::checkers {

namespace {

constexpr std::uint64_t examples_per_name = 4;

}  // namespace

std::vector<Call> calls_of(const History& history) {
  std::vector<Call> calls;
  const std::vector<History::Pair> pairs = history.pairs();
  calls.reserve(pairs.size());
  for (const History::Pair& pair : pairs) {
    Call call;
    call.invocation = &history.events[static_cast<std::size_t>(pair.invoke)];
    call.invoked = pair.invoke;
    if (pair.completion >= 0) {
      call.completion = &history.events[static_cast<std::size_t>(pair.completion)];
      call.completed = pair.completion;
      call.outcome = call.completion->type;
    }
    calls.push_back(call);
  }
  return calls;
}

std::string op_text(const Call& call) { return "op " + std::to_string(call.index()); }

void CallFindings::add(std::vector<Anomaly>& to, const std::string& name, std::vector<std::int64_t> operations,
                       const Explain& explain) {
  if (++counts_[name] > examples_per_name) return;
  to.push_back({name, explain(), std::move(operations)});
}

void CallFindings::anomaly(const std::string& name, std::vector<std::int64_t> operations, const Explain& explain) {
  add(verdict_.anomalies, name, std::move(operations), explain);
}

void CallFindings::exposure(const std::string& name, std::vector<std::int64_t> operations, const Explain& explain) {
  add(verdict_.exposures, name, std::move(operations), explain);
}

void CallFindings::undecided(std::string reason) {
  if (verdict_.reason.empty()) verdict_.reason = std::move(reason);
}

Verdict CallFindings::verdict(std::uint64_t operations_checked) && {
  verdict_.operations_checked = operations_checked;
  verdict_.counts.assign(counts_.begin(), counts_.end());
  if (!verdict_.reason.empty()) verdict_.validity = Validity::unknown;
  if (!verdict_.anomalies.empty()) verdict_.validity = Validity::invalid;
  return std::move(verdict_);
}

}  // namespace polarsim::checkers
