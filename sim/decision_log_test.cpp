#include "sim/decision_log.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "sim/simulation.h"
#include "sim/test_drawn_world.h"
#include "sim/test_world.h"

namespace polarsim::sim {
namespace {

DecisionLog sample_log() {
  DecisionLog log;
  const std::uint32_t latency = log.stream("net/a>b/latency");
  const std::uint32_t pick = log.stream("sched/pick");
  log.add(latency, 7);
  log.add(pick, ~std::uint64_t{0});
  log.add(latency, 0);
  return log;
}

TEST(DecisionLog, SurvivesItsBytes) {
  const DecisionLog log = sample_log();
  const auto read = DecisionLog::from_bytes(log.to_bytes());
  ASSERT_TRUE(read.has_value()) << read.error();
  EXPECT_EQ(*read, log);
  EXPECT_EQ(*DecisionLog::from_bytes(DecisionLog{}.to_bytes()), DecisionLog{});
}

TEST(DecisionLog, EveryCutAndEveryFlippedBitIsNoticed) {
  const std::string bytes = sample_log().to_bytes();
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(DecisionLog::from_bytes(bytes.substr(0, length)).has_value()) << length;
  }
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(DecisionLog::from_bytes(damaged).has_value()) << bit;
  }
}

TEST(DecisionLog, ErrorsNameTheByteAndWhatWasExpected) {
  EXPECT_EQ(DecisionLog::from_bytes("").error(), "decision log: byte 0: expected \"PSIMDEC1\"");
  EXPECT_EQ(DecisionLog::from_bytes("PSIMDEC1").error(), "decision log: byte 8: expected a whole log");
  std::string bytes = sample_log().to_bytes();
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  EXPECT_EQ(DecisionLog::from_bytes(bytes).error(), "decision log: byte " + std::to_string(bytes.size() - 8) +
                                                        ": expected the checksum of a whole, undamaged log");
}

RC_GTEST_PROP(DecisionLogProperty, RubbishIsRefused, (const std::string& rubbish)) {
  RC_ASSERT(!DecisionLog::from_bytes(rubbish).has_value());
  RC_ASSERT(!DecisionLog::from_bytes("PSIMDEC1" + rubbish).has_value());
}

DecisionLog recorded(std::uint64_t seed, std::string* transcript = nullptr, bool extra = false) {
  DecisionLog log;
  DrawnWorld world(seed, extra);
  world.simulation->choices().record(&log);
  const std::string text = world.run();
  if (transcript != nullptr) *transcript = text;
  return log;
}

TEST(DecisionReplayTest, RecordingChangesNothing) {
  DrawnWorld plain(5);
  std::string transcript;
  recorded(5, &transcript);
  EXPECT_EQ(transcript, plain.run());
}

TEST(DecisionReplayTest, StrictRepeatsTheRunWhateverTheSeed) {
  std::string original;
  const DecisionLog log = recorded(5, &original);
  DrawnWorld plain(5);
  plain.run();
  DrawnWorld other(6);
  other.simulation->replay_decisions(log);
  EXPECT_EQ(other.run(), original);
  EXPECT_EQ(other.digest(), plain.digest());
  EXPECT_FALSE(other.simulation->violation().has_value());
  EXPECT_EQ(other.simulation->choices().replay_status().taken, log.size());
  EXPECT_EQ(other.simulation->choices().replay_status().invented, 0u);
}

TEST(DecisionReplayTest, StrictNamesTheFirstDecisionThatAnotherProgramDoesNotMake) {
  const DecisionLog log = recorded(5);
  DrawnWorld changed(5, true);
  changed.simulation->replay_decisions(log);
  changed.run();
  ASSERT_TRUE(changed.simulation->violation().has_value());
  EXPECT_EQ(changed.simulation->violation()->name, "decision-log");
  const std::string& detail = changed.simulation->violation()->detail;
  EXPECT_NE(detail.find("the run draws from extra"), std::string::npos) << detail;
  EXPECT_NE(detail.find("expected a draw from waits/2"), std::string::npos) << detail;
}

// A connection that its owner closes by destroying it: the FIN's latency is drawn in a destructor.
void converse(TestWorld& world, bool extra) {
  world.spawn("b", [&world] {
    auto listener = world.host("b").listen(1);
    auto connection = listener->accept();
    std::string bytes;
    if (connection) (void)connection->receive(bytes);
  });
  world.spawn("a", [&world, extra] {
    const auto connection = world.host("a").connect({"b", 1});
    if (extra) world.simulation.random("extra").next();
  });
  world.run();
}

TEST(DecisionReplayTest, AMismatchInADestructorEndsTheRunAndNotTheProcess) {
  DecisionLog log;
  TestWorld original{"a", "b"};
  original.simulation.choices().record(&log);
  converse(original, true);
  TestWorld changed{"a", "b"};
  changed.simulation.replay_decisions(log);
  converse(changed, false);
  ASSERT_TRUE(changed.simulation.violation().has_value());
  const std::string& detail = changed.simulation.violation()->detail;
  EXPECT_NE(detail.find("expected a draw from extra, the run draws from net/a>b/latency"), std::string::npos) << detail;
}

TEST(DecisionReplayTest, StrictNoticesThatTheLogIsTooShort) {
  DecisionLog log = recorded(5);
  DecisionLog half;
  for (std::size_t i = 0; i < log.size() / 2; ++i)
    half.add(half.stream(log.streams()[log.at(i).stream]), log.at(i).value);
  DrawnWorld world(5);
  world.simulation->replay_decisions(half);
  world.run();
  ASSERT_TRUE(world.simulation->violation().has_value());
  EXPECT_NE(world.simulation->violation()->detail.find("expected the end of the run"), std::string::npos);
}

