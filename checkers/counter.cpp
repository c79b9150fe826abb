// The counter checker: every read lies between bounds that follow from what was acknowledged and what was asked for.
#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <string>
#include <vector>

#include "checkers/operation_values.h"
#include "checkers/workload_checkers.h"

namespace polarsim::checkers {

namespace {

// Beyond these, sums could overflow.
constexpr std::int64_t largest_amount = std::int64_t{1} << 36;
constexpr std::size_t most_calls = std::size_t{1} << 26;

struct CounterCall {
  const Call* call = nullptr;
  std::string key;
  bool add = false;
  std::int64_t number = 0;  // the amount, or what was read
  std::int64_t low = 0, high = 0;
};

// Sums over the adds to one counter so far.
struct Sums {
  std::int64_t gained_surely = 0, gained_perhaps = 0;  // acknowledged, asked for
  std::int64_t lost_surely = 0, lost_perhaps = 0;      // the same of negative amounts
};

Read<std::vector<CounterCall>> collect(const std::vector<Call>& calls) {
  const bool keyed = has_independent_keys(calls);
  std::vector<CounterCall> result;
  for (const Call& call : calls) {
    const bool add = call.invocation->f == "add";
    if (!add && call.invocation->f != "read") return tl::unexpected(unknown_function(call, ":add or :read"));
    if (!call.possible() || (!add && !call.ok())) continue;
    if (add) {
      if (ValueProblem problem = check_echo(call); !problem.empty()) return tl::unexpected(std::move(problem));
    }
    const Event& event = add ? *call.invocation : *call.completion;
    auto form = read_keyed(event, keyed);
    if (!form) return tl::unexpected(std::move(form.error()));
    const auto number = read_integer(event, form->value);
    if (!number) return tl::unexpected(number.error());
    if (add && (*number > largest_amount || *number < -largest_amount)) {
      return tl::unexpected(expected_but_found(event, "an amount of at most 2^36").value());
    }
    result.push_back({&call, std::move(form->key), add, *number});
  }
  return result;
}

void find_bounds(std::vector<CounterCall>& calls) {
  struct Moment {
    std::int64_t position;
    CounterCall* call;
    bool completion;
  };
  std::vector<Moment> moments;
  for (CounterCall& call : calls) {
    moments.push_back({call.call->invoked, &call, false});
    if (call.call->ok()) moments.push_back({call.call->completed, &call, true});
  }
  std::sort(moments.begin(), moments.end(), [](const Moment& a, const Moment& b) { return a.position < b.position; });
  boost::unordered_flat_map<std::string, Sums> counters;
  for (const Moment& moment : moments) {
    CounterCall& call = *moment.call;
    Sums& sums = counters[call.key];
    if (call.add) {
      if (call.number >= 0) {
        (moment.completion ? sums.gained_surely : sums.gained_perhaps) += call.number;
      } else {
        (moment.completion ? sums.lost_surely : sums.lost_perhaps) += call.number;
      }
    } else if (moment.completion) {
      call.low += sums.lost_perhaps;
      call.high += sums.gained_perhaps;
    } else {
      call.low = sums.gained_surely;
      call.high = sums.lost_surely;
    }
  }
}

}  // namespace

Verdict check_counter(const History& history) {
  CallFindings findings("counter");
  const std::vector<Call> calls = calls_of(history);
  auto collected = collect(calls);
  if (!collected || calls.size() > most_calls) {
    findings.undecided(collected ? "too many operations to add up without overflow" : std::move(collected.error()));
    return std::move(findings).verdict(calls.size());
  }
  find_bounds(*collected);
  bool any_read = false;
  for (const CounterCall& call : *collected) {
    if (call.add) continue;
    any_read = true;
    if (call.low <= call.number && call.number <= call.high) continue;
    findings.anomaly("out-of-bounds", {call.call->index()}, [&] {
      return op_text(*call.call) + " read " + std::to_string(call.number) +
             (call.key.empty() ? "" : " of key " + call.key) +
             ", but the adds acknowledged before it began and those " + "asked for before it ended allow only " +
             std::to_string(call.low) + " to " + std::to_string(call.high) + ".";
    });
  }
  if (!any_read) findings.undecided("nobody read the counter");
  return std::move(findings).verdict(calls.size());
}

}  // namespace polarsim::checkers
