// Segments that are not needed any more become future ones: the disk does not grow, and what is left in them is never
// taken for the log.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/storage/wal_test_support.h"
#include "sim/test_crash_point.h"

namespace polarsim::engine::storage {
namespace {

// What a checkpoint does: remember a position, then let go of what is before it. The position is outside the world and
// so never lost, as the control file is not.
class Position {
 public:
  explicit Position(LogHost& log) : log_(log) {}
  // Appends; the record may become the next start.
  Lsn append(Wal& wal, std::string text) {
    records_.push_back(std::move(text));
    candidate_.lsn = wal.end();
    const Lsn end = wal.append(kind, records_.back());
    candidate_.segment = wal.segment();
    candidate_index_ = records_.size() - 1;
    return end;
  }
  void flushed() { flushed_ = records_.size(); }
  // The last record becomes the start; all are durable.
  void advance(Wal& wal) {
    candidate_.minimum_end = wal.durable();
    log_.start() = candidate_;
    first_ = candidate_index_;
    wal.release_before(candidate_.lsn);
  }
  // After a crash: what was replayed begins at the start, and ends behind what was flushed. What is lost is forgotten.
  void check() {
    ASSERT_EQ(log_.error(), "");
    const std::size_t end = first_ + log_.replayed().size();
    ASSERT_GE(end, flushed_);
    ASSERT_LE(end, records_.size());
    ASSERT_TRUE(std::equal(log_.replayed().begin(), log_.replayed().end(),
                           records_.begin() + static_cast<std::ptrdiff_t>(first_)));
    records_.resize(end);
  }

