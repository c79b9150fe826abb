#include "engine/cluster/definition_change.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <type_traits>
#include <utility>

#include "engine/catalog/describe.h"
#include "engine/cluster/ddl_rewrite.h"
#include "engine/cluster/metadata.h"
#include "engine/cluster/sequence_copies.h"
#include "engine/cluster/table_change.h"
#include "engine/syntax/parser.h"
#include "engine/types/error.h"
#include "engine/types/quote.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::cluster {

using catalog::Definition;
using catalog::Relation;
using catalog::RelationKind;
using distribution::Shard;
using syntax::ObjectKind;
using syntax::TableName;

// --- what a statement is about ---

std::optional<Relation> DefinitionChange::find(const TableName& name) const {
  const catalog::Catalog& catalog = cluster_.catalog();
  if (!name.schema.empty()) return catalog.find_in_schema(cluster_.transaction(), name.schema, name.name);
  return catalog.find(cluster_.transaction(), cluster_.search_path(), name.name);
}

std::optional<DefinitionChange::Target> DefinitionChange::find_target(const TableName& name) const {
  std::optional<Relation> found = find(name);
  if (!found) return std::nullopt;
  Target target{name, *found, 0, nullptr};
  switch (found->description->kind) {
    case RelationKind::table:
      target.table = found->id;
      break;
    case RelationKind::index:
      target.table = found->description->index.table;
      break;
    case RelationKind::sequence:
      target.table = found->description->sequence.owner;
      break;
    case RelationKind::view:
    case RelationKind::schema:
      break;
  }
  if (target.table != 0) target.distribution = distributor_.find(target.table);
  return target;
}

std::vector<DefinitionChange::Target> DefinitionChange::targets_of(const syntax::Statement& statement) const {
  std::vector<Target> targets;
  for (const TableName& name : changed_relations(statement)) {
    if (std::optional<Target> target = find_target(name)) targets.push_back(std::move(*target));
  }
  return targets;
}

bool DefinitionChange::is_own_shard(RelationId table) const {
  if (table == 0 || distributor_.find(table) != nullptr) return false;
  const auto definition = work().definition(table);
  for (const RelationId other : cluster_.distributed_tables()) {
    const auto distribution = cluster_.find_distribution(other);
    if (distribution == nullptr) continue;
    for (const Shard& shard : distribution->shards) {
      if (std::find(shard.groups.begin(), shard.groups.end(), cluster_.own_group()) == shard.groups.end()) continue;
      const auto owner = work().definition(other);
      if (owner->schema == definition->schema && distribution::shard_name(owner->name, shard.id) == definition->name)
        return true;
    }
  }
  return false;
}

std::string DefinitionChange::schema_of_new(const TableName& name) const {
  if (!name.schema.empty()) return name.schema;
  const std::vector<std::string> path = cluster_.search_path();
  return path.empty() ? std::string() : path.front();
}

bool DefinitionChange::makes_in_distributed_schema(const TableName& name) const {
  return cluster_.colocation_of_schema(schema_of_new(name)) != 0;
}

namespace {

// As the commands of engine/commands lock a table that they are about.
txn::LockMode lock_of(const syntax::Statement& statement) {
  if (std::holds_alternative<syntax::CreateIndex>(statement.body)) return txn::LockMode::share;
  if (std::holds_alternative<syntax::Comment>(statement.body)) return txn::LockMode::share_update_exclusive;
  if (std::holds_alternative<syntax::AlterSequence>(statement.body)) return txn::LockMode::access_share;
  return txn::LockMode::access_exclusive;
}

}  // namespace

void DefinitionChange::lock_targets(const syntax::Statement& statement) {
  if (std::holds_alternative<syntax::LockTable>(statement.body)) return;
  const bool drops = std::holds_alternative<syntax::Drop>(statement.body);
  const auto tables = [&] {
    std::vector<std::pair<RelationId, bool>> found;  // and whether the statement names it itself
    for (const Target& target : targets_of(statement)) {
      if (target.table != 0) found.emplace_back(target.table, target.table == target.relation.id);
    }
    return found;
  };
  // Names may mean something else when the wait is over.
  for (auto known = tables();; known = tables()) {
    for (const auto& [table, named] : known)
      cluster_.lock_here(table, named || drops ? lock_of(statement) : txn::LockMode::access_share);
    if (tables() == known) return;
  }
}

