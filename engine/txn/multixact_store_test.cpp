#include "engine/txn/multixact_store.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "engine/txn/transaction_test_support.h"

namespace polarsim::engine::txn {
namespace {

using storage::MultiXactId;
using testing::OpenTransactions;
using testing::outcome;
using testing::TransactionHost;

using Members = std::vector<MultiXactMember>;

Members some_members(std::size_t count, Xid first) {
  Members members;
  for (std::size_t i = 0; i < count; ++i) {
    members.push_back({first + static_cast<Xid>(i), static_cast<MemberStatus>(i % 6)});
  }
  return members;
}

TEST(MultiXacts, AreThereAfterCrashesWithAndWithoutCheckpoints) {
  TransactionHost node;
  std::map<MultiXactId, Members> made;
  for (int boot = 0; boot < 8; ++boot) {
    node.run_transactions([&](OpenTransactions& open) {
      MultiXacts& multixacts = open.manager.multixacts();
      for (const auto& [id, members] : made) EXPECT_EQ(multixacts.members(id), members) << id;
      for (std::size_t i = 0; i < 200; ++i) {
        // Some are larger than a page.
        const Members members = some_members(i == 77 ? 4000 : 2 + i % 5, static_cast<Xid>(100 * i + 3));
        const MultiXactId id = multixacts.create(members);
        EXPECT_FALSE(made.contains(id));
        made[id] = members;
        if (i == 120 && boot % 2 == 0) open.checkpointer.run();
      }
      EXPECT_EQ(outcome([&] { multixacts.members(multixacts.next()); }),
                "XX001 MultiXactId " + std::to_string(multixacts.next()) +
                    " has not been created yet -- apparent wraparound");
      open.manager.log().wal().flush(open.manager.log().wal().end());
      open.host.crash();
    });
    ASSERT_EQ(node.error(), "");
  }
  EXPECT_EQ(made.size(), 1600U);
}

TEST(MultiXacts, ThatNobodyNeedsAreForgotten) {
  TransactionHost node;
  MultiXactId oldest = 0;
  std::map<MultiXactId, Members> made;
  const auto check = [&](OpenTransactions& open) {
    for (const auto& [id, members] : made) {
      if (id < oldest) {
        EXPECT_EQ(outcome([&] { open.manager.multixacts().members(id); }),
                  "XX001 MultiXactId " + std::to_string(id) + " does no longer exist -- apparent wraparound");
      } else {
        EXPECT_EQ(open.manager.multixacts().members(id), members) << id;
      }
    }
  };
  for (int boot = 0; boot < 6; ++boot) {
    node.run_transactions([&](OpenTransactions& open) {
      check(open);
      for (std::size_t i = 0; i < 3000; ++i) {
        const Members members = some_members(3, static_cast<Xid>(1000 * boot + 3));
        made[open.manager.multixacts().create(members)] = members;
      }
      oldest = made.rbegin()->first - static_cast<MultiXactId>(boot % 3 == 0 ? 0 : 1000);
      open.manager.advance_oldest(storage::first_normal_xid, oldest);
      check(open);
      if (boot % 2 == 1) open.checkpointer.run();
      check(open);
      open.manager.log().wal().flush(open.manager.log().wal().end());
      open.host.crash();
    });
    ASSERT_EQ(node.error(), "");
  }
  node.run_transactions([&](OpenTransactions& open) {
    check(open);
    open.manager.advance_oldest(storage::first_normal_xid, open.manager.multixacts().next());
    open.checkpointer.run();
    EXPECT_EQ(open.host.disk().list("pg_multixact/"), std::vector<std::string>{"pg_multixact/manifest"});
    made.clear();
    made[open.manager.multixacts().create(some_members(2, 5))] = some_members(2, 5);
    open.checkpointer.run();
    open.host.crash();
  });
  oldest = 0;
  node.run_transactions(check);
  EXPECT_TRUE(node.finished()) << node.error();
}

TEST(MultiXacts, DamageIsRefusedWithFileAndBlock) {
  TransactionHost node;
  node.run_transactions([&](OpenTransactions& open) {
    for (int i = 0; i < 2000; ++i) open.manager.multixacts().create(some_members(3, 10));
    open.checkpointer.run();
    open.host.crash();
  });
  node.disk().damage("pg_multixact/0000", 3 * 2 * storage::page_size + 5000, 1);
  node.run_transactions([](OpenTransactions&) {});
  EXPECT_EQ(node.error(), "XX001: file \"pg_multixact/0000\" is damaged");
}

}  // namespace
}  // namespace polarsim::engine::txn
