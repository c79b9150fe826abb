// The bank checker: money is neither made nor lost, and what an account holds in the end follows from the transfers.
#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <iterator>
#include <map>
#include <string>
#include <utility>

#include "checkers/balance_sums.h"
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
  void find_accounts();
  void check_read(const BankRead& read);
  bool check_accounts(const BankRead& read);
  void check_balances_in_between();
  void check_balances(const BankRead& read, const boost::unordered_flat_map<std::int64_t, BalanceSums>& gains);
  void not_decided(std::string why);
  void check_final_balances(const BankRead& read);
  std::string total_problem(const BankRead& read) const;
  void add(std::vector<Anomaly>& to, const char* name, std::string explanation, const Event& event);
  bool amounts_are_sane() const;

  const History& history_;
  const BankOptions& options_;
  std::vector<BankTransfer> transfers_;
  std::vector<BankRead> reads_;
  std::vector<std::int64_t> accounts_;  // sorted; empty if no read shows as many as there are
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

void BankChecker::not_decided(std::string why) {
  if (verdict_.reason.empty()) verdict_.reason = std::move(why);
}

// The accounts a read shows, each once, sorted.
std::vector<std::int64_t> accounts_of(const BankRead& read) {
  std::vector<std::int64_t> accounts;
  for (const auto& [account, balance] : *read.balances) accounts.push_back(account);
  std::sort(accounts.begin(), accounts.end());
  accounts.erase(std::unique(accounts.begin(), accounts.end()), accounts.end());
  return accounts;
}

// Histories number accounts as they like, so which there are follows from a read with the right number of them: the
// first at rest, or else the first at all.
void BankChecker::find_accounts() {
  for (const bool final : {true, false}) {
    for (const BankRead& read : reads_) {
      if (read.final != final || !accounts_.empty()) continue;
      std::vector<std::int64_t> accounts = accounts_of(read);
      if (static_cast<std::int64_t>(accounts.size()) == options_.accounts) accounts_ = std::move(accounts);
    }
  }
}

// Every read shows every account exactly once. Accounts are neither opened nor closed, so no level permits less.
bool BankChecker::check_accounts(const BankRead& read) {
  const std::vector<std::int64_t> shown = accounts_of(read);
  const auto add_problem = [&](const char* name, const std::string& what) {
    add(verdict_.anomalies, name,
        op_text(*read.event) + " " + what + "; every read must show each of the " + std::to_string(options_.accounts) +
            " accounts once.",
        *read.event);
  };
  bool good = true;
  if (shown.size() < read.balances->size()) {
    good = false;
    Balances sorted = *read.balances;
    std::sort(sorted.begin(), sorted.end());
    const auto twice = std::adjacent_find(sorted.begin(), sorted.end(),
                                          [](const auto& a, const auto& b) { return a.first == b.first; });
    add_problem("bank-duplicate-account", "shows account " + std::to_string(twice->first) + " more than once");
  }
  const bool known = !accounts_.empty();
  std::vector<std::int64_t> missing;
  std::set_difference(accounts_.begin(), accounts_.end(), shown.begin(), shown.end(), std::back_inserter(missing));
  if (!missing.empty() || static_cast<std::int64_t>(shown.size()) < options_.accounts) {
    good = false;
    add_problem("bank-missing-account", missing.empty() ? "shows only " + std::to_string(shown.size()) + " accounts"
                                                        : "does not show account " + std::to_string(missing.front()));
  }
  std::vector<std::int64_t> unknown;
  if (known) {
    std::set_difference(shown.begin(), shown.end(), accounts_.begin(), accounts_.end(), std::back_inserter(unknown));
  }
  if (!unknown.empty() || static_cast<std::int64_t>(shown.size()) > options_.accounts) {
    good = false;
    add_problem("bank-unknown-account", unknown.empty() ? "shows " + std::to_string(shown.size()) + " accounts"
                                                        : "shows account " + std::to_string(unknown.front()) +
                                                              ", which no read with the right number of accounts has");
  }
  return good;
}

