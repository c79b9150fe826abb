#include "engine/cluster/metadata.h"

#include <algorithm>
#include <cctype>

namespace polarsim::engine::cluster {

namespace {

constexpr const char* metadata_tables[] = {"pg_dist_partition", "pg_dist_shard", "pg_dist_placement", "pg_dist_node",
                                           "pg_dist_colocation"};

// A reader that finds the tables changed under its hands starts again; DDL is rare, so this many changes in a row mean
// a defect.
constexpr int load_attempts = 100;

}  // namespace

const NodeInfo& Metadata::node(int group_id) const {
  const auto found = nodes.find(group_id);
  if (found == nodes.end()) {
    throw SqlError(sqlstate::internal_error, "could not find a node for group " + std::to_string(group_id));
  }
  return found->second;
}

distribution::TableDistributionPtr Metadata::find(storage::RelationId table) const {
  const auto found = tables.find(table);
  return found == tables.end() ? nullptr : found->second;
}

std::vector<NodeInfo> Metadata::data_nodes() const {
  std::vector<NodeInfo> result;
  for (const auto& [group, node] : nodes) {
    if (node.holds_shards) result.push_back(node);
  }
  std::sort(result.begin(), result.end(), [](const NodeInfo& a, const NodeInfo& b) {
    if (a.name != b.name) return node_name_less(a.name, b.name);
    return a.port < b.port;
  });
  return result;
}

bool node_name_less(std::string_view a, std::string_view b) {
  const auto split = [](std::string_view name) {
    std::size_t digits = name.size();
    while (digits > 0 && std::isdigit(static_cast<unsigned char>(name[digits - 1])) != 0) --digits;
    return std::pair(name.substr(0, digits), name.substr(digits));
  };
  const auto [stem_a, number_a] = split(a);
  const auto [stem_b, number_b] = split(b);
  if (stem_a != stem_b) return stem_a < stem_b;
  if (number_a.size() != number_b.size()) return number_a.size() < number_b.size();
  return number_a < number_b;
}

QueryResult run_sql(Session& session, syntax::StatementCache& cache, std::string_view text,
                    std::span<const Value> parameters) {
  const std::vector<syntax::StatementPtr> statements = cache.parse(text);
  QueryResult result;
  for (const syntax::StatementPtr& statement : statements) result = session.execute({statement, text, parameters});
  return result;
}

std::vector<NodeInfo> initial_nodes(const ClusterConfig& config) {
  std::vector<NodeInfo> nodes;
  const auto add = [&nodes](const std::string& name, bool holds_shards) {
    NodeInfo node;
    node.group_id = static_cast<int>(nodes.size());
    node.node_id = node.group_id + 1;
    node.name = name;
    node.holds_shards = holds_shards;
    nodes.push_back(node);
  };
  for (int i = 1; i <= config.coordinators; ++i) add("cn" + std::to_string(i), false);
  for (int i = 1; i <= config.data_nodes; ++i) add("dn" + std::to_string(i), true);
  return nodes;
}

std::vector<std::string> bootstrap_statements(const ClusterConfig& config) {
  std::vector<std::string> statements = metadata_table_statements();
  for (const NodeInfo& node : initial_nodes(config)) {
    statements.push_back(node_statement({node.group_id, node.name, node.port, !node.holds_shards, node.holds_shards}));
  }
  return statements;
}

MetadataCache::Versions MetadataCache::versions() const {
  Versions result;
  for (const char* table : metadata_tables) result.push_back(instance_.table_version("pg_catalog", table));
  // Distribution columns are known by their numbers, which definitions say.
  result.push_back(instance_.database().catalog().definitions_version());
  return result;
}

std::shared_ptr<const Metadata> MetadataCache::current() {
  const catalog::Catalog& catalog = instance_.database().catalog();
  if (metadata_ && compared_changes_ == catalog.changes()) return metadata_;
  for (int attempt = 0; attempt < load_attempts; ++attempt) {
    Versions before = versions();
    const std::uint64_t changes = catalog.changes();
    if (metadata_ && before == loaded_) {
      compared_changes_ = changes;
      return metadata_;
    }
    // Each SELECT has a snapshot of its own; only if nothing was committed meanwhile do they fit together.
    std::shared_ptr<Metadata> loaded;
    try {
      const std::unique_ptr<LocalSession> session = instance_.connect();
      run_sql(*session, statements_, "BEGIN");
      loaded = load(*session);
      run_sql(*session, statements_, "COMMIT");
      session->close();
    } catch (const SqlError&) {
      if (versions() == before) throw;
    }
    if (loaded == nullptr || versions() != before) continue;
    metadata_ = std::move(loaded);
    loaded_ = std::move(before);
    compared_changes_ = changes;
    return metadata_;
  }
  throw SqlError(sqlstate::internal_error, "the metadata of the cluster did not come to rest");
}

std::shared_ptr<const Metadata> MetadataCache::seen_by(LocalSession& session) { return load(session); }

std::shared_ptr<Metadata> MetadataCache::load(LocalSession& session) {
  const auto run = [&](const std::string& text) {
    return session.run_here(StatementRequest{statements_.parse(text).at(0), text});
  };
  StoredMetadata stored = load_metadata(run, session.catalog(), session.transaction(), own_group_);
  auto metadata = std::make_shared<Metadata>();
  metadata->version = ++last_version_;
  for (const ClusterNode& node : stored.nodes) {
    // Nodes are numbered in the order of their groups.
    metadata->nodes[node.group] = {node.group + 1, node.group, node.name, node.port, node.holds_shards};
  }
  metadata->tables = std::move(stored.tables);
  metadata->colocation_groups = std::move(stored.colocation_groups);
  metadata->schemas = std::move(stored.schemas);
  return metadata;
}

}  // namespace polarsim::engine::cluster
