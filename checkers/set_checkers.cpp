// The set checkers: what the last read shows, and the timeline of every element.
#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "checkers/operation_values.h"
#include "checkers/workload_checkers.h"

namespace polarsim::checkers {

namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

struct Element {
  std::string name;
  const Call* acknowledged = nullptr;  // the add that was acknowledged first
  std::int64_t first_asked = never;    // position of the first invocation of an add that may have happened
  const Call* failed = nullptr;        // an add that failed
  std::vector<std::size_t> shown_by;   // reads, ascending
};

struct SetRead {
  const Call* call = nullptr;
  std::vector<std::uint32_t> elements;  // each once
  std::vector<std::uint32_t> repeated;
};

// One set: its elements by number, in order of first mention, and its reads in order of invocation.
struct OneSet {
  std::string key;
  std::vector<Element> elements;
  boost::unordered_flat_map<std::string, std::uint32_t> numbers;
  std::vector<SetRead> reads;

  std::uint32_t number_of(const std::string& name) {
    const auto [entry, added] = numbers.try_emplace(name, static_cast<std::uint32_t>(elements.size()));
    if (added) elements.push_back({.name = name, .shown_by = {}});
    return entry->second;
  }
  std::string text(std::uint32_t element) const {
    return "element " + elements[element].name + (key.empty() ? "" : " of key " + key);
  }
};

class SetReader {
 public:
  explicit SetReader(const std::vector<Call>& calls) : calls_(calls), keyed_(has_independent_keys(calls)) {}

  Read<std::vector<OneSet>> read() {
    for (const Call& call : calls_) {
      ValueProblem problem;
      if (call.invocation->f == "add") {
        problem = read_add(call);
      } else if (call.invocation->f == "read") {
        if (call.ok()) problem = read_elements(call);
      } else {
        problem = unknown_function(call, ":add or :read");
      }
      if (!problem.empty()) return tl::unexpected(std::move(problem));
    }
    return std::move(sets_);
  }

 private:
  OneSet& set_of(const std::string& key) {
    const auto [entry, added] = places_.try_emplace(key, sets_.size());
    if (added) {
      sets_.emplace_back();
      sets_.back().key = key;
    }
    return sets_[entry->second];
  }

  ValueProblem read_add(const Call& call) {
    if (ValueProblem problem = check_echo(call); !problem.empty()) return problem;
    const auto form = read_keyed(*call.invocation, keyed_);
    if (!form) return form.error();
    const auto name = read_scalar(*call.invocation, form->value);
    if (!name) return name.error();
    OneSet& set = set_of(form->key);
    Element& element = set.elements[set.number_of(*name)];
    if (!call.possible()) {
      element.failed = &call;
      return {};
    }
    element.first_asked = std::min(element.first_asked, call.invoked);
    const bool first = element.acknowledged == nullptr || call.completed < element.acknowledged->completed;
    if (call.ok() && first) element.acknowledged = &call;
    return {};
  }

  ValueProblem read_elements(const Call& call) {
    const auto form = read_keyed(*call.completion, keyed_);
    if (!form) return form.error();
    const auto names = read_scalars(*call.completion, form->value);
    if (!names) return names.error();
    OneSet& set = set_of(form->key);
    const std::size_t number = set.reads.size();
    SetRead read;
    read.call = &call;
    for (const std::string& name : *names) {
      const std::uint32_t element = set.number_of(name);
      std::vector<std::size_t>& shown_by = set.elements[element].shown_by;
      const bool again = !shown_by.empty() && shown_by.back() == number;
      (again ? read.repeated : read.elements).push_back(element);
      if (!again) shown_by.push_back(number);
    }
    set.reads.push_back(std::move(read));
    return {};
  }

  const std::vector<Call>& calls_;
  bool keyed_;
  std::vector<OneSet> sets_;
  boost::unordered_flat_map<std::string, std::size_t> places_;
};

// What is wrong with one read whatever came before and after.
void check_contents(const OneSet& set, const SetRead& read, CallFindings& findings) {
  for (const std::uint32_t number : read.repeated) {
    findings.anomaly("duplicated", {read.call->index()},
                     [&] { return op_text(*read.call) + " shows " + set.text(number) + " more than once."; });
  }
  for (const std::uint32_t number : read.elements) {
    const Element& element = set.elements[number];
    if (element.first_asked < read.call->completed) continue;
    std::vector<std::int64_t> involved = {read.call->index()};
    if (element.failed != nullptr) involved.push_back(element.failed->index());
    findings.anomaly("unexpected", std::move(involved), [&] {
      const std::string why = element.first_asked != never ? "which nobody had asked to add by then"
                              : element.failed != nullptr  ? "but " + op_text(*element.failed) + ", its add, failed"
                                                           : "which nobody asked to add";
      return op_text(*read.call) + " shows " + set.text(number) + ", " + why + ".";
    });
  }
}

void check_last_read(const OneSet& set, CallFindings& findings) {
  const SetRead& read = set.reads.back();
  check_contents(set, read, findings);
  for (std::uint32_t number = 0; number < set.elements.size(); ++number) {
    const Element& element = set.elements[number];
    const bool due = element.acknowledged != nullptr && element.acknowledged->completed < read.call->invoked;
    const bool shown = !element.shown_by.empty() && element.shown_by.back() + 1 == set.reads.size();
    if (!due || shown) continue;
    findings.anomaly("lost", {element.acknowledged->index(), read.call->index()}, [&] {
      return op_text(*element.acknowledged) + ", which added " + set.text(number) + ", was acknowledged before " +
             op_text(*read.call) + ", the last read, began, which does not show it.";
    });
  }
}

class Timeline {
 public:
  Timeline(const OneSet& set, const SetFullOptions& options, CallFindings& findings)
      : set_(set), options_(options), findings_(findings) {}

