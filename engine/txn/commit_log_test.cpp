#include "engine/txn/commit_log.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/storage/storage_test_support.h"

namespace polarsim::engine::txn {
namespace {

using storage::Xid;
using storage::testing::StorageHost;
using Outcome = CommitLog::Outcome;

constexpr Xid per_page = CommitLog::xids_per_page;

TEST(CommitLog, RemembersEachOnItsOwn) {
  StorageHost node;
  node.run([](sim::Host& host) {
    CommitLog log(host);
    std::map<Xid, Outcome> expected;
    for (Xid xid = per_page - 20; xid < per_page + 20; ++xid) {
      expected[xid] = static_cast<Outcome>(xid % 3);
      log.set(xid, expected[xid]);
    }
    for (const auto& [xid, outcome] : expected) EXPECT_EQ(log.outcome(xid), outcome) << xid;
    log.set(per_page, Outcome::aborted);
    log.set(per_page, Outcome::committed);
    EXPECT_EQ(log.outcome(per_page), Outcome::committed);
    EXPECT_EQ(log.outcome(per_page + 1), expected[per_page + 1]);
    EXPECT_EQ(log.outcome(4'000'000'000), Outcome::undecided);
    EXPECT_EQ(log.pages(), 2U);
  });
}

TEST(CommitLog, WritesChangedPagesOnlyAndReadsThemAgain) {
  StorageHost node;
  node.run([](sim::Host& host) {
    CommitLog log(host);
    for (Xid page = 0; page < 40; ++page) log.set(page * per_page + 3, Outcome::committed);
    log.write(3, 40 * per_page, {});
    const std::uint64_t first = host.disk().statistics().bytes_written;
    log.set(39 * per_page + 4, Outcome::aborted);
    log.write(3, 40 * per_page, {});
    EXPECT_LT(host.disk().statistics().bytes_written - first, 2 * storage::page_size);
    const std::uint64_t second = host.disk().statistics().bytes_written;
    log.write(3, 40 * per_page, {});
    EXPECT_EQ(host.disk().statistics().bytes_written, second) << "nothing has changed";
    host.crash();
  });
  node.run([](sim::Host& host) {
    CommitLog log(host);
    log.load();
    EXPECT_EQ(log.pages(), 40U);
    for (Xid page = 0; page < 40; ++page) EXPECT_EQ(log.outcome(page * per_page + 3), Outcome::committed);
    EXPECT_EQ(log.outcome(39 * per_page + 4), Outcome::aborted);
  });
  EXPECT_TRUE(node.finished()) << node.error();
}

TEST(CommitLog, ForgetsWhatIsOld) {
  StorageHost node;
  node.run([](sim::Host& host) {
    CommitLog log(host);
    for (Xid page = 0; page < 70; ++page) log.set(page * per_page + 3, Outcome::committed);
    log.write(3, 70 * per_page, {});
    EXPECT_EQ(host.disk().list("pg_xact/").size(), 4U);
    log.write(66 * per_page + 3, 70 * per_page, {});
    EXPECT_EQ(log.pages(), 4U);
    EXPECT_EQ(log.outcome(65 * per_page + 3), Outcome::undecided);
    EXPECT_EQ(log.outcome(66 * per_page + 3), Outcome::committed);
    EXPECT_EQ(host.disk().list("pg_xact/"), (std::vector<std::string>{"pg_xact/0002", "pg_xact/manifest"}));
    // Around the wraparound: what is between the oldest and the next stays.
    const Xid before = 0xFFFFFFFF - per_page;
    log.set(before, Outcome::committed);
    log.set(5, Outcome::committed);
    log.write(before, 10, {});
    EXPECT_EQ(log.outcome(before), Outcome::committed);
    EXPECT_EQ(log.outcome(5), Outcome::committed);
    EXPECT_EQ(log.outcome(66 * per_page + 3), Outcome::undecided);
    host.crash();
  });
  node.run([](sim::Host& host) {
    CommitLog log(host);
    log.load();
    EXPECT_EQ(log.outcome(5), Outcome::committed);
    EXPECT_EQ(log.outcome(66 * per_page + 3), Outcome::undecided);
  });
  EXPECT_TRUE(node.finished()) << node.error();
}

TEST(CommitLog, IsTrimmedToWhatHasBeenGivenOut) {
  StorageHost node;
  node.run([](sim::Host& host) {
    CommitLog log(host);
    for (const Xid xid : {per_page - 1, per_page, per_page + 7, per_page + 8, 2 * per_page - 1, 5 * per_page})
      log.set(xid, Outcome::aborted);
    log.write(3, 6 * per_page, {});
    log.trim(3, per_page + 8);
    log.write(3, per_page + 8, {});
    host.crash();
  });
  node.run([](sim::Host& host) {
    CommitLog log(host);
    log.load();
    for (const Xid xid : {per_page - 1, per_page, per_page + 7}) EXPECT_EQ(log.outcome(xid), Outcome::aborted) << xid;
    for (const Xid xid : {per_page + 8, 2 * per_page - 1, 5 * per_page})
      EXPECT_EQ(log.outcome(xid), Outcome::undecided) << xid;
  });
  EXPECT_TRUE(node.finished()) << node.error();
}

TEST(CommitLog, KnowsWhoWasPrepared) {
  StorageHost node;
  const std::vector<Xid> prepared{7, 4'000'000'000};
  node.run([&](sim::Host& host) {
    CommitLog log(host);
    log.write(3, 100, {});
    log.write(3, 100, prepared);
    host.crash();
  });
  node.run([&](sim::Host& host) { EXPECT_EQ(CommitLog(host).load(), prepared); });
  EXPECT_TRUE(node.finished()) << node.error();
}

// Every byte that counts is under some checksum: damage is named or harmless, and never believed.
TEST(CommitLog, DamageIsRefusedWithFileAndBlock) {
  StorageHost node;
  node.run([](sim::Host& host) {
    CommitLog log(host);
    for (int round = 0; round < 2; ++round) {
      for (Xid page = 0; page < 3; ++page) log.set(page * per_page + 3 + static_cast<Xid>(round), Outcome::committed);
      log.write(3, 3 * per_page, {});
    }
    host.crash();
  });
  std::map<std::string, int> refusals;
  const auto load = [&](const std::string& path, std::uint64_t offset) {
    node.disk().damage(path, offset, 0x04);
    bool sound = false;
    std::string refusal;
    node.run([&](sim::Host& host) {
      CommitLog log(host);
      refusal = storage::testing::outcome([&] { log.load(); });
      for (Xid page = 0; page < 3; ++page) {
        sound = log.outcome(page * per_page + 3) == Outcome::committed &&
                log.outcome(page * per_page + 4) == Outcome::committed;
      }
    });
    if (refusal.empty()) {
      EXPECT_TRUE(sound) << path << " " << offset;
    }
    ++refusals[refusal.substr(0, refusal.find(" (stored"))];
    node.disk().damage(path, offset, 0x04);
  };
  const std::string pages = "pg_xact/0000", manifest = "pg_xact/manifest";
  for (std::uint64_t offset = 0; offset < 6 * storage::page_size; offset += 509) load(pages, offset);
  for (std::uint64_t offset = 0; offset < node.disk().clean_contents(manifest).size(); ++offset) load(manifest, offset);
  for (const char* block : {"0", "1", "2"}) {
    EXPECT_GT(refusals["XX001 file \"pg_xact/0000\" is damaged / block " + std::string(block) + ": checksum mismatch"],
              10)
        << block;
  }
  EXPECT_GT(refusals["XX001 file \"pg_xact/manifest\" is damaged / checksum mismatch"], 20);
  EXPECT_GT(refusals[""], 10) << "the slots that do not count";
}

TEST(CommitLog, LostWriteIsRefused) {
  StorageHost node;
  node.run([](sim::Host& host) {
    CommitLog log(host);
    for (Xid xid = 3; xid < 6; ++xid) {
      log.set(xid, Outcome::committed);
      if (xid == 5) {
        sim::DiskParameters parameters = host.disk().parameters();
        parameters.lost_write = 0.5;
        host.disk().set_parameters(parameters);
      }
      log.write(3, 100, {});
    }
    sim::DiskParameters parameters = host.disk().parameters();
    parameters.lost_write = 0;
    host.disk().set_parameters(parameters);
    host.crash();
  });
  ASSERT_FALSE(node.disk().damage_report().empty()) << "choose another seed";
  node.run([](sim::Host& host) {
    CommitLog log(host);
    log.load();
  });
  EXPECT_NE(node.error(), "");
}

// Crashes at any instant of a write leave what was before it or what it wrote.
TEST(CommitLog, WritesAreAllOrNothing) {
  int before = 0, after = 0;
  for (std::int64_t crash_us = 20; crash_us < 6000; crash_us += 20) {
    StorageHost node(static_cast<std::uint64_t>(crash_us));
    bool returned = false;
    node.run([&](sim::Host& host) {
      CommitLog log(host);
      for (Xid page = 0; page < 3; ++page) log.set(page * per_page + 3, Outcome::committed);
      log.write(3, 3 * per_page, {});
      host.scheduler().call_at(host.scheduler().now() + sim::Duration(crash_us * 1000), [&host] { host.crash(); });
      for (Xid page = 0; page < 3; ++page) log.set(page * per_page + 4, Outcome::aborted);
      log.write(3, 3 * per_page, {});
      returned = true;
      host.scheduler().sleep_for(sim::Duration(10'000'000));
    });
    node.run([&](sim::Host& host) {
      CommitLog log(host);
      log.load();
      std::set<Outcome> found;
      for (Xid page = 0; page < 3; ++page) {
        EXPECT_EQ(log.outcome(page * per_page + 3), Outcome::committed);
        found.insert(log.outcome(page * per_page + 4));
      }
      EXPECT_EQ(found.size(), 1U) << "some pages are new, some old";
      if (returned) {
        EXPECT_EQ(*found.begin(), Outcome::aborted);
      }
      ++(*found.begin() == Outcome::aborted ? after : before);
      // And it can go on from there.
      log.set(7, Outcome::committed);
      log.write(3, 3 * per_page, {});
    });
    ASSERT_TRUE(node.finished()) << node.error() << " " << crash_us;
  }
  EXPECT_GT(before, 20);
  EXPECT_GT(after, 20);
}

TEST(CommitLog, WriteThatIsCutOffIsMadeUpFor) {
  for (std::int64_t cancel_us = 0; cancel_us < 4000; cancel_us += 50) {
    StorageHost node(static_cast<std::uint64_t>(cancel_us + 1));
    node.run([&](sim::Host& host) {
      CommitLog log(host);
      log.set(3, Outcome::committed);
      log.write(3, 100, {});
      log.set(4, Outcome::committed);
      const sim::TaskRef first = host.spawn("writer", [&] { log.write(3, 100, {}); });
      host.scheduler().sleep_for(sim::Duration(cancel_us * 1000));
      host.scheduler().cancel(first);
      host.scheduler().join(first);
      log.set(5, Outcome::committed);
      log.write(3, 100, {});
      host.crash();
    });
    node.run([](sim::Host& host) {
      CommitLog log(host);
      log.load();
      for (Xid xid = 3; xid < 6; ++xid) EXPECT_EQ(log.outcome(xid), Outcome::committed);
    });
    ASSERT_TRUE(node.finished()) << node.error() << " " << cancel_us;
  }
}

}  // namespace
}  // namespace polarsim::engine::txn
