#include "engine/cluster/table_distributor.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "engine/catalog/describe.h"
#include "engine/cluster/ddl_rewrite.h"
#include "engine/types/error.h"
#include "engine/types/quote.h"

namespace polarsim::engine::cluster {

using catalog::Definition;
using catalog::Relation;
using catalog::RelationKind;
using distribution::Method;
using distribution::Shard;
using distribution::TableDistribution;

// --- looking ---

distribution::TableDistributionPtr TableDistributor::find(RelationId table) const {
  const auto planned = planned_.find(table);
  return planned != planned_.end() ? planned->second : cluster().find_distribution(table);
}

bool TableDistributor::is_on_all_coordinators(RelationId relation) const {
  if (find(relation) != nullptr) return true;
  const auto definition = work_.definition(relation);
  if (definition->schema == catalog::system_schema) return true;
  if (definition->kind == RelationKind::index) return is_on_all_coordinators(definition->index.table);
  if (definition->kind != RelationKind::view) return false;
  // What it names by a number has another one elsewhere.
  const auto is_normal = [](RelationId named) { return named >= catalog::Table::first_normal_relation; };
  const std::set<RelationId> named = catalog::named_relations(definition->view.query);
  if (std::any_of(named.begin(), named.end(), is_normal)) return false;
  return std::all_of(definition->view.uses.begin(), definition->view.uses.end(),
                     [this](RelationId used) { return is_on_all_coordinators(used); });
}

DistributedParts TableDistributor::require(RelationId table) const {
  const auto distribution = cluster().find_distribution(table);
  if (distribution == nullptr) {
    throw SqlError(sqlstate::internal_error,
                   fmt::format("relation {} is not distributed", work_.definition(table)->name));
  }
  return {work_.parts(table), *distribution};
}

std::vector<RelationId> TableDistributor::tables_of_group(int colocation_id) const {
  std::vector<RelationId> tables = cluster().distributed_tables();
  std::erase_if(tables, [&](RelationId table) {
    const auto distribution = cluster().find_distribution(table);
    return distribution == nullptr || distribution->colocation_id != colocation_id;
  });
  return tables;
}

RelationId TableDistributor::relation_by_name(const std::string& written) const {
  // In brackets of SQL, so that the grammar reads quotes and case as regclass does.
  std::vector<syntax::StatementPtr> parsed;
  try {
    parsed = cluster().parse("LOCK TABLE " + written);
  } catch (const SqlError&) {
    throw SqlError(sqlstate::invalid_name, "invalid name syntax");
  }
  const auto* lock = parsed.size() == 1 ? std::get_if<syntax::LockTable>(&parsed.front()->body) : nullptr;
  if (lock == nullptr || lock->tables.size() != 1) throw SqlError(sqlstate::invalid_name, "invalid name syntax");
  const syntax::TableName& name = lock->tables.front();
  const auto found = name.schema.empty()
                         ? cluster().catalog().find(cluster().transaction(), cluster().search_path(), name.name)
                         : cluster().catalog().find_in_schema(cluster().transaction(), name.schema, name.name);
  if (!found) throw SqlError(sqlstate::undefined_table, fmt::format("relation \"{}\" does not exist", written));
  return found->id;
}

bool TableDistributor::is_in_distributed_schema(const Definition& table) const {
  return cluster().colocation_of_schema(table.schema) != 0;
}

bool TableDistributor::is_schema_group(int colocation_id) const {
  return !work_
              .look(
                  fmt::format("SELECT 1 FROM pg_catalog.pg_dist_schema WHERE colocationid = {} LIMIT 1", colocation_id))
              .rows.empty();
}

// --- checks ---

void TableDistributor::check_table(RelationId id) const {
  const auto table = work_.definition(id);
  if (table->kind != RelationKind::table) {
    throw SqlError(sqlstate::wrong_object_type,
                   fmt::format("{} is not a regular, foreign or partitioned table", table->name));
  }
  if (table->schema == catalog::system_schema) {
    throw SqlError(sqlstate::feature_not_supported, "cannot create a distributed table from a catalog table");
  }
  if (find(id) != nullptr) {
    throw SqlError(sqlstate::invalid_table_definition, fmt::format("table \"{}\" is already distributed", table->name));
  }
  for (const RelationId other : cluster().distributed_tables()) {
    const auto distribution = cluster().find_distribution(other);
    const auto owner = work_.definition(other);
    if (distribution == nullptr || owner->schema != table->schema) continue;
    for (const Shard& shard : distribution->shards) {
      if (distribution::shard_name(owner->name, shard.id) != table->name) continue;
      throw SqlError(sqlstate::wrong_object_type, fmt::format("relation \"{}\" is a shard relation", table->name));
    }
  }
}

int TableDistributor::check_column(const Definition& table, const std::string& column) const {
  const int number = table.find_column(column);
  if (number == 0) {
    throw SqlError(sqlstate::undefined_column,
                   fmt::format("column \"{}\" of relation \"{}\" does not exist", column, table.name));
  }
  const catalog::Column& found = table.columns[static_cast<std::size_t>(number - 1)];
  if (!found.generated_text.empty()) {
    throw SqlError(sqlstate::feature_not_supported, fmt::format("cannot distribute relation: {}", table.name),
                   "Distribution column must not use GENERATED ALWAYS AS (...) STORED.");
  }
  if (found.type.id == TypeId::json) {
    throw SqlError(sqlstate::undefined_object,
                   "data type json has no default operator class for specified partition "
                   "method",
                   "Partition column types must have a default operator class defined.");
  }
  if (!distribution::can_hash(found.type.id)) {
    throw SqlError(sqlstate::feature_not_supported,
                   fmt::format("distribution columns of type {} are not supported", type_name(found.type.id)));
  }
  return number;
}

void TableDistributor::check_constraints(const TableParts& parts, const TableDistribution& distribution) const {
  const KeyEnd own{parts.id, parts.table.get(), &distribution};
  for (const catalog::ForeignKey& key : parts.table->foreign_keys) {
    const auto referenced = work_.definition(key.referenced);
    const distribution::TableDistributionPtr other = find(key.referenced);
    check_foreign_key(own, key, {key.referenced, referenced.get(), other.get()});
  }
  for (const auto& index : parts.indexes) check_unique_index(*index, *parts.table, distribution.column);
}

void TableDistributor::check_same_placement(const DistributedParts& a, const DistributedParts& b) const {
  const std::string& left = a.parts.table->name;
  const std::string& right = b.parts.table->name;
  const auto refuse = [&](std::string detail) {
    throw SqlError(sqlstate::internal_error, fmt::format("cannot colocate tables {} and {}", left, right),
                   std::move(detail));
  };
  const auto& shards_a = a.distribution.shards;
  const auto& shards_b = b.distribution.shards;
  if (a.distribution.is_reference() != b.distribution.is_reference())
    refuse(fmt::format("Replication models don't match for {} and {}.", left, right));
  if (shards_a.size() != shards_b.size()) refuse(fmt::format("Shard counts don't match for {} and {}.", left, right));
  for (std::size_t i = 0; i < shards_a.size(); ++i) {
    if (shards_a[i].groups == shards_b[i].groups) continue;
    refuse(fmt::format("Shard {} of {} and shard {} of {} are not colocated.", shards_a[i].id, left, shards_b[i].id,
                       right));
  }
  if (a.distribution.type.id != b.distribution.type.id)
    refuse(fmt::format("Distribution column types don't match for {} and {}.", left, right));
}

// --- plans ---

void TableDistributor::require_data_nodes() const {
  if (!work_.data_nodes().empty()) return;
  throw SqlError(sqlstate::object_not_in_prerequisite_state, "no worker nodes are available for placing shards", "",
                 "Add more worker nodes.");
}

std::vector<std::vector<int>> TableDistributor::placements(int colocation_id, std::size_t shard_count) const {
  std::vector<std::vector<int>> groups;
  if (const auto tables = tables_of_group(colocation_id); !tables.empty()) {
    const auto distribution = cluster().find_distribution(tables.front());
    for (const Shard& shard : distribution->shards) groups.push_back(shard.groups);
    return groups;
  }
  for (const auto& [table, planned] : planned_) {
    if (planned->colocation_id != colocation_id) continue;
    for (const Shard& shard : planned->shards) groups.push_back(shard.groups);
    return groups;
  }
  const std::vector<ClusterNode> nodes = work_.data_nodes();
  // Groups of one shard are spread by their numbers, those of several begin at the first node.
  const std::size_t first = shard_count == 1 ? static_cast<std::size_t>(colocation_id) : 0;
  for (std::size_t i = 0; i < shard_count; ++i) groups.push_back({nodes[(first + i) % nodes.size()].group});
  return groups;
}

std::vector<Shard> TableDistributor::hash_shards(std::size_t count,
                                                 const std::vector<std::vector<int>>& placement) const {
  const std::vector<std::int64_t> ids = work_.new_shard_ids(count);
  const std::int64_t width = (std::int64_t{1} << 32) / static_cast<std::int64_t>(count);
  constexpr std::int64_t lowest = std::numeric_limits<std::int32_t>::min();
  std::vector<Shard> shards;
  for (std::size_t i = 0; i < count; ++i) {
    Shard shard;
    shard.id = ids[i];
    shard.low = static_cast<std::int32_t>(lowest + static_cast<std::int64_t>(i) * width);
    const std::int64_t next = lowest + static_cast<std::int64_t>(i + 1) * width;
    shard.high = i + 1 == count ? std::numeric_limits<std::int32_t>::max() : static_cast<std::int32_t>(next - 1);
    shard.groups = placement[i];
    shards.push_back(std::move(shard));
  }
  return shards;
}

DistributionPlan TableDistributor::plan_in_group(TableDistribution distribution, const ColocationGroup& group,
                                                 bool is_new) const {
  DistributionPlan plan;
  distribution.colocation_id = group.id;
  const auto count = static_cast<std::size_t>(group.shard_count);
  const auto placement = placements(group.id, count);
  if (distribution.method == Method::hash) {
    distribution.shards = hash_shards(count, placement);
  } else {
    Shard shard;
    shard.id = work_.new_shard_ids(1).front();
    shard.groups = placement.front();
    distribution.shards = {std::move(shard)};
  }
  plan.distribution = std::move(distribution);
  if (is_new) plan.new_group = group;
  return plan;
}

DistributionPlan TableDistributor::plan_with_table(const Definition& table, TableDistribution distribution,
                                                   const std::string& other) const {
  const RelationId other_id = relation_by_name(other);
  const DistributedParts found = require(other_id);
  const auto refuse = [&](const char* what) {
    const std::string& name = found.parts.table->name;
    throw SqlError(sqlstate::internal_error, fmt::format("cannot colocate tables {} and {}", name, table.name),
                   fmt::format("{} don't match for {} and {}.", what, name, table.name));
  };
  if (found.distribution.is_reference()) refuse("Replication models");
  if (found.distribution.type.id != distribution.type.id) refuse("Distribution column types");
  if (is_in_distributed_schema(*found.parts.table)) {
    throw SqlError(sqlstate::internal_error,
                   fmt::format("cannot colocate tables {} and {}", found.parts.table->name, table.name),
                   "Cannot colocate tables with distributed schema tables by using colocate_with option.",
                   fmt::format("Consider using \"CREATE TABLE\" statement to create this table as a single-shard "
                               "distributed table in the same schema to automatically colocate it with {}",
                               qualified_name(*found.parts.table)));
  }
  ColocationGroup group;
  group.id = found.distribution.colocation_id;
  group.shard_count = static_cast<int>(found.distribution.shards.size());
  return plan_in_group(std::move(distribution), group, false);
}

std::optional<ColocationGroup> TableDistributor::default_group(int shard_count, TypeId type) const {
  for (const ColocationGroup& group : cluster().colocation_groups()) {
    if (group.replication_factor != 1 || group.shard_count != shard_count || group.type != type) continue;
    if (type != TypeId::none || !is_schema_group(group.id)) return group;
  }
  return std::nullopt;
}

DistributionPlan TableDistributor::plan_hash(const Definition& table, int column, const std::string& colocate_with,
                                             std::optional<int> shard_count) const {
  require_data_nodes();
  TableDistribution distribution;
  distribution.method = Method::hash;
  distribution.column = column;
  distribution.type = table.columns.at(static_cast<std::size_t>(column - 1)).type;
  if (colocate_with != "default" && colocate_with != "none")
    return plan_with_table(table, std::move(distribution), colocate_with);
  ColocationGroup group{0, shard_count.value_or(cluster().default_shard_count()), 1, distribution.type.id};
  if (colocate_with == "default") {
    if (const auto found = default_group(group.shard_count, group.type))
      return plan_in_group(std::move(distribution), *found, false);
  }
  group.id = work_.new_colocation_id();
  return plan_in_group(std::move(distribution), group, true);
}

DistributionPlan TableDistributor::plan_single_shard(const Definition& table, const std::string& colocate_with) const {
  require_data_nodes();
  TableDistribution distribution;
  distribution.method = Method::single_shard;
  if (colocate_with != "default" && colocate_with != "none")
    return plan_with_table(table, std::move(distribution), colocate_with);
  if (colocate_with == "default") {
    if (const auto found = default_group(1, TypeId::none)) return plan_in_group(std::move(distribution), *found, false);
  }
  return plan_single_shard_in(work_.new_colocation_id(), true);
}

DistributionPlan TableDistributor::plan_single_shard_in(int colocation_id, bool make) const {
  require_data_nodes();
  TableDistribution distribution;
  distribution.method = Method::single_shard;
  return plan_in_group(std::move(distribution), {colocation_id, 1, 1, TypeId::none}, make);
}

DistributionPlan TableDistributor::plan_reference() const {
  DistributionPlan plan;
  plan.distribution.method = Method::reference;
  Shard shard;
  shard.id = work_.new_shard_ids(1).front();
  shard.groups = work_.all_groups();
  plan.distribution.shards = {std::move(shard)};
  for (const ColocationGroup& group : cluster().colocation_groups()) {
    if (group.replication_factor != -1) continue;
    plan.distribution.colocation_id = group.id;
    return plan;
  }
  plan.new_group = ColocationGroup{work_.new_colocation_id(), 1, -1, TypeId::none};
  plan.distribution.colocation_id = plan.new_group->id;
  return plan;
}

TableDistribution TableDistributor::plan_like(const DistributedParts& table, const TableDistribution& other) const {
  TableDistribution distribution = table.distribution;
  distribution.colocation_id = other.colocation_id;
  std::vector<std::vector<int>> placement;
  for (const Shard& shard : other.shards) placement.push_back(shard.groups);
  distribution.shards = hash_shards(other.shards.size(), placement);
  return distribution;
}

}  // namespace polarsim::engine::cluster
