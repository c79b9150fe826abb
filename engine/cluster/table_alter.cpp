// Changes of tables that are distributed already: the rest of table_change.h.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "engine/cluster/ddl_rewrite.h"
#include "engine/cluster/table_change.h"
#include "engine/cluster/table_distributor.h"
#include "engine/types/error.h"
#include "engine/types/quote.h"

namespace polarsim::engine::cluster {

using distribution::Method;
using distribution::TableDistribution;

namespace {

[[noreturn]] void refuse(std::string message, std::string detail = {}, std::string hint = {}) {
  throw SqlError(sqlstate::internal_error, std::move(message), std::move(detail), std::move(hint));
}

void refuse_in_distributed_schema(const TableDistributor& distributor, RelationId table, const char* operation) {
  const auto definition = distributor.work().definition(table);
  if (!distributor.is_in_distributed_schema(*definition)) return;
  refuse(fmt::format("{} is not allowed for {} because it belongs to a distributed schema", qualified_name(*definition),
                     operation));
}

void drop_constraint(const ClusterWork& work, RelationId table, const std::string& name) {
  work.on_coordinators({fmt::format("ALTER TABLE {} DROP CONSTRAINT {}", qualified_name(*work.definition(table)),
                                    quote_identifier(name))});
}

// What the relative tells of its way: it makes another table. Here the table stays what it is.
void tell_steps(const ClusterWork& work, const catalog::Definition& table) {
  const std::string name = qualified_name(table);
  work.notice("creating a new table for " + name);
  work.notice("moving the data of " + name);
  work.notice("dropping the old " + name);
  work.notice("renaming the new table to " + name);
}

// --- undistribute_table ---

// The tables that foreign keys connect, directly or not, with this one.
std::vector<RelationId> connected(const TableDistributor& distributor, RelationId table) {
  const ClusterWork& work = distributor.work();
  std::set<RelationId> reached{table};
  std::vector<RelationId> waiting{table};
  const auto reach = [&](RelationId other) {
    if (reached.insert(other).second) waiting.push_back(other);
  };
  while (!waiting.empty()) {
    const RelationId next = waiting.back();
    waiting.pop_back();
    for (const catalog::ForeignKey& key : work.definition(next)->foreign_keys) reach(key.referenced);
    for (const TableKey& key : work.keys_to(next)) reach(key.table);
  }
  return {reached.begin(), reached.end()};
}

void refuse_keys_outside(const TableDistributor& distributor, RelationId table, const std::set<RelationId>& inside) {
  const ClusterWork& work = distributor.work();
  const auto definition = work.definition(table);
  const std::string name = qualified_name(*definition);
  const std::string hint = fmt::format(
      "Use cascade option to undistribute all the relations involved in a foreign key relationship with {} by "
      "executing "
      "SELECT undistribute_table($${}$$, cascade_via_foreign_keys=>true)",
      name, name);
  for (const catalog::ForeignKey& key : definition->foreign_keys) {
    if (inside.contains(key.referenced)) continue;
    refuse(fmt::format("cannot complete operation because table {} has a foreign key", definition->name), "", hint);
  }
  for (const TableKey& key : work.keys_to(table)) {
    if (inside.contains(key.table)) continue;
    refuse(fmt::format("cannot complete operation because table {} is referenced by a foreign key", definition->name),
           "", hint);
  }
}

// On other coordinators, with the views on them, which are the cluster's as well. What is that coordinator's own, and
// would go along, is in the way.
void drop_shells(const ClusterWork& work, const std::vector<DistributedParts>& tables) {
  std::vector<std::string> shells;
  std::vector<std::string> views;
  for (const DistributedParts& table : tables) {
    shells.push_back(qualified_name(*table.parts.table));
    for (const catalog::Relation& view : work.views_on(table.parts.id))
      views.push_back(fmt::format("DROP VIEW IF EXISTS {} CASCADE", qualified_name(*view.description)));
  }
  work.on_other_coordinators(views);
  work.on_other_coordinators({drop_tables_statement(shells, false)});
}

}  // namespace

void TableChange::undistribute_table(RelationId table, bool cascade_via_foreign_keys) {
  const TableDistributor distributor(cluster_);
  if (distributor.find(table) == nullptr) refuse("cannot undistribute table because the table is not distributed");
  refuse_in_distributed_schema(distributor, table, "undistribute_table");
  if (!cascade_via_foreign_keys) {
    refuse_keys_outside(distributor, table, {table});
    return undistribute({table});
  }
  std::vector<RelationId> tables = connected(distributor, table);
  std::erase_if(tables, [&distributor](RelationId other) { return distributor.find(other) == nullptr; });
  for (const RelationId other : tables) refuse_in_distributed_schema(distributor, other, "undistribute_table");
  undistribute(tables);
}

void TableChange::undistribute(const std::vector<RelationId>& ids) {
  TableDistributor distributor(cluster_);
  const ClusterWork& work = distributor.work();
  for (const RelationId id : ids) work.lock(*work.definition(id), true);
  std::set<RelationId> inside(ids.begin(), ids.end());
  std::vector<DistributedParts> tables;
  std::set<int> groups;
  for (const RelationId id : ids) {
    tables.push_back(distributor.require(id));
    groups.insert(tables.back().distribution.colocation_id);
    // Local tables may stay outside: they have no rows that refer to these.
    for (const TableKey& key : work.keys_to(id)) {
      if (distributor.find(key.table) == nullptr) inside.insert(key.table);
    }
  }
  for (const RelationId id : ids) refuse_keys_outside(distributor, id, inside);
  for (const DistributedParts& table : tables) {
    tell_steps(work, *table.parts.table);
    const std::vector<Row> rows = work.rows(table);
    distributor.drop_shards(table);
    distributor.forget_metadata(table);
    // Rows come in no order of what refers to what: the keys are made again when all are there.
    for (const catalog::ForeignKey& key : table.parts.table->foreign_keys) {
      work.here(fmt::format("ALTER TABLE {} DROP CONSTRAINT {}", qualified_name(*table.parts.table),
                            quote_identifier(key.name)));
    }
    if (work.has_rows_here(*table.parts.table)) work.here("DELETE FROM " + qualified_name(*table.parts.table));
    work.insert_here(*table.parts.table, rows);
  }
  drop_shells(work, tables);
  for (const DistributedParts& table : tables) {
    for (const catalog::ForeignKey& key : table.parts.table->foreign_keys)
      work.here(foreign_key_statement(*table.parts.table, key, *work.definition(key.referenced)));
  }
  for (const int group : groups) distributor.drop_group_if_empty(group, {ids.begin(), ids.end()});
}

// --- alter_distributed_table ---

namespace {

// One call, its parameters checked (CheckAlterDistributedTableConversionParameters()).
class Alteration {
 public:
  Alteration(TableDistributor& distributor, RelationId table, AlterRequest request)
      : distributor_(distributor), work_(distributor.work()), request_(std::move(request)), table_(load(table)) {}

