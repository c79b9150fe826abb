// The bank checker: money is neither made nor lost, and what an account holds in the end follows from the transfers.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>

#include "checkers/checkers.h"
#include "checkers/transfer_solver.h"

namespace polarsim::checkers {

namespace {

constexpr std::size_t examples_per_name = 4;
constexpr std::uint64_t solver_node_limit = 2'000'000;
// Amounts beyond this could overflow sums over a long history.
constexpr std::int64_t largest_amount = std::int64_t{1} << 40;

std::string op_text(const Event& event) { return "op " + std::to_string(event.index); }

struct BankTransfer {
  Transfer transfer;
  const Event* last = nullptr;  // the completion, or the invocation if there is none
  EventType outcome = EventType::info;
  std::int64_t invoked = 0;  // positions in the history
  std::int64_t completed = -1;
};

struct BankRead {
  const Balances* balances = nullptr;
  const Event* event = nullptr;
  bool final = false;
  std::int64_t invoked = 0;
  std::int64_t completed = 0;
};

class BankChecker {
 public:
  BankChecker(const History& history, const BankOptions& options) : history_(history), options_(options) {}
  Verdict run();

 private:
  bool collect();
  void check_read(const BankRead& read);
  void check_final_balances(const BankRead& read, std::size_t ordinal);
  std::string total_problem(const BankRead& read) const;
  void add(std::vector<Anomaly>& to, const char* name, std::string explanation, const Event& event);
  bool amounts_are_sane() const;

