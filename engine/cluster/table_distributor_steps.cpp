// The steps of table_distributor.h that change something.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/cluster/sequence_copies.h"
#include "engine/cluster/table_distributor.h"
#include "engine/types/error.h"
#include "engine/types/quote.h"

namespace polarsim::engine::cluster {

using catalog::Relation;
using distribution::Shard;
using distribution::TableDistribution;

void TableDistributor::make_group(const ColocationGroup& group) const {
  work_.on_coordinators({colocation_statement(group)});
}

void TableDistributor::make_shards(const DistributedParts& table) const {
  std::vector<NodeCommand> schemas;
  const std::string schema = schema_statement(table.parts.table->schema);
  std::set<int> groups;
  for (const Shard& shard : table.distribution.shards) groups.insert(shard.groups.begin(), shard.groups.end());
  if (!schema.empty()) {
    for (const int group : groups) {
      if (group != cluster().own_group()) schemas.push_back({group, schema, true});
    }
  }
  if (!schemas.empty()) work_.run(schemas);
  work_.on_shards(table.distribution,
                  [&](std::size_t, const Shard& shard) { return shard_statements(table.parts, shard.id); });
}

void TableDistributor::drop_shards(const DistributedParts& table) const {
  work_.on_shards(table.distribution, [&](std::size_t, const Shard& shard) {
    return std::vector<std::string>{drop_shard_statement(*table.parts.table, shard.id)};
  });
}

void TableDistributor::link_shards(const DistributedParts& table, const catalog::ForeignKey& key) const {
  const bool itself = key.referenced == table.parts.id;
  const auto referenced = itself ? table.parts.table : work_.definition(key.referenced);
  const distribution::TableDistributionPtr found = find(key.referenced);
  if (found == nullptr && !itself)
    throw SqlError(sqlstate::internal_error, "a foreign key leads to a table without shards");
  const TableDistribution& other = itself ? table.distribution : *found;
  work_.on_shards(table.distribution, [&](std::size_t i, const Shard& shard) {
    const Shard& target = other.shards.at(other.shards.size() == 1 ? 0 : i);
    return std::vector<std::string>{
        shard_foreign_key_statement(*table.parts.table, shard.id, key, *referenced, target.id)};
  });
}

void TableDistributor::link_shards(const DistributedParts& table) const {
  for (const catalog::ForeignKey& key : table.parts.table->foreign_keys) link_shards(table, key);
}

void TableDistributor::make_shells(const DistributedParts& table) const {
  const std::string schema = schema_statement(table.parts.table->schema);
  SequenceCopies(work_).make_for(table.parts);
  std::vector<NodeCommand> commands;
  for (const int group : work_.other_coordinators()) {
    if (!schema.empty()) commands.push_back({group, schema, true});
    for (std::string& statement : shell_statements(table.parts, group))
      commands.push_back({group, std::move(statement), true});
  }
  if (!commands.empty()) cluster().run_there(commands);
}

void TableDistributor::make_views(RelationId table) const {
  for (const Relation& view : work_.views_on(table)) {
    if (!is_on_all_coordinators(view.id)) continue;
    std::vector<std::string> statements;
    if (const std::string schema = schema_statement(view.description->schema); !schema.empty())
      statements.push_back(schema);
    statements.push_back(view_statement(*view.description));
    work_.on_other_coordinators(statements);
  }
}

void TableDistributor::tell_metadata(const DistributedParts& table) const {
  work_.on_coordinators(table_metadata_statements({table.parts.table, table.distribution}));
}

void TableDistributor::forget_metadata(const DistributedParts& table) const {
  work_.on_coordinators(forget_table_statements({table.parts.table, table.distribution}));
}

void TableDistributor::drop_group_if_empty(int colocation_id, const std::set<RelationId>& leaving) const {
  const std::vector<RelationId> tables = tables_of_group(colocation_id);
  const bool stays =
      std::any_of(tables.begin(), tables.end(), [&leaving](RelationId table) { return !leaving.contains(table); });
  if (stays || is_schema_group(colocation_id)) return;
  work_.on_coordinators({forget_colocation_statement(colocation_id)});
}

// Whether another table of this node has rows that refer to the table.
bool TableDistributor::refers_rows(RelationId table) const {
  for (const TableKey& key : work_.keys_to(table)) {
    if (key.table != table && work_.has_rows_here(*work_.definition(key.table))) return true;
  }
  return false;
}

void TableDistributor::copy_rows(const std::vector<DistributedParts>& tables) const {
  // Distributed tables that may have rows here.
  std::set<RelationId> filled;
  for (const DistributedParts& table : tables) {
    for (const catalog::ForeignKey& key : table.parts.table->foreign_keys) filled.insert(key.referenced);
    const std::vector<Row> rows = work_.rows(*table.parts.table);
    if (rows.empty()) continue;
    work_.notice("Copying data from local table...");
    work_.insert(table, rows);
    work_.notice("copying the data has completed");
    filled.insert(table.parts.id);
  }
  // The tables are locked against everybody: nobody sees them without rows before their shards are known. Rows that
  // others here refer to stay, out of sight, until those are distributed.
  for (bool emptied = true; std::exchange(emptied, false);) {
    for (const RelationId id : filled) {
      const auto table = work_.definition(id);
      if (!work_.has_rows_here(*table) || refers_rows(id)) continue;
      work_.here(fmt::format("DELETE FROM {}", qualified_name(*table)));
      emptied = true;
    }
  }
}

void TableDistributor::distribute(const std::vector<DistributedParts>& tables) {
  for (const DistributedParts& table : tables) plan(table.parts.id, table.distribution);
  for (const DistributedParts& table : tables) {
    check_constraints(table.parts, table.distribution);
    make_shards(table);
    make_shells(table);
    tell_metadata(table);
  }
  copy_rows(tables);
  for (const DistributedParts& table : tables) {
    link_shards(table);
    for (const catalog::ForeignKey& key : table.parts.table->foreign_keys) {
      work_.on_other_coordinators({foreign_key_statement(*table.parts.table, key, *work_.definition(key.referenced))});
    }
  }
  for (const DistributedParts& table : tables) make_views(table.parts.id);
}

}  // namespace polarsim::engine::cluster
