#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "checkers/balance_sums.h"
#include "checkers/checkers.h"
#include "checkers/test_histories.h"
#include "checkers/transfer_solver.h"

namespace polarsim::checkers {
namespace {

using test::history_of;
using test::names_of;
using Names = std::set<std::string>;

constexpr BankOptions three_accounts{.accounts = 3, .initial_balance = 10, .negative_allowed = false};

History with_final_read(std::vector<std::string> lines, const std::string& balances) {
  lines.push_back("invoke 99 read nil");
  lines.push_back("ok 99 read " + balances);
  History history = history_of(lines);
  history.events.back().extra.emplace_back("final?", "true");
  return history;
}

std::string transfer(int from, int to, int amount) {
  return "transfer {:from " + std::to_string(from) + " :to " + std::to_string(to) + " :amount " +
         std::to_string(amount) + "}";
}

TEST(Bank, AcknowledgedTransfersShow) {
  const std::vector<std::string> lines = {"invoke 0 " + transfer(0, 1, 4), "ok 0 " + transfer(0, 1, 4)};
  const Verdict good = check_bank(with_final_read(lines, "{0 6, 1 14, 2 10}"), three_accounts);
  EXPECT_EQ(good.validity, Validity::valid);
  EXPECT_EQ(good.reason, "");
  EXPECT_EQ(good.operations_checked, 2U);
  const Verdict lost = check_bank(with_final_read(lines, "{0 10, 1 10, 2 10}"), three_accounts);
  EXPECT_EQ(lost.validity, Validity::invalid);
  EXPECT_EQ(names_of(lost.anomalies), Names{"bank-lost-transfer"});
  EXPECT_NE(lost.anomalies[0].explanation.find("account 0 by +4, account 1 by -4"), std::string::npos)
      << lost.anomalies[0].explanation;
  EXPECT_EQ(lost.anomalies[0].operations, std::vector<std::int64_t>{3});
}

TEST(Bank, FailedTransfersDoNotShow) {
  const std::vector<std::string> lines = {"invoke 0 " + transfer(0, 1, 4), "fail 0 " + transfer(0, 1, 4)};
  EXPECT_EQ(check_bank(with_final_read(lines, "{0 10, 1 10, 2 10}"), three_accounts).validity, Validity::valid);
  EXPECT_EQ(names_of(check_bank(with_final_read(lines, "{0 6, 1 14, 2 10}"), three_accounts).anomalies),
            Names{"bank-lost-transfer"});
}

TEST(Bank, UncertainTransfersShowOrNot) {
  const std::vector<std::string> lines = {"invoke 0 " + transfer(0, 1, 4), "info 0 nil",
                                          "invoke 1 " + transfer(0, 2, 4), "invoke 2 " + transfer(1, 2, 1)};
  for (const char* balances : {"{0 10, 1 10, 2 10}", "{0 6, 1 14, 2 10}", "{0 6, 1 10, 2 14}", "{0 2, 1 13, 2 15}"}) {
    EXPECT_EQ(check_bank(with_final_read(lines, balances), three_accounts).validity, Validity::valid) << balances;
  }
  for (const char* balances : {"{0 8, 1 12, 2 10}", "{0 10, 1 8, 2 12}", "{0 14, 1 6, 2 10}"}) {
    EXPECT_EQ(check_bank(with_final_read(lines, balances), three_accounts).validity, Validity::invalid) << balances;
  }
}

TEST(Bank, TotalsMustHoldAtRest) {
  const Verdict final = check_bank(with_final_read({}, "{0 10, 1 10, 2 9}"), three_accounts);
  EXPECT_EQ(names_of(final.anomalies), Names{"bank-total"});
  EXPECT_NE(final.anomalies[0].explanation.find("shows a total of 29, and it should be 30"), std::string::npos);
}

TEST(Bank, FracturedReadsInBetweenAreExposed) {
  const Verdict verdict = check_bank(with_final_read({"invoke 1 " + transfer(2, 0, 1), "invoke 0 read nil",
                                                      "ok 0 read {0 10, 1 10, 2 9}", "ok 1 " + transfer(2, 0, 1)},
                                                     "{0 11, 1 10, 2 9}"),
                                     three_accounts);
  EXPECT_EQ(verdict.validity, Validity::valid);
  EXPECT_EQ(names_of(verdict.exposures), Names{"fractured-read"});
  EXPECT_EQ(test::count_of(verdict, "fractured-read"), 1U);
}

TEST(Bank, UnknownWithoutAFinalRead) {
  const Verdict verdict = check_bank(history_of({"invoke 0 read nil", "ok 0 read {0 10, 1 10, 2 10}"}), three_accounts);
  EXPECT_EQ(verdict.validity, Validity::unknown);
  EXPECT_EQ(verdict.reason, "there was no final read, so it is not known whether a transfer was lost");
  EXPECT_EQ(check_bank(History{}, three_accounts).validity, Validity::unknown);
}

TEST(Bank, NegativeBalances) {
  const History history =
      with_final_read({"invoke 0 " + transfer(0, 1, 11), "ok 0 " + transfer(0, 1, 11)}, "{0 -1, 1 21, 2 10}");
  EXPECT_EQ(names_of(check_bank(history, three_accounts).anomalies), Names{"bank-negative"});
  BankOptions overdraft = three_accounts;
  overdraft.negative_allowed = true;
  EXPECT_EQ(check_bank(history, overdraft).validity, Validity::valid);
}

TEST(Bank, EveryReadShowsEveryAccountOnce) {
  const std::vector<std::string> short_read = {"invoke 0 read nil", "ok 0 read {0 10, 1 20}"};
  const Verdict missing = check_bank(with_final_read(short_read, "{0 10, 1 10, 2 10}"), three_accounts);
  EXPECT_EQ(missing.validity, Validity::invalid);
  EXPECT_TRUE(names_of(missing.anomalies).contains("bank-missing-account"));
  EXPECT_NE(missing.anomalies[0].explanation.find("op 1 does not show account 2"), std::string::npos)
      << missing.anomalies[0].explanation;
  EXPECT_EQ(missing.anomalies[0].operations, std::vector<std::int64_t>{1});
  EXPECT_EQ(names_of(check_bank(with_final_read({}, "{0 10, 1 20}"), three_accounts).anomalies),
            Names{"bank-missing-account"});
  const std::vector<std::string> strange = {"invoke 0 read nil", "ok 0 read {0 10, 1 10, 7 10}"};
  EXPECT_EQ(names_of(check_bank(with_final_read(strange, "{0 10, 1 10, 2 10}"), three_accounts).anomalies),
            (Names{"bank-missing-account", "bank-unknown-account"}));
  // A set of rows may hold an account twice, in place of another or besides all of them.
  for (const bool final : {true, false}) {
    History doubled = with_final_read({}, "{0 10, 1 10, 2 10}");
    History more = with_final_read({}, "{0 10, 1 10, 2 10}");
    if (!final) doubled.events.back().extra.clear();
    doubled.events.back().value = Balances{{0, 10}, {1, 10}, {1, 10}};
    more.events.back().value = Balances{{0, 10}, {1, 10}, {1, 10}, {2, 10}};
    EXPECT_EQ(names_of(check_bank(doubled, three_accounts).anomalies),
              (Names{"bank-duplicate-account", "bank-missing-account"}));
    EXPECT_EQ(names_of(check_bank(more, three_accounts).anomalies), Names{"bank-duplicate-account"});
  }
}

// One read in between, after what `lines` say; nothing of it shows at rest.
Names in_between(std::vector<std::string> lines, const std::string& balances) {
  lines.push_back("invoke 50 read nil");
  lines.push_back("ok 50 read " + balances);
  return names_of(check_bank(with_final_read(lines, "{0 10, 1 10, 2 10}"), three_accounts).anomalies);
}

TEST(Bank, BalancesInBetweenFollowFromTransfers) {
  const std::vector<std::string> uncertain = {"invoke 0 " + transfer(0, 1, 4), "info 0 nil",
                                              "invoke 1 " + transfer(0, 2, 3)};
  for (const char* balances : {"{0 10, 1 10, 2 10}", "{0 6, 1 10, 2 10}", "{0 3, 1 14, 2 10}", "{0 7, 1 10, 2 13}"})
    EXPECT_EQ(in_between(uncertain, balances), Names{}) << balances;
  for (const char* balances : {"{0 9, 1 11, 2 10}", "{0 14, 1 6, 2 10}", "{0 2, 1 14, 2 14}"})
    EXPECT_EQ(in_between(uncertain, balances), Names{"bank-phantom-balance"}) << balances;
  // A dirty read of a transfer that was then rolled back: the total is right and the end is clean.
  EXPECT_EQ(in_between({"invoke 0 " + transfer(0, 1, 4)}, "{0 6, 1 14, 2 10}"), Names{});
  EXPECT_EQ(in_between({"invoke 0 " + transfer(0, 1, 4), "fail 0 nil"}, "{0 6, 1 14, 2 10}"),
            Names{"bank-phantom-balance"});
  // A transfer asked for only after the read had ended.
  const Verdict early = check_bank(with_final_read({"invoke 0 read nil", "ok 0 read {0 6, 1 14, 2 10}",
                                                    "invoke 0 " + transfer(0, 1, 4), "info 0 nil"},
                                                   "{0 6, 1 14, 2 10}"),
                                   three_accounts);
  EXPECT_EQ(names_of(early.anomalies), Names{"bank-phantom-balance"});
  EXPECT_EQ(early.anomalies[0].operations, std::vector<std::int64_t>{1});
}

RC_GTEST_PROP(BalanceSums, AgreeWithTryingAllSubsets, ()) {
  std::vector<std::int64_t> deltas(*rc::gen::inRange<std::size_t>(0, 9));
  for (std::int64_t& delta : deltas) delta = *rc::gen::inRange<std::int64_t>(-9, 10);
  BalanceSums sums;
  for (const std::int64_t delta : deltas) sums.add(delta);
  std::set<std::int64_t> all;
  for (std::uint32_t subset = 0; subset < (1U << deltas.size()); ++subset) {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < deltas.size(); ++i) sum += ((subset >> i) & 1) * deltas[i];
    all.insert(sum);
  }
  for (std::int64_t sum = -100; sum <= 100; ++sum) RC_ASSERT(sums.reachable(sum) == all.contains(sum));
}

TEST(BalanceSums, BeyondTheirLimitTheBoundsRemain) {
  BalanceSums sums;
  for (std::int64_t bit = 0; bit < 20; ++bit) sums.add(std::int64_t{2} << bit);
  sums.add(-10);
  EXPECT_TRUE(sums.reachable(-10));
  EXPECT_TRUE(sums.reachable(1 << 20));
  EXPECT_FALSE(sums.reachable(-11));
  EXPECT_FALSE(sums.reachable(std::int64_t{1} << 21));
}

TEST(Bank, ExamplesAreFewCountsAreComplete) {
  std::vector<std::string> lines = {"invoke 1 " + transfer(2, 0, 1)};
  for (int i = 0; i < 50; ++i) {
    lines.push_back("invoke 0 read nil");
    lines.push_back("ok 0 read {0 10, 1 10, 2 9}");
  }
  const Verdict verdict = check_bank(history_of(lines), three_accounts);
  EXPECT_EQ(verdict.exposures.size(), 4U);
  EXPECT_EQ(test::count_of(verdict, "fractured-read"), 50U);
}

TEST(Bank, SaysUnknownWhenItCannotTell) {
  EXPECT_EQ(check_bank(history_of({"invoke 0 read nil", "ok 0 read :all"}), three_accounts).validity,
            Validity::unknown);
  EXPECT_EQ(check_bank(history_of({"invoke 0 transfer {:from 0 :to 1 :amount 9000000000000000000}"}), three_accounts)
                .validity,
            Validity::unknown);
}

// A knapsack over two accounts that no pruning helps with: the limit ends the search, and the verdict says so.
TEST(Bank, UnknownBeyondTheSearchLimit) {
  std::vector<std::string> lines;
  std::int64_t amount = 1'000'003;
  for (int i = 0; i < 60; ++i) {
    amount = (amount * 48271) % 2147483647;
    lines.push_back("invoke " + std::to_string(i) + " transfer {:from 0 :to 1 :amount " + std::to_string(2 * amount) +
                    "}");
  }
  const Verdict verdict = check_bank(with_final_read(lines, "{0 -30000000001, 1 30000000021, 2 10}"), {3, 10, true});
  EXPECT_EQ(verdict.validity, Validity::unknown);
  EXPECT_NE(verdict.reason.find("was not decided within the search limit"), std::string::npos) << verdict.reason;
}

// The solver against all subsets.
RC_GTEST_PROP(TransferSolver, AgreesWithTryingAllSubsets, ()) {
  const auto small = rc::gen::inRange<std::int64_t>(0, 4);
  std::vector<Transfer> transfers(*rc::gen::inRange<std::size_t>(0, 9));
  for (Transfer& t : transfers) t = {*small, *small, *rc::gen::inRange<std::int64_t>(-1, 5)};
  std::map<std::int64_t, std::int64_t> gains;
  const auto taken = *rc::gen::arbitrary<std::uint32_t>();
  for (std::size_t i = 0; i < transfers.size(); ++i) {
    if (((taken >> i) & 1) == 0) continue;
    gains[transfers[i].from] -= transfers[i].amount;
    gains[transfers[i].to] += transfers[i].amount;
  }
  // Effects that the transfers do not have, whether or not they cancel out.
  if (*rc::gen::arbitrary<bool>()) gains[*small] += *rc::gen::inRange<std::int64_t>(-1, 2);
  if (*rc::gen::arbitrary<bool>()) gains[*small] += *rc::gen::inRange<std::int64_t>(-1, 2);
  bool possible = false;
  for (std::uint32_t subset = 0; subset < (1U << transfers.size()); ++subset) {
    auto rest = gains;
    for (std::size_t i = 0; i < transfers.size(); ++i) {
      if (((subset >> i) & 1) == 0) continue;
      rest[transfers[i].from] += transfers[i].amount;
      rest[transfers[i].to] -= transfers[i].amount;
    }
    possible = possible || std::all_of(rest.begin(), rest.end(), [](const auto& entry) { return entry.second == 0; });
  }
  const Explained explained = explain_effects(transfers, Balances(gains.begin(), gains.end()), 1'000'000);
  RC_ASSERT(explained == (possible ? Explained::yes : Explained::no));
}

TEST(PreparedResidue, NothingMayRemain) {
  EXPECT_EQ(check_prepared_residue({}).validity, Validity::valid);
  const Verdict verdict = check_prepared_residue({{"dn1", "polar_0_17_3"}, {"dn2", "polar_0_17_3"}});
  EXPECT_EQ(verdict.validity, Validity::invalid);
  EXPECT_EQ(verdict.anomalies.size(), 2U);
  EXPECT_NE(verdict.anomalies[0].explanation.find("polar_0_17_3 is still prepared on node dn1"), std::string::npos);
}

TEST(Checkers, AreListedByName) {
  std::set<std::string> names;
  for (const CheckerInfo& info : list_checkers()) names.insert(info.name);
  EXPECT_EQ(names, (std::set<std::string>{"anomaly-meter", "bank", "list-append", "prepared-residue",
                                          "read-committed-cluster", "rw-register"}));
}

TEST(Verdicts, TheWorseOneWins) {
  EXPECT_EQ(combine(Validity::valid, Validity::unknown), Validity::unknown);
  EXPECT_EQ(combine(Validity::invalid, Validity::unknown), Validity::invalid);
  EXPECT_EQ(combine(Validity::valid, Validity::valid), Validity::valid);
  EXPECT_STREQ(to_string(Validity::unknown), "unknown");
}

}  // namespace
}  // namespace polarsim::checkers