bool DefinitionChange::concerns_cluster(const syntax::Statement& statement) {
  if (std::holds_alternative<syntax::CreateSchema>(statement.body)) return true;
  // What is made among the catalogs is the node's own affair, and mostly refused.
  if (const auto* create = std::get_if<syntax::CreateView>(&statement.body))
    return schema_of_new(create->view) != catalog::system_schema;
  if (const auto* create = std::get_if<syntax::CreateTable>(&statement.body))
    return !create->temporary && makes_in_distributed_schema(create->table);
  if (const auto* create = std::get_if<syntax::CreateTableAs>(&statement.body))
    return !create->temporary && makes_in_distributed_schema(create->table);
  if (const auto* drop = std::get_if<syntax::Drop>(&statement.body); drop && drop->kind == ObjectKind::schema)
    return true;
  if (const auto* rename = std::get_if<syntax::Rename>(&statement.body); rename && rename->kind == ObjectKind::schema)
    return true;
  if (const auto* alter = std::get_if<syntax::AlterSchema>(&statement.body)) {
    const std::optional<Target> target = find_target(alter->object);
    if (target && target->relation.id == target->table && cluster_.colocation_of_schema(alter->schema) != 0)
      return true;
  }
  bool concerns = false;
  const bool of_copies = changes_copies(statement);
  for (const Target& target : targets_of(statement)) {
    if (is_own_shard(target.table)) {
      throw SqlError(sqlstate::internal_error,
                     fmt::format("cannot modify \"{}\" because it is a shard of a distributed table",
                                 work().definition(target.table)->name));
    }
    concerns = concerns || (of_copies && may_have_copies(target));
    const bool view = target.relation.description->kind == RelationKind::view;
    concerns = concerns || target.distribution != nullptr ||
               (view && target.relation.description->schema != catalog::system_schema &&
                distributor_.is_on_all_coordinators(target.relation.id));
  }
  if (concerns) return true;
  const std::vector<Target> dropped = dropped_sequences(statement);
  return std::any_of(dropped.begin(), dropped.end(),
                     [this](const Target& sequence) { return !columns_that_count_by(sequence).empty(); });
}

std::vector<DefinitionChange::Target> DefinitionChange::dropped_sequences(const syntax::Statement& statement) const {
  const auto* alter = std::get_if<syntax::AlterTable>(&statement.body);
  using Kind = syntax::AlterTable::Action::Kind;
  const auto is_dropped = [&](const Target& table, int column) {
    if (alter == nullptr) return true;
    const std::string& name = table.relation.description->columns.at(static_cast<std::size_t>(column - 1)).name;
    return std::any_of(alter->actions.begin(), alter->actions.end(), [&](const syntax::AlterTable::Action& action) {
      return action.kind == Kind::drop_column && action.column == name;
    });
  };
  const auto drops_column = [](const syntax::AlterTable::Action& action) { return action.kind == Kind::drop_column; };
  const bool drops = alter != nullptr ? std::any_of(alter->actions.begin(), alter->actions.end(), drops_column)
                                      : std::holds_alternative<syntax::Drop>(statement.body);
  std::vector<Target> sequences;
  if (!drops) return sequences;
  for (const Target& target : targets_of(statement)) {
    const RelationKind kind = target.relation.description->kind;
    if (kind == RelationKind::sequence && alter == nullptr) sequences.push_back(target);
    if (kind != RelationKind::table || target.distribution != nullptr) continue;
    for (const Relation& relation : cluster_.catalog().relations(cluster_.transaction())) {
      const Definition& definition = *relation.description;
      if (definition.kind != RelationKind::sequence || definition.sequence.owner != target.table) continue;
      if (!is_dropped(target, definition.sequence.owner_column)) continue;
      sequences.push_back({{}, relation, target.table, nullptr});
    }
  }
  return sequences;
}

DefinitionChange::Counters DefinitionChange::counters_of(const std::vector<Target>& sequences) const {
  Counters counters;
  for (const Target& sequence : sequences) {
    for (const auto& [table, column] : columns_that_count_by(sequence)) {
      counters.without_default.push_back(fmt::format("ALTER TABLE {} ALTER COLUMN {} DROP DEFAULT",
                                                     qualified_name(*work().definition(table)),
                                                     quote_identifier(column)));
    }
    if (may_have_copies(sequence)) counters.copied.push_back(sequence.relation);
  }
  return counters;
}

