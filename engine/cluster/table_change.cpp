#include "engine/cluster/table_change.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "engine/cluster/ddl_rewrite.h"
#include "engine/cluster/table_distributor.h"
#include "engine/types/error.h"

namespace polarsim::engine::cluster {

using catalog::Relation;
using catalog::RelationKind;
using distribution::Method;
using distribution::Shard;
using distribution::TableDistribution;

namespace {

constexpr int most_shards = 64'000;

[[noreturn]] void refuse(std::string message, std::string detail = {}, std::string hint = {}) {
  throw SqlError(sqlstate::internal_error, std::move(message), std::move(detail), std::move(hint));
}

void check_shard_count(const std::optional<int>& count) {
  if (!count || (*count >= 1 && *count <= most_shards)) return;
  refuse(fmt::format("{} is outside the valid range for parameter \"shard_count\" (1 .. {})", *count, most_shards));
}

bool names_table(const std::string& colocate_with) { return colocate_with != "default" && colocate_with != "none"; }

void check_distribution_type(const std::string& type) {
  if (type == "hash") return;
  if (type == "append" || type == "range") {
    throw SqlError(sqlstate::feature_not_supported, fmt::format("distribution type \"{}\" is not supported", type));
  }
  throw SqlError(sqlstate::invalid_text_representation,
                 fmt::format("invalid input value for enum polar_cluster.distribution_type: \"{}\"", type));
}

void check_request(const DistributionRequest& request) {
  if (names_table(request.colocate_with) && request.shard_count)
    refuse("Cannot use colocate_with with a table and shard_count at the same time");
  check_distribution_type(request.distribution_type);
  if (request.column) return check_shard_count(request.shard_count);
  if (!request.shard_count) return;
  refuse(
      "shard_count can't be specified when the distribution column is null because in that case it's automatically set "
      "to 1");
}

}  // namespace

// --- creating ---

void TableChange::create_distributed_table(RelationId table, const DistributionRequest& request) {
  check_request(request);
  TableDistributor distributor(cluster_);
  distributor.check_table(table);
  distributor.work().lock(*distributor.work().definition(table), false);
  // As it is now that nobody else changes it any more.
  distributor.check_table(table);
  const TableParts parts = distributor.work().parts(table);
  const DistributionPlan plan =
      request.column ? distributor.plan_hash(*parts.table, distributor.check_column(*parts.table, *request.column),
                                             request.colocate_with, request.shard_count)
                     : distributor.plan_single_shard(*parts.table, request.colocate_with);
  distributor.check_constraints(parts, plan.distribution);
  if (plan.new_group) distributor.make_group(*plan.new_group);
  distributor.distribute({{parts, plan.distribution}});
}

void TableChange::create_reference_table(RelationId table) {
  TableDistributor distributor(cluster_);
  distributor.check_table(table);
  distributor.work().lock(*distributor.work().definition(table), false);
  distributor.check_table(table);
  const TableParts parts = distributor.work().parts(table);
  const DistributionPlan plan = distributor.plan_reference();
  distributor.check_constraints(parts, plan.distribution);
  if (plan.new_group) distributor.make_group(*plan.new_group);
  distributor.distribute({{parts, plan.distribution}});
}

void TableChange::distribute_new_table(RelationId table, int colocation_id) {
  TableDistributor distributor(cluster_);
  const TableParts parts = distributor.work().parts(table);
  const DistributionPlan plan = distributor.plan_single_shard_in(colocation_id, false);
  distributor.distribute({{parts, plan.distribution}});
}

// --- schemas ---

namespace {

// Tables of the schema, this node's copies of reference tables left out.
std::vector<RelationId> tables_in(const TableDistributor& distributor, const std::string& schema) {
  ClusterCommands& cluster = distributor.cluster();
  std::set<std::string> shards;
  for (const RelationId id : cluster.distributed_tables()) {
    const std::string& name = distributor.work().definition(id)->name;
    const auto distribution = cluster.find_distribution(id);
    for (const Shard& shard : distribution->shards) shards.insert(distribution::shard_name(name, shard.id));
  }
  std::vector<RelationId> tables;
  for (const Relation& relation : cluster.catalog().relations(cluster.transaction())) {
    const catalog::Definition& definition = *relation.description;
    if (definition.kind != RelationKind::table || definition.schema != schema) continue;
    if (!shards.contains(definition.name)) tables.push_back(relation.id);
  }
  return tables;
}

// Foreign keys stay inside a schema, or lead to reference tables of others.
void check_keys_of_schema(const TableDistributor& distributor, RelationId table, const std::string& schema) {
  const ClusterWork& work = distributor.work();
  const auto described = [&](RelationId from, const catalog::ForeignKey& key) {
    return fmt::format("\"{}\" references \"{}\" via foreign key constraint \"{}\"",
                       qualified_name(*work.definition(from)), qualified_name(*work.definition(key.referenced)),
                       key.name);
  };
  for (const catalog::ForeignKey& key : work.definition(table)->foreign_keys) {
    const auto other = distributor.find(key.referenced);
    if (work.definition(key.referenced)->schema == schema || (other != nullptr && other->is_reference())) continue;
    refuse(
        "foreign keys from distributed schemas can only point to the same distributed schema or reference tables in "
        "regular schemas",
        described(table, key));
  }
  for (const TableKey& key : work.keys_to(table)) {
    if (work.definition(key.table)->schema == schema) continue;
    refuse("cannot create foreign keys to tables in a distributed schema from another schema",
           described(key.table, key.key));
  }
}

}  // namespace

void TableChange::distribute_schema(const std::string& name) {
  TableDistributor distributor(cluster_);
  const ClusterWork& work = distributor.work();
  if (name == catalog::public_schema || name == catalog::system_schema || name == "information_schema")
    refuse(fmt::format("{} schema cannot be distributed", name));
  if (cluster_.colocation_of_schema(name) != 0)
    return work.notice(fmt::format("schema {} is already distributed", name));
  const std::vector<RelationId> tables = tables_in(distributor, name);
  for (const RelationId table : tables) {
    work.lock(*work.definition(table), false);
    if (distributor.find(table) == nullptr) continue;
    refuse("distributed schema cannot have distributed tables", "",
           "Undistribute distributed tables before 'polar_cluster_schema_distribute'.");
  }
  for (const RelationId table : tables) check_keys_of_schema(distributor, table, name);
  work.notice(fmt::format("distributing the schema {}", name));
  const ColocationGroup group{work.new_colocation_id(), 1, 1, TypeId::none};
  distributor.make_group(group);
  work.on_other_coordinators({schema_statement(name)});
  work.on_coordinators({schema_metadata_statement(name, group.id)});
  std::vector<DistributedParts> plans;
  for (const RelationId table : tables)
    plans.push_back({work.parts(table), distributor.plan_single_shard_in(group.id, false).distribution});
  distributor.distribute(plans);
}

void TableChange::undistribute_schema(const std::string& name) {
  TableDistributor distributor(cluster_);
  const ClusterWork& work = distributor.work();
  const int group = cluster_.colocation_of_schema(name);
  if (group == 0) refuse(fmt::format("schema {} is not distributed", name));
  work.notice(fmt::format("undistributing schema {}", name));
  std::vector<RelationId> tables = tables_in(distributor, name);
  std::erase_if(tables, [&distributor](RelationId table) { return distributor.find(table) == nullptr; });
  work.on_coordinators({forget_schema_statement(name)});
  if (tables.empty()) {
    work.on_coordinators({forget_colocation_statement(group)});
  } else {
    undistribute(tables);
  }
}

// --- dropping ---

void TableChange::before_drop(const std::vector<RelationId>& tables, bool cascade) {
  TableDistributor distributor(cluster_);
  const ClusterWork& work = distributor.work();
  const std::set<RelationId> leaving(tables.begin(), tables.end());
  std::set<int> colocation_ids;
  drop_shards_.clear();
  drop_shells_.clear();
  cascade_ = cascade;
  std::vector<std::string> shells;
  for (const RelationId id : tables) {
    const DistributedParts table = distributor.require(id);
    colocation_ids.insert(table.distribution.colocation_id);
    const auto forget = forget_table_statements({table.parts.table, table.distribution});
    work.here(forget);
    for (const Shard& shard : table.distribution.shards) {
      for (const int group : shard.groups) {
        NodeCommand drop{group, drop_shard_statement(*table.parts.table, shard.id), true};
        if (group == cluster_.own_group()) {
          work.here(drop.sql);
        } else {
          drop_shards_.push_back(std::move(drop));
        }
      }
    }
    for (const int group : work.other_coordinators()) {
      for (const std::string& statement : forget) drop_shells_.push_back({group, statement, true});
    }
    shells.push_back(qualified_name(*table.parts.table));
  }
  // All in one statement: they may refer to each other.
  for (const int group : work.other_coordinators()) {
    if (shells.empty()) break;
    drop_shells_.push_back({group, drop_tables_statement(shells, cascade), true});
  }
  for (const int group : colocation_ids) distributor.drop_group_if_empty(group, leaving);
}

void TableChange::after_drop(const ToldHere& here) {
  std::vector<NodeCommand> commands = std::exchange(drop_shards_, {});
  const std::vector<NodeCommand> shells = std::exchange(drop_shells_, {});
  // What depends on shards is nothing to tell.
  if (!cascade_) commands.insert(commands.end(), shells.begin(), shells.end());
  if (!commands.empty()) cluster_.run_there(commands);
  if (cascade_) ClusterWork(cluster_).cascade_there(shells, here);
}

}  // namespace polarsim::engine::cluster
