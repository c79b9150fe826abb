// ALTER ... RENAME and ALTER ... SET SCHEMA (PostgreSQL's renameatt(), RenameRelation() and AlterTableNamespace(),
// src/backend/commands/tablecmds.c).
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/commands/renamed_views.h"
#include "engine/commands/table_columns.h"
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

// Stored expressions say columns and whole rows by their names, so they are written anew; PostgreSQL keeps their trees.
void rename_in_expressions(CommandContext& context, const Relation& relation, Definition& renamed) {
  const Definition& before = *relation.description;
  const Definition after = renamed;
  const auto rewrite = [&](std::string& expression) {
    expression = executor::renamed_expression(context.database, context.call, expression, before, after);
  };
  for (catalog::Check& check : renamed.checks) rewrite(check.condition);
  for (catalog::Column& column : renamed.columns) rewrite(column.generated_text);
  const catalog::TablePtr table = context.catalog().find_table(&context.transaction, relation.id);
  if (table == nullptr) return;
  for (const catalog::Index& index : table->indexes) {
    Definition changed = *index.description;
    rewrite(changed.index.predicate);
    bool has_expressions = !changed.index.predicate.empty();
    for (catalog::IndexProperties::Key& key : changed.index.keys) {
      rewrite(key.expression);
      has_expressions |= !key.expression.empty();
    }
    if (has_expressions) context.catalog().alter(context.transaction, index.id, std::move(changed));
  }
}

void rename_object(CommandContext& context, const Relation& relation, const std::string& name) {
  Definition changed = *relation.description;
  changed.name = name;
  if (changed.name == relation.description->name) throw_exists(name);
  if (changed.kind == RelationKind::table) rename_in_expressions(context, relation, changed);
  rename_relations(context, {{relation.id, std::move(changed)}});
}

void rename_column(CommandContext& context, const Relation& relation, const syntax::Rename& rename) {
  Definition changed = *relation.description;
  const int number = changed.find_column(rename.old_name);
  if (number == 0 && changed.kind != RelationKind::view && is_system_column(rename.old_name)) {
    throw SqlError(sqlstate::feature_not_supported, fmt::format("cannot rename system column \"{}\"", rename.old_name));
  }
  if (number == 0) {
    throw SqlError(sqlstate::undefined_column, fmt::format("column \"{}\" does not exist", rename.old_name));
  }
  if (changed.find_column(rename.new_name) != 0) {
    throw SqlError(sqlstate::duplicate_column,
                   fmt::format("column \"{}\" of relation \"{}\" already exists", rename.new_name, changed.name));
  }
  if (is_system_column(rename.new_name)) {
    throw SqlError(sqlstate::duplicate_column,
                   fmt::format("column name \"{}\" conflicts with a system column name", rename.new_name));
  }
  changed.columns[static_cast<std::size_t>(number - 1)].name = rename.new_name;
  if (changed.kind == RelationKind::table) rename_in_expressions(context, relation, changed);
  rename_relations(context, {{relation.id, std::move(changed)}});
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
  if (context.catalog().schema_id(&context.transaction, rename.new_name) != 0)
    throw SqlError("42P06", fmt::format("schema \"{}\" already exists", rename.new_name));
  RenamedRelations moved;
  for (const Relation& relation : context.catalog().relations(&context.transaction)) {
    if (relation.description->schema != rename.object.name) continue;
    Definition& definition = moved[relation.id];
    definition = *relation.description;
    definition.schema = rename.new_name;
  }
  // The views have to be understood while the schema still has its name.
  const std::map<RelationId, std::string> queries = queries_of_views(context, moved);
  Definition changed = *context.catalog().find(&context.transaction, id)->description;
  changed.name = rename.new_name;
  if (!context.catalog().alter(context.transaction, id, std::move(changed)))
    throw SqlError("42P06", fmt::format("schema \"{}\" already exists", rename.new_name));
  for (const auto& [relation, definition] : moved) context.catalog().alter(context.transaction, relation, definition);
  set_queries(context, queries);
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
  RenamedRelations moved;
  for (const Relation& other : context.catalog().relations(&context.transaction)) {
    const bool along = other.id == relation->id || other.description->index.table == relation->id ||
                       other.description->sequence.owner == relation->id;
    if (!along) continue;
    Definition& definition = moved[other.id];
    definition = *other.description;
    definition.schema = alter.schema;
    if (context.catalog().find_in_schema(&context.transaction, alter.schema, definition.name)) {
      throw SqlError(sqlstate::duplicate_table,
                     fmt::format("relation \"{}\" already exists in schema \"{}\"", definition.name, alter.schema));
    }
  }
  rename_relations(context, moved);
  return tag;
}

}  // namespace polarsim::engine::commands