std::vector<std::pair<RelationId, std::string>> DefinitionChange::columns_that_count_by(const Target& target) const {
  std::vector<std::pair<RelationId, std::string>> columns;
  if (target.relation.description->kind != RelationKind::sequence) return columns;
  for (const RelationId table : cluster_.distributed_tables()) {
    for (const catalog::Column& column : work().definition(table)->columns) {
      if (catalog::named_relations(column.default_text).contains(target.relation.id))
        columns.emplace_back(table, column.name);
    }
  }
  return columns;
}

bool DefinitionChange::may_have_copies(const Target& target) const {
  const Definition& relation = *target.relation.description;
  return relation.kind == RelationKind::sequence && target.distribution == nullptr &&
         relation.schema != catalog::system_schema && cluster_.own_group() == primary_coordinator_group;
}

bool DefinitionChange::changes_copies(const syntax::Statement& statement) {
  if (const auto* alter = std::get_if<syntax::AlterSequence>(&statement.body)) return !alter->options.owned_by.empty();
  return std::holds_alternative<syntax::Drop>(statement.body) ||
         std::holds_alternative<syntax::Rename>(statement.body) ||
         std::holds_alternative<syntax::AlterSchema>(statement.body);
}

bool DefinitionChange::is_for_every_coordinator(const syntax::Statement& statement) {
  return std::holds_alternative<syntax::Truncate>(statement.body) ||
         std::holds_alternative<syntax::LockTable>(statement.body);
}

// --- running ---

QueryResult DefinitionChange::run(const syntax::StatementPtr& statement, std::string_view text) {
  const Request request{statement, text};
  return std::visit([&](const auto& body) { return change(body, request); }, statement->body);
}

QueryResult DefinitionChange::run_here(const Request& request) const {
  // TRUNCATE and LOCK TABLE leave what is known of the cluster as it is, and do not keep others from changing it.
  return cluster_.run_statement_here(request.statement, request.text, !is_for_every_coordinator(*request.statement));
}

syntax::Statement DefinitionChange::qualified(const syntax::Statement& statement) const {
  return with_names(statement, [this](const TableName& written) {
    TableName name = written;
    if (const auto found = find(written)) name.schema = found->description->schema;
    return name;
  });
}

void DefinitionChange::on_other_coordinators(const syntax::Statement& statement) const {
  work().on_other_coordinators({syntax::deparse(statement)});
}

namespace {

TableName name_of(const Definition& relation) {
  TableName name;
  name.schema = relation.schema;
  name.name = relation.name;
  return name;
}

bool cascades(const syntax::Statement& statement) {
  if (const auto* drop = std::get_if<syntax::Drop>(&statement.body)) return drop->cascade;
  if (const auto* truncate = std::get_if<syntax::Truncate>(&statement.body)) return truncate->cascade;
  const auto* alter = std::get_if<syntax::AlterTable>(&statement.body);
  return alter != nullptr && std::any_of(alter->actions.begin(), alter->actions.end(),
                                         [](const syntax::AlterTable::Action& action) { return action.cascade; });
}

}  // namespace

void DefinitionChange::on_other_coordinators(const syntax::Statement& statement, const QueryResult& here) const {
  if (!cascades(statement)) return on_other_coordinators(statement);
  std::vector<NodeCommand> commands;
  for (const int group : work().other_coordinators()) commands.push_back({group, syntax::deparse(statement), true});
  work().cascade_there(commands, {cluster_.search_path(), here.notices});
}

// --- schemas ---

namespace {

std::string drop_schemas_statement(const std::vector<std::string>& names, bool cascade) {
  std::string quoted;
  for (const std::string& name : names) quoted += (quoted.empty() ? "" : ", ") + quote_identifier(name);
  return fmt::format("DROP SCHEMA IF EXISTS {}{}", quoted, cascade ? " CASCADE" : "");
}

}  // namespace

QueryResult DefinitionChange::change(const syntax::CreateSchema& create, const Request& request) {
  QueryResult result = run_here(request);
  syntax::Statement elsewhere;
  syntax::CreateSchema same = create;
  same.if_not_exists = true;
  elsewhere.body = std::move(same);
  const std::string sql = syntax::deparse(elsewhere);
  std::vector<NodeCommand> commands;
  for (const int group : work().all_groups()) {
    if (group != cluster_.own_group()) commands.push_back({group, sql, true});
  }
  if (!commands.empty()) cluster_.run_there(commands);
  return result;
}

