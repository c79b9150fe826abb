#include "engine/storage/wal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "engine/storage/wal_test_support.h"

namespace polarsim::engine::storage {
namespace {

TEST(Wal, ReplaysInOrderAcrossSegmentsAndOpenings) {
  LogHost log;
  log.run([](Wal& wal) { append_flushed(wal, {"a", "b"}); });
  EXPECT_TRUE(log.replayed().empty());
  log.run([](Wal& wal) { append_flushed(wal, numbered(40)); });
  EXPECT_EQ(log.replayed(), (std::vector<std::string>{"a", "b"}));
  EXPECT_GT(log.disk().list("wal/").size(), 4U);
  log.run();
  std::vector<std::string> all{"a", "b"};
  for (const std::string& record : numbered(40)) all.push_back(record);
  EXPECT_EQ(log.replayed(), all);
  EXPECT_EQ(log.error(), "");
}

TEST(Wal, LongRecordGetsASegmentOfItsOwn) {
  LogHost log;
  const std::string large(5000, 'x');
  log.run([&](Wal& wal) { append_flushed(wal, {"before", large, "after"}); });
  log.run();
  EXPECT_EQ(log.replayed(), (std::vector<std::string>{"before", large, "after"}));
}

TEST(Wal, ConcurrentFlushesShareSyncs) {
  LogHost log;
  log.options().segment_bytes = 1 << 20;
  std::uint64_t before = 0;
  int done = 0;
  log.run([&](Wal& wal) {
    append_flushed(wal, {"first"});
    before = log.disk().statistics().syncs;
    std::vector<sim::TaskRef> tasks;
    for (int i = 0; i < 50; ++i) {
      tasks.push_back(log.host().spawn("committer", [&wal, &done] {
        wal.flush(wal.append(kind, "x"));
        ++done;
      }));
    }
    for (const sim::TaskRef& task : tasks) log.host().scheduler().join(task);
  });
  EXPECT_EQ(done, 50);
  EXPECT_LE(log.disk().statistics().syncs - before, 2U);
}

TEST(Wal, CompletionsRunInOrderBeforeFlushReturns) {
  LogHost log;
  std::vector<int> order;
  log.run([&](Wal& wal) {
    const Lsn first = wal.append(kind, "1");
    const Lsn second = wal.append(kind, "2");
    wal.when_durable(second, [&] { order.push_back(2); });
    wal.when_durable(first, [&] { order.push_back(1); });
    EXPECT_TRUE(order.empty());
    wal.flush(second);
    order.push_back(3);
    wal.when_durable(first, [&] { order.push_back(4); });
  });
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 4}));
}

TEST(Wal, UnflushedRecordsAreWrittenAfterAWhile) {
  LogHost log;
  log.run([&](Wal& wal) {
    const Lsn lsn = wal.append(kind, "lazy");
    log.host().sleep_for(sim::Duration(150'000'000));
    EXPECT_LT(wal.durable(), lsn);
    log.host().sleep_for(sim::Duration(100'000'000));
    EXPECT_GE(wal.durable(), lsn);
    log.host().crash();
  });
  log.run();
  EXPECT_EQ(log.replayed(), std::vector<std::string>{"lazy"});
}

TEST(Wal, UnflushedRecordsMayBeLostTogetherWithAllAfterThem) {
  LogHost log;
  log.run([&](Wal& wal) {
    append_flushed(wal, {"kept"});
    wal.append(kind, "lost");
    log.host().crash();
  });
  log.run();
  EXPECT_EQ(log.replayed(), std::vector<std::string>{"kept"});
}

// Crashes at many instants of a run that flushes batches: what was flushed is a prefix of what comes back.
TEST(Wal, CrashKeepsAPrefixThatHoldsAllFlushed) {
  std::uint64_t torn = 0;
  for (std::int64_t instant_us = 100; instant_us < 12'000; instant_us += 40) {
    LogHost log(static_cast<std::uint64_t>(instant_us));
    log.options().segment_bytes = 3000;
    std::vector<std::string> appended;
    std::size_t flushed = 0;
    log.simulation().scheduler().call_at(sim::time_zero + sim::Duration(instant_us * 1000),
                                         [&] { log.host().crash(); });
    log.run([&](Wal& wal) {
      for (int batch = 0; batch < 10; ++batch) {
        Lsn lsn = 0;
        for (int i = 0; i < 4; ++i) {
          appended.push_back(std::to_string(batch * 10 + i) + std::string(300, 'p'));
          lsn = wal.append(kind, appended.back());
        }
        wal.flush(lsn);
        flushed = appended.size();
      }
    });
    for (int opening = 0; opening < 2; ++opening) {
      log.run();
      ASSERT_EQ(log.error(), "") << "crash at " << instant_us << " us";
      ASSERT_GE(log.replayed().size(), flushed) << "crash at " << instant_us << " us";
      ASSERT_LE(log.replayed().size(), appended.size());
      ASSERT_TRUE(std::equal(log.replayed().begin(), log.replayed().end(), appended.begin()));
    }
    const auto& probes = log.simulation().probes().counts();
    if (const auto found = probes.find("recovery/torn-tail"); found != probes.end()) torn += found->second;
  }
  EXPECT_GT(torn, 10U) << "the crashes hit nothing interesting";
}

TEST(Wal, DamageInTheMiddleIsRefused) {
  for (const char* victim : {"record 3", "record 20", "record 38"}) {
    LogHost log;
    log.run([](Wal& wal) { append_flushed(wal, numbered(40)); });
    damage(log.disk(), victim);
    log.run();
    EXPECT_TRUE(log.error().starts_with("XX000: write-ahead log is damaged in file \"wal/000000"))
        << victim << ": " << log.error();
  }
}

