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

#include "engine/cluster/metadata_tables.h"
#include "engine/config.h"
#include "engine/distribution/table.h"
#include "engine/node/instance.h"
#include "engine/node/statement_cache.h"
#include "sim/network.h"

namespace polarsim::engine::cluster {

inline constexpr int primary_coordinator_group = 0;

struct NodeInfo {
  int node_id = 0;
  int group_id = 0;
  std::string name;
  std::uint16_t port = default_port;
  bool holds_shards = false;  // a data node; else a coordinator
  sim::Address address() const { return {name, port}; }
};

struct Metadata {
  std::uint64_t version = 0;      // no two of a coordinator have the same
  std::map<int, NodeInfo> nodes;  // by group
  // By the table's number on this node.
  std::map<storage::RelationId, distribution::TableDistributionPtr> tables;
  std::vector<ColocationGroup> colocation_groups;  // by id
  std::map<storage::RelationId, int> schemas;      // that lie wholly on one data node: their colocation groups

  const NodeInfo& node(int group_id) const;  // throws SqlError XX000 if there is none
  // Null if it is not distributed.
  distribution::TableDistributionPtr find(storage::RelationId table) const;
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
  // Which node this is, once that is known: its copies of reference tables are read first.
  void set_own_group(int group) {
    own_group_ = group;
    metadata_ = nullptr;
  }
  // What is committed.
  std::shared_ptr<const Metadata> current();
  // As a session sees it that has changed it.
  std::shared_ptr<const Metadata> seen_by(LocalSession& session);

 private:
  using Versions = std::vector<std::uint64_t>;
  Versions versions() const;
  std::shared_ptr<Metadata> load(LocalSession& session);
  Instance& instance_;
  syntax::StatementCache& statements_;
  Versions loaded_;
  std::uint64_t compared_changes_ = 0;  // of the catalog, when its versions were last those of loaded_
  std::shared_ptr<const Metadata> metadata_;
  std::uint64_t last_version_ = 0;
  int own_group_ = 0;
};

}  // namespace polarsim::engine::cluster