// A read in between may see one half of a transfer and not the other, but each balance is the initial one plus what
// some of the transfers asked for until then moved; those that failed moved nothing.
void BankChecker::check_balances(const BankRead& read,
                                 const boost::unordered_flat_map<std::int64_t, BalanceSums>& gains) {
  for (const auto& [account, balance] : *read.balances) {
    std::int64_t gain = 0;
    const bool overflow = __builtin_sub_overflow(balance, options_.initial_balance, &gain);
    const auto known = gains.find(account);
    if (!overflow && (known == gains.end() ? gain == 0 : known->second.reachable(gain))) continue;
    add(verdict_.anomalies, "bank-phantom-balance",
        op_text(*read.event) + " shows a balance of " + std::to_string(balance) + " in account " +
            std::to_string(account) + ", which began with " + std::to_string(options_.initial_balance) +
            ": no set of the transfers asked for before the read ended, failed ones left out, makes that difference. "
            "It saw a transfer that failed, or an update was lost.",
        *read.event);
    return;
  }
}

void BankChecker::check_balances_in_between() {
  std::vector<const BankRead*> reads;
  for (const BankRead& read : reads_) {
    if (!read.final) reads.push_back(&read);
  }
  std::sort(reads.begin(), reads.end(),
            [](const BankRead* a, const BankRead* b) { return a->completed < b->completed; });
  boost::unordered_flat_map<std::int64_t, BalanceSums> gains;
  auto next = transfers_.begin();  // They are in order of invocation.
  for (const BankRead* read : reads) {
    for (; next != transfers_.end() && next->invoked < read->completed; ++next) {
      const Transfer& transfer = next->transfer;
      if (next->outcome == EventType::fail || transfer.from == transfer.to) continue;
      gains[transfer.from].add(-transfer.amount);
      gains[transfer.to].add(transfer.amount);
    }
    check_balances(*read, gains);
  }
}

// Why a read of all accounts does not show all the money; empty if it does.
std::string BankChecker::total_problem(const BankRead& read) const {
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
  if (!check_accounts(read)) return;  // No total follows from the wrong accounts.
  const std::string problem = total_problem(read);
  if (problem.empty()) {
    if (read.final) check_final_balances(read);
    return;
  }
  if (read.final) {
    add(verdict_.anomalies, "bank-total", op_text(*read.event) + ", a read at rest, " + problem + ".", *read.event);
  } else {
    add(verdict_.exposures, "fractured-read",
        op_text(*read.event) + " " + problem + ": it saw one part of some transfer and not the other.", *read.event);
  }
}

// Transfers acknowledged before the read must be in it, those that failed or were asked for later must not; the others
// may be.
void BankChecker::check_final_balances(const BankRead& read) {
  std::map<std::int64_t, std::int64_t> gains;
  for (const auto& [account, balance] : *read.balances) {
    if (balance < -largest_amount || balance > largest_amount) {
      not_decided(op_text(*read.event) + " shows a balance beyond what this checker adds up without overflow");
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
    not_decided(op_text(*read.event) + ", a final read: the total is right, but whether some subset of " +
                std::to_string(uncertain.size()) +
                " uncertain transfers explains the balances was not decided within the search limit");
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
  find_accounts();
  for (const BankRead& read : reads_) check_read(read);
  check_balances_in_between();
  const bool at_rest = std::any_of(reads_.begin(), reads_.end(), [](const BankRead& read) { return read.final; });
  if (!at_rest) not_decided("there was no final read, so it is not known whether a transfer was lost");
  verdict_.counts.assign(counts_.begin(), counts_.end());
  // What was not decided is no pass.
  if (!verdict_.reason.empty()) verdict_.validity = Validity::unknown;
  if (!verdict_.anomalies.empty()) verdict_.validity = Validity::invalid;
  return std::move(verdict_);
}

}  // namespace

Verdict check_bank(const History& history, const BankOptions& options) { return BankChecker(history, options).run(); }

}  // namespace polarsim::checkers
