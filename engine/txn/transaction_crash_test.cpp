// Transactions of several sessions, checkpoints beside them, and a crash at some instant, again and again on the same
// disk: what was acknowledged has to be there, what was not may be either, and nothing comes back.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/txn/transaction_test_support.h"

namespace polarsim::engine::txn {
namespace {

using testing::OpenTransactions;
using testing::TransactionHost;

enum class Fate : std::uint8_t {
  undecided,  // nobody was told anything
  committed,
  aborted,
  committing,  // whoever asked has no answer
  aborting,    // of a prepared one: as committing
  preparing,   // as committing; if it was prepared, it still is
  prepared,
};

// What the clients know.
struct Known {
  struct Entry {
    Fate fate = Fate::undecided;
    std::string gid;
    std::vector<Xid> kept, undone;  // subtransactions
  };
  std::map<Xid, Entry> transactions;
  std::set<Xid> given_out;
  int gids = 0;
};

class Client {
 public:
  Client(OpenTransactions& open, Known& known, std::uint32_t process_id)
      : open_(open), known_(known), backend_(open.host, process_id), random_(open.host.random("client")) {}

  void run() {
    for (;;) {
      if (random_.below(4) == 0) {
        finish_one();
      } else {
        write_one();
      }
      open_.sleep_us(static_cast<std::int64_t>(random_.below(300)));
    }
  }

 private:
  Xid assign(Transaction& transaction) {
    const std::size_t before = open_.manager.is_own(transaction, transaction.level().xid) ? 1 : 0;
    const Xid xid = open_.manager.assign_xid(transaction);
    if (before == 0) {
      EXPECT_TRUE(known_.given_out.insert(xid).second) << xid << " again";
    }
    return xid;
  }

  void write_one() {
    Transaction& transaction = open_.manager.begin(backend_);
    const Xid xid = assign(transaction);
    transaction.wrote = true;
    Known::Entry& entry = known_.transactions[xid];
    for (std::uint64_t i = random_.below(3); i > 0; --i) {
      open_.manager.savepoint(transaction, "s");
      const Xid sub = assign(transaction);
      const std::uint64_t choice = random_.below(3);
      if (choice == 0) open_.manager.rollback_to(transaction, "s");
      if (choice == 1) open_.manager.release(transaction, "s");
      (choice == 0 ? entry.undone : entry.kept).push_back(sub);
      if (choice == 0) open_.manager.release(transaction, "s");
    }
    if (random_.below(3) == 0) open_.manager.multixacts().create({{xid, MemberStatus::share}});
    open_.sleep_us(static_cast<std::int64_t>(random_.below(200)));
    switch (random_.below(5)) {
      case 0:
        open_.manager.abort(transaction);
        entry.fate = Fate::aborted;
        return;
      case 1:
      case 2:
        entry.gid = "g" + std::to_string(++known_.gids);
        entry.fate = Fate::preparing;
        open_.manager.prepare(transaction, entry.gid);
        entry.fate = Fate::prepared;
        return;
      default:
        entry.fate = Fate::committing;
        open_.manager.commit(transaction);
        entry.fate = Fate::committed;
        return;
    }
  }

  void finish_one() {
    std::vector<Xid> candidates;
    for (const auto& [xid, entry] : known_.transactions) {
      if (entry.fate == Fate::prepared) candidates.push_back(xid);
    }
    if (candidates.empty()) return;
    Known::Entry& entry = known_.transactions[candidates[random_.below(candidates.size())]];
    const bool commit = random_.below(2) == 0;
    entry.fate = commit ? Fate::committing : Fate::aborting;
    open_.manager.finish_prepared(entry.gid, commit);
    entry.fate = commit ? Fate::committed : Fate::aborted;
  }