  const History& history_;
  const BankOptions& options_;
  std::vector<BankTransfer> transfers_;
  std::vector<BankRead> reads_;
  std::map<std::string, std::uint64_t> counts_;
  Verdict verdict_;
};

void BankChecker::add(std::vector<Anomaly>& to, const char* name, std::string explanation, const Event& event) {
  if (++counts_[name] > examples_per_name) return;
  to.push_back({name, std::move(explanation), {event.index}});
}

bool BankChecker::collect() {
  for (const History::Pair& pair : history_.pairs()) {
    const Event& invocation = history_.events[static_cast<std::size_t>(pair.invoke)];
    const Event& last = pair.completion < 0 ? invocation : history_.events[static_cast<std::size_t>(pair.completion)];
    const bool done = pair.completion >= 0;
    const auto* asked = std::get_if<Transfer>(&invocation.value);
    const auto* answered = std::get_if<Transfer>(&last.value);
    if (asked != nullptr || answered != nullptr) {
      transfers_.push_back({answered != nullptr ? *answered : *asked, &last, done ? last.type : EventType::info,
                            pair.invoke, pair.completion});
    } else if (const auto* balances = std::get_if<Balances>(&last.value);
               balances != nullptr && last.type == EventType::ok) {
      const bool final = last.field("final?") == "true" || invocation.field("final?") == "true";
      reads_.push_back({balances, &last, final, pair.invoke, pair.completion});
    } else if (last.type == EventType::ok) {
      verdict_.validity = Validity::unknown;
      verdict_.reason = op_text(last) + " is neither a transfer nor a read of balances";
      return false;
    }
    ++verdict_.operations_checked;
  }
  return true;
}

bool BankChecker::amounts_are_sane() const {
  const auto sane = [](std::int64_t amount) { return amount >= -largest_amount && amount <= largest_amount; };
  const bool transfers =
      std::all_of(transfers_.begin(), transfers_.end(), [&](const BankTransfer& t) { return sane(t.transfer.amount); });
  return transfers && sane(options_.initial_balance) && options_.accounts >= 0 &&
         options_.accounts < (std::int64_t{1} << 22) && transfers_.size() < (std::size_t{1} << 22);
}

// Why a read does not show all the money; empty if it does.
std::string BankChecker::total_problem(const BankRead& read) const {
  if (static_cast<std::int64_t>(read.balances->size()) != options_.accounts) {
    return "shows " + std::to_string(read.balances->size()) + " accounts, and there are " +
           std::to_string(options_.accounts);
  }
  std::int64_t total = 0;
  for (const auto& [account, balance] : *read.balances) {
    if (__builtin_add_overflow(total, balance, &total)) return "shows balances whose sum does not fit 64 bits";
  }
  const std::int64_t expected = options_.accounts * options_.initial_balance;
  if (total == expected) return {};
  return "shows a total of " + std::to_string(total) + ", and it should be " + std::to_string(expected);
}

void BankChecker::check_read(const BankRead& read) {
  if (!options_.negative_allowed) {
    for (const auto& [account, balance] : *read.balances) {
      if (balance >= 0) continue;
      add(verdict_.anomalies, "bank-negative",
          op_text(*read.event) + " shows a balance of " + std::to_string(balance) + " in account " +
              std::to_string(account) + ", though no account may go below zero.",
          *read.event);
      break;
    }
  }
  const std::string problem = total_problem(read);
  if (problem.empty()) return;
  if (read.final) {
    add(verdict_.anomalies, "bank-total", op_text(*read.event) + ", a read at rest, " + problem + ".", *read.event);
  } else {
    add(verdict_.exposures, "fractured-read",
        op_text(*read.event) + " " + problem + ": it saw one part of some transfer and not the other.", *read.event);
  }
}

// Transfers acknowledged before the read must be in it, those that failed or were asked for later must not; the others
// may be.
void BankChecker::check_final_balances(const BankRead& read, std::size_t ordinal) {
  if (!total_problem(read).empty()) return;
  std::map<std::int64_t, std::int64_t> gains;
  for (const auto& [account, balance] : *read.balances) {
    if (balance < -largest_amount || balance > largest_amount) {
      verdict_.reason = op_text(*read.event) + " shows a balance beyond what this checker adds up without overflow";
      return;
    }
    gains[account] = balance - options_.initial_balance;
  }
  std::vector<Transfer> uncertain;
  std::size_t certain = 0;
  for (const BankTransfer& transfer : transfers_) {
    if (transfer.outcome == EventType::fail || transfer.invoked > read.completed) continue;
    const bool must = transfer.outcome == EventType::ok && transfer.completed < read.invoked;
    if (!must) {
      uncertain.push_back(transfer.transfer);
      continue;
    }
    ++certain;
    gains[transfer.transfer.from] += transfer.transfer.amount;
    gains[transfer.transfer.to] -= transfer.transfer.amount;
  }
  const Balances effects(gains.begin(), gains.end());
  const Explained explained = explain_effects(uncertain, effects, solver_node_limit);
  if (explained == Explained::yes) return;
  if (explained == Explained::undecided) {
    verdict_.reason = "final read " + std::to_string(ordinal) + " (" + op_text(*read.event) +
                      "): the total is right, but whether some subset of " + std::to_string(uncertain.size()) +
                      " uncertain transfers explains the balances was not decided within the search limit";
    return;
  }
  std::string off;
  std::size_t accounts_off = 0;
  for (const auto& [account, gain] : effects) {
    if (gain == 0 || ++accounts_off > 6) continue;
    off += (off.empty() ? "" : ", ") + std::string("account ") + std::to_string(account) + " by " +
           (gain > 0 ? "+" : "") + std::to_string(gain);
  }
  add(verdict_.anomalies, "bank-lost-transfer",
      op_text(*read.event) + ", a read at rest, shows balances that differ from the initial ones plus the " +
          std::to_string(certain) + " acknowledged transfers (" + off + (accounts_off > 6 ? ", ..." : "") +
          "), and no subset of the " + std::to_string(uncertain.size()) +
          " transfers of unknown outcome accounts for the difference: a transfer was lost, or one that failed took "
          "effect.",
      *read.event);
}

Verdict BankChecker::run() {
  verdict_.checker = "bank";
  if (!collect()) return std::move(verdict_);
  if (!amounts_are_sane()) {
    verdict_.validity = Validity::unknown;
    verdict_.reason = "the amounts or their number are beyond what this checker adds up without overflow";
    return std::move(verdict_);
  }
  std::size_t finals = 0;
  for (const BankRead& read : reads_) {
    check_read(read);
    if (read.final) check_final_balances(read, ++finals);
  }
  if (finals == 0) verdict_.reason = "there was no final read, so only totals were checked";
  verdict_.counts.assign(counts_.begin(), counts_.end());
  if (!verdict_.anomalies.empty()) verdict_.validity = Validity::invalid;
  return std::move(verdict_);
}

}  // namespace

Verdict check_bank(const History& history, const BankOptions& options) { return BankChecker(history, options).run(); }

}  // namespace polarsim::checkers