std::vector<RelationId> DefinitionChange::tables_in(const std::string& schema) const {
  std::vector<RelationId> tables = cluster_.distributed_tables();
  std::erase_if(tables, [&](RelationId table) { return work().definition(table)->schema != schema; });
  return tables;
}

QueryResult DefinitionChange::drop_schemas(const syntax::Drop& drop, const Request& request) {
  std::vector<std::string> names;
  std::vector<RelationId> tables;
  for (const TableName& schema : drop.objects) {
    if (cluster_.catalog().schema_id(cluster_.transaction(), schema.name) == 0) continue;
    // Without CASCADE what is in it stays, and with it the schema.
    if (drop.cascade) {
      const std::vector<RelationId> inside = tables_in(schema.name);
      tables.insert(tables.end(), inside.begin(), inside.end());
    }
    if (const int group = cluster_.colocation_of_schema(schema.name); group != 0) {
      work().on_coordinators({forget_schema_statement(schema.name)});
      if (tables_in(schema.name).empty()) work().on_coordinators({forget_colocation_statement(group)});
    }
    names.push_back(schema.name);
  }
  const std::vector<std::string> path = cluster_.search_path();  // which the schemas may be in
  TableChange tables_change(cluster_);
  tables_change.before_drop(tables, drop.cascade);
  QueryResult result = run_here(request);
  const ToldHere told{path, result.notices};
  tables_change.after_drop(told);
  if (names.empty()) return result;
  if (!drop.cascade) drop_copied_sequences(names);
  // With what only the other node has in it, if that is the user's wish.
  const std::string sql = drop_schemas_statement(names, drop.cascade);
  std::vector<NodeCommand> elsewhere;
  for (const int group : work().all_groups()) {
    if (group != cluster_.own_group()) elsewhere.push_back({group, sql, true});
  }
  if (drop.cascade) {
    work().cascade_there(elsewhere, told);
  } else if (!elsewhere.empty()) {
    cluster_.run_there(elsewhere);
  }
  return result;
}

namespace {

SequenceCopies::Statement drop_of_copy(bool cascade) {
  return
      [cascade](const std::string& copy) { return fmt::format("DROP SEQUENCE {}{}", copy, cascade ? " CASCADE" : ""); };
}

}  // namespace

// The schema is empty here, so they are copies of nothing by now, unless a table of that coordinator counts by one.
void DefinitionChange::drop_copied_sequences(const std::vector<std::string>& schemas) const {
  for (const std::string& schema : schemas)
    cluster_.run_there(SequenceCopies(work()).commands(schema, std::nullopt, drop_of_copy(false)));
}

// --- tables ---

QueryResult DefinitionChange::distribute_new(const TableName& name, const Request& request) {
  const int group = cluster_.colocation_of_schema(schema_of_new(name));
  const std::string schema = schema_of_new(name);
  const bool was_there = cluster_.catalog().find_in_schema(cluster_.transaction(), schema, name.name).has_value();
  QueryResult result = run_here(request);
  const auto made = cluster_.catalog().find_in_schema(cluster_.transaction(), schema, name.name);
  if (!was_there && made) TableChange(cluster_).distribute_new_table(made->id, group);
  return result;
}

QueryResult DefinitionChange::change(const syntax::CreateTable& create, const Request& request) {
  return distribute_new(create.table, request);
}

QueryResult DefinitionChange::change(const syntax::CreateTableAs& create, const Request& request) {
  return distribute_new(create.table, request);
}

QueryResult DefinitionChange::drop_tables(const syntax::Drop& drop, const Request& request) {
  std::vector<RelationId> tables;
  for (const Target& target : targets_of(*request.statement)) {
    const bool known = std::find(tables.begin(), tables.end(), target.table) != tables.end();
    if (target.distribution != nullptr && target.relation.id == target.table && !known) tables.push_back(target.table);
  }
  Counters counters = counters_of(dropped_sequences(*request.statement));
  // Whoever drops a table that counts by nothing of the cluster asks no other node.
  if (counters.without_default.empty()) counters.copied.clear();
  TableChange change_of_tables(cluster_);
  change_of_tables.before_drop(tables, drop.cascade);
  QueryResult result = run_here(request);
  work().on_other_coordinators(counters.without_default);
  change_of_tables.after_drop({cluster_.search_path(), result.notices});
  drop_copies_of(counters, drop.cascade, result);
  return result;
}

