// The operations of the clients, one by one: what was asked, what was answered, and when. For the checkers of objects
// and workloads, whose operations are no transactions.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "checkers/history.h"
#include "checkers/verdict.h"

namespace polarsim::checkers {

struct Call {
  const Event* invocation = nullptr;
  const Event* completion = nullptr;  // null: it never completed
  EventType outcome = EventType::info;
  std::int64_t invoked = -1;    // positions in History::events
  std::int64_t completed = -1;  // -1: never
  const Event& last() const { return completion == nullptr ? *invocation : *completion; }
  std::int64_t index() const { return last().index; }
  bool ok() const { return outcome == EventType::ok; }
  bool possible() const { return outcome != EventType::fail; }
};

// In order of invocation. The history must outlive them.
std::vector<Call> calls_of(const History& history);

// "op 12".
std::string op_text(const Call& call);

// What a checker of calls found, and the verdict that follows: invalid if anything is wrong, else unknown if anything
// was not decided, else valid.
class CallFindings {
 public:
  using Explain = std::function<std::string()>;

  explicit CallFindings(std::string checker) { verdict_.checker = std::move(checker); }

  // Counts; the explanation is asked for only while few of the name are kept.
  void anomaly(const std::string& name, std::vector<std::int64_t> operations, const Explain& explain);
  void exposure(const std::string& name, std::vector<std::int64_t> operations, const Explain& explain);
  // Why something was not decided; the first reason is kept.
  void undecided(std::string reason);
  Verdict verdict(std::uint64_t operations_checked) &&;

 private:
  void add(std::vector<Anomaly>& to, const std::string& name, std::vector<std::int64_t> operations,
           const Explain& explain);

  Verdict verdict_;
  std::map<std::string, std::uint64_t> counts_;
};

}  // namespace polarsim::checkers
