// The monotonic checker: values that only grow, within each process and in real time.
#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <string>
#include <utility>
#include <vector>

#include "checkers/operation_values.h"
#include "checkers/workload_checkers.h"

namespace polarsim::checkers {

namespace {

struct Shown {
  std::string key;
  bool nil = false;
  std::int64_t number = 0;
  const Call* call = nullptr;
  bool less_than(const Shown& other) const { return !other.nil && (nil || number < other.number); }
  std::string text() const {
    return op_text(*call) + " (process " + std::to_string(call->last().process) + ") showed " +
           (nil ? std::string("nil") : std::to_string(number)) + (key.empty() ? "" : " of key " + key);
  }
};

Read<std::vector<Shown>> shown_by(const Call& call) {
  std::vector<Shown> shown;
  // The history reads a map of integers as balances.
  if (const auto* map = std::get_if<Balances>(&call.completion->value)) {
    for (const auto& [key, number] : *map) shown.push_back({std::to_string(key), false, number, &call});
    return shown;
  }
  const auto form = read_form(*call.completion, "an integer, [key integer] or a map of them");
  if (!form) return tl::unexpected(form.error());
  Shown one;
  one.call = &call;
  std::string_view number = *form;
  if (const auto pair = elements_of(*form)) {
    if (pair->size() != 2) return expected_but_found(*call.completion, "an integer, [key integer] or a map of them");
    auto key = read_scalar(*call.completion, pair->front());
    if (!key) return tl::unexpected(std::move(key.error()));
    one.key = std::move(*key);
    number = pair->back();
  }
  one.nil = is_nil(number);
  if (!one.nil) {
    const auto integer = read_integer(*call.completion, number);
    if (!integer) return tl::unexpected(integer.error());
    one.number = *integer;
  }
  shown.push_back(std::move(one));
  return shown;
}

// The greatest value of a key that was shown by completions so far; each stands where it was the first of that size.
using Maxima = std::vector<Shown>;

// The greatest that was shown before an invocation; null if nothing was.
const Shown* greatest_before(const Maxima& maxima, std::int64_t invoked) {
  const auto after = std::partition_point(maxima.begin(), maxima.end(),
                                          [&](const Shown& shown) { return shown.call->completed < invoked; });
  return after == maxima.begin() ? nullptr : &*(after - 1);
}

}  // namespace

Verdict check_monotonic(const History& history) {
  CallFindings findings("monotonic");
  const std::vector<Call> calls = calls_of(history);
  std::vector<const Call*> done;
  for (const Call& call : calls) {
    if (call.ok()) done.push_back(&call);
  }
  std::sort(done.begin(), done.end(), [](const Call* a, const Call* b) { return a->completed < b->completed; });
  boost::unordered_flat_map<std::string, Maxima> of_key;
  boost::unordered_flat_map<std::pair<std::int64_t, std::string>, Shown> of_process;
  bool any = false;
  for (const Call* call : done) {
    const auto shown = shown_by(*call);
    if (!shown) {
      CallFindings refused("monotonic");
      refused.undecided(shown.error());
      return std::move(refused).verdict(calls.size());
    }
    for (const Shown& now : *shown) {
      any = true;
      const auto [mine, first] = of_process.try_emplace({call->last().process, now.key}, now);
      Maxima& maxima = of_key[now.key];
      const Shown* before = greatest_before(maxima, call->invoked);
      const bool by_process = !first && now.less_than(mine->second);
      if (by_process || (before != nullptr && now.less_than(*before))) {
        const Shown& greater = by_process ? mine->second : *before;
        findings.anomaly(by_process ? "nonmonotonic-process" : "nonmonotonic-realtime",
                         {greater.call->index(), call->index()}, [&] {
                           return greater.text() + ", and then " + now.text() +
                                  ", which began after that had ended: " + "a value that only grows became less.";
                         });
      }
      if (!first && mine->second.less_than(now)) mine->second = now;
      if (maxima.empty() || maxima.back().less_than(now)) maxima.push_back(now);
    }
  }
  if (!any) findings.undecided("no operation showed a value");
  return std::move(findings).verdict(calls.size());
}

}  // namespace polarsim::checkers
