// ALTER ... RENAME and ALTER ... SET SCHEMA (PostgreSQL's renameatt(), RenameRelation() and AlterTableNamespace(),
// src/backend/commands/tablecmds.c).
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "engine/commands/objects.h"
#include "engine/commands/renamed_views.h"
#include "engine/executor/definition_texts.h"

namespace polarsim::engine::commands {

namespace {

std::string tag_of(syntax::ObjectKind kind) {
  switch (kind) {
    case syntax::ObjectKind::table:
      return "ALTER TABLE";
    case syntax::ObjectKind::index:
      return "ALTER INDEX";
    case syntax::ObjectKind::sequence:
      return "ALTER SEQUENCE";
    case syntax::ObjectKind::view:
      return "ALTER VIEW";
    case syntax::ObjectKind::schema:
      return "ALTER SCHEMA";
    default:
      throw SqlError(sqlstate::feature_not_supported, "ALTER of this kind of object is not supported");
  }
}

// Nothing if there is none and that is no error.
std::optional<Relation> open_to_change(CommandContext& context, const syntax::TableName& name, syntax::ObjectKind kind,
                                       bool if_exists) {
  std::optional<Relation> found = open(context, name, LockMode::access_exclusive);
  if (!found) {
    const std::string missing = fmt::format("relation \"{}\" does not exist", written_name(name));
    if (!if_exists) throw SqlError(sqlstate::undefined_table, missing);
    context.notice(missing + ", skipping");
    return std::nullopt;
  }
  // ALTER TABLE serves for all relations, as in PostgreSQL.
  const RelationKind is = found->description->kind;
  const auto refuse = [&](const char* what) {
    throw SqlError(sqlstate::wrong_object_type, fmt::format("\"{}\" is not {}", name.name, what));
  };
  if (kind == syntax::ObjectKind::view && is != RelationKind::view) refuse("a view");
  if (kind == syntax::ObjectKind::sequence && is != RelationKind::sequence) refuse("a sequence");
  if (kind == syntax::ObjectKind::index && is != RelationKind::index) refuse("an index");
  refuse_catalog(context, *found);
  return found;
}

// Stored expressions say whole rows by the table's name.
void refuse_named_rows(const CommandContext& context, const Relation& relation, const Definition& renamed) {
  const auto look = [&](const std::string& expression) {
    const auto is_understood = [&](const Definition& of) {
      try {
        executor::expression_columns(context.database, context.call, expression, of);
        return true;
      } catch (const SqlError&) {
        return false;
      }
    };
    if (expression.empty() || is_understood(renamed) || !is_understood(*relation.description)) return;
    throw SqlError(sqlstate::feature_not_supported,
                   fmt::format("cannot rename \"{}\": renaming relations whose rows checks, generated columns or index "
                               "expressions use as a whole is not supported",
                               relation.description->name));
  };
  for (const catalog::Check& check : renamed.checks) look(check.condition);
  for (const catalog::Column& column : renamed.columns) look(column.generated_text);
  const catalog::TablePtr table = context.catalog().find_table(&context.transaction, relation.id);
  if (table == nullptr) return;
  for (const catalog::Index& index : table->indexes) {
    look(index.description->index.predicate);
    for (const catalog::IndexProperties::Key& key : index.description->index.keys) look(key.expression);
  }
}

void rename_object(CommandContext& context, const Relation& relation, const std::string& name) {
  Definition changed = *relation.description;
  changed.name = name;
  if (changed.kind == RelationKind::table) refuse_named_rows(context, relation, changed);
  const RenamedViews views(context, {{relation.id, {changed.schema, name}}});
  if (changed.name == relation.description->name || !context.catalog().alter(context.transaction, relation.id, changed))
    throw_exists(name);
  views.write();
}

void rename_column(CommandContext& context, const Relation& relation, const syntax::Rename& rename) {
  Definition changed = *relation.description;
  const int number = changed.find_column(rename.old_name);
  if (number == 0) {
    throw SqlError(sqlstate::undefined_column, fmt::format("column \"{}\" does not exist", rename.old_name));
  }
  if (changed.find_column(rename.new_name) != 0) {
    throw SqlError(sqlstate::duplicate_column,
                   fmt::format("column \"{}\" of relation \"{}\" already exists", rename.new_name, changed.name));
  }
  // Stored expressions and views name columns; PostgreSQL keeps their trees instead.
  const bool named = !changed.checks.empty() ||
                     std::any_of(changed.columns.begin(), changed.columns.end(),
                                 [](const catalog::Column& column) { return !column.generated_text.empty(); });
  const auto relations = context.catalog().relations(&context.transaction);
  const bool used = std::any_of(relations.begin(), relations.end(), [&](const Relation& other) {
    const auto& index = other.description->index;
    const bool by_index = index.table == relation.id &&
                          (!index.predicate.empty() || std::any_of(index.keys.begin(), index.keys.end(),
                                                                   [](const auto& key) { return key.column == 0; }));
    return by_index || other.description->view.uses_column(relation.id, number);
  });
  if (named || used) {
    throw SqlError(sqlstate::feature_not_supported,
                   fmt::format("cannot rename column \"{}\": renaming columns of relations that checks, views or index "
                               "expressions use is not supported",
                               rename.old_name));
  }
  changed.columns[static_cast<std::size_t>(number - 1)].name = rename.new_name;
  context.catalog().alter(context.transaction, relation.id, std::move(changed));
}

void rename_constraint(CommandContext& context, const Relation& relation, const syntax::Rename& rename) {
  Definition changed = *relation.description;
  for (catalog::Check& check : changed.checks) {
    if (check.name != rename.old_name) continue;
    check.name = rename.new_name;
    context.catalog().alter(context.transaction, relation.id, std::move(changed));
    return;
  }
  for (catalog::ForeignKey& key : changed.foreign_keys) {
    if (key.name != rename.old_name) continue;
    key.name = rename.new_name;
    context.catalog().alter(context.transaction, relation.id, std::move(changed));
    return;
  }
  const catalog::TablePtr table = context.catalog().find_table(&context.transaction, relation.id);
  if (table != nullptr) {
    for (const catalog::Index& index : table->indexes) {
      if (!index.description->index.constraint || index.description->name != rename.old_name) continue;
      return rename_object(context, *context.catalog().find(&context.transaction, index.id), rename.new_name);
    }
  }
  throw SqlError(sqlstate::undefined_object, fmt::format("constraint \"{}\" for table \"{}\" does not exist",
                                                         rename.old_name, relation.description->name));
}

void rename_schema(CommandContext& context, const syntax::Rename& rename) {
  const RelationId id = context.catalog().schema_id(&context.transaction, rename.object.name);
  if (id == 0)
    throw SqlError(sqlstate::invalid_schema_name, fmt::format("schema \"{}\" does not exist", rename.object.name));
  if (rename.new_name.starts_with("pg_")) {
    throw SqlError("42939", fmt::format("unacceptable schema name \"{}\"", rename.new_name),
                   "The prefix \"pg_\" is reserved for system schemas.");
  }
  std::map<RelationId, query::RelationName> names;
  for (const Relation& relation : context.catalog().relations(&context.transaction)) {
    if (relation.description->schema == rename.object.name)
      names[relation.id] = {rename.new_name, relation.description->name};
  }
  const RenamedViews views(context, std::move(names));
  Definition changed = *context.catalog().find(&context.transaction, id)->description;
  changed.name = rename.new_name;
  if (!context.catalog().alter(context.transaction, id, std::move(changed)))
    throw SqlError("42P06", fmt::format("schema \"{}\" already exists", rename.new_name));
  for (const Relation& relation : context.catalog().relations(&context.transaction)) {
    if (relation.description->schema != rename.object.name) continue;
    Definition moved = *relation.description;
    moved.schema = rename.new_name;
    context.catalog().alter(context.transaction, relation.id, moved);
  }
  views.write();
}

}  // namespace

std::string rename(CommandContext& context, const syntax::Rename& rename) {
  std::string tag = tag_of(rename.kind);
  context.database.visit_append_point();
  if (rename.kind == syntax::ObjectKind::schema) {
    rename_schema(context, rename);
    return tag;
  }
  const auto relation = open_to_change(context, rename.object, rename.kind, rename.if_exists);
  if (!relation) return tag;
  switch (rename.what) {
    case syntax::Rename::What::object:
      rename_object(context, *relation, rename.new_name);
      break;
    case syntax::Rename::What::column:
      rename_column(context, *relation, rename);
      break;
    case syntax::Rename::What::constraint:
      rename_constraint(context, *relation, rename);
      break;
  }
  return tag;
}

std::string alter_schema(CommandContext& context, const syntax::AlterSchema& alter) {
  std::string tag = tag_of(alter.kind);
  const auto relation = open_to_change(context, alter.object, alter.kind, alter.if_exists);
  if (!relation) return tag;
  if (context.catalog().schema_id(&context.transaction, alter.schema) == 0)
    throw SqlError(sqlstate::invalid_schema_name, fmt::format("schema \"{}\" does not exist", alter.schema));
  if (relation->description->schema == alter.schema) return tag;
  context.database.visit_append_point();
  // Its indexes and the sequences of its columns move along.
  std::map<RelationId, query::RelationName> names;
  for (const Relation& other : context.catalog().relations(&context.transaction)) {
    const bool along = other.id == relation->id || other.description->index.table == relation->id ||
                       other.description->sequence.owner == relation->id;
    if (along) names[other.id] = {alter.schema, other.description->name};
  }
  const RenamedViews views(context, names);
  for (const auto& [id, name] : names) {
    Definition moved = *context.catalog().find(&context.transaction, id)->description;
    moved.schema = alter.schema;
    if (!context.catalog().alter(context.transaction, id, moved)) {
      throw SqlError(sqlstate::duplicate_table,
                     fmt::format("relation \"{}\" already exists in schema \"{}\"", moved.name, alter.schema));
    }
  }
  views.write();
  return tag;
}

}  // namespace polarsim::engine::commands
