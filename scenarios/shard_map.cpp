#include "scenarios/shard_map.h"

#include <algorithm>

#include "engine/distribution/table.h"
#include "engine/types/text_form.h"
#include "sim/assert.h"

namespace polarsim::scenarios {

ShardMap::ShardMap(WorkloadSession& session, const std::string& table) {
  const engine::QueryResult result = session.command(
      "SELECT s.shardid::text, s.shardminvalue, s.shardmaxvalue, n.nodename FROM pg_dist_shard s JOIN "
      "pg_dist_placement p "
      "ON p.shardid = s.shardid JOIN pg_dist_node n ON n.groupid = p.groupid WHERE s.logicalrelid = '" +
      table + "'::regclass ORDER BY s.shardid");
  for (const engine::Row& row : result.rows) {
    shards_.push_back({std::stoll(engine::plain_text(row.at(0))), std::stoll(engine::plain_text(row.at(1))),
                       std::stoll(engine::plain_text(row.at(2))), engine::plain_text(row.at(3))});
  }
}

const ShardMap::Shard& ShardMap::find(std::int64_t key) const {
  const std::int64_t hash = engine::distribution::hash_of(engine::Value::integer(key), engine::TypeId::int4);
  const auto found = std::find_if(shards_.begin(), shards_.end(),
                                  [&](const Shard& shard) { return shard.low <= hash && hash <= shard.high; });
  POLARSIM_ASSERT(found != shards_.end(), "a hash in no shard");
  return *found;
}

const std::string& ShardMap::node_of(std::int64_t key) const { return find(key).node; }
std::int64_t ShardMap::shard_of(std::int64_t key) const { return find(key).id; }

}  // namespace polarsim::scenarios
