#include "engine/catalog/sequence_counting.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "engine/types/error.h"

namespace polarsim::engine::catalog {
namespace {

// Options of one word and a number each, as CREATE SEQUENCE has them.
SequenceParameters parameters(const std::string& options) {
  SequenceRequest request;
  std::istringstream words(options);
  for (std::string word; words >> word;) {
    if (word == "cycle") {
      request.cycle = true;
      continue;
    }
    std::string value;
    words >> value;
    if (word == "as") {
      request.type = value == "smallint" ? TypeId::int2 : TypeId::int4;
      continue;
    }
    std::optional<std::int64_t>& option = word == "start"       ? request.start
                                          : word == "increment" ? request.increment
                                          : word == "minvalue"  ? request.minimum
                                                                : request.maximum;
    option = std::stoll(value);
  }
  return sequence_parameters(request);
}

std::string refusal(const std::string& options) {
  try {
    parameters(options);
    return "accepted";
  } catch (const SqlError& error) {
    return error.what();
  }
}

// The first values, and the error that ends them.
std::string values(const std::string& options, int count) {
  const SequenceParameters sequence = parameters(options);
  SequenceState state = initial_state(sequence);
  std::string out;
  try {
    for (int i = 0; i < count; ++i) {
      state = next_state(sequence, state, "s");
      out += std::to_string(state.last_value) + ' ';
    }
  } catch (const SqlError& error) {
    out += error.what();
  }
  return out;
}

// All texts as PostgreSQL 15.20 gave them.
TEST(SequenceTest, BoundsThatMakeNoSenseAreRefused) {
  EXPECT_EQ(refusal("minvalue 5 maxvalue 5"), "22023: MINVALUE (5) must be less than MAXVALUE (5)");
  EXPECT_EQ(refusal("start 0"), "22023: START value (0) cannot be less than MINVALUE (1)");
  EXPECT_EQ(refusal("start 10 maxvalue 9"), "22023: START value (10) cannot be greater than MAXVALUE (9)");
  EXPECT_EQ(refusal("increment 0"), "22023: INCREMENT must not be zero");
  EXPECT_EQ(refusal("as int maxvalue 3000000000"),
            "22023: MAXVALUE (3000000000) is out of range for sequence data type integer");
  EXPECT_EQ(refusal("as smallint maxvalue 40000"),
            "22023: MAXVALUE (40000) is out of range for sequence data type smallint");
  EXPECT_EQ(refusal("as int minvalue -3000000000"),
            "22023: MINVALUE (-3000000000) is out of range for sequence data type integer");
}

TEST(SequenceTest, WhatIsNotGivenFollowsFromTheDirectionAndTheType) {
  EXPECT_EQ(parameters(""), (SequenceParameters{1, 1, 1, INT64_MAX, false}));
  EXPECT_EQ(parameters("increment -1"), (SequenceParameters{-1, -1, INT64_MIN, -1, false}));
  EXPECT_EQ(parameters("as int cycle"), (SequenceParameters{1, 1, 1, INT32_MAX, true}));
  EXPECT_EQ(parameters("as smallint"), (SequenceParameters{1, 1, 1, INT16_MAX, false}));
  EXPECT_EQ(parameters("as int increment -3"), (SequenceParameters{-1, -3, INT32_MIN, -1, false}));
}

TEST(SequenceTest, CountsToItsEnd) {
  EXPECT_EQ(values("maxvalue 2", 9), "1 2 2200H: nextval: reached maximum value of sequence \"s\" (2)");
  EXPECT_EQ(values("increment -1 minvalue -2", 9),
            "-1 -2 2200H: nextval: reached minimum value of sequence \"s\" (-2)");
  EXPECT_EQ(values("start 9223372036854775806 increment 2", 9),
            "9223372036854775806 2200H: nextval: reached maximum value of sequence \"s\" (9223372036854775807)");
  EXPECT_EQ(values("minvalue 3 maxvalue 8 start 5 increment 2 cycle", 5), "5 7 3 5 7 ");
  EXPECT_EQ(values("minvalue 3 maxvalue 8 increment -4 cycle", 4), "8 4 8 4 ");
}

TEST(SequenceTest, CanBeSetWithinItsBounds) {
  const SequenceParameters sequence = parameters("maxvalue 10");
  EXPECT_EQ(next_state(sequence, set_state(sequence, 4, true, "s"), "s").last_value, 5);
  EXPECT_EQ(next_state(sequence, set_state(sequence, 4, false, "s"), "s").last_value, 4);
  EXPECT_THROW(set_state(sequence, 11, true, "s"), SqlError);
  EXPECT_THROW(set_state(sequence, 0, true, "s"), SqlError);
}

}  // namespace
}  // namespace polarsim::engine::catalog