  void run() {
    check();
    const TableDistribution& old = table_.distribution;
    const bool cascade = request_.cascade_to_colocated.value_or(false);
    std::vector<RelationId> ids{table_.parts.id};
    if (cascade) {
      for (const RelationId id : distributor_.tables_of_group(old.colocation_id)) {
        if (id != table_.parts.id) ids.push_back(id);
      }
    }
    for (const RelationId id : ids) work_.lock(*work_.definition(id), true);
    const DistributionPlan plan = plan_first();
    if (plan.new_group) distributor_.make_group(*plan.new_group);
    move(distributor_.require(ids.front()), plan.distribution);
    for (std::size_t i = 1; i < ids.size(); ++i) {
      const DistributedParts other = distributor_.require(ids[i]);
      distributor_.plan(ids.front(), plan.distribution);
      move(other, distributor_.plan_like(other, plan.distribution));
    }
    relink(ids);
    if (plan.distribution.colocation_id != old.colocation_id)
      distributor_.drop_group_if_empty(old.colocation_id, {ids.begin(), ids.end()});
  }

 private:
  DistributedParts load(RelationId table) const {
    const auto found = distributor_.find(table);
    if (found == nullptr || found->is_reference()) refuse("cannot alter table because the table is not distributed");
    refuse_in_distributed_schema(distributor_, table, "alter_distributed_table");
    if (found->method != Method::hash) {
      throw SqlError(sqlstate::feature_not_supported,
                     fmt::format("relation {} should be a hash distributed table", work_.definition(table)->name));
    }
    return distributor_.require(table);
  }