  OpenTransactions& open_;
  Known& known_;
  Backend backend_;
  sim::RandomStream& random_;
};

// Identifiers that the crash took back may be given out again. Nothing durable can name them: the log has lost the
// record that reserves them, and with it all later ones.
void forget_lost(OpenTransactions& open, Known& known) {
  const Xid next = storage::xid_of(open.manager.next_xid());
  const auto lost = [&](Xid xid) { return !storage::xid_precedes(xid, next); };
  std::erase_if(known.given_out, lost);
  std::erase_if(known.transactions, [&](const auto& item) {
    const Known::Entry& entry = item.second;
    if (!lost(item.first)) return false;
    EXPECT_TRUE(entry.fate != Fate::committed && entry.fate != Fate::prepared) << item.first << " was acknowledged";
    return true;
  });
  for (auto& [xid, entry] : known.transactions) {
    const std::size_t lost_ones = std::erase_if(entry.kept, lost) + std::erase_if(entry.undone, lost);
    EXPECT_TRUE(lost_ones == 0 || (entry.fate != Fate::committed && entry.fate != Fate::prepared)) << xid;
  }
}

// After a restart: compares, and from now on knows what became of what was open.
void check(OpenTransactions& open, Known& known) {
  forget_lost(open, known);
  std::map<std::string, Xid> prepared;
  for (const PreparedInfo& info : open.manager.prepared()) prepared[info.gid] = info.xid;
  for (auto& [xid, entry] : known.transactions) {
    const bool is_prepared = prepared.erase(entry.gid) != 0;
    const bool committed = open.manager.status(xid) == XidStatus::committed;
    const auto allowed = [&](bool may_commit, bool may_abort, bool may_be_prepared) {
      EXPECT_TRUE(is_prepared ? may_be_prepared
                  : committed ? may_commit
                              : may_abort)
          << xid << " of fate " << static_cast<int>(entry.fate) << " is "
          << (is_prepared ? "prepared"
              : committed ? "committed"
                          : "aborted");
    };
    switch (entry.fate) {
      case Fate::undecided:
      case Fate::aborted:
        allowed(false, true, false);
        break;
      case Fate::committed:
        allowed(true, false, false);
        break;
      case Fate::committing:
        allowed(true, entry.gid.empty(), !entry.gid.empty());
        break;
      case Fate::aborting:
        allowed(false, true, true);
        break;
      case Fate::preparing:
        allowed(false, true, true);
        break;
      case Fate::prepared:
        allowed(false, false, true);
        break;
    }
    EXPECT_EQ(open.manager.is_prepared(xid), is_prepared);
    for (const Xid sub : entry.kept) EXPECT_EQ(open.manager.status(sub), open.manager.status(xid));
    for (const Xid sub : entry.undone) EXPECT_EQ(open.manager.status(sub), XidStatus::aborted);
    entry.fate = is_prepared ? Fate::prepared : committed ? Fate::committed : Fate::aborted;
  }
  EXPECT_TRUE(prepared.empty()) << "prepared, but nobody knows of it";
}

struct Totals {
  std::size_t committed = 0, aborted = 0, prepared = 0;
};

Totals crash_again_and_again(std::uint64_t seed, NodeConfig config, bool unordered_names) {
  TransactionHost node(seed, sim::SchedulingPolicy::random);
  config.initial_xid = seed % 3 == 0 ? 0xFFFFFFFF - 300 : 3;
  node.config = config;
  sim::DiskParameters parameters = node.disk().parameters();
  parameters.unordered_names = unordered_names;
  node.disk().set_parameters(parameters);
  Known known;
  sim::RandomStream& random = node.simulation().random("crashes");
  for (int boot = 0; boot < 8; ++boot) {
    node.crash_after(sim::Duration(static_cast<std::int64_t>(random.below(60'000'000))));
    node.run_transactions([&](OpenTransactions& open) {
      check(open, known);
      for (std::uint32_t i = 1; i <= 3; ++i) {
        open.spawn([&open, &known, i] { Client(open, known, i).run(); });
      }
      for (;;) {
        open.sleep_us(static_cast<std::int64_t>(open.host.random("checkpoints").below(6000)));
        open.checkpointer.run();
      }
    });
    EXPECT_EQ(node.error(), "");
  }
  Totals totals;
  node.run_transactions([&](OpenTransactions& open) {
    check(open, known);
    for (const auto& [xid, entry] : known.transactions) {
      if (entry.fate == Fate::prepared) open.manager.finish_prepared(entry.gid, true);
    }
    EXPECT_EQ(open.manager.open_transactions(), 0U);
    EXPECT_EQ(open.locks.locked_things(), 0U);
    open.checkpointer.run();
    EXPECT_EQ(open.host.disk().list("twophase/"), std::vector<std::string>{});
  });
  EXPECT_TRUE(node.finished()) << node.error();
  for (const auto& [xid, entry] : known.transactions) {
    ++(entry.fate == Fate::committed ? totals.committed
       : entry.fate == Fate::aborted ? totals.aborted
                                     : totals.prepared);
  }
  return totals;
}

TEST(TransactionCrashes, LeaveWhatWasAcknowledged) {
  Totals totals;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const Totals some = crash_again_and_again(seed, {}, seed % 2 == 0);
    totals.committed += some.committed;
    totals.aborted += some.aborted;
    totals.prepared += some.prepared;
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
  EXPECT_GT(totals.committed, 1000U);
  EXPECT_GT(totals.aborted, 1000U);
  EXPECT_GT(totals.prepared, 300U);
}

// A checkpoint whose redo point lies behind a commit record that is not yet durable must not lose the commit. A crash
// at any instant of it, and after it.
TEST(TransactionCrashes, CheckpointBetweenTheCommitRecordAndItsEffect) {
  int acknowledged = 0;
  for (std::int64_t crash_us = 0; crash_us < 12'000; crash_us += 40) {
    TransactionHost node(static_cast<std::uint64_t>(crash_us + 1));
    std::vector<Xid> told;
    node.run_transactions([&](OpenTransactions& open) {
      Backend a(open.host, 1);
      Backend b(open.host, 2);
      node.crash_after(sim::Duration(crash_us * 1000));
      Transaction& committed = open.writer(a);
      Transaction& prepared = open.writer(b);
      const sim::TaskRef first = open.spawn([&open, &committed, &told] {
        const Xid xid = committed.top_xid();
        open.manager.commit(committed);
        told.push_back(xid);
      });
      const sim::TaskRef second = open.spawn([&open, &prepared, &told] {
        const Xid xid = prepared.top_xid();
        open.manager.prepare(prepared, "g");
        open.manager.finish_prepared("g", true);
        told.push_back(xid);
      });
      // The records are written when the checkpoint begins; nothing has been synced.
      open.sleep_us(crash_us % 3);
      open.checkpointer.run();
      open.join(first);
      open.join(second);
      open.sleep_us(20'000);
    });
    acknowledged += static_cast<int>(told.size());
    node.run_transactions([&](OpenTransactions& open) {
      for (const Xid xid : told) EXPECT_EQ(open.status(xid), "committed") << crash_us;
      if (told.size() == 2) {
        EXPECT_EQ(open.prepared(), "");
      }
    });
    ASSERT_TRUE(node.finished()) << node.error();
  }
  EXPECT_GT(acknowledged, 100);
}

// Outcomes that need no flush are in memory before the log has their identifiers. A checkpoint may write them, and a
// crash then take the identifiers back: who gets them next must not be told what became of the former owner.
TEST(TransactionCrashes, IdentifiersGivenOutAgainHaveNoOutcome) {
  constexpr int count = 600;  // more than are reserved at once
  TransactionHost node;
  Xid last = 0;
  node.run_transactions([&](OpenTransactions& open) {
    node.simulation().fault_points().arm("checkpoint/multixacts-written", "n", 1,
                                         {sim::FaultAction::Kind::crash, {}, {}});
    open.spawn([&] {
      // The checkpoint waits for the log.
      open.sleep_us(20);
      Backend a(open.host, 1);
      for (int i = 0; i < count; ++i) {
        Transaction& locker = open.manager.begin(a);
        last = open.manager.assign_xid(locker);
        i % 2 == 0 ? open.manager.commit(locker) : open.manager.abort(locker);
      }
    });
    Backend b(open.host, 2);
    open.writer(b);
    open.checkpointer.run();
    ADD_FAILURE() << "no crash";
  });
  int again = 0;
  node.run_transactions([&](OpenTransactions& open) {
    Backend a(open.host, 1);
    for (int i = 0; i < count; ++i) {
      Transaction& transaction = open.writer(a);
      if (storage::xid_precedes_or_equals(transaction.top_xid(), last)) ++again;
      EXPECT_EQ(open.status(transaction.top_xid()), "in progress");
      open.manager.abort(transaction);
    }
  });
  EXPECT_TRUE(node.finished()) << node.error();
  EXPECT_GT(again, 10) << "the crash took nothing back";
}

TEST(TransactionCrashes, AtEachPointOfACheckpointKeepPreparedOnes) {
  for (const char* point : {"checkpoint/start", "checkpoint/commit-log-written", "checkpoint/multixacts-written",
                            "checkpoint/prepared-written", "checkpoint/synced", "checkpoint/record-written",
                            "checkpoint/control-written"}) {
    for (const bool finish : {false, true}) {
      TransactionHost node;
      node.run_transactions([&](OpenTransactions& open) {
        Backend a(open.host, 1);
        open.manager.prepare(open.writer(a), "g");
        open.checkpointer.run();
        if (finish) open.manager.finish_prepared("g", true);
        node.simulation().fault_points().arm(point, "n", 1, {sim::FaultAction::Kind::crash, {}, {}});
        open.checkpointer.run();
        ADD_FAILURE() << "no crash at " << point;
      });
      node.run_transactions(
          [&](OpenTransactions& open) { EXPECT_EQ(open.manager.prepared().size(), finish ? 0U : 1U); });
      ASSERT_TRUE(node.finished()) << node.error() << " " << point;
    }
  }
}

}  // namespace
}  // namespace polarsim::engine::txn
