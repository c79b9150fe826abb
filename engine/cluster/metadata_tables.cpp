#include "engine/cluster/metadata_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "engine/cluster/shard_definition.h"
#include "engine/types/error.h"
#include "engine/types/quote.h"

namespace polarsim::engine::cluster {

namespace {

using catalog::Definition;
using distribution::Method;
using distribution::Shard;
using distribution::TableDistribution;

// Placements are numbered by shard and node, so that all coordinators number them alike.
constexpr std::int64_t placements_of_a_shard = 10'000;

// The collation of text, in pg_collation.
constexpr int default_collation = 100;

const char* method_text(Method method) { return method == Method::hash ? "h" : "n"; }
const char* model_text(Method method) { return method == Method::reference ? "t" : "s"; }

Method method_of(std::string_view method, std::string_view model) {
  if (method == "h") return Method::hash;
  if (method != "n") {
    throw SqlError(sqlstate::feature_not_supported, fmt::format("unknown partition method \"{}\"", method));
  }
  return model == "t" ? Method::reference : Method::single_shard;
}

std::string text_or_null(const std::string& text) { return text.empty() ? "NULL" : quote_literal(text); }

std::string shard_ids(const TableDistribution& table) {
  std::string ids;
  for (const Shard& shard : table.shards) ids += (ids.empty() ? "" : ", ") + std::to_string(shard.id);
  return ids;
}

std::int32_t hash_bound(const Value& value, std::int32_t otherwise) {
  if (value.is_null()) return otherwise;
  const std::string_view text = value.as_text();
  std::int32_t bound = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), bound);
  if (error != std::errc() || stop != text.data() + text.size()) {
    throw SqlError(sqlstate::internal_error, fmt::format("pg_dist_shard has the bound \"{}\"", text));
  }
  return bound;
}

using Run = std::function<QueryResult(const std::string& sql)>;

std::vector<ClusterNode> load_nodes(const Run& run) {
  std::vector<ClusterNode> nodes;
  const QueryResult rows = run(
      "SELECT groupid, nodename, nodeport, hasmetadata, shouldhaveshards FROM pg_catalog.pg_dist_node WHERE isactive "
      "ORDER BY groupid");
  for (const Row& row : rows.rows) {
    ClusterNode node;
    node.group = static_cast<int>(row.at(0).as_integer());
    node.name = std::string(row.at(1).as_text());
    node.port = static_cast<std::uint16_t>(row.at(2).as_integer());
    node.is_coordinator = row.at(3).as_boolean();
    node.holds_shards = row.at(4).as_boolean();
    nodes.push_back(std::move(node));
  }
  return nodes;
}

std::vector<ColocationGroup> load_groups(const Run& run) {
  std::vector<ColocationGroup> groups;
  const QueryResult rows = run(
      "SELECT colocationid, shardcount, replicationfactor, distributioncolumntype FROM pg_catalog.pg_dist_colocation "
      "ORDER BY colocationid");
  for (const Row& row : rows.rows) {
    ColocationGroup group;
    group.id = static_cast<int>(row.at(0).as_integer());
    group.shard_count = static_cast<int>(row.at(1).as_integer());
    group.replication_factor = static_cast<int>(row.at(2).as_integer());
    const auto type = static_cast<std::uint32_t>(row.at(3).as_integer());
    group.type = type == 0 ? TypeId::none : type_from_oid(type);
    groups.push_back(group);
  }
  return groups;
}

using Tables = std::map<RelationId, TableDistribution>;

// Rows of tables that are not there (any more) for the reader are passed over.
Tables load_tables(const Run& run, const catalog::Catalog& catalog, const txn::Transaction* reader) {
  Tables tables;
  const QueryResult rows =
      run("SELECT logicalrelid, partmethod, partkey, colocationid, repmodel FROM pg_catalog.pg_dist_partition");
  for (const Row& row : rows.rows) {
    const auto id = static_cast<RelationId>(row.at(0).as_integer());
    const catalog::TablePtr table = catalog.find_table(reader, id);
    if (table == nullptr) continue;
    TableDistribution made;
    made.method = method_of(row.at(1).as_text(), row.at(4).as_text());
    made.colocation_id = static_cast<int>(row.at(3).as_integer());
    if (!row.at(2).is_null()) {
      made.column = table->description->find_column(row.at(2).as_text());
      if (made.column == 0) {
        throw SqlError(sqlstate::internal_error,
                       fmt::format("the partition column of table {} does not exist", table->description->name));
      }
      made.type = table->description->columns[static_cast<std::size_t>(made.column - 1)].type;
    }
    tables.emplace(id, std::move(made));
  }
  return tables;
}

