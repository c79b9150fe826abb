#include "engine/distribution/table.h"

#include <gtest/gtest.h>

#include "engine/distribution/distribution_test_support.h"
#include "engine/types/error.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::distribution {
namespace {

std::int32_t hash_of_text(TypeId type, std::string_view text) {
  return hash_of(input_value(text, type, CallContext{}), type);
}

// As hash functions of PostgreSQL 15 answer: SELECT hash_numeric(1234567.89) and so on; the relative's worker_hash().
TEST(Table, hashes_are_postgresqls) {
  EXPECT_EQ(hash_of_text(TypeId::int4, "1"), -1905060026);
  EXPECT_EQ(hash_of_text(TypeId::int8, "1"), -1905060026);
  EXPECT_EQ(hash_of_text(TypeId::int2, "2"), 1134484726);
  EXPECT_EQ(hash_of_text(TypeId::oid, "42"), 1509752520);
  EXPECT_EQ(hash_of_text(TypeId::boolean, "true"), -1905060026);
  EXPECT_EQ(hash_of_text(TypeId::text, "TEST"), 843499997);
  EXPECT_EQ(hash_of_text(TypeId::varchar, "abc"), -785388649);
  EXPECT_EQ(hash_of_text(TypeId::bpchar, "abc  "), -785388649);
  EXPECT_EQ(hash_of_text(TypeId::numeric, "1234567.89"), 804152244);
  EXPECT_EQ(hash_of_text(TypeId::numeric, "1234567.8900"), 804152244);
  EXPECT_EQ(hash_of_text(TypeId::numeric, "0.00"), -1);
  EXPECT_EQ(hash_of_text(TypeId::numeric, "-0.000123"), -1465604073);
  EXPECT_EQ(hash_of_text(TypeId::interval, "1 month 2 days 03:04:05.6"), -1104949431);
  EXPECT_EQ(hash_of_text(TypeId::float8, "-1.5"), -5283968);
  EXPECT_EQ(hash_of_text(TypeId::float4, "2.25"), -1763560179);
  EXPECT_EQ(hash_of_text(TypeId::float8, "-0"), 0);
  EXPECT_EQ(hash_of_text(TypeId::date, "2024-03-01"), 159550630);
  EXPECT_EQ(hash_of_text(TypeId::timestamp, "2024-03-01 10:11:12.5"), -956565755);
  EXPECT_EQ(hash_of_text(TypeId::time, "10:11:12.5"), -495758354);
  EXPECT_EQ(hash_of_text(TypeId::uuid, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), 1154666245);
  EXPECT_EQ(hash_of_text(TypeId::int4_array, "{1,NULL,3}"), -1134681668);
  EXPECT_EQ(hash_of_text(TypeId::text_array, "{a,bc}"), 12745431);
  EXPECT_EQ(hash_of_text(TypeId::numeric_array, "{1.5,2.50}"), -971129824);
  EXPECT_EQ(hash_of_text(TypeId::char_byte, "a"), 463612535);
  EXPECT_EQ(hash_of_text(TypeId::char_byte, ""), -272711505);
  EXPECT_EQ(hash_of_text(TypeId::char_byte, "\\377"), 385747274);
  EXPECT_EQ(hash_of_text(TypeId::jsonb, "1"), -822615224);
  EXPECT_EQ(hash_of_text(TypeId::jsonb, "-0.50"), 179319563);
  EXPECT_EQ(hash_of_text(TypeId::jsonb, R"({"a":[1,"x",null,true],"bb":{}})"), 1137149580);
  EXPECT_EQ(hash_of_text(TypeId::xid8, "7"), -978793473);
  EXPECT_EQ(hash_of_text(TypeId::oidvector, "1 2 3"), 1738594973);
}

TEST(Table, types_that_cannot_be_hashed_are_refused) {
  EXPECT_FALSE(can_hash(TypeId::json));
  EXPECT_FALSE(can_hash(TypeId::json_array));
  EXPECT_THROW(hash_of_text(TypeId::int2vector, "1"), SqlError);
}

TEST(Table, types_hash_alike_where_equal_values_do) {
  EXPECT_TRUE(hashes_alike(TypeId::int2, TypeId::int8));
  EXPECT_TRUE(hashes_alike(TypeId::text, TypeId::varchar));
  EXPECT_TRUE(hashes_alike(TypeId::int4_array, TypeId::int8_array));
  EXPECT_FALSE(hashes_alike(TypeId::int4, TypeId::numeric));
  EXPECT_FALSE(hashes_alike(TypeId::text, TypeId::bpchar));
  EXPECT_FALSE(hashes_alike(TypeId::timestamp, TypeId::timestamptz));
  EXPECT_FALSE(hashes_alike(TypeId::json, TypeId::json));
}

TEST(Table, shards_are_found_by_their_hashes) {
  TableDistribution table;
  table.type = TypeId::int4;
  table.shards = {{1, -100, -1, {1}}, {2, 0, 99, {2}}};
  EXPECT_EQ(shard_position(table, std::int32_t{-101}), std::nullopt);
  EXPECT_EQ(shard_position(table, std::int32_t{-100}), 0U);
  EXPECT_EQ(shard_position(table, std::int32_t{-1}), 0U);
  EXPECT_EQ(shard_position(table, std::int32_t{0}), 1U);
  EXPECT_EQ(shard_position(table, std::int32_t{99}), 1U);
  EXPECT_EQ(shard_position(table, std::int32_t{100}), std::nullopt);
}

TEST(Table, names_of_shards_keep_to_the_length_of_names) {
  EXPECT_EQ(shard_name("t", 102008), "t_102008");
  const std::string longest(63, 'x');
  const std::string name = shard_name(longest, 102008);
  EXPECT_EQ(name.size(), name_bytes_max);
  EXPECT_TRUE(name.ends_with("_102008"));
  EXPECT_NE(name, shard_name(std::string(62, 'x') + "y", 102008));
}

}  // namespace
}  // namespace polarsim::engine::distribution
