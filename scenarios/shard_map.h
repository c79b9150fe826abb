// Which data node holds the row of each key of a distributed table.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scenarios/workload_session.h"

namespace polarsim::scenarios {

class ShardMap {
 public:
  // Asks the coordinator that the session is connected to for its metadata. The table's distribution column is an
  // integer. Throws SqlError.
  ShardMap(WorkloadSession& session, const std::string& table);

  const std::string& node_of(std::int64_t key) const;
  std::int64_t shard_of(std::int64_t key) const;

 private:
  struct Shard {
    std::int64_t id = 0;
    std::int64_t low = 0, high = 0;  // hashes, both included
    std::string node;
  };
  const Shard& find(std::int64_t key) const;
  std::vector<Shard> shards_;
};

}  // namespace polarsim::scenarios
