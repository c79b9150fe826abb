#include "checkers/transfer_solver.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace polarsim::checkers {

namespace {

// Equal transfers between two different accounts; accounts are dense numbers here.
struct Kind {
  std::size_t from = 0, to = 0;
  std::int64_t amount = 0;
  std::int64_t available = 0;
};

// Depth-first search over the numbers of each kind that took effect. An account's missing gain must stay within what
// the kinds still open can give or take; an account whose kinds are all settled must be exactly right.
class TransferSearch {
 public:
  TransferSearch(std::vector<Kind> kinds, std::vector<std::int64_t> missing)
      : kinds_(std::move(kinds)), missing_(std::move(missing)) {
    order_kinds();
    can_give_.assign(missing_.size(), 0);
    can_take_.assign(missing_.size(), 0);
    for (const Kind& kind : kinds_) open_kind(kind, 1);
  }

  Explained run(std::uint64_t node_limit) {
    for (std::size_t account = 0; account < missing_.size(); ++account) {
      if (!feasible(account)) return Explained::no;
    }
    std::vector<std::int64_t> taken(kinds_.size(), -1);  // how many of each kind are assumed to have taken effect
    std::size_t depth = 0;
    std::uint64_t nodes = 0;
    while (true) {
      if (depth == kinds_.size()) return Explained::yes;
      const Kind& kind = kinds_[depth];
      if (taken[depth] < 0) {
        open_kind(kind, -1);
      } else {
        move(kind, -taken[depth]);
      }
      if (++taken[depth] > kind.available) {
        taken[depth] = -1;
        open_kind(kind, 1);
        if (depth == 0) return Explained::no;
        --depth;
        continue;
      }
      if (++nodes > node_limit) return Explained::undecided;
      move(kind, taken[depth]);
      if (feasible(kind.from) && feasible(kind.to)) ++depth;
    }
  }

 private:
  // Kinds of the account with the fewest open ones first, so that accounts are settled, and mistakes seen, early.
  void order_kinds() {
    std::vector<std::size_t> degree(missing_.size(), 0);
    for (const Kind& kind : kinds_) {
      ++degree[kind.from];
      ++degree[kind.to];
    }
    std::vector<Kind> rest = std::move(kinds_);
    kinds_.clear();
    while (!rest.empty()) {
      std::size_t best = missing_.size();
      for (std::size_t account = 0; account < missing_.size(); ++account) {
        if (degree[account] > 0 && (best == missing_.size() || degree[account] < degree[best])) best = account;
      }
      std::vector<Kind> later;
      for (const Kind& kind : rest) {
        if (kind.from != best && kind.to != best) {
          later.push_back(kind);
          continue;
        }
        --degree[kind.from];
        --degree[kind.to];
        kinds_.push_back(kind);
      }
      rest = std::move(later);
    }
  }

  void open_kind(const Kind& kind, std::int64_t sign) {
    can_give_[kind.to] += sign * kind.amount * kind.available;
    can_take_[kind.from] += sign * kind.amount * kind.available;
  }

  void move(const Kind& kind, std::int64_t count) {
    missing_[kind.from] += kind.amount * count;
    missing_[kind.to] -= kind.amount * count;
  }

  bool feasible(std::size_t account) const {
    return missing_[account] <= can_give_[account] && missing_[account] >= -can_take_[account];
  }

  std::vector<Kind> kinds_;
  std::vector<std::int64_t> missing_;   // by account: the gain that the kinds settled so far leave unexplained
  std::vector<std::int64_t> can_give_;  // by account: the most that open kinds can add
  std::vector<std::int64_t> can_take_;  // and take away
};

}  // namespace

Explained explain_effects(const std::vector<Transfer>& transfers, const Balances& effects, std::uint64_t node_limit) {
  std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t>, std::int64_t> counted;
  std::map<std::int64_t, std::int64_t> group;  // account -> the group's representative, followed to its end
  const auto representative = [&](std::int64_t account) {
    while (group.at(account) != account) account = group.at(account);
    return account;
  };
  for (const auto& [account, gain] : effects) group.try_emplace(account, account);
  for (const Transfer& transfer : transfers) {
    if (transfer.from == transfer.to || transfer.amount == 0) continue;
    // A negative amount is a transfer the other way.
    const bool forward = transfer.amount > 0;
    const std::int64_t from = forward ? transfer.from : transfer.to;
    const std::int64_t to = forward ? transfer.to : transfer.from;
    ++counted[{from, to, forward ? transfer.amount : -transfer.amount}];
    group.try_emplace(from, from);
    group.try_emplace(to, to);
    const std::int64_t a = representative(from);
    const std::int64_t b = representative(to);
    group[std::max(a, b)] = std::min(a, b);
  }

  struct Part {
    std::map<std::int64_t, std::size_t> numbers;
    std::vector<std::int64_t> missing;
    std::vector<Kind> kinds;
  };
  std::map<std::int64_t, Part> parts;
  for (const auto& [account, parent] : group) {
    Part& part = parts[representative(account)];
    part.numbers.emplace(account, part.missing.size());
    part.missing.push_back(0);
  }
  for (const auto& [account, gain] : effects) {
    Part& part = parts[representative(account)];
    part.missing[part.numbers[account]] = gain;
  }
  for (const auto& [kind, count] : counted) {
    const auto& [from, to, amount] = kind;
    Part& part = parts[representative(from)];
    part.kinds.push_back({part.numbers[from], part.numbers[to], amount, count});
  }

  Explained result = Explained::yes;
  for (auto& [account, part] : parts) {
    const Explained one = TransferSearch(std::move(part.kinds), std::move(part.missing)).run(node_limit);
    if (one == Explained::no) return Explained::no;
    if (one == Explained::undecided) result = Explained::undecided;
  }
  return result;
}

}  // namespace polarsim::checkers
