#include "engine/sql/hash.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace polarsim::engine::sql {
namespace {

// Recorded from PostgreSQL 15 (hashint4, hashint8, hashtext) with a cluster extension that distributed a table by each
// type over four shards; `shard` is the position of the shard that got the value.
struct IntegerCase {
  std::int64_t value;
  std::int32_t hash;
  int shard;
};

constexpr IntegerCase small_integers[] = {
    {-3, -1044245375, 1}, {-2, -1242090879, 0}, {-1, 385747274, 2},   {0, -272711505, 1},   {1, -1905060026, 0},
    {2, 1134484726, 3},   {3, -28094569, 1},    {4, -1011077333, 1},  {5, -1330264708, 0},  {6, 566031088, 2},
    {7, -978793473, 1},   {8, -2047600124, 0},  {9, 1672378334, 3},   {10, -1547814713, 0}, {11, 2011968649, 3},
    {12, 1938269380, 3},  {13, 1073282396, 2},  {14, -1018458207, 1}, {15, -1889599194, 0}, {16, -771555569, 1},
    {17, -917053276, 1},  {18, 2141220043, 3},  {19, -343503436, 1},  {20, -2014641093, 0},
};
constexpr IntegerCase int4_only[] = {
    {100, 108199381, 2},        {1000, -840720108, 1},           {65536, 32085720, 2},
    {2147483647, -96758253, 1}, {-2147483648LL, -1524351049, 0},
};
constexpr IntegerCase int8_only[] = {
    {4294967296, -1905060026, 0},
    {4294967297, -272711505, 1},
    {std::numeric_limits<std::int64_t>::max(), -1524351049, 0},
    {std::numeric_limits<std::int64_t>::min(), -96758253, 1},
};

struct TextCase {
  const char* value;
  std::int32_t hash;
  int shard;
};
constexpr TextCase texts[] = {
    {"-1", -1676203817, 0},
    {"0", -1970733076, 0},
    {"1", -631133447, 1},
    {"2", -95190526, 1},
    {"3", -1895345704, 0},
    {"4", -238146292, 1},
    {"5", 1343054358, 3},
    {"6", -9041812, 1},
    {"7", -1550461895, 0},
    {"8", 1978434688, 3},
    {"9", -537865536, 1},
    {"10", -98224081, 1},
    {"11", -643424914, 1},
    {"12", -633628209, 1},
    {"13", -236102988, 1},
    {"14", -377247109, 1},
    {"15", 556557884, 2},
    {"16", -1416656729, 0},
    {"17", 1121195461, 3},
    {"18", -1138404544, 0},
    {"19", -388920597, 1},
    {"20", 1496422558, 3},
    {"", -1477818771, 0},
    {"a", 1075015857, 3},
    {"TEST", 843499997, 2},
    {"test", 1771415073, 3},
    {"TEST ", 1422861288, 3},
    {"hello world", 1021725223, 2},
    {"\u017c\u00f3\u0142w", 1871440908, 3},
};

TEST(HashTest, IntegersHashAsPostgresqlHashesThem) {
  for (const IntegerCase& c : small_integers) {
    EXPECT_EQ(hash_value(Value::integer(c.value), TypeId::int4), c.hash) << c.value;
    EXPECT_EQ(hash_value(Value::integer(c.value), TypeId::int8), c.hash) << c.value;
    EXPECT_EQ(shard_index(c.hash, 4), c.shard) << c.value;
  }
  for (const IntegerCase& c : int4_only) {
    EXPECT_EQ(hash_value(Value::integer(c.value), TypeId::int4), c.hash) << c.value;
    EXPECT_EQ(shard_index(c.hash, 4), c.shard) << c.value;
  }
  for (const IntegerCase& c : int8_only) {
    EXPECT_EQ(hash_value(Value::integer(c.value), TypeId::int8), c.hash) << c.value;
    EXPECT_EQ(shard_index(c.hash, 4), c.shard) << c.value;
  }
}

TEST(HashTest, TextsHashAsPostgresqlHashesThem) {
  for (const TextCase& c : texts) {
    EXPECT_EQ(hash_value(Value::text(c.value), TypeId::text), c.hash) << c.value;
    EXPECT_EQ(shard_index(c.hash, 4), c.shard) << c.value;
  }
}

TEST(HashTest, BooleansHashAsPostgresqlHashesThem) {
  EXPECT_EQ(hash_value(Value::boolean(true), TypeId::boolean), -1905060026);
  EXPECT_EQ(hash_value(Value::boolean(false), TypeId::boolean), -272711505);
}

TEST(HashTest, Int4AndInt8AgreeOnEveryInt4) {
  std::int64_t value = 1;
  for (int i = 0; i < 200; ++i) {
    value = static_cast<std::int32_t>(value * 1103515245 + 12345);
    EXPECT_EQ(hash_value(Value::integer(value), TypeId::int4), hash_value(Value::integer(value), TypeId::int8))
        << value;
  }
}

TEST(HashTest, TextsOfEveryLengthAroundAWordBoundaryDiffer) {
  std::vector<std::uint32_t> seen;
  for (std::size_t length = 0; length <= 40; ++length) {
    const std::uint32_t hash = hash_bytes(std::string(length, 'x'));
    for (const std::uint32_t other : seen) EXPECT_NE(hash, other) << length;
    seen.push_back(hash);
  }
}

TEST(ShardTest, FourShardsHaveTheRecordedRanges) {
  const HashRange expected[] = {
      {-2147483647 - 1, -1073741825}, {-1073741824, -1}, {0, 1073741823}, {1073741824, 2147483647}};
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(shard_range(i, 4).low, expected[i].low);
    EXPECT_EQ(shard_range(i, 4).high, expected[i].high);
  }
}

TEST(ShardTest, ThirtyTwoShardsAreEqualSteps) {
  EXPECT_EQ(shard_range(0, 32).low, -2147483647 - 1);
  EXPECT_EQ(shard_range(0, 32).high, -2013265921);
  EXPECT_EQ(shard_range(1, 32).low, -2013265920);
  EXPECT_EQ(shard_range(31, 32).low, 2013265920);
  EXPECT_EQ(shard_range(31, 32).high, 2147483647);
}

// Every count must cut the whole hash space without gap or overlap, also where the division leaves a remainder.
TEST(ShardTest, RangesTileTheHashSpaceAndIndexFindsThem) {
  for (const int count : {1, 2, 3, 4, 5, 6, 7, 12, 32, 33, 64, 100, 1000}) {
    std::int64_t next = std::numeric_limits<std::int32_t>::min();
    for (int i = 0; i < count; ++i) {
      const HashRange range = shard_range(i, count);
      ASSERT_EQ(range.low, next) << count << " " << i;
      ASSERT_EQ(shard_index(range.low, count), i) << count;
      ASSERT_EQ(shard_index(range.high, count), i) << count;
      next = static_cast<std::int64_t>(range.high) + 1;
    }
    ASSERT_EQ(next, std::int64_t{1} << 31) << count;
  }
}

}  // namespace
}  // namespace polarsim::engine::sql
