// DROP (PostgreSQL's RemoveRelations() and RemoveObjects(), src/backend/commands).
#include <fmt/format.h>

#include "engine/commands/dependencies.h"

namespace polarsim::engine::commands {

namespace {

constexpr const char* undefined_schema = "3F000";

RelationKind kind_of(syntax::ObjectKind kind) {
  switch (kind) {
    case syntax::ObjectKind::table:
      return RelationKind::table;
    case syntax::ObjectKind::index:
      return RelationKind::index;
    case syntax::ObjectKind::sequence:
      return RelationKind::sequence;
    case syntax::ObjectKind::view:
      return RelationKind::view;
    case syntax::ObjectKind::schema:
      return RelationKind::schema;
    default:
      throw SqlError(sqlstate::feature_not_supported, "DROP of this kind of object is not supported");
  }
}

std::string tag_of(RelationKind kind) {
  switch (kind) {
    case RelationKind::table:
      return "DROP TABLE";
    case RelationKind::index:
      return "DROP INDEX";
    case RelationKind::sequence:
      return "DROP SEQUENCE";
    case RelationKind::view:
      return "DROP VIEW";
    case RelationKind::schema:
      return "DROP SCHEMA";
  }
  return "DROP";
}

const char* with_article(RelationKind kind) {
  switch (kind) {
    case RelationKind::table:
      return "a table";
    case RelationKind::index:
      return "an index";
    case RelationKind::sequence:
      return "a sequence";
    case RelationKind::view:
      return "a view";
    case RelationKind::schema:
      return "a schema";
  }
  return "a relation";
}

const char* code_for_missing(RelationKind kind) {
  if (kind == RelationKind::schema) return undefined_schema;
  return kind == RelationKind::index ? sqlstate::undefined_object : sqlstate::undefined_table;
}

std::optional<Relation> find_schema(const CommandContext& context, const std::string& name) {
  const RelationId id = context.catalog().schema_id(&context.transaction, name);
  return id == 0 ? std::nullopt : context.catalog().find(&context.transaction, id);
}

// Nothing if there is none and that is no error.
std::optional<Relation> open_to_drop(CommandContext& context, const syntax::TableName& name, RelationKind kind,
                                     bool if_exists) {
  std::optional<Relation> found;
  if (kind == RelationKind::schema) {
    found = find_schema(context, name.name);
  } else if (name.schema.empty() || !if_exists || context.catalog().schema_id(&context.transaction, name.schema) != 0) {
    // What it is has to be known before it is locked: DROP TABLE must not wait for a view.
    found = find(context, name);
  } else {
    context.notice(fmt::format("schema \"{}\" does not exist, skipping", name.schema));
    return std::nullopt;
  }
  if (!found) {
    const std::string missing = fmt::format("{} \"{}\" does not exist", catalog::to_string(kind), written_name(name));
    if (!if_exists) throw SqlError(code_for_missing(kind), missing);
    context.notice(missing + ", skipping");
    return std::nullopt;
  }
  if (found->description->kind != kind) {
    throw SqlError(
        sqlstate::wrong_object_type, fmt::format("\"{}\" is not {}", name.name, with_article(kind)), "",
        fmt::format("Use {} to remove {}.", tag_of(found->description->kind), with_article(found->description->kind)));
  }
  refuse_catalog(context, *found);
  return kind == RelationKind::schema ? found : open(context, name, LockMode::access_exclusive);
}

void refuse_index_of_constraint(const CommandContext& context, const Relation& index) {
  if (!index.description->index.constraint) return;
  const auto table = context.catalog().find(&context.transaction, index.description->index.table);
  const std::string name = shown_name(context, *index.description);
  const std::string of_table = shown_name(context, *table->description);
  throw SqlError("2BP01",
                 fmt::format("cannot drop index {0} because constraint {1} on table {2} requires it", name,
                             index.description->name, of_table),
                 "", fmt::format("You can drop constraint {} on table {} instead.", index.description->name, of_table));
}

void refuse_sequence_of_identity(const CommandContext& context, const Relation& sequence) {
  const catalog::SequenceProperties& properties = sequence.description->sequence;
  const auto table =
      properties.owner == 0 ? std::nullopt : context.catalog().find(&context.transaction, properties.owner);
  if (!table) return;
  const catalog::Column& column = table->description->columns[static_cast<std::size_t>(properties.owner_column - 1)];
  if (column.identity == catalog::Column::Identity::none) return;
  const std::string of_table = shown_name(context, *table->description);
  throw SqlError("2BP01",
                 fmt::format("cannot drop sequence {} because column {} of table {} requires it",
                             shown_name(context, *sequence.description), column.name, of_table),
                 "", fmt::format("You can drop column {} of table {} instead.", column.name, of_table));
}

}  // namespace

std::string drop(CommandContext& context, const syntax::Drop& drop) {
  const RelationKind kind = kind_of(drop.kind);
  if (drop.concurrently) throw SqlError(sqlstate::feature_not_supported, "DROP INDEX CONCURRENTLY is not supported");
  Removal removal(context);
  std::string what;
  std::set<RelationId> seen;
  for (const syntax::TableName& name : drop.objects) {
    const std::optional<Relation> found = open_to_drop(context, name, kind, drop.if_exists);
    if (!found || !seen.insert(found->id).second) continue;
    if (kind == RelationKind::sequence) refuse_sequence_of_identity(context, *found);
    if (kind == RelationKind::index) {
      refuse_index_of_constraint(context, *found);
      const auto table = context.catalog().find(&context.transaction, found->description->index.table);
      removal.add_dependents_of_key(*table, found->id);
    }
    what = fmt::format("{} {}", catalog::to_string(kind), shown_name(context, *found->description));
    context.database.visit_append_point();
    removal.add(*found);
  }
  if (!seen.empty()) removal.run(drop.cascade, seen.size() == 1 ? what : "");
  return tag_of(kind);
}

}  // namespace polarsim::engine::commands
