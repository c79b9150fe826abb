// What a coordinator knows of the cluster: nodes, distributed tables, shards and where they are. All of it lives in
// ordinary tables (pg_dist_*) of every coordinator, changed in the same transactions as everything else; this is their
// reading.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/config.h"
#include "engine/node/instance.h"
#include "engine/node/statement_cache.h"
#include "sim/network.h"

namespace polarsim::engine::cluster {

inline constexpr std::int64_t first_shard_id = 102008;
inline constexpr int primary_coordinator_group = 0;

struct NodeInfo {
  int node_id = 0;
  int group_id = 0;
  std::string name;
  std::uint16_t port = default_port;
  bool holds_shards = false;  // a data node; else a coordinator
  sim::Address address() const { return {name, port}; }
};

struct Shard {
  std::int64_t id = 0;
  std::int32_t low = 0;  // hash values, both included
  std::int32_t high = 0;
  int group_id = 0;  // of the node that holds it
};

struct DistributedTable {
  TableDefinition definition;
  int distribution_column = 0;  // position among the columns
  int colocation_id = 0;
  std::vector<Shard> shards;  // in order of their hash ranges

  const std::string& name() const { return definition.name; }
  const sql::ColumnInfo& distribution_info() const {
    return definition.columns[static_cast<std::size_t>(distribution_column)];
  }
  // "t_102008".
  std::string shard_name(std::size_t index) const;
  sql::TableShape shape(std::string_view reference) const;
};

struct Metadata {
  std::map<int, NodeInfo> nodes;  // by group
  std::map<std::string, std::shared_ptr<const DistributedTable>, std::less<>> tables;

  const NodeInfo& node(int group_id) const;  // throws SqlError XX000 if there is none
  // Null if the name is not that of a distributed table.
  std::shared_ptr<const DistributedTable> find(const sql::TableName& name) const;
  std::vector<NodeInfo> data_nodes() const;  // sorted by name: the order of placement
};

// Sorts dn2 before dn10, as a person numbering nodes expects.
bool node_name_less(std::string_view a, std::string_view b);

// Runs one statement on a local session.
QueryResult run_sql(Session& session, syntax::StatementCache& cache, std::string_view text,
                    std::span<const Value> parameters = {});

// The statements that create the system tables and tell of the initial nodes, in order: one transaction at initdb time.
std::vector<std::string> bootstrap_statements(const ClusterConfig& config);
// Names: cn1, cn2, ..., dn1, dn2, ...; groups: cn1 is 0, then the other coordinators, then the data nodes.
std::vector<NodeInfo> initial_nodes(const ClusterConfig& config);

// Reads the tables when they have changed, else remembers.
class MetadataCache {
 public:
  MetadataCache(Instance& instance, syntax::StatementCache& statements)
      : instance_(instance), statements_(statements) {}
  std::shared_ptr<const Metadata> current();

 private:
  using Versions = std::vector<std::uint64_t>;
  Versions versions() const;
  std::shared_ptr<const Metadata> load();
  Instance& instance_;
  syntax::StatementCache& statements_;
  Versions loaded_;
  std::shared_ptr<const Metadata> metadata_;
};

}  // namespace polarsim::engine::cluster