 private:
  LogHost& log_;
  std::vector<std::string> records_;
  std::size_t first_ = 0, candidate_index_ = 0, flushed_ = 0;
  WalStart candidate_;
};

TEST(WalRecycling, DiskDoesNotGrow) {
  LogHost log;
  log.options().recycled_segments = 3;
  Position position(log);
  log.run([&](Wal& wal) {
    for (int i = 0; i < 300; ++i) {
      wal.flush(position.append(wal, "record " + std::to_string(i)));
      position.flushed();
      if (i % 10 == 9) position.advance(wal);
      if (i > 20) {
        EXPECT_LE(log.disk().list("wal/").size(), 3U + 3U + 2U) << i;
      }
    }
  });
  EXPECT_GT(log.reached("wal/segment-recycled"), 10U);
  EXPECT_GT(log.reached("wal/segment-reused"), 10U);
  log.run();
  position.check();
  // An opening removes what was recycled; what is found from before the start goes when segments are released again.
  EXPECT_LE(log.disk().list("wal/").size(), 3U);
}

TEST(WalRecycling, LongSegmentsAndMoreThanEnoughAreRemoved) {
  LogHost log;
  log.options().recycled_segments = 1;
  log.run([&](Wal& wal) {
    append_flushed(wal, {std::string(3000, 'l'), std::string(400, 'a'), std::string(400, 'b'), "c"});
    wal.release_before(wal.durable());
    EXPECT_EQ(log.disk().list("wal/").size(), 2U);
  });
  EXPECT_EQ(log.reached("wal/segment-recycled"), 1U);
  EXPECT_GE(log.reached("wal/segment-removed"), 2U);
}

TEST(WalRecycling, SegmentsFromBeforeTheStartAreReleasedAfterAnOpening) {
  LogHost log;
  log.options().recycled_segments = 2;
  log.run([&](Wal& wal) {
    append_flushed(wal, numbered(40));
    log.start().lsn = wal.end();
    wal.flush(wal.append(kind, "start"));
    log.start().segment = wal.segment();
  });
  const std::size_t before = log.disk().list("wal/").size();
  log.run([&](Wal& wal) {
    EXPECT_EQ(log.disk().list("wal/").size(), before);
    wal.release_before(log.start().lsn);
    EXPECT_EQ(log.disk().list("wal/").size(), 1U + 2U);
  });
  EXPECT_EQ(log.error(), "");
}

// Records of one size, so that stale ones stand exactly where records are looked for; crashes at instants all over the
// run, several lives long: before and after renames became durable, before a recycled segment got its header, in it.
TEST(WalRecycling, StaleBytesNeverComeBack) {
  std::uint64_t reused = 0, torn = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    LogHost log(seed);
    log.options().recycled_segments = 2;
    Position position(log);
    for (int life = 0; life < 5; ++life) {
      log.simulation().scheduler().call_at(
          log.simulation().now() +
              sim::Duration(
                  static_cast<std::int64_t>(1 + (seed * 7919 + static_cast<std::uint64_t>(life) * 104729) % 30'000) *
                  1000),
          [&] { log.host().crash(); });
      log.run([&](Wal& wal) {
        if (life > 0) position.check();
        for (int batch = 0; batch < 12; ++batch) {
          Lsn lsn = 0;
          for (int i = 0; i < 3; ++i) {
            lsn = position.append(
                wal, std::to_string(100 + life * 12 + batch) + std::string(60, static_cast<char>('a' + i)));
          }
          wal.flush(lsn);
          position.flushed();
          if (batch % 2 == 1) position.advance(wal);
        }
        // The crash may come after the end.
      });
      ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed << ", life " << life;
    }
    log.run();
    position.check();
    ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed;
    reused += log.reached("wal/segment-reused");
    torn += log.reached("recovery/torn-tail");
  }
  EXPECT_GT(reused, 500U) << "the crashes hit nothing interesting";
  EXPECT_GT(torn, 20U) << "the crashes hit nothing interesting";
}

// The power fails right before operations on names and segments, so that renames are undone although the file got its
// new header: it then bears a number that is to come, or one that another file has.
TEST(WalRecycling, RenamesThatAreUndoneDoNoHarm) {
  std::uint64_t undone = 0;
  for (std::uint64_t seed = 1; seed <= 38; ++seed) {
    for (std::uint64_t at = 1; at <= 45; ++at) {
      LogHost log(seed);
      log.options().recycled_segments = 3;
      Position position(log);
      sim::CrashPoint crash(log.host());
      for (int life = 0; life < 4; ++life) {
        crash.arm(life == 3 ? 0 : life == 0 ? at : (at + 5 * seed) % 19 + 1);
        log.run([&](Wal& wal) {
          if (life > 0) position.check();
          wal.release_before(log.start().lsn);
          for (int batch = 0; batch < 10 && life < 3; ++batch) {
            // Three in a segment, and room for the record of an opening behind them.
            for (int i = 0; i < 3; ++i) position.append(wal, std::string(96, static_cast<char>('a' + i)));
            wal.flush(wal.end());
            position.flushed();
            if (batch % 3 == 2) position.advance(wal);
          }
        });
        ASSERT_EQ(log.error(), "") << "seed " << seed << ", life " << life << ", " << crash.struck();
        ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed << ", life " << life << ", " << crash.struck();
        for (const std::string& path : log.disk().list("wal/")) {
          const auto header = decode_segment_header(log.disk().clean_contents(path));
          undone += header && header->number > *wal_segment_number(path) ? 1 : 0;
        }
      }
    }
  }
  EXPECT_GT(undone, 20U) << "the crashes hit nothing interesting";
}

// In a recycled segment the bytes behind the last record are no proof of anything, and those before them are proven.
TEST(WalRecycling, DamageInARecycledSegmentIsRefused) {
  LogHost log;
  log.run([&](Wal& wal) {
    append_flushed(wal, numbered(60));
    wal.release_before(wal.durable());
    log.start().lsn = wal.end();
    wal.flush(wal.append(kind, "start"));
    log.start().segment = wal.segment();
    append_flushed(wal, numbered(25));
    log.rest();
  });
  ASSERT_GT(log.reached("wal/segment-reused"), 2U);
  log.run([&](Wal&) { log.rest(); });
  ASSERT_EQ(log.replayed().size(), 26U);
  for (const std::string& path : log.disk().list("wal/")) {
    if (*wal_segment_number(path) < log.start().segment) continue;
    for (const std::uint64_t offset : {16U, 30U, 60U, 100U}) {
      log.disk().damage(path, offset, 0x04);
      log.run();
      ASSERT_TRUE(log.error().starts_with("XX000: write-ahead log is damaged in file \"" + path + "\" at LSN "))
          << path << " " << offset << ": " << log.error();
      log.disk().damage(path, offset, 0x04);
    }
  }
}

}  // namespace
}  // namespace polarsim::engine::storage
