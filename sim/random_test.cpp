#include "sim/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "sim/distribution.h"
#include "sim/portable_math.h"

namespace polarsim::sim {
namespace {

TEST(Xoshiro256, GivesTheSequenceOfItsDefinition) {
  // Computed by an independent program from the published definitions of splitmix64 and xoshiro256++ 1.0.
  Xoshiro256 zero(0);
  for (const std::uint64_t expected :
       {0x53175D61490B23DFULL, 0x61DA6F3DC380D507ULL, 0x5C0FDF91EC9A7BFCULL, 0x02EEBF8C3BBE5E1AULL})
    EXPECT_EQ(zero.next(), expected);
  Xoshiro256 other(0x123456789ABCDEF0ULL);
  for (const std::uint64_t expected :
       {0x4D4F7607A97A1BD6ULL, 0x9BA027C76910D021ULL, 0x87ADB062153AE0BCULL, 0xB750F7B1FF944783ULL})
    EXPECT_EQ(other.next(), expected);
  Xoshiro256 far(42);
  for (int i = 0; i < 999; ++i) far.next();
  EXPECT_EQ(far.next(), 0xA3ED059C1CC38790ULL) << "the thousandth";
}

TEST(RandomStream, BelowStaysInRangeAndReachesBothEnds) {
  RandomStream stream("s", 1, nullptr);
  for (const std::uint64_t bound : {1ULL, 2ULL, 3ULL, 10ULL, 1ULL << 63, (1ULL << 63) + 1, ~0ULL}) {
    for (int i = 0; i < 1000; ++i) EXPECT_LT(stream.below(bound), bound);
  }
  std::vector<int> counts(6, 0);
  for (int i = 0; i < 60'000; ++i) ++counts[stream.below(6)];
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 500);
}

TEST(RandomStream, BelowIsUnbiasedWhereMultiplicationAloneWouldNotBe) {
  // Of 2^64 raw values, a bound of 3 * 2^62 maps pairs of raw values onto every third result without rejection: those
  // results would come up twice as often.
  constexpr std::uint64_t bound = 3ULL << 62;
  RandomStream stream("s", 5, nullptr);
  std::vector<int> residues(3, 0);
  for (int i = 0; i < 90'000; ++i) ++residues[stream.below(bound) % 3];
  for (const int count : residues) EXPECT_NEAR(count, 30'000, 700);
}

TEST(RandomStream, BetweenIncludesBothEndsAndTheFullRange) {
  RandomStream stream("s", 2, nullptr);
  bool low = false, high = false;
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t value = stream.between(std::int64_t{-2}, std::int64_t{2});
    ASSERT_TRUE(value >= -2 && value <= 2);
    low |= value == -2;
    high |= value == 2;
  }
  EXPECT_TRUE(low && high);
  bool negative = false, positive = false;
  for (int i = 0; i < 100; ++i) {
    const std::int64_t value =
        stream.between(std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max());
    (value < 0 ? negative : positive) = true;
  }
  EXPECT_TRUE(negative && positive);
  EXPECT_EQ(stream.between(std::int64_t{7}, std::int64_t{7}), 7);
}

TEST(RandomStream, ChanceDrawsAlways) {
  RandomStream with_zero("s", 3, nullptr);
  RandomStream with_one("s", 3, nullptr);
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(with_zero.chance(0));
    EXPECT_FALSE(with_zero.chance(-1));
    EXPECT_TRUE(with_one.chance(1));
    EXPECT_TRUE(with_one.chance(2));
  }
  EXPECT_EQ(with_zero.next(), with_one.next());
}

TEST(RandomStream, MomentsAreThoseAskedFor) {
  RandomStream stream("s", 4, nullptr);
  constexpr int count = 200'000;
  double unit_sum = 0, exponential_sum = 0, normal_sum = 0, normal_squares = 0;
  for (int i = 0; i < count; ++i) {
    const double u = stream.unit();
    ASSERT_TRUE(u >= 0 && u < 1);
    unit_sum += u;
    const double e = stream.exponential(5);
    ASSERT_GE(e, 0);
    exponential_sum += e;
    const double n = stream.normal(10, 3);
    normal_sum += n;
    normal_squares += (n - 10) * (n - 10);
  }
  EXPECT_NEAR(unit_sum / count, 0.5, 0.005);
  EXPECT_NEAR(exponential_sum / count, 5, 0.05);
  EXPECT_NEAR(normal_sum / count, 10, 0.05);
  EXPECT_NEAR(std::sqrt(normal_squares / count), 3, 0.05);
}

TEST(RandomStream, ShuffleAndPickUseEveryItem) {
  RandomStream stream("s", 6, nullptr);
  std::vector<int> items{0, 1, 2, 3, 4, 5, 6, 7};
  const std::vector<int> sorted = items;
  stream.shuffle(items);
  EXPECT_NE(items, sorted);
  std::vector<bool> picked(8, false);
  for (int i = 0; i < 500; ++i) picked[static_cast<std::size_t>(stream.pick(items))] = true;
  EXPECT_EQ(picked, std::vector<bool>(8, true));
  std::sort(items.begin(), items.end());
  EXPECT_EQ(items, sorted);
}

TEST(ChoiceOracle, StreamsAreIndependentOfEachOtherAndOfTheOrderOfTheirMaking) {
  ChoiceOracle first(9, nullptr);
  ChoiceOracle second(9, nullptr);
  RandomStream& a = first.stream("a");
  for (int i = 0; i < 10; ++i) first.stream("b").next();
  second.stream("c").next();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.next(), second.stream("a").next());
  EXPECT_NE(first.stream("x").next(), first.stream("y").next());
  ChoiceOracle other_seed(10, nullptr);
  EXPECT_NE(other_seed.stream("z").next(), first.stream("z").next());
  EXPECT_EQ(&a, &first.stream("a")) << "references stay valid";
}

TEST(ChoiceOracle, EveryDrawReachesTheDigest) {
  RunningDigest digest;
  ChoiceOracle choices(1, &digest);
  choices.stream("a").next();
  EXPECT_EQ(digest.count(), 1u);
  choices.stream("a").normal(0, 1);
  EXPECT_EQ(digest.count(), 3u);
}

TEST(PortableMath, AgreesWithTheLibraryToTheLastBits) {
  RandomStream stream("s", 8, nullptr);
  for (int i = 0; i < 20'000; ++i) {
    const double u = stream.unit();
    const double x = 1 - u;
    EXPECT_NEAR(portable_log(x), std::log(x), 1e-14 * (1 + std::fabs(std::log(x))));
    EXPECT_NEAR(portable_log(x * 1e12), std::log(x * 1e12), 1e-13);
    EXPECT_NEAR(portable_cos_turns(u), std::cos(u * 2 * 3.14159265358979323846), 1e-14);
    const double power = u * 40 - 20;
    EXPECT_NEAR(portable_exp(power), std::exp(power), 1e-13 * std::exp(power));
  }
  EXPECT_EQ(portable_log(1), 0);
  EXPECT_EQ(portable_exp(0), 1);
  EXPECT_EQ(portable_exp(-1e6), 0);
}

TEST(PortableMath, GivesTheSameBitsEverywhere) {
  // A change of these values is a change of every recorded run that drew from an exponential or normal distribution.
  RandomStream stream("frozen", 11, nullptr);
  RunningDigest digest(0);
  for (int i = 0; i < 10'000; ++i) {
    const double normal = stream.normal(0, 1);
    const double exponential = stream.exponential(1);
    digest.absorb(DigestKind::user, static_cast<std::uint64_t>(static_cast<std::int64_t>(normal * 0x1p50)),
                  static_cast<std::uint64_t>(exponential * 0x1p50));
  }
  EXPECT_EQ(digest.value().hex(), "c037c24e936f1caa15f96dd181b929f0");
}

TEST(DurationDistribution, SamplesLieWhereTheyShould) {
  RandomStream stream("s", 12, nullptr);
  const Duration low(1000), high(2000), tail(50'000);
  double exponential_sum = 0;
  int in_tail = 0, below_median = 0, below_percentile = 0;
  constexpr int count = 50'000;
  const auto constant = DurationDistribution::constant(low);
  const auto uniform = DurationDistribution::uniform(low, high);
  const auto exponential = DurationDistribution::exponential(low, high);
  const auto long_tail = DurationDistribution::long_tail(low, high, tail, 100);
  const auto log_normal = DurationDistribution::log_normal(low, high, tail);
  for (int i = 0; i < count; ++i) {
    EXPECT_EQ(constant.sample(stream), low);
    const Duration u = uniform.sample(stream);
    ASSERT_TRUE(u >= low && u <= high);
    const Duration e = exponential.sample(stream);
    ASSERT_GE(e, low);
    exponential_sum += static_cast<double>(e.count());
    const Duration t = long_tail.sample(stream);
    ASSERT_TRUE(t >= low && t <= tail);
    if (t > high) ++in_tail;
    const Duration l = log_normal.sample(stream);
    ASSERT_GE(l, low);
    if (l < high) ++below_median;
    if (l < tail) ++below_percentile;
  }
  EXPECT_NEAR(exponential_sum / count, 2000, 30);
  EXPECT_NEAR(in_tail, count / 100, 100);
  EXPECT_NEAR(below_median, count / 2, 500);
  EXPECT_NEAR(below_percentile, count * 99 / 100, 150);
}

TEST(DurationDistribution, IsNeverNegative) {
  RandomStream stream("s", 13, nullptr);
  EXPECT_EQ(DurationDistribution::constant(Duration(-5)).sample(stream), Duration(0));
  for (int i = 0; i < 100; ++i) {
    EXPECT_GE(DurationDistribution::uniform(Duration(-100), Duration(10)).sample(stream), Duration(0));
  }
}

}  // namespace
}  // namespace polarsim::sim
