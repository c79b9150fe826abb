// Where the log may be cut and where it must not: damage to every bit, tails torn at every byte, marks, and what the
// control file vouches for.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/storage/wal_test_support.h"
#include "sim/crash_states.h"

namespace polarsim::engine::storage {
namespace {

// The last record on the disk: where it begins and ends in which file.
struct Place {
  std::string path;
  std::uint64_t begin = 0, end = 0;
};

Place last_record(sim::Disk& disk) {
  Place place;
  for (const std::string& path : disk.list("wal/")) {
    const std::string bytes = disk.durable_contents(path);
    const auto segment = decode_segment_header(bytes);
    if (!segment) continue;
    std::uint64_t offset = wal_segment_header_bytes;
    while (const auto header = decode_record(std::string_view(bytes).substr(offset),
                                             segment->first_lsn + offset - wal_segment_header_bytes)) {
      place = {path, offset, offset + header->total_bytes()};
      offset = place.end;
    }
  }
  return place;
}

TEST(WalMark, VouchesForTheLastBatch) {
  LogHost log;
  log.run([&](Wal& wal) {
    append_flushed(wal, numbered(40));
    log.rest();
    log.host().crash();
  });
  damage(log.disk(), "record 39");
  log.run();
  EXPECT_TRUE(log.error().starts_with("XX000: write-ahead log is damaged in file \"wal/000000")) << log.error();
}

TEST(WalMark, IsWrittenOnceSoThatAnIdleLogIsQuiet) {
  LogHost log;
  log.run([&](Wal& wal) {
    append_flushed(wal, {"a"});
    log.rest();
    const Lsn marked = wal.end();
    const std::uint64_t syncs = log.disk().statistics().syncs;
    EXPECT_EQ(wal.durable(), marked);
    log.host().sleep_for(std::chrono::seconds(100));
    EXPECT_EQ(wal.end(), marked);
    EXPECT_EQ(log.disk().statistics().syncs, syncs);
    EXPECT_EQ(log.host().pending_calls(), 0U);
  });
  EXPECT_EQ(last_record(log.disk()).end - last_record(log.disk()).begin, wal_record_header_bytes);
}

TEST(WalMark, OfADamagedMarkNothingIsLostButItself) {
  LogHost log;
  log.run([&](Wal& wal) {
    append_flushed(wal, {"a", "b"});
    log.rest();
  });
  const Place mark = last_record(log.disk());
  const sim::DiskImage image = sim::durable_image(log.disk());
  for (std::uint64_t offset = mark.begin; offset < mark.end; ++offset) {
    log.disk().load(image);
    log.disk().damage(mark.path, offset, 0x01);
    log.run();
    ASSERT_EQ(log.error(), "") << offset;
    ASSERT_EQ(log.replayed(), (std::vector<std::string>{"a", "b"})) << offset;
  }
}

// A log of several segments, marked at its end, as an image to damage.
sim::DiskImage small_log(std::uint64_t segment_bytes, Place& mark) {
  LogHost log;
  log.options().segment_bytes = segment_bytes;
  log.run([&](Wal& wal) {
    append_flushed(wal, numbered(12));
    log.rest();
  });
  mark = last_record(log.disk());
  return sim::durable_image(log.disk());
}

TEST(WalDamage, OfAnyBitBeforeTheMarkIsRefusedWithFileAndPosition) {
  Place mark;
  const sim::DiskImage image = small_log(280, mark);
  LogHost log;
  log.options().segment_bytes = 280;
  log.disk().load(image);
  const std::vector<std::string> paths = log.disk().list("wal/");
  ASSERT_GT(paths.size(), 3U);
  ASSERT_EQ(mark.path, paths.back());
  ASSERT_GT(mark.begin, wal_segment_header_bytes) << "the mark shares its segment with what it vouches for";
  for (const std::string& path : paths) {
    const std::uint64_t size = log.disk().status(path)->size;
    for (std::uint64_t bit = 0; bit < 8 * size; ++bit) {
      log.disk().load(image);
      log.disk().damage(path, bit / 8, static_cast<std::uint8_t>(1U << (bit % 8)));
      log.run();
      const bool in_mark = path == mark.path && bit / 8 >= mark.begin;
      if (in_mark) {
        ASSERT_EQ(log.error(), "") << path << " bit " << bit;
        ASSERT_EQ(log.replayed(), numbered(12)) << path << " bit " << bit;
      } else {
        ASSERT_TRUE(log.error().starts_with("XX000: write-ahead log is damaged in file \"" + path + "\" at LSN "))
            << path << " bit " << bit << ": " << log.error();
      }
    }
  }
}

// Before the mark is written, the last batch has to speak for itself. A bit that flips in a sector which shows that it
// was written with the record is damage; for the others, a torn tail explains it as well.
TEST(WalDamage, OfABitOfTheLastBatchIsToldFromATornTailWhereTheSectorShowsIt) {
  LogHost log;
  log.options().segment_bytes = 1 << 20;
  // Headers in the first, second and third sector; the last record reaches into the fourth.
  const std::vector<std::string> batch{std::string(300, '!'), "short", std::string(600, '?'), std::string(520, '#')};
  log.run([&](Wal& wal) {
    append_flushed(wal, {"kept"});
    for (const std::string& record : batch) wal.append(kind, record);
    wal.flush(wal.end());
    log.host().crash();
  });
  const sim::DiskImage image = sim::durable_image(log.disk());
  const std::string path = wal_segment_path(1);
  const std::uint64_t begin = locate(log.disk(), batch[0]).second - wal_record_header_bytes;
  const std::uint64_t last = locate(log.disk(), batch[3]).second - wal_record_header_bytes;
  const std::uint64_t size = log.disk().status(path)->size;
  ASSERT_EQ(size / sim::sector_bytes, 3U);
  const std::uint64_t unproven = (last / sim::sector_bytes + 1) * sim::sector_bytes;
  ASSERT_LT(unproven, size);
  for (std::uint64_t bit = 8 * begin; bit < 8 * size; ++bit) {
    log.disk().load(image);
    log.disk().damage(path, bit / 8, static_cast<std::uint8_t>(1U << (bit % 8)));
    log.run();
    if (bit / 8 < unproven) {
      ASSERT_TRUE(log.error().starts_with("XX000: write-ahead log is damaged in file \"" + path + "\" at LSN "))
          << "bit " << bit << ": " << log.error();
    } else {
      ASSERT_EQ(log.error(), "") << "bit " << bit;
      ASSERT_EQ(log.replayed(), (std::vector<std::string>{"kept", batch[0], batch[1], batch[2]}));
    }
  }
}

// The header was synced before the record: that needs no mark.
TEST(WalDamage, OfTheHeaderOfTheLastSegmentIsRefused) {
  LogHost log;
  log.options().segment_bytes = 280;
  log.run([&](Wal& wal) {
    const std::uint64_t before = wal.segment();
    for (int i = 0; wal.segment() == before; ++i) append_flushed(wal, {"record " + std::to_string(i)});
    log.host().crash();
  });
  const std::vector<std::string> paths = log.disk().list("wal/");
  ASSERT_EQ(paths.size(), 2U);
  const sim::DiskImage image = sim::durable_image(log.disk());
  for (std::uint64_t offset = 0; offset < wal_segment_header_bytes; ++offset) {
    log.disk().load(image);
    log.disk().damage(paths.back(), offset, 0x11);
    log.run();
    ASSERT_TRUE(log.error().starts_with("XX000: write-ahead log is damaged in file \"" + paths.back() + "\" at LSN "))
        << offset << ": " << log.error();
  }
}

// The last batch was never synced: whatever byte it ends at, what comes before it is there.
TEST(WalDamage, TailTornAtAnyByteIsCut) {
  LogHost log;
  log.options().segment_bytes = 1 << 20;
  log.run([&](Wal& wal) {
    append_flushed(wal, {"kept 1", "kept 2"});
    for (const std::string& record : numbered(3)) wal.append(kind, record);
    wal.flush(wal.end());
    log.host().crash();
  });
  const sim::DiskImage image = sim::durable_image(log.disk());
  const auto [path, first] = locate(log.disk(), "record 0");
  const std::uint64_t begin = first - wal_record_header_bytes;
  const std::uint64_t size = log.disk().status(path)->size;
  std::vector<std::string> expected{"kept 1", "kept 2"};
  for (std::uint64_t length = begin; length <= size; ++length) {
    for (const bool zeros : {false, true}) {
      log.disk().load(image);
      log.host().set_program([&, file_path = path](sim::Host& host) {
        auto file = host.disk().open(file_path, sim::OpenMode::existing);
        ASSERT_TRUE(file && file->truncate(length));
        if (zeros) {
          ASSERT_TRUE(file->truncate(size));
        }
        ASSERT_TRUE(file->sync());
      });
      log.host().boot();
      log.simulation().run();
      log.run();
      ASSERT_EQ(log.error(), "") << length;
      expected.resize(2);
      const std::uint64_t record_bytes = (size - begin) / 3;
      for (std::uint64_t i = 0; i < (length - begin) / record_bytes; ++i) expected.push_back(numbered(3)[i]);
      ASSERT_EQ(log.replayed(), expected) << length;
    }
  }
}

TEST(WalDamage, WhatTheControlFileVouchesForIsNeverCut) {
  LogHost log;
  log.options().segment_bytes = 1 << 20;
  Lsn end = 0;
  log.run([&](Wal& wal) {
    append_flushed(wal, {"a", "b"});
    end = wal.end();
    log.host().crash();
  });
  log.start().minimum_end = end;
  log.run([&](Wal&) { log.host().crash(); });
  EXPECT_EQ(log.error(), "");
  damage(log.disk(), "b");
  log.run();
  EXPECT_TRUE(log.error().starts_with("XX000: write-ahead log is damaged in file \"wal/00000001\" at LSN "))
      << log.error();
}

TEST(WalDamage, LogThatIsGoneIsRefused) {
  LogHost log;
  log.start().minimum_end = wal_first_lsn + 8;
  log.run();
  EXPECT_EQ(log.error(), "XX000: write-ahead log is damaged in file \"wal/00000001\" at LSN 8: the log ends here");
}

TEST(WalDamage, PageNewerThanTheLogIsNotWaitedFor) {
  LogHost log;
  log.run([](Wal& wal) { wal.flush(wal.end() + 8); });
  EXPECT_TRUE(log.error().starts_with("XX000: WAL flush request for LSN ")) << log.error();
}

class WalStartTest : public ::testing::Test {
 protected:
  WalStartTest() {
    log_.run([this](Wal& wal) {
      append_flushed(wal, numbered(20));
      start_.lsn = wal.end();
      for (const std::string& record : numbered(40)) {
        const Lsn lsn = wal.append(kind, record);
        if (start_.segment == 1) start_.segment = wal.segment();
        wal.flush(lsn);
      }
      start_.minimum_end = wal.end();
    });
  }
  void remove(const std::string& path) {
    log_.host().set_program([path](sim::Host& host) {
      ASSERT_TRUE(host.disk().remove(path));
      ASSERT_TRUE(host.disk().sync_directory("wal"));
    });
    log_.host().boot();
    log_.simulation().run();
  }
  LogHost log_;
  WalStart start_;
};

TEST_F(WalStartTest, ReplaysFromThereWithoutEarlierSegments) {
  ASSERT_GE(start_.segment, 3U);
  log_.start() = start_;
  for (std::uint64_t number = 1; number < start_.segment; ++number) remove(wal_segment_path(number));
  log_.run([](Wal& wal) { append_flushed(wal, {"more"}); });
  EXPECT_EQ(log_.error(), "");
  EXPECT_EQ(log_.replayed(), numbered(40));
  log_.run();
  std::vector<std::string> all = numbered(40);
  all.push_back("more");
  EXPECT_EQ(log_.replayed(), all);
}

TEST_F(WalStartTest, MissingStartIsRefused) {
  log_.start() = start_;
  remove(wal_segment_path(start_.segment));
  log_.run();
  EXPECT_EQ(log_.error(), "XX000: write-ahead log is damaged in file \"" + wal_segment_path(start_.segment) +
                              "\" at LSN " + std::to_string(start_.lsn) + ": the file is missing");
}

TEST_F(WalStartTest, PositionWhereNoRecordBeginsIsRefused) {
  log_.start() = start_;
  log_.start().lsn += 8;
  log_.run();
  EXPECT_TRUE(log_.error().ends_with("no record begins here")) << log_.error();
}

TEST_F(WalStartTest, DamageBeforeTheStartInItsSegmentIsRefused) {
  // The chain of the records leads from the segment's header to the start.
  log_.start() = start_;
  const std::string path = wal_segment_path(start_.segment);
  log_.disk().damage(path, 50, 0x10);
  log_.run();
  EXPECT_TRUE(log_.error().starts_with("XX000: write-ahead log is damaged in file \"" + path)) << log_.error();
}

}  // namespace
}  // namespace polarsim::engine::storage