void load_shards(const Run& run, int own_group, Tables& tables) {
  std::map<std::int64_t, std::vector<int>> placements;
  const QueryResult placed = run("SELECT shardid, groupid FROM pg_catalog.pg_dist_placement ORDER BY groupid");
  for (const Row& row : placed.rows)
    placements[row.at(0).as_integer()].push_back(static_cast<int>(row.at(1).as_integer()));
  const QueryResult rows =
      run("SELECT logicalrelid, shardid, shardminvalue, shardmaxvalue FROM pg_catalog.pg_dist_shard ORDER BY shardid");
  for (const Row& row : rows.rows) {
    const auto table = tables.find(static_cast<RelationId>(row.at(0).as_integer()));
    if (table == tables.end()) continue;
    Shard shard;
    shard.id = row.at(1).as_integer();
    shard.low = hash_bound(row.at(2), shard.low);
    shard.high = hash_bound(row.at(3), shard.high);
    shard.groups = std::move(placements[shard.id]);
    // What can be read on this node is.
    const auto own = std::find(shard.groups.begin(), shard.groups.end(), own_group);
    if (own != shard.groups.end()) std::rotate(shard.groups.begin(), own, own + 1);
    table->second.shards.push_back(std::move(shard));
  }
  for (auto& [id, table] : tables) {
    std::sort(table.shards.begin(), table.shards.end(),
              [](const Shard& a, const Shard& b) { return a.low != b.low ? a.low < b.low : a.id < b.id; });
  }
}

}  // namespace

std::vector<std::string> metadata_table_statements() {
  return {
      "CREATE TABLE pg_catalog.pg_dist_node (nodeid integer PRIMARY KEY, groupid integer NOT NULL, nodename text NOT "
      "NULL, nodeport integer NOT NULL, noderack text NOT NULL, hasmetadata boolean NOT NULL, isactive boolean NOT "
      "NULL, noderole text NOT NULL, nodecluster text NOT NULL, metadatasynced boolean NOT NULL, shouldhaveshards "
      "boolean NOT NULL)",
      "CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass PRIMARY KEY, partmethod \"char\" NOT NULL, "
      "partkey text, colocationid integer NOT NULL, repmodel \"char\" NOT NULL)",
      "CREATE INDEX pg_dist_partition_colocationid_index ON pg_catalog.pg_dist_partition (colocationid)",
      "CREATE TABLE pg_catalog.pg_dist_shard (logicalrelid regclass NOT NULL, shardid bigint PRIMARY KEY, shardstorage "
      "\"char\" NOT NULL, shardminvalue text, shardmaxvalue text)",
      "CREATE INDEX pg_dist_shard_logical_relid_index ON pg_catalog.pg_dist_shard (logicalrelid)",
      "CREATE TABLE pg_catalog.pg_dist_placement (placementid bigint PRIMARY KEY, shardid bigint NOT NULL, shardstate "
      "integer NOT NULL, shardlength bigint NOT NULL, groupid integer NOT NULL)",
      "CREATE INDEX pg_dist_placement_shardid_index ON pg_catalog.pg_dist_placement (shardid)",
      "CREATE TABLE pg_catalog.pg_dist_colocation (colocationid integer PRIMARY KEY, shardcount integer NOT NULL, "
      "replicationfactor integer NOT NULL, distributioncolumntype oid NOT NULL, distributioncolumncollation oid NOT "
      "NULL)",
      "CREATE TABLE pg_catalog.pg_dist_schema (schemaid regnamespace PRIMARY KEY, colocationid integer NOT NULL)",
      "CREATE TABLE pg_catalog.pg_dist_transaction (groupid integer NOT NULL, gid text PRIMARY KEY)",
      fmt::format("CREATE SEQUENCE pg_catalog.pg_dist_shardid_seq START WITH {} MINVALUE {}", lowest_shard_id,
                  lowest_shard_id),
      "CREATE SEQUENCE pg_catalog.pg_dist_colocationid_seq AS integer",
      "CREATE VIEW pg_catalog.polar_cluster_tables AS SELECT p.logicalrelid AS table_name, CASE WHEN p.repmodel = 't' "
      "THEN 'reference' WHEN s.colocationid IS NOT NULL THEN 'schema' ELSE 'distributed' END AS "
      "polar_cluster_table_type, COALESCE(p.partkey, '<none>') AS distribution_column, p.colocationid AS "
      "colocation_id, c.shardcount AS shard_count FROM pg_catalog.pg_dist_partition p JOIN "
      "pg_catalog.pg_dist_colocation c ON c.colocationid = p.colocationid LEFT JOIN pg_catalog.pg_dist_schema s ON "
      "s.colocationid = p.colocationid",
  };
}

std::string node_statement(const ClusterNode& node) {
  return fmt::format(
      "INSERT INTO pg_catalog.pg_dist_node VALUES ({}, {}, {}, {}, 'default', {}, true, 'primary', 'default', {}, {})",
      node_id(node), node.group, quote_literal(node.name), node.port, node.is_coordinator, node.is_coordinator,
      node.holds_shards);
}