void DefinitionChange::drop_copies_of(const Counters& counters, bool cascade, const QueryResult& here) const {
  std::vector<NodeCommand> drops;
  for (const Relation& counter : counters.copied) {
    for (NodeCommand& each :
         SequenceCopies(work()).commands(counter.description->schema, counter.description->name, drop_of_copy(cascade)))
      drops.push_back(std::move(each));
  }
  if (drops.empty()) return;
  if (cascade) {
    work().cascade_there(drops, {cluster_.search_path(), here.notices});
  } else {
    cluster_.run_there(drops);
  }
}

QueryResult DefinitionChange::drop_indexes(const syntax::Drop& drop, const Request& request) {
  if (drop.concurrently && cluster_.in_transaction_block()) {
    throw SqlError(sqlstate::active_sql_transaction, "DROP INDEX CONCURRENTLY cannot run inside a transaction block");
  }
  const std::vector<Target> targets = targets_of(*request.statement);
  auto here = std::make_shared<syntax::Statement>(*request.statement);
  std::get<syntax::Drop>(here->body).concurrently = false;
  const syntax::StatementPtr statement = std::move(here);
  QueryResult result = run_here({statement, request.text});
  for (const Target& target : targets) {
    if (target.distribution == nullptr) continue;
    syntax::Statement one;
    syntax::Drop only = drop;
    only.concurrently = false;
    only.if_exists = true;
    only.objects = {target.written};
    only.objects.front().schema = target.relation.description->schema;
    one.body = std::move(only);
    on_other_coordinators(one);
    on_shards(one, target);
  }
  return result;
}

// Those that are elsewhere, too.
QueryResult DefinitionChange::drop_views_or_sequences(const syntax::Drop& drop, const Request& request) {
  syntax::Statement elsewhere;
  syntax::Drop same = drop;
  same.if_exists = true;
  same.objects.clear();
  const Counters counters = counters_of(dropped_sequences(*request.statement));
  for (const Target& target : targets_of(*request.statement)) {
    if (target.distribution == nullptr && !distributor_.is_on_all_coordinators(target.relation.id)) continue;
    same.objects.push_back(target.written);
    same.objects.back().schema = target.relation.description->schema;
  }
  QueryResult result = run_here(request);
  const bool any = !same.objects.empty();
  elsewhere.body = std::move(same);
  work().on_other_coordinators(counters.without_default);
  drop_copies_of(counters, drop.cascade, result);
  if (any) on_other_coordinators(elsewhere, result);
  return result;
}

QueryResult DefinitionChange::change(const syntax::Drop& drop, const Request& request) {
  if (drop.kind == ObjectKind::schema) return drop_schemas(drop, request);
  if (drop.kind == ObjectKind::table) return drop_tables(drop, request);
  if (drop.kind == ObjectKind::index) return drop_indexes(drop, request);
  return drop_views_or_sequences(drop, request);
}

QueryResult DefinitionChange::change(const syntax::Truncate& truncate, const Request& request) {
  std::set<RelationId> tables;
  std::vector<RelationId> waiting;
  for (const Target& target : targets_of(*request.statement)) {
    if (target.relation.id == target.table && tables.insert(target.table).second) waiting.push_back(target.table);
  }
  // Whether they have to be named, or go along, is decided here.
  while (truncate.cascade && !waiting.empty()) {
    const RelationId next = waiting.back();
    waiting.pop_back();
    for (const TableKey& key : work().keys_to(next)) {
      if (tables.insert(key.table).second) waiting.push_back(key.table);
    }
  }
  QueryResult result = run_here(request);
  std::erase_if(tables, [this](RelationId table) { return distributor_.find(table) == nullptr; });
  truncate_shells(truncate, tables, result);
  for (const RelationId table : tables) {
    const auto distribution = distributor_.find(table);
    const auto definition = work().definition(table);
    syntax::Statement one;
    syntax::Truncate only = truncate;
    only.tables = {name_of(*definition)};
    only.cascade = true;
    one.body = std::move(only);
    on_shards(one, {{}, {table, 0, 0, definition}, table, distribution});
  }
  return result;
}

// Other coordinators have counters of their own, and may have tables whose rows refer to those of a reference table:
// all in one statement, as the tables may refer to each other.
void DefinitionChange::truncate_shells(const syntax::Truncate& truncate, const std::set<RelationId>& tables,
                                       const QueryResult& here) const {
  const bool any_reference = std::any_of(tables.begin(), tables.end(),
                                         [this](RelationId table) { return distributor_.find(table)->is_reference(); });
  if (!truncate.restart_identity && !any_reference) return;
  syntax::Truncate same = truncate;
  same.tables.clear();
  for (const RelationId table : tables) same.tables.push_back(name_of(*work().definition(table)));
  syntax::Statement statement;
  statement.body = std::move(same);
  on_other_coordinators(statement, here);
}

