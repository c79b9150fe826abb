#include "scenarios/workload_session.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "engine/cluster/distributed_transaction.h"
#include "scenarios/workload_transactions.h"

namespace polarsim::scenarios {
namespace {

TEST(workload_session, definite_failures) {
  for (const char* state : {"40P01", "40001", "40000", "55P03", "57014", "23505", "25P02", "22003", "08001"}) {
    EXPECT_TRUE(is_definite_failure(state)) << state;
  }
  for (const char* state :
       {"", "08000", "08003", "08006", "08007", "08P01", "57P01", "57P02", "57P03", "40003", "58030", "XX000"}) {
    EXPECT_FALSE(is_definite_failure(state)) << state;
  }
}

// A client must never be surer than the coordinator is of its nodes. 08001 is left out: a coordinator that cannot
// connect to a node has sent nothing, and its contract with clients says so.
TEST(workload_session, no_surer_than_the_coordinator) {
  for (const char* state : {"08000", "08003", "08006", "08007", "08P01", "40000", "40001", "40P01", "55P03", "57014",
                            "57P01", "57P02", "57P03", "58030", "XX000", "23505"}) {
    EXPECT_FALSE(is_definite_failure(state) && engine::cluster::outcome_unknown(state)) << state;
  }
}

RC_GTEST_PROP(key_pool, values_are_unique_and_keys_rotate, (std::uint64_t seed)) {
  constexpr std::int64_t writes_per_key = 5;
  KeyPool pool(3, writes_per_key);
  sim::RandomStream stream("test", seed, nullptr);
  std::set<std::pair<std::int64_t, std::int64_t>> written;
  std::map<std::int64_t, std::int64_t> writes;
  for (int i = 0; i < 200; ++i) {
    const std::int64_t key = pool.draw_key(stream);
    const std::int64_t value = pool.next_value(key);
    RC_ASSERT(written.emplace(key, value).second);
    RC_ASSERT(++writes[key] <= writes_per_key);
  }
  RC_ASSERT(writes.size() >= 200U / writes_per_key);
  RC_ASSERT(pool.written_keys().size() == writes.size());
}

}  // namespace
}  // namespace polarsim::scenarios
