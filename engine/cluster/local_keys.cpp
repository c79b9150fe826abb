#include "engine/cluster/local_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/types/quote.h"

namespace polarsim::engine::cluster {

using catalog::ForeignKey;
using catalog::Relation;
using syntax::AlterTable;
using syntax::Constraint;

namespace {

template <typename Create, typename Visit>
void for_each_key(Create& table, const Visit& visit) {
  const auto look = [&](auto& constraint) {
    if (constraint.kind == Constraint::Kind::foreign_key) visit(constraint);
  };
  const auto look_at_all = [&](auto& constraints) {
    for (auto& constraint : constraints) look(constraint);
  };
  if constexpr (std::is_same_v<std::remove_const_t<Create>, syntax::CreateTable>) {
    look_at_all(table.constraints);
    for (auto& column : table.columns) look_at_all(column.constraints);
  } else {
    for (auto& action : table.actions) {
      if (action.constraint) look(*action.constraint);
      if (action.definition) look_at_all(action.definition->constraints);
    }
  }
}

// False if there are none that are to be checked for the rows that are there. `unchecked` gets the names of those that
// are to stay so: only a key that is written by itself can be NOT VALID, and it can be given one.
bool put_off_checks(AlterTable& alter, std::set<std::string>& unchecked) {
  bool any = false;
  bool unnamed = false;
  for_each_key(alter, [&](Constraint& key) {
    if (!std::exchange(key.not_valid, true)) {
      any = true;
    } else if (key.name.empty()) {
      unnamed = true;
    } else {
      unchecked.insert(key.name);
    }
  });
  if (any && unnamed) {
    throw SqlError(sqlstate::feature_not_supported,
                   "foreign keys that are NOT VALID and others in one statement are not supported without names", "",
                   "Name the constraint that is NOT VALID.");
  }
  return any;
}

}  // namespace

// 0: in itself.
RelationId LocalKeys::rows_of(RelationId referenced) const {
  const distribution::TableDistributionPtr distribution = distributor_.find(referenced);
  if (distribution == nullptr) return 0;
  if (!distribution->is_reference()) return ForeignKey::rows_elsewhere;
  const auto shell = distributor_.work().definition(referenced);
  const auto copy = cluster_.catalog().find_in_schema(
      cluster_.transaction(), shell->schema, distribution::shard_name(shell->name, distribution->shards.at(0).id));
  return copy ? copy->id : ForeignKey::rows_elsewhere;
}

void LocalKeys::settle() {
  for (const Relation& relation : cluster_.catalog().relations(cluster_.transaction())) {
    if (relation.description->kind != catalog::RelationKind::table) continue;
    const bool local = distributor_.find(relation.id) == nullptr;
    catalog::Definition changed = *relation.description;
    for (ForeignKey& key : changed.foreign_keys) {
      // Shards refer to shards, and shells have no rows.
      key.rows_in = local && key.referenced != relation.id ? rows_of(key.referenced) : 0;
    }
    if (changed.foreign_keys == relation.description->foreign_keys) continue;
    distributor_.work().look(
        fmt::format("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", qualified_name(*relation.description)));
    cluster_.replace_definition(relation.id, std::move(changed));
  }
}

std::set<std::string> LocalKeys::keys_of(const syntax::TableName& table) const {
  const catalog::Catalog& catalog = cluster_.catalog();
  const auto found = table.schema.empty() ? catalog.find(cluster_.transaction(), cluster_.search_path(), table.name)
                                          : catalog.find_in_schema(cluster_.transaction(), table.schema, table.name);
  std::set<std::string> names;
  if (!found) return names;
  for (const ForeignKey& key : found->description->foreign_keys) names.insert(key.name);
  return names;
}

void LocalKeys::check_change(const catalog::Catalog& catalog, const txn::Transaction* reader,
                             const query::Query& query) {
  const std::vector<catalog::ReferencingKey> keys = catalog.referencing(reader, ForeignKey::rows_elsewhere);
  if (keys.empty()) return;
  for (const query::CommonTable& table : query.common_tables) check_change(catalog, reader, *table.query);
  if (query.command != query::Command::update && query.command != query::Command::remove) return;
  const auto& entry = query.entries[static_cast<std::size_t>(query.result_entry)];
  const query::Relation& changed = *std::get<query::TableSource>(entry.source).relation;
  const auto touches = [&query](const ForeignKey& key) {
    if (query.command == query::Command::remove) return true;
    return std::any_of(query.targets.begin(), query.targets.end(), [&key](const query::Target& target) {
      return std::find(key.referenced_columns.begin(), key.referenced_columns.end(), target.column) !=
             key.referenced_columns.end();
    });
  };
  for (const catalog::ReferencingKey& each : keys) {
    if (each.key->referenced != changed.id || !touches(*each.key)) continue;
    const std::string& name = each.description->name;
    throw SqlError(sqlstate::feature_not_supported,
                   fmt::format("cannot check foreign key constraint \"{}\" of table \"{}\"", each.key->name, name),
                   fmt::format("The rows of table \"{}\" are on other nodes.", changed.name),
                   fmt::format("Distribute table \"{}\" like table \"{}\" first.", name, changed.name));
  }
}

bool LocalKeys::makes_keys(const syntax::Statement& statement) {
  bool any = false;
  const auto found = [&any](const Constraint&) { any = true; };
  if (const auto* create = std::get_if<syntax::CreateTable>(&statement.body)) for_each_key(*create, found);
  if (const auto* alter = std::get_if<AlterTable>(&statement.body)) for_each_key(*alter, found);
  return any;
}

QueryResult LocalKeys::run(const syntax::StatementPtr& statement, std::string_view text) {
  auto unchecked = std::make_shared<syntax::Statement>(*statement);
  auto* const alter = std::get_if<AlterTable>(&unchecked->body);
  std::set<std::string> not_valid;
  if (alter == nullptr || !put_off_checks(*alter, not_valid)) {
    QueryResult result = cluster_.run_statement_here(statement, text, false);
    settle();
    return result;
  }
  const syntax::TableName table = alter->table;
  const std::set<std::string> before = keys_of(table);
  QueryResult result = cluster_.run_statement_here(std::move(unchecked), text, false);
  settle();
  const std::string schema = table.schema.empty() ? "" : quote_identifier(table.schema) + ".";
  for (const std::string& name : keys_of(table)) {
    if (before.contains(name) || not_valid.contains(name)) continue;
    cluster_.run_here(fmt::format("ALTER TABLE {}{} VALIDATE CONSTRAINT {}", schema, quote_identifier(table.name),
                                  quote_identifier(name)),
                      false);
  }
  return result;
}

}  // namespace polarsim::engine::cluster