  // Whether any element was there and stayed.
  bool run() {
    for (const SetRead& read : set_.reads) check_contents(set_, read, findings_);
    bool any_stable = false;
    for (std::uint32_t number = 0; number < set_.elements.size(); ++number) any_stable = check(number) || any_stable;
    return any_stable;
  }

 private:
  // Reads count by their invocation. The last that does not show an element: they stand in that order.
  const SetRead* last_without(const Element& element) const {
    std::size_t from_the_end = 0;
    while (from_the_end < element.shown_by.size() &&
           element.shown_by[element.shown_by.size() - 1 - from_the_end] == set_.reads.size() - 1 - from_the_end) {
      ++from_the_end;
    }
    return from_the_end < set_.reads.size() ? &set_.reads[set_.reads.size() - 1 - from_the_end] : nullptr;
  }

  // The completion by which an element was known first, and of what; null if it never was.
  const Call* known_by(const Element& element) const {
    const Call* known = element.acknowledged;
    for (const std::size_t read : element.shown_by) {
      const Call* call = set_.reads[read].call;
      if (known == nullptr || call->completed < known->completed) known = call;
    }
    return known;
  }

  bool check(std::uint32_t number) {
    const Element& element = set_.elements[number];
    const Call* known = known_by(element);
    if (known == nullptr) return false;
    const SetRead* present = element.shown_by.empty() ? nullptr : &set_.reads[element.shown_by.back()];
    const SetRead* absent = last_without(element);
    const bool missed = absent != nullptr && known->completed < absent->call->invoked;
    const bool later = present != nullptr && (absent == nullptr || absent->call->invoked < present->call->invoked);
    if (later) {
      if (missed) add_stale(number, *known, *absent, *present);
      return true;
    }
    if (missed) {
      findings_.anomaly("lost", {known->index(), absent->call->index()}, [&] {
        return known_text(number, *known) + ", but " + op_text(*absent->call) +
               ", which began later, does not show it, and no read that began after that one does.";
      });
    } else {
      findings_.exposure("never-read", {known->index()},
                         [&] { return known_text(number, *known) + ", and no read began after that."; });
    }
    return false;
  }

  std::string known_text(std::uint32_t number, const Call& known) const {
    const bool added = set_.elements[number].acknowledged == &known;
    std::string element = set_.text(number);
    element[0] = 'E';
    return element + " was known to be there when " + op_text(known) +
           (added ? ", its add, was acknowledged" : " showed it");
  }

  void add_stale(std::uint32_t number, const Call& known, const SetRead& absent, const SetRead& present) {
    const auto explain = [&] {
      return known_text(number, known) + ", but " + op_text(*absent.call) + ", which began later, does not show it; " +
             op_text(*present.call) + " does.";
    };
    const std::vector<std::int64_t> involved = {known.index(), absent.call->index(), present.call->index()};
    if (options_.linearizable) {
      findings_.anomaly("stale", involved, explain);
    } else {
      findings_.exposure("stale", involved, explain);
    }
  }

  const OneSet& set_;
  const SetFullOptions& options_;
  CallFindings& findings_;
};

}  // namespace

Verdict check_set(const History& history) {
  CallFindings findings("set");
  const std::vector<Call> calls = calls_of(history);
  auto sets = SetReader(calls).read();
  if (!sets) {
    findings.undecided(std::move(sets.error()));
    return std::move(findings).verdict(calls.size());
  }
  for (const OneSet& set : *sets) {
    if (set.reads.empty()) {
      findings.undecided("the set" + (set.key.empty() ? "" : " of key " + set.key) + " was never read");
    } else {
      check_last_read(set, findings);
    }
  }
  if (sets->empty()) findings.undecided("the set was never read");
  return std::move(findings).verdict(calls.size());
}

Verdict check_set_full(const History& history, const SetFullOptions& options) {
  CallFindings findings("set-full");
  const std::vector<Call> calls = calls_of(history);
  auto sets = SetReader(calls).read();
  if (!sets) {
    findings.undecided(std::move(sets.error()));
    return std::move(findings).verdict(calls.size());
  }
  bool any_stable = false;
  for (const OneSet& set : *sets) any_stable = Timeline(set, options, findings).run() || any_stable;
  if (!any_stable) findings.undecided("no element was seen by the reads after which it was known to be there");
  return std::move(findings).verdict(calls.size());
}

}  // namespace polarsim::checkers