std::vector<std::string> table_metadata_statements(const TableMetadata& table) {
  const TableDistribution& distribution = table.distribution;
  const std::string relation = regclass_literal(*table.table);
  const bool hashed = distribution.method == Method::hash;
  const std::string column =
      hashed ? table.table->columns.at(static_cast<std::size_t>(distribution.column - 1)).name : "";
  std::string shards;
  std::string placements;
  for (const Shard& shard : distribution.shards) {
    const std::string low = hashed ? std::to_string(shard.low) : "";
    const std::string high = hashed ? std::to_string(shard.high) : "";
    shards += fmt::format("{}({}, {}, 't', {}, {})", shards.empty() ? "" : ", ", relation, shard.id, text_or_null(low),
                          text_or_null(high));
    for (const int group : shard.groups) {
      placements += fmt::format("{}({}, {}, 1, 0, {})", placements.empty() ? "" : ", ",
                                (shard.id - lowest_shard_id) * placements_of_a_shard + group + 1, shard.id, group);
    }
  }
  return {
      fmt::format("INSERT INTO pg_catalog.pg_dist_partition VALUES ({}, '{}', {}, {}, '{}')", relation,
                  method_text(distribution.method), text_or_null(column), distribution.colocation_id,
                  model_text(distribution.method)),
      "INSERT INTO pg_catalog.pg_dist_shard VALUES " + shards,
      "INSERT INTO pg_catalog.pg_dist_placement VALUES " + placements,
  };
}

std::vector<std::string> forget_table_statements(const TableMetadata& table) {
  const std::string relation = regclass_literal(*table.table);
  return {
      fmt::format("DELETE FROM pg_catalog.pg_dist_placement WHERE shardid IN ({})", shard_ids(table.distribution)),
      "DELETE FROM pg_catalog.pg_dist_shard WHERE logicalrelid = " + relation,
      "DELETE FROM pg_catalog.pg_dist_partition WHERE logicalrelid = " + relation,
  };
}

std::string colocation_statement(const ColocationGroup& group) {
  const bool has_collation =
      group.type == TypeId::text || group.type == TypeId::varchar || group.type == TypeId::bpchar;
  return fmt::format("INSERT INTO pg_catalog.pg_dist_colocation VALUES ({}, {}, {}, {}, {})", group.id,
                     group.shard_count, group.replication_factor, type_oid(group.type),
                     has_collation ? default_collation : 0);
}

std::string forget_colocation_statement(int id) {
  return fmt::format("DELETE FROM pg_catalog.pg_dist_colocation WHERE colocationid = {}", id);
}

std::string schema_metadata_statement(const std::string& schema, int colocation_id) {
  return fmt::format("INSERT INTO pg_catalog.pg_dist_schema VALUES ({}::regnamespace, {})",
                     quote_literal(quote_identifier(schema)), colocation_id);
}

std::string forget_schema_statement(const std::string& schema) {
  return fmt::format("DELETE FROM pg_catalog.pg_dist_schema WHERE schemaid = {}::regnamespace",
                     quote_literal(quote_identifier(schema)));
}

std::string rename_distribution_column_statement(const Definition& table, const std::string& column) {
  return fmt::format("UPDATE pg_catalog.pg_dist_partition SET partkey = {} WHERE logicalrelid = {}",
                     quote_literal(column), regclass_literal(table));
}

std::string change_colocation_statement(const Definition& table, int colocation_id) {
  return fmt::format("UPDATE pg_catalog.pg_dist_partition SET colocationid = {} WHERE logicalrelid = {}", colocation_id,
                     regclass_literal(table));
}

StoredMetadata load_metadata(const Run& run, const catalog::Catalog& catalog, const txn::Transaction* reader,
                             int own_group) {
  StoredMetadata stored;
  stored.nodes = load_nodes(run);
  stored.colocation_groups = load_groups(run);
  Tables tables = load_tables(run, catalog, reader);
  load_shards(run, own_group, tables);
  for (auto& [id, table] : tables) {
    if (table.shards.empty()) {
      throw SqlError(sqlstate::internal_error, fmt::format("distributed table {} has no shards",
                                                           catalog.find_table(reader, id)->description->name));
    }
    stored.tables.emplace(id, std::make_shared<const TableDistribution>(std::move(table)));
  }
  const QueryResult schemas = run("SELECT schemaid, colocationid FROM pg_catalog.pg_dist_schema");
  for (const Row& row : schemas.rows) {
    stored.schemas.emplace(static_cast<RelationId>(row.at(0).as_integer()), static_cast<int>(row.at(1).as_integer()));
  }
  return stored;
}

}  // namespace polarsim::engine::cluster
