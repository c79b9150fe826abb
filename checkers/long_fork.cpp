// The long-fork checker: two reads that see two writes in contrary order.
#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <string>
#include <utility>
#include <vector>

#include "checkers/operation_values.h"
#include "checkers/workload_checkers.h"

namespace polarsim::checkers {

namespace {

// Pairs of keys looked at: reads of very many keys are beyond it.
constexpr std::uint64_t pair_limit = 100'000'000;

struct Written {
  std::int64_t value = 0;
  const Call* call = nullptr;
};

class LongForkChecker {
 public:
  explicit LongForkChecker(const History& history)
      : history_(history), calls_(calls_of(history)), findings_("long-fork") {}

  Verdict run() {
    for (const Call& call : calls_) {
      if (const std::string problem = collect(call); !problem.empty()) {
        findings_.undecided(problem);
        return std::move(findings_).verdict(calls_.size());
      }
    }
    for (const Call* read : reads_) check(*read);
    if (reads_.empty()) findings_.undecided("nobody read anything");
    if (pairs_ > pair_limit) findings_.undecided("the reads show more than 100000000 pairs of keys");
    return std::move(findings_).verdict(calls_.size());
  }

 private:
  std::string collect(const Call& call) {
    const Event& event = call.ok() ? *call.completion : *call.invocation;
    const auto* transaction = std::get_if<Transaction>(&event.value);
    if (transaction == nullptr || transaction->empty()) {
      return op_text(call) + " is not a transaction of one write or of reads";
    }
    const auto is = [&](MicroOp::Kind kind) {
      return std::all_of(transaction->begin(), transaction->end(), [&](const MicroOp& op) { return op.kind == kind; });
    };
    if (is(MicroOp::Kind::read)) {
      if (call.ok()) reads_.push_back(&call);
      return {};
    }
    if (transaction->size() != 1 || !is(MicroOp::Kind::write)) {
      return op_text(call) + " is not a transaction of one write or of reads of registers";
    }
    if (!call.possible()) return {};
    const MicroOp& write = transaction->front();
    const auto [entry, first] = written_.try_emplace(write.key, Written{write.argument, &call});
    if (first) return {};
    return op_text(call) + " writes key " + history_.key_text(write.key) + ", which " + op_text(*entry->second.call) +
           " wrote; each key must be written once";
  }

  static const Transaction& steps_of(const Call& read) { return std::get<Transaction>(read.completion->value); }

  void check(const Call& read) {
    std::vector<std::int64_t> seen;
    std::vector<std::int64_t> missed;
    for (const MicroOp& op : steps_of(read)) {
      (op.known ? seen : missed).push_back(op.key);
      const auto written = written_.find(op.key);
      if (!op.known || (written != written_.end() && written->second.value == op.argument)) continue;
      findings_.anomaly("unexpected", {read.index()}, [&] {
        return op_text(read) + " read " + std::to_string(op.argument) + " of key " + history_.key_text(op.key) +
               ", which nobody can have written.";
      });
    }
    pairs_ += seen.size() * missed.size();
    if (pairs_ > pair_limit) return;
    for (const std::int64_t first : seen) {
      for (const std::int64_t second : missed) {
        const auto [mine, added] = first_to_see_.try_emplace({first, second}, &read);
        if (!added) continue;
        const auto contrary = first_to_see_.find({second, first});
        if (contrary != first_to_see_.end() && first != second) add_fork(first, second, read, *contrary->second);
      }
    }
  }

  void add_fork(std::int64_t first, std::int64_t second, const Call& read, const Call& other) {
    std::vector<std::int64_t> involved = {other.index(), read.index()};
    for (const std::int64_t key : {first, second}) {
      const auto written = written_.find(key);
      if (written != written_.end()) involved.push_back(written->second.call->index());
    }
    findings_.anomaly("long-fork", std::move(involved), [&] {
      const std::string a = history_.key_text(first);
      const std::string b = history_.key_text(second);
      return op_text(other) + " saw key " + b + " written and key " + a + " not yet; " + op_text(read) + " saw key " +
             a + " written and key " + b + " not yet. In no order of the two writes are there moments for both.";
    });
  }

  const History& history_;
  std::vector<Call> calls_;
  CallFindings findings_;
  std::vector<const Call*> reads_;
  boost::unordered_flat_map<std::int64_t, Written> written_;
  // The first read that saw the first key and missed the second.
  boost::unordered_flat_map<std::pair<std::int64_t, std::int64_t>, const Call*> first_to_see_;
  std::uint64_t pairs_ = 0;
};

}  // namespace

Verdict check_long_fork(const History& history) { return LongForkChecker(history).run(); }

}  // namespace polarsim::checkers