  bool names_table() const {
    return request_.colocate_with && *request_.colocate_with != "default" && *request_.colocate_with != "none";
  }
  int old_shard_count() const { return static_cast<int>(table_.distribution.shards.size()); }

  void check() {
    const bool cascade = request_.cascade_to_colocated.value_or(false);
    if (!request_.column && !request_.shard_count && !request_.colocate_with && !cascade) {
      refuse("you have to specify at least one of the distribution_column, shard_count or colocate_with parameters");
    }
    column_ =
        request_.column ? distributor_.check_column(*table_.parts.table, *request_.column) : table_.distribution.column;
    const std::optional<DistributedParts> other = find_other();
    if (request_.shard_count && *request_.shard_count == 0) {
      refuse("shard_count cannot be 0", "",
             "if you no longer want this to be a distributed table you can try undistribute_table() function");
    }
    if (request_.shard_count && (*request_.shard_count < 0 || *request_.shard_count > 64'000)) {
      refuse(fmt::format("{} is outside the valid range for parameter \"shard_count\" (1 .. 64000)",
                         *request_.shard_count));
    }
    if (cascade && request_.column) refuse("distribution_column cannot be cascaded to colocated tables");
    if (cascade && !request_.shard_count && !request_.colocate_with)
      refuse("shard_count or colocate_with is necessary for cascading to colocated tables");
    check_difference(other);
    if (cascade && request_.colocate_with == "none")
      refuse("colocate_with := 'none' cannot be cascaded to colocated tables");
    const bool has_company = distributor_.tables_of_group(table_.distribution.colocation_id).size() > 1;
    if (has_company && request_.shard_count && *request_.shard_count != old_shard_count() &&
        !request_.cascade_to_colocated) {
      refuse(
          "cascade_to_colocated parameter is necessary", "this table is colocated with some other tables",
          "cascade_to_colocated := false will break the current colocation, cascade_to_colocated := true will change "
          "the shard count of colocated tables too.");
    }
    if (other) check_other(*other);
  }

  std::optional<DistributedParts> find_other() const {
    if (!names_table()) return std::nullopt;
    const RelationId id = distributor_.relation_by_name(*request_.colocate_with);
    const auto found = distributor_.find(id);
    if (found == nullptr || found->is_reference())
      refuse(fmt::format("cannot colocate with {} because it is not a distributed table", *request_.colocate_with));
    if (found->method == Method::single_shard) {
      refuse(fmt::format("cannot colocate with {} because it is a single shard distributed table",
                         *request_.colocate_with));
    }
    return distributor_.require(id);
  }

  void check_difference(const std::optional<DistributedParts>& other) const {
    const bool same_column = !request_.column || column_ == table_.distribution.column;
    const bool same_count = !request_.shard_count || *request_.shard_count == old_shard_count();
    const bool same_group =
        !request_.colocate_with || (other && other->distribution.colocation_id == table_.distribution.colocation_id);
    if (!same_column || !same_count || !same_group) {
      if (request_.column && same_column) work_.notice("table is already distributed by " + *request_.column);
      if (request_.shard_count && same_count)
        work_.notice(fmt::format("shard count of the table is already {}", *request_.shard_count));
      if (request_.colocate_with && same_group)
        work_.notice("table is already colocated with " + *request_.colocate_with);
      return;
    }
    refuse("this call doesn't change any properties of the table", "",
           "check polar_cluster_tables view to see current properties of the table");
  }

  void check_other(const DistributedParts& other) const {
    if (request_.shard_count && *request_.shard_count != static_cast<int>(other.distribution.shards.size())) {
      refuse("shard_count cannot be different than the shard count of the table in colocate_with", "",
             "if no shard_count is specified shard count will be same with colocate_with table's");
    }
    const Type type = table_.parts.table->columns.at(static_cast<std::size_t>(column_ - 1)).type;
    if (other.distribution.type.id == type.id) return;
    const std::string& name = *request_.colocate_with;
    if (request_.column) {
      refuse(
          fmt::format("cannot colocate with {} and change distribution column to {} because data type of column {} "
                      "is different than the distribution column of the {}",
                      name, *request_.column, *request_.column, name));
    }
    refuse(fmt::format("cannot colocate with {} because data type of its distribution column is different than {}",
                       name, table_.parts.table->name));
  }

  DistributionPlan plan_first() const {
    const catalog::Definition& table = *table_.parts.table;
    std::string colocate_with = request_.colocate_with.value_or("default");
    const Type type = table.columns.at(static_cast<std::size_t>(column_ - 1)).type;
    // Nothing but the column changes: the group may stay.
    if (!request_.colocate_with && !request_.shard_count && type.id == table_.distribution.type.id)
      colocate_with = qualified_name(table);
    return distributor_.plan_hash(table, column_, colocate_with, request_.shard_count.value_or(old_shard_count()));
  }

  // New shards with the rows, in place of the old ones.
  void move(const DistributedParts& old, const TableDistribution& wanted) {
    const DistributedParts made{old.parts, wanted};
    for (const auto& index : old.parts.indexes) check_unique_index(*index, *old.parts.table, wanted.column);
    tell_steps(work_, *old.parts.table);
    const std::vector<Row> rows = work_.rows(old);
    distributor_.make_shards(made);
    work_.insert(made, rows);
    distributor_.forget_metadata(old);
    distributor_.drop_shards(old);
    distributor_.tell_metadata(made);
    distributor_.plan(old.parts.id, wanted);
  }

  // Foreign keys went with the old shards. What the rows' new places do not allow any more is dropped.
  void relink(const std::vector<RelationId>& ids) {
    const std::set<RelationId> moved(ids.begin(), ids.end());
    for (const RelationId id : ids) {
      for (const catalog::ForeignKey& key : work_.definition(id)->foreign_keys) relink(id, key);
      for (const TableKey& key : work_.keys_to(id)) {
        if (!moved.contains(key.table)) relink(key.table, key.key);
      }
    }
  }
  void relink(RelationId table, const catalog::ForeignKey& key) {
    const auto from = distributor_.find(table);
    const auto to = distributor_.find(key.referenced);
    if (from == nullptr) return;
    const auto definition = work_.definition(table);
    const auto referenced = work_.definition(key.referenced);
    try {
      check_foreign_key({table, definition.get(), from.get()}, key, {key.referenced, referenced.get(), to.get()});
    } catch (const SqlError&) {
      work_.warning(fmt::format("foreign key {} will be dropped", key.name));
      return drop_constraint(work_, table, key.name);
    }
    distributor_.link_shards({work_.parts(table), *from}, key);
  }

  TableDistributor& distributor_;
  const ClusterWork& work_;
  AlterRequest request_;
  DistributedParts table_;
  int column_ = 0;
};

}  // namespace

void TableChange::alter_distributed_table(RelationId table, const AlterRequest& request) {
  TableDistributor distributor(cluster_);
  Alteration(distributor, table, request).run();
}

// --- update_distributed_table_colocation ---

void TableChange::update_colocation(RelationId table, const std::string& colocate_with) {
  TableDistributor distributor(cluster_);
  const ClusterWork& work = distributor.work();
  const auto found = distributor.find(table);
  const std::string name = work.definition(table)->name;
  if (found == nullptr) refuse(fmt::format("relation {} is not distributed", name));
  if (found->is_reference()) {
    throw SqlError(sqlstate::feature_not_supported,
                   fmt::format("relation {} should be a hash distributed table", name));
  }
  refuse_in_distributed_schema(distributor, table, "update_distributed_table_colocation");
  const DistributedParts own = distributor.require(table);
  const int old_group = own.distribution.colocation_id;
  if (colocate_with == "none") {
    const ColocationGroup group{work.new_colocation_id(), static_cast<int>(own.distribution.shards.size()), 1,
                                own.distribution.type.id};
    distributor.make_group(group);
    work.on_coordinators({change_colocation_statement(*own.parts.table, group.id)});
    return distributor.drop_group_if_empty(old_group, {table});
  }
  const DistributedParts other = distributor.require(distributor.relation_by_name(colocate_with));
  if (other.distribution.colocation_id == old_group) return;
  distributor.check_same_placement(other, own);
  work.on_coordinators({change_colocation_statement(*own.parts.table, other.distribution.colocation_id)});
  distributor.drop_group_if_empty(old_group, {table});
}

}  // namespace polarsim::engine::cluster
