#include "sim/digest.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace polarsim::sim {
namespace {

// Absorbs `count` records; at `changed` (if within) one that differs in its last word.
RunningDigest digest_of(int count, int changed = -1, std::uint64_t ladder_interval = 100) {
  RunningDigest digest(ladder_interval);
  for (int i = 0; i < count; ++i) {
    digest.absorb(DigestKind::user, static_cast<std::uint64_t>(i), 7, i == changed ? 1 : 0);
  }
  return digest;
}

TEST(RunningDigest, EqualRecordsGiveEqualDigests) {
  for (const int count : {0, 1, 127, 128, 129, 1000}) EXPECT_EQ(digest_of(count).value(), digest_of(count).value());
}

TEST(RunningDigest, OneChangedRecordGivesAnotherDigest) {
  for (const int changed : {0, 1, 127, 128, 500, 999}) {
    EXPECT_NE(digest_of(1000).value(), digest_of(1000, changed).value()) << changed;
  }
}

TEST(RunningDigest, LengthCounts) {
  EXPECT_NE(digest_of(127).value(), digest_of(128).value());
  EXPECT_NE(digest_of(128).value(), digest_of(129).value());
  EXPECT_NE(digest_of(0).value(), digest_of(1).value());
}

TEST(RunningDigest, OrderCounts) {
  RunningDigest first, second;
  first.absorb(DigestKind::user, 1, 2);
  first.absorb(DigestKind::draw, 1, 2);
  second.absorb(DigestKind::draw, 1, 2);
  second.absorb(DigestKind::user, 1, 2);
  EXPECT_NE(first.value(), second.value());
}

TEST(RunningDigest, LadderNarrowsTheFirstDifferenceToOneInterval) {
  const RunningDigest good = digest_of(1000);
  const RunningDigest bad = digest_of(1000, 550);
  ASSERT_EQ(good.ladder().size(), 10u);
  ASSERT_EQ(bad.ladder().size(), 10u);
  for (std::size_t rung = 0; rung < 10; ++rung) {
    EXPECT_EQ(good.ladder()[rung] == bad.ladder()[rung], rung < 5) << rung;
  }
  EXPECT_EQ(good.ladder().back(), good.value());
}

TEST(RunningDigest, TheIntervalOfTheLadderChangesNothing) {
  EXPECT_EQ(digest_of(1000, -1, 100).value(), digest_of(1000, -1, 0).value());
  EXPECT_TRUE(digest_of(1000, -1, 0).ladder().empty());
}

TEST(RunningDigest, ValueMayBeReadInBetween) {
  RunningDigest digest(0);
  for (int i = 0; i < 300; ++i) {
    digest.absorb(DigestKind::user, static_cast<std::uint64_t>(i), 7);
    (void)digest.value();
  }
  EXPECT_EQ(digest.value(), digest_of(300).value());
}

TEST(RunningDigest, BytesAreAbsorbedByContent) {
  RunningDigest first, second;
  first.absorb_bytes(DigestKind::network, 1, "abc");
  second.absorb_bytes(DigestKind::network, 1, "abd");
  EXPECT_NE(first.value(), second.value());
}

TEST(RunningDigest, AnObserverSeesEveryRecordFromItsFirstAndEveryRung) {
  RunningDigest digest(100);
  std::vector<std::uint64_t> numbers;
  std::vector<std::uint64_t> words;
  std::vector<std::pair<std::size_t, Digest128>> rungs;
  RunningDigest::Observer observer;
  observer.first = 120;
  observer.on_record = [&](std::uint64_t number, const DigestRecord& record) {
    numbers.push_back(number);
    words.push_back(record.a);
  };
  observer.on_rung = [&](std::size_t rung, const Digest128& value) { rungs.emplace_back(rung, value); };
  digest.observe(observer);
  for (int i = 0; i < 300; ++i) digest.absorb(DigestKind::user, static_cast<std::uint64_t>(i), 7);
  ASSERT_EQ(numbers.size(), 181u);
  EXPECT_EQ(numbers.front(), 120u);
  EXPECT_EQ(words.front(), 119u);
  // Around the place where the buffer is folded, too.
  for (std::size_t i = 0; i < numbers.size(); ++i) EXPECT_EQ(words[i] + 1, numbers[i]);
  EXPECT_EQ(digest.value(), digest_of(300).value());
  ASSERT_EQ(rungs.size(), 3u);
  for (std::size_t rung = 0; rung < 3; ++rung) {
    EXPECT_EQ(rungs[rung].first, rung);
    EXPECT_EQ(rungs[rung].second, digest.ladder()[rung]);
  }
  digest.observe({});
  digest.absorb(DigestKind::user, 1, 1);
  EXPECT_EQ(numbers.size(), 181u);
}

TEST(RunningDigest, AnObserverWithoutALadderSeesRecords) {
  RunningDigest digest(0);
  std::uint64_t seen = 0;
  RunningDigest::Observer observer;
  observer.on_record = [&](std::uint64_t, const DigestRecord&) { ++seen; };
  digest.observe(observer);
  for (int i = 0; i < 300; ++i) digest.absorb(DigestKind::user, 1, 7);
  EXPECT_EQ(seen, 300u);
}

TEST(RunningDigest, ValuesAreFrozen) {
  // A change of these values makes every recorded run unreplayable.
  EXPECT_EQ(digest_of(0).value().hex(), "10e45c7ce2292320743df94ee4c78a2a");
  EXPECT_EQ(digest_of(1000).value().hex(), "108001a37d00b4bce87c4374b92db3c8");
  EXPECT_EQ(stable_hash("polarsim"), 919800323059672208ULL);
}

TEST(Digest128, HexIsHighWordFirst) {
  EXPECT_EQ((Digest128{0x0123456789ABCDEFULL, 0xFEDCBA9876543210ULL}.hex()), "fedcba98765432100123456789abcdef");
}

}  // namespace
}  // namespace polarsim::sim
