#include "engine/cluster/metadata.h"

#include <algorithm>
#include <cctype>

#include "engine/sql/parser.h"

namespace polarsim::engine::cluster {

namespace {

constexpr const char* metadata_tables[] = {"pg_dist_partition", "pg_dist_shard", "pg_dist_placement", "pg_dist_node"};

// A reader that finds the tables changed under its hands starts again; DDL is rare, so this many changes in a row mean
// a defect.
constexpr int load_attempts = 100;

std::int32_t to_hash(const Value& value) {
  return static_cast<std::int32_t>(from_text(value.as_text(), TypeId::int4).as_integer());
}

int column_position(const TableDefinition& definition, std::string_view column) {
  for (std::size_t i = 0; i < definition.columns.size(); ++i) {
    if (definition.columns[i].name == column) return static_cast<int>(i);
  }
  throw SqlError(sqlstate::internal_error, "the partition column of table " + definition.name + " does not exist");
}

}  // namespace

std::string DistributedTable::shard_name(std::size_t index) const {
  return definition.name + "_" + std::to_string(shards[index].id);
}

sql::TableShape DistributedTable::shape(std::string_view reference) const {
  sql::TableShape shape;
  shape.name = reference;
  shape.columns = definition.columns;
  shape.primary_key = definition.primary_key;
  return shape;
}

const NodeInfo& Metadata::node(int group_id) const {
  const auto found = nodes.find(group_id);
  if (found == nodes.end()) {
    throw SqlError(sqlstate::internal_error, "could not find a node for group " + std::to_string(group_id));
  }
  return found->second;
}

std::shared_ptr<const DistributedTable> Metadata::find(const sql::TableName& name) const {
  if (!name.schema.empty() && name.schema != "public") return nullptr;
  const auto found = tables.find(name.name);
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
  std::vector<std::string> statements{
      "CREATE TABLE pg_catalog.pg_dist_node (nodeid integer PRIMARY KEY, groupid integer NOT NULL, nodename text NOT "
      "NULL, "
      "nodeport integer NOT NULL, noderole text NOT NULL, isactive boolean NOT NULL, hasmetadata boolean NOT NULL, "
      "shouldhaveshards boolean NOT NULL)",
      "CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid text PRIMARY KEY, partmethod text NOT NULL, partkey "
      "text, "
      "colocationid integer NOT NULL, repmodel text NOT NULL)",
      "CREATE TABLE pg_catalog.pg_dist_shard (logicalrelid text NOT NULL, shardid bigint PRIMARY KEY, shardstorage "
      "text NOT NULL, "
      "shardminvalue text, shardmaxvalue text)",
      "CREATE TABLE pg_catalog.pg_dist_placement (placementid bigint PRIMARY KEY, shardid bigint NOT NULL, "
      "shardstate integer NOT NULL, shardlength bigint NOT NULL, groupid integer NOT NULL)",
      "CREATE TABLE pg_catalog.pg_dist_colocation (colocationid integer PRIMARY KEY, shardcount integer NOT NULL, "
      "replicationfactor integer NOT NULL, distributioncolumntype text NOT NULL)",
      "CREATE TABLE pg_catalog.pg_dist_transaction (groupid integer NOT NULL, gid text PRIMARY KEY)",
      "CREATE TABLE pg_catalog.pg_dist_shardid_seq (last_value bigint NOT NULL)",
      "INSERT INTO pg_catalog.pg_dist_shardid_seq VALUES (" + std::to_string(first_shard_id - 1) + ")",
  };
  std::string nodes = "INSERT INTO pg_catalog.pg_dist_node VALUES ";
  bool first = true;
  for (const NodeInfo& node : initial_nodes(config)) {
    if (!first) nodes += ", ";
    first = false;
    nodes += "(" + std::to_string(node.node_id) + ", " + std::to_string(node.group_id) + ", " +
             sql::quote_literal(node.name) + ", " + std::to_string(node.port) + ", 'primary', true, " +
             (node.holds_shards ? "false, true)" : "true, false)");
  }
  statements.push_back(std::move(nodes));
  return statements;
}

MetadataCache::Versions MetadataCache::versions() const {
  Versions result;
  for (const char* table : metadata_tables) result.push_back(instance_.table_version("pg_catalog", table));
  return result;
}

std::shared_ptr<const Metadata> MetadataCache::current() {
  for (int attempt = 0; attempt < load_attempts; ++attempt) {
    Versions before = versions();
    if (metadata_ && before == loaded_) return metadata_;
    // Each SELECT of load() has a snapshot of its own; only if nothing was committed meanwhile do they fit together.
    auto loaded = load();
    if (loaded == nullptr || versions() != before) continue;
    metadata_ = std::move(loaded);
    loaded_ = std::move(before);
  }
  throw SqlError(sqlstate::internal_error, "the metadata of the cluster did not come to rest");
}

// Null if the parts do not fit together.
std::shared_ptr<const Metadata> MetadataCache::load() {
  const std::unique_ptr<Session> session = instance_.connect();
  auto metadata = std::make_shared<Metadata>();
  const QueryResult nodes =
      run_sql(*session, statements_,
              "SELECT nodeid, groupid, nodename, nodeport, shouldhaveshards FROM pg_catalog.pg_dist_node");
  for (const Row& row : nodes.rows) {
    NodeInfo node;
    node.node_id = static_cast<int>(row[0].as_integer());
    node.group_id = static_cast<int>(row[1].as_integer());
    node.name = row[2].as_text();
    node.port = static_cast<std::uint16_t>(row[3].as_integer());
    node.holds_shards = row[4].as_boolean();
    metadata->nodes[node.group_id] = node;
  }
  const QueryResult placements =
      run_sql(*session, statements_, "SELECT shardid, groupid FROM pg_catalog.pg_dist_placement");
  std::map<std::int64_t, int> group_of_shard;
  for (const Row& row : placements.rows) group_of_shard[row[0].as_integer()] = static_cast<int>(row[1].as_integer());
  const QueryResult partitions =
      run_sql(*session, statements_, "SELECT logicalrelid, partkey, colocationid FROM pg_catalog.pg_dist_partition");
  std::map<std::string, DistributedTable, std::less<>> tables;
  for (const Row& row : partitions.rows) {
    DistributedTable table;
    const TableDefinition* definition = instance_.find_table("public", row[0].as_text());
    if (definition == nullptr) return nullptr;
    table.definition = *definition;
    table.distribution_column = column_position(table.definition, row[1].as_text());
    table.colocation_id = static_cast<int>(row[2].as_integer());
    tables.emplace(row[0].as_text(), std::move(table));
  }
  const QueryResult shards =
      run_sql(*session, statements_,
              "SELECT logicalrelid, shardid, shardminvalue, shardmaxvalue FROM pg_catalog.pg_dist_shard");
  for (const Row& row : shards.rows) {
    const auto table = tables.find(row[0].as_text());
    const auto group = group_of_shard.find(row[1].as_integer());
    if (table == tables.end() || group == group_of_shard.end()) return nullptr;
    table->second.shards.push_back(Shard{row[1].as_integer(), to_hash(row[2]), to_hash(row[3]), group->second});
  }
  session->close();
  for (auto& [name, table] : tables) {
    if (table.shards.empty()) return nullptr;
    std::sort(table.shards.begin(), table.shards.end(), [](const Shard& a, const Shard& b) { return a.low < b.low; });
    metadata->tables.emplace(name, std::make_shared<const DistributedTable>(std::move(table)));
  }
  return metadata;
}

}  // namespace polarsim::engine::cluster