TEST(DecisionReplayTest, TolerantKeepsEveryOtherDecisionOfAChangedProgram) {
  std::string original;
  const DecisionLog log = recorded(5, &original);
  DrawnWorld changed(77, true);
  DecisionReplayOptions options;
  options.mode = DecisionReplay::tolerant;
  changed.simulation->replay_decisions(log, options);
  EXPECT_EQ(changed.run(), original);
  EXPECT_EQ(changed.simulation->choices().replay_status().invented, 1u);
  EXPECT_FALSE(changed.simulation->violation().has_value());
}

TEST(DecisionReplayTest, AnEditedDecisionIsObeyed) {
  DecisionLog log = recorded(5);
  std::size_t place = 0;
  while (log.streams()[log.at(place).stream] != "waits/1") ++place;
  log.set(place, 0);
  DrawnWorld world(5);
  DecisionReplayOptions options;
  options.mode = DecisionReplay::tolerant;
  world.simulation->replay_decisions(log, options);
  const std::string transcript = world.run();
  EXPECT_NE(transcript.find("b0"), std::string::npos);
  EXPECT_EQ(transcript.find('b'), transcript.find("b0"));
}

TEST(DecisionReplayTest, OneIsTheLeastResultOfEveryBound) {
  for (const std::uint64_t bound : {1ULL, 2ULL, 3ULL, 1000ULL, (1ULL << 63) + 1, ~0ULL}) {
    DecisionLog log;
    for (const std::uint64_t value : {1, 0, 1}) log.add(log.stream("a"), value);
    ChoiceOracle oracle(1, nullptr);
    oracle.replay(log, {});
    EXPECT_EQ(oracle.stream("a").below(bound), 0u) << bound;
    EXPECT_EQ(oracle.replay_status().taken, 1u) << bound;
    EXPECT_EQ(oracle.stream("a").below(bound), 0u) << bound;
    EXPECT_EQ(oracle.replay_status().taken, (bound & (bound - 1)) == 0 ? 2u : 3u) << bound;
  }
}

class ContinueFromHere : public testing::TestWithParam<DecisionReplay> {};

TEST_P(ContinueFromHere, HasTheSamePastAndAnotherFuture) {
  std::string original;
  const DecisionLog log = recorded(5, &original);
  DecisionReplayOptions options;
  options.mode = GetParam();
  options.decisions = log.size() / 2;
  DrawnWorld same(1234);
  options.continue_with_seed = 99;
  same.simulation->replay_decisions(log, options);
  const std::string first = same.run();
  EXPECT_FALSE(same.simulation->violation().has_value());
  EXPECT_NE(first, original);
  // About a draw and a half a step: a third of the transcript lies safely in the past.
  EXPECT_EQ(first.substr(0, original.size() / 3), original.substr(0, original.size() / 3));
  DrawnWorld again(4321);
  again.simulation->replay_decisions(log, options);
  EXPECT_EQ(again.run(), first);
  EXPECT_EQ(again.digest(), same.digest());
  DrawnWorld third(1234);
  options.continue_with_seed = 100;
  third.simulation->replay_decisions(log, options);
  EXPECT_NE(third.run(), first);
}

INSTANTIATE_TEST_SUITE_P(Modes, ContinueFromHere, testing::Values(DecisionReplay::strict, DecisionReplay::tolerant),
                         [](const auto& mode) {
                           return std::string(mode.param == DecisionReplay::strict ? "strict" : "tolerant");
                         });

TEST(DecisionReplayTest, WithoutANewSeedTheRunGoesOnAsItWasRecorded) {
  std::string original;
  const DecisionLog log = recorded(5, &original);
  DecisionReplayOptions options;
  options.decisions = log.size() / 2;
  DrawnWorld world(5);
  world.simulation->replay_decisions(log, options);
  EXPECT_EQ(world.run(), original);
}

TEST(ChoiceOracleReseed, IsAsAFreshOracleOfThatSeed) {
  ChoiceOracle first(1, nullptr);
  ChoiceOracle second(2, nullptr);
  first.stream("a").next();
  first.reseed(2);
  EXPECT_EQ(first.root_seed(), 2u);
  EXPECT_EQ(first.stream("a").next(), second.stream("a").next());
  EXPECT_EQ(first.stream("new").next(), second.stream("new").next());
}

TEST(ChoiceOracleReseed, LeavesALogThatIsBeingFollowed) {
  for (const DecisionReplay mode : {DecisionReplay::strict, DecisionReplay::tolerant}) {
    DecisionLog log;
    ChoiceOracle original(1, nullptr);
    original.record(&log);
    for (int i = 0; i < 4; ++i) original.stream("a").next();
    ChoiceOracle followed(3, nullptr);
    DecisionReplayOptions options;
    options.mode = mode;
    followed.replay(log, options);
    EXPECT_EQ(followed.stream("a").next(), log.at(0).value);
    followed.reseed(2);
    ChoiceOracle fresh(2, nullptr);
    EXPECT_EQ(followed.stream("a").next(), fresh.stream("a").next());
    EXPECT_EQ(followed.replay_status().taken, 1u);
  }
}

TEST(ChoiceOracleReseed, IsPartOfTheDigest) {
  DrawnWorld plain(5);
  DrawnWorld reseeded(5);
  reseeded.simulation->choices().reseed(5);
  plain.run();
  reseeded.run();
  EXPECT_NE(plain.digest(), reseeded.digest());
}

}  // namespace
}  // namespace polarsim::sim
