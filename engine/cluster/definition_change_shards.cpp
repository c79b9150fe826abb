// Changes of what shards are: CREATE INDEX, ALTER TABLE, RENAME, SET SCHEMA (definition_change.h).
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "engine/cluster/ddl_rewrite.h"
#include "engine/cluster/definition_change.h"
#include "engine/cluster/sequence_copies.h"
#include "engine/cluster/table_change.h"
#include "engine/syntax/parser.h"
#include "engine/types/error.h"
#include "engine/types/quote.h"

namespace polarsim::engine::cluster {

using catalog::Definition;
using catalog::Relation;
using catalog::RelationKind;
using distribution::Shard;
using syntax::TableName;
using Action = syntax::AlterTable::Action;

namespace {

template <typename Named>
bool has_name(const std::vector<Named>& list, const std::string& name) {
  return std::any_of(list.begin(), list.end(), [&name](const Named& item) { return item.name == name; });
}

TableState state_of(const TableParts& parts) { return {parts.table, parts.indexes}; }

}  // namespace

void DefinitionChange::on_shards(const syntax::Statement& statement, const Target& target) const {
  const auto& table = *target.relation.description;
  work().on_shards(*target.distribution, [&](std::size_t i, const Shard& shard) {
    ShardTarget named;
    named.schema = table.schema;
    named.shard_id = shard.id;
    if (table.kind == RelationKind::table) named.table = target.relation.description;
    named.referenced = [&, i](const TableName& written) {
      TableName name = written;
      const auto referenced = find(written);
      const auto other = referenced ? distributor_.find(referenced->id) : nullptr;
      if (other == nullptr) return name;
      name.schema = referenced->description->schema;
      name.name = distribution::shard_name(referenced->description->name,
                                           other->shards.at(other->shards.size() == 1 ? 0 : i).id);
      return name;
    };
    std::vector<std::string> texts;
    for (const syntax::Statement& each : for_shard(statement, named)) texts.push_back(syntax::deparse(each));
    return texts;
  });
}

// --- CREATE INDEX ---

QueryResult DefinitionChange::change(const syntax::CreateIndex& create, const Request& request) {
  const std::optional<Target> target = find_target(create.table);
  if (!target || target->distribution == nullptr) return run_here(request);
  if (create.concurrently && cluster_.in_transaction_block()) {
    throw SqlError(sqlstate::active_sql_transaction, "CREATE INDEX CONCURRENTLY cannot run inside a transaction block");
  }
  check_create_index(create, *target->relation.description, *target->distribution);
  const TableParts before = work().parts(target->table);
  auto here = std::make_shared<syntax::Statement>(*request.statement);
  std::get<syntax::CreateIndex>(here->body).concurrently = false;
  QueryResult result = run_here({here, request.text});
  const TableParts after = work().parts(target->table);
  for (const auto& index : after.indexes) {
    const bool was_there = std::any_of(before.indexes.begin(), before.indexes.end(),
                                       [&index](const auto& old) { return old->name == index->name; });
    if (was_there) continue;
    std::get<syntax::CreateIndex>(here->body).name = index->name;
    on_other_coordinators(qualified(*here));
    on_shards(*here, *target);
  }
  return result;
}

// --- ALTER TABLE ---

void DefinitionChange::check_new_constraints(const TableParts& before, const TableParts& after,
                                             const distribution::TableDistribution& distribution) const {
  for (const auto& index : after.indexes) {
    const bool was_there = std::any_of(before.indexes.begin(), before.indexes.end(),
                                       [&index](const auto& old) { return old->name == index->name; });
    if (!was_there) check_unique_index(*index, *after.table, distribution.column);
  }
  for (const catalog::ForeignKey& key : after.table->foreign_keys) {
    if (has_name(before.table->foreign_keys, key.name)) continue;
    const auto referenced = work().definition(key.referenced);
    const auto other = distributor_.find(key.referenced);
    check_foreign_key({after.id, after.table.get(), &distribution}, key,
                      {key.referenced, referenced.get(), other.get()});
  }
}

// A new column that counts would need other values on every node.
void DefinitionChange::refuse_counted_column(const syntax::AlterTable& alter, const Target& target) const {
  for (const Action& action : alter.actions) {
    if (!action.definition) continue;
    for (const syntax::Constraint& constraint : action.definition->constraints) {
      const bool counts = constraint.kind == syntax::Constraint::Kind::default_value &&
                          calls_function(constraint.expression, "nextval");
      if (!counts || work().is_empty({work().parts(target.table), *target.distribution})) continue;
      throw SqlError(sqlstate::feature_not_supported,
                     "cannot add a column involving DEFAULT nextval('..') because the table is not empty", "",
                     "You can first call ALTER TABLE .. ADD COLUMN .. smallint/int/bigint\nThen set the default by "
                     "ALTER TABLE .. ALTER COLUMN .. SET DEFAULT nextval('..')");
    }
  }
}

// A default that counts names its sequence in a way that only this session understands.
void DefinitionChange::count_elsewhere(const TableParts& before, const TableParts& after) const {
  for (const UsedSequence& used : after.sequences) {
    const std::string text = counting_default(after, used.column);
    const auto position = static_cast<std::size_t>(used.column) - 1;
    if (text.empty()) continue;
    const std::string old =
        position < before.table->columns.size() ? before.table->columns[position].default_text : std::string();
    if (old == after.table->columns[position].default_text) continue;
    SequenceCopies(work()).make(*used.definition);
    work().on_other_coordinators(
        {fmt::format("ALTER TABLE {} ALTER COLUMN {} SET DEFAULT {}", qualified_name(*after.table),
                     quote_identifier(after.table->columns[position].name), text)});
    if (!used.owned) continue;
    work().on_other_coordinators(
        {fmt::format("ALTER SEQUENCE {} OWNED BY {}.{}", qualified_name(*used.definition), qualified_name(*after.table),
                     quote_identifier(after.table->columns[position].name))});
  }
}

namespace {

// Without defaults that count: count_elsewhere() sets them.
syntax::AlterTable without_counting(syntax::AlterTable alter) {
  const auto counts = [](const syntax::ExpressionPtr& expression) { return calls_function(expression, "nextval"); };
  std::erase_if(alter.actions, [&](const Action& action) {
    return action.kind == Action::Kind::set_default && counts(action.expression);
  });
  for (Action& action : alter.actions) {
    if (!action.definition) continue;
    std::erase_if(action.definition->constraints, [&](const syntax::Constraint& constraint) {
      return constraint.kind == syntax::Constraint::Kind::default_value && counts(constraint.expression);
    });
  }
  return alter;
}

}  // namespace

QueryResult DefinitionChange::change(const syntax::AlterTable& alter, const Request& request) {
  const std::optional<Target> target = find_target(alter.table);
  if (target && target->distribution == nullptr) {
    const Counters counters = counters_of(dropped_sequences(*request.statement));
    QueryResult result = run_here(request);
    work().on_other_coordinators(counters.without_default);
    drop_copies_of(counters, true, result);
    return result;
  }
  if (!target) return run_here(request);
  if (target->relation.id != target->table) {
    // Of an index or a sequence there are only settings, which mean nothing here.
    return run_here(request);
  }
  check_alter_table(alter, *target->relation.description, *target->distribution);
  refuse_counted_column(alter, *target);
  const TableParts before = work().parts(target->table);
  QueryResult result = run_here(request);
  const TableParts after = work().parts(target->table);
  check_new_constraints(before, after, *target->distribution);
  const syntax::AlterTable done = settled(alter, state_of(before), state_of(after));
  if (done.actions.empty()) return result;
  syntax::Statement statement = *request.statement;
  syntax::AlterTable elsewhere = without_counting(done);
  if (!elsewhere.actions.empty()) {
    statement.body = std::move(elsewhere);
    on_other_coordinators(qualified(statement), result);
  }
  count_elsewhere(before, after);
  statement.body = with_values_for_rows(done, *after.table);
  on_shards(statement, *target);
  return result;
}

// --- names ---

QueryResult DefinitionChange::change(const syntax::Rename& rename, const Request& request) {
  if (rename.kind == syntax::ObjectKind::schema) {
    QueryResult result = run_here(request);
    const std::string sql = syntax::deparse(*request.statement);
    std::vector<NodeCommand> commands;
    for (const int group : work().all_groups()) {
      if (group != cluster_.own_group()) commands.push_back({group, sql, true});
    }
    if (!commands.empty()) cluster_.run_there(commands);
    return result;
  }
  const std::optional<Target> target = find_target(rename.object);
  if (target && may_have_copies(*target)) {
    QueryResult result = run_here(request);
    const SequenceCopies copies(work());
    const auto rename_copy = [&](const std::string& copy) {
      return fmt::format("ALTER SEQUENCE {} RENAME TO {}", copy, quote_identifier(rename.new_name));
    };
    cluster_.run_there(
        copies.commands(target->relation.description->schema, target->relation.description->name, rename_copy));
    return result;
  }
  std::vector<std::string> elsewhere{syntax::deparse(qualified(*request.statement))};
  QueryResult result = run_here(request);
  if (!target) return result;
  const Definition& before = *target->relation.description;
  const bool distribution_column = rename.what == syntax::Rename::What::column && target->distribution != nullptr &&
                                   target->distribution->column != 0 &&
                                   before.find_column(rename.old_name) == target->distribution->column;
  if (distribution_column) {
    // Before anybody looks for the column by its old name.
    elsewhere.push_back(rename_distribution_column_statement(before, rename.new_name));
    work().here(elsewhere.back());
  }
  work().on_other_coordinators(elsewhere);
  // Views have no shards, nor have sequences.
  if (target->distribution == nullptr || target->relation.description->kind == RelationKind::sequence) return result;
  on_shards(*request.statement, *target);
  return result;
}

QueryResult DefinitionChange::change(const syntax::AlterSchema& alter, const Request& request) {
  const std::optional<Target> target = find_target(alter.object);
  if (!target) return run_here(request);
  if (may_have_copies(*target)) {
    QueryResult result = run_here(request);
    const Definition& sequence = *target->relation.description;
    const auto move_copy = [&](const std::string& copy) {
      return fmt::format("ALTER SEQUENCE {} SET SCHEMA {}", copy, quote_identifier(alter.schema));
    };
    cluster_.run_there(SequenceCopies(work()).commands(sequence.schema, sequence.name, move_copy));
    return result;
  }
  const bool is_table = target->relation.id == target->table;
  const int group = cluster_.colocation_of_schema(alter.schema);
  if (target->distribution == nullptr && is_table) {
    work().notice(
        fmt::format("Moving {} into distributed schema {}", target->relation.description->name, alter.schema));
    QueryResult result = run_here(request);
    TableChange(cluster_).distribute_new_table(target->table, group);
    return result;
  }
  if (is_table && (group != 0 || distributor_.is_in_distributed_schema(*target->relation.description))) {
    throw SqlError(sqlstate::feature_not_supported,
                   "SET SCHEMA of a distributed table is not supported from or to a distributed schema");
  }
  const syntax::Statement elsewhere = qualified(*request.statement);
  QueryResult result = run_here(request);
  on_other_coordinators(elsewhere);
  if (target->distribution != nullptr && is_table) on_shards(*request.statement, *target);
  return result;
}

}  // namespace polarsim::engine::cluster