QueryResult DefinitionChange::change(const syntax::LockTable& lock, const Request& request) {
  QueryResult result = run_here(request);
  syntax::LockTable same = lock;
  same.tables.clear();
  for (const Target& target : targets_of(*request.statement)) {
    if (target.distribution == nullptr) continue;
    same.tables.push_back(target.written);
    same.tables.back().schema = target.relation.description->schema;
  }
  if (same.tables.empty()) return result;
  syntax::Statement elsewhere;
  elsewhere.body = std::move(same);
  std::vector<NodeCommand> commands;
  for (const int group : work().other_coordinators()) commands.push_back({group, syntax::deparse(elsewhere), false});
  if (!commands.empty()) cluster_.run_there(commands);
  return result;
}

QueryResult DefinitionChange::change(const syntax::Comment& /*comment*/, const Request& request) {
  const syntax::Statement elsewhere = qualified(*request.statement);
  QueryResult result = run_here(request);
  on_other_coordinators(elsewhere);
  return result;
}

QueryResult DefinitionChange::change(const syntax::AlterSequence& alter, const Request& request) {
  const std::optional<Target> target = find_target(alter.sequence);
  if (!target || !may_have_copies(*target))
    throw SqlError(sqlstate::internal_error, "Altering a distributed sequence is currently not supported.");
  QueryResult result = run_here(request);
  const auto now = work().definition(target->relation.id);
  if (distributor_.find(now->sequence.owner) == nullptr) return result;
  // It goes with its column from here on, there as here.
  const auto owner = work().definition(now->sequence.owner);
  const std::string& column = owner->columns.at(static_cast<std::size_t>(now->sequence.owner_column - 1)).name;
  const auto own_copy = [&](const std::string& copy) {
    return fmt::format("ALTER SEQUENCE {} OWNED BY {}.{}", copy, qualified_name(*owner), quote_identifier(column));
  };
  cluster_.run_there(SequenceCopies(work()).commands(now->schema, now->name, own_copy));
  return result;
}

// --- views ---

void DefinitionChange::warn_of_local_view(const catalog::Definition& view) const {
  const auto& uses = view.view.uses;
  const auto is_elsewhere = [this](RelationId used) { return distributor_.is_on_all_coordinators(used); };
  const auto local = std::find_if_not(uses.begin(), uses.end(), is_elsewhere);
  const bool uses_distributed = std::any_of(uses.begin(), uses.end(), [&](RelationId used) {
    return is_elsewhere(used) && work().definition(used)->schema != catalog::system_schema;
  });
  if (local == uses.end() || !uses_distributed) return;
  const auto definition = work().definition(*local);
  ErrorFields fields;
  fields.severity = "WARNING";
  fields.sqlstate = sqlstate::warning;
  fields.message = fmt::format("\"view {}\" has dependency to \"{} {}\" that is not in PolarCluster's metadata",
                               view.name, catalog::to_string(definition->kind), definition->name);
  fields.detail = fmt::format("\"view {}\" will be created only locally", view.name);
  cluster_.notice(std::move(fields));
}

QueryResult DefinitionChange::change(const syntax::CreateView& create, const Request& request) {
  const auto before =
      cluster_.catalog().find_in_schema(cluster_.transaction(), schema_of_new(create.view), create.view.name);
  const bool was_elsewhere = before && distributor_.is_on_all_coordinators(before->id);
  QueryResult result = run_here(request);
  const auto made =
      cluster_.catalog().find_in_schema(cluster_.transaction(), schema_of_new(create.view), create.view.name);
  if (!made) return result;
  if (distributor_.is_on_all_coordinators(made->id)) {
    std::vector<std::string> statements;
    if (const std::string schema = schema_statement(made->description->schema); !schema.empty())
      statements.push_back(schema);
    statements.push_back(view_statement(*made->description));
    work().on_other_coordinators(statements);
    return result;
  }
  if (was_elsewhere)
    work().on_other_coordinators({fmt::format("DROP VIEW IF EXISTS {} CASCADE", qualified_name(*made->description))});
  warn_of_local_view(*made->description);
  return result;
}

}  // namespace polarsim::engine::cluster