TEST(Wal, HeavyDamageOfTheLastRecordLooksLikeATornTail) {
  LogHost log;
  log.run([&](Wal& wal) {
    append_flushed(wal, numbered(40));
    log.host().crash();
  });
  damage_heavily(log.disk(), "record 39");
  log.run();
  EXPECT_EQ(log.error(), "");
  EXPECT_EQ(log.replayed(), numbered(39));
  EXPECT_EQ(log.simulation().probes().counts().at("recovery/torn-tail"), 1U);
}

TEST(Wal, MissingSegmentIsRefused) {
  for (const char* victim : {"wal/00000001", "wal/00000003"}) {
    LogHost log;
    log.run([](Wal& wal) { append_flushed(wal, numbered(40)); });
    log.host().set_program([&](sim::Host& host) {
      ASSERT_TRUE(host.disk().remove(victim));
      ASSERT_TRUE(host.disk().sync_directory());
    });
    log.host().boot();
    log.simulation().run();
    log.run();
    EXPECT_TRUE(log.error().starts_with("XX000")) << log.error();
    EXPECT_NE(log.error().find(victim), std::string::npos) << log.error();
  }
}

TEST(Wal, DamagedSegmentHeaderIsRefused) {
  for (const char* victim : {"wal/00000001", "wal/00000002"}) {
    LogHost log;
    log.run([](Wal& wal) { append_flushed(wal, numbered(40)); });
    log.disk().damage(victim, 20, 0xFF);
    log.run();
    EXPECT_TRUE(log.error().starts_with("XX000")) << victim << ": " << log.error();
  }
}

// The bytes after a torn tail are valid records of an earlier life. Written again with the same contents, the record
// before them must not bring them back.
TEST(Wal, StaleRecordsDoNotComeBack) {
  LogHost log;
  log.options().segment_bytes = 1 << 20;
  log.run([&](Wal& wal) {
    append_flushed(wal, {"one"});
    wal.append(kind, "two");
    wal.flush(wal.append(kind, "three"));
    log.host().crash();
  });
  damage_heavily(log.disk(), "two");
  log.run([&](Wal& wal) {
    append_flushed(wal, {"two"});
    log.host().crash();
  });
  EXPECT_EQ(log.replayed(), std::vector<std::string>{"one"});
  log.run();
  EXPECT_EQ(log.replayed(), (std::vector<std::string>{"one", "two"}));
}

// The same even if the truncation was lost: the stale record stands where the next one would, but its predecessor is
// another.
TEST(Wal, StaleRecordsDoNotContinueAnotherChain) {
  LogHost log;
  log.options().segment_bytes = 1 << 20;
  // As long as the payload of an opening, so that records of both lives start at the same positions.
  const auto record = [](char letter) { return std::string(16, letter); };
  log.run([&](Wal& wal) {
    append_flushed(wal, {record('a')});
    wal.append(kind, record('b'));
    wal.append(kind, record('c'));
    wal.flush(wal.append(kind, record('d')));
    log.host().crash();
  });
  const auto [path, payload_at] = locate(log.disk(), record('d'));
  const std::uint64_t stale_at = payload_at - wal_record_header_bytes;
  const std::string stale = log.disk().durable_contents(path).substr(stale_at);
  damage_heavily(log.disk(), record('b'));
  log.run([&](Wal& wal) {
    append_flushed(wal, {record('b')});
    log.host().crash();
  });
  ASSERT_EQ(log.disk().durable_contents(path).size(), stale_at);
  log.host().set_program([&, file_path = path](sim::Host& host) {
    auto file = host.disk().open(file_path, sim::OpenMode::existing);
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->write(stale_at, stale));
    ASSERT_TRUE(file->sync());
  });
  log.host().boot();
  log.simulation().run();
  log.run();
  EXPECT_EQ(log.error(), "");
  EXPECT_EQ(log.replayed(), (std::vector<std::string>{record('a'), record('b')}));
}

// After a clean stop the page cache holds what was never synced. Once recovery has replayed it, it must not be lost any
// more.
TEST(Wal, WhatRecoveryFoundInTheCacheBecomesDurable) {
  for (std::size_t length = 1; length < 512; length += 8) {
    LogHost log(length);  // another seed each time: what a crash takes away is a draw
    const std::string record(length, 'r');
    log.run([&](Wal& wal) {
      append_flushed(wal, {"first"});
      log.simulation().fault_points().arm("wal/sync", "n", 1,
                                          {sim::FaultAction::Kind::delay, sim::Duration(1'000'000'000), {}});
      wal.request_flush(wal.append(kind, record));
      log.host().sleep_for(sim::Duration(500'000'000));
      // Ends here, which stops the host.
    });
    log.run([&](Wal&) { log.host().crash(); });
    ASSERT_EQ(log.replayed(), (std::vector<std::string>{"first", record})) << length;
    log.run();
    ASSERT_EQ(log.error(), "") << length;
    ASSERT_EQ(log.replayed(), (std::vector<std::string>{"first", record})) << length;
  }
}

TEST(Wal, DiskErrorsAreReported) {
  LogHost log;
  log.run([](Wal& wal) { append_flushed(wal, {"a"}); });
  log.simulation().fault_points().arm("wal/append", "n", 1, {sim::FaultAction::Kind::fail, {}, {}});
  log.run([](Wal& wal) { wal.visit_append_point(); });
  EXPECT_EQ(log.error(), "58030: could not write to file \"wal/00000001\": Input/output error");
}

}  // namespace
}  // namespace polarsim::engine::storage
