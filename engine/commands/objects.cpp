#include "engine/commands/objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/node/session_services.h"
#include "engine/syntax/object_names.h"

namespace polarsim::engine::commands {

namespace {

constexpr const char* undefined_schema = "3F000";

void require_schema(const CommandContext& context, const std::string& schema) {
  if (context.catalog().schema_id(&context.transaction, schema) != 0) return;
  throw SqlError(undefined_schema, fmt::format("schema \"{}\" does not exist", schema));
}

}  // namespace

void CommandContext::notice(std::string message, std::string detail) const {
  ErrorFields fields;
  fields.severity = "NOTICE";
  fields.sqlstate = "00000";
  fields.message = std::move(message);
  fields.detail = std::move(detail);
  notices.push_back(std::move(fields));
}

void CommandContext::notice_existing(const char* sqlstate, const std::string& message) const {
  notice(message + ", skipping");
  notices.back().sqlstate = sqlstate;
}

std::string written_name(const syntax::TableName& name) {
  return name.schema.empty() ? name.name : name.schema + "." + name.name;
}

std::string shown_name(const CommandContext& context, const Definition& definition) {
  const auto visible = context.catalog().find(&context.transaction, context.search_path, definition.name);
  const bool found = visible && visible->description->schema == definition.schema;
  return found || definition.schema.empty() ? definition.name : definition.schema + "." + definition.name;
}

std::optional<Relation> find(const CommandContext& context, const syntax::TableName& name) {
  if (name.schema.empty()) return context.catalog().find(&context.transaction, context.search_path, name.name);
  require_schema(context, name.schema);
  return context.catalog().find_in_schema(&context.transaction, name.schema, name.name);
}

std::optional<Relation> open(CommandContext& context, const syntax::TableName& name, LockMode mode, bool wait) {
  if (!name.schema.empty()) require_schema(context, name.schema);
  return context.catalog().open(context.transaction, context.search_path, name.schema, name.name, mode, wait);
}

catalog::TablePtr open_table(CommandContext& context, const syntax::TableName& name, LockMode mode) {
  const std::optional<Relation> found = open(context, name, mode);
  // PostgreSQL tells no position, either.
  if (!found)
    throw SqlError(sqlstate::undefined_table, fmt::format("relation \"{}\" does not exist", written_name(name)));
  if (found->description->kind != RelationKind::table)
    throw SqlError(sqlstate::wrong_object_type, fmt::format("\"{}\" is not a table", name.name));
  catalog::TablePtr table = context.catalog().find_table(&context.transaction, found->id);
  if (mode != LockMode::access_share) refuse_catalog(context, *found);
  return table;
}

void refuse_catalog(const CommandContext& context, const Relation& relation) {
  const Definition& definition = *relation.description;
  if (definition.kind == RelationKind::schema && definition.name == catalog::public_schema) return;
  const bool is_catalog = definition.schema == catalog::system_schema && !context.allow_system_tables;
  if (relation.id >= catalog::Table::first_normal_relation && !is_catalog) return;
  throw SqlError(sqlstate::insufficient_privilege,
                 fmt::format("permission denied: \"{}\" is a system catalog", definition.name));
}

void require_role(std::string_view name) {
  if (name == role_name || name == "current_user" || name == "session_user" || name == "current_role") return;
  throw SqlError(sqlstate::undefined_object, fmt::format("role \"{}\" does not exist", name));
}

void check_collation(std::string_view collation, Type type, int position) {
  if (collation.empty()) return;
  const auto known = {"C", "POSIX", "default", "ucs_basic"};
  if (std::find(known.begin(), known.end(), collation) == known.end()) {
    throw SqlError(sqlstate::undefined_object,
                   fmt::format("collation \"{}\" for encoding \"UTF8\" does not exist", collation))
        .at(position);
  }
  const TypeInfo& info = type_info(type.id);
  const TypeId element = info.element == TypeId::none ? type.id : info.element;
  if (is_string(element)) return;
  throw SqlError(sqlstate::datatype_mismatch,
                 fmt::format("collations are not supported by type {}", engine::type_name(type.id)))
      .at(position);
}

void lock_referenced(CommandContext& context, RelationId table, const std::vector<catalog::ForeignKey>& keys) {
  for (const catalog::ForeignKey& key : keys) {
    if (key.referenced == table) continue;
    context.database.locks().acquire(context.backend(), context.transaction.level().locks,
                                     txn::LockTag::of_relation(key.referenced), LockMode::access_exclusive);
  }
}

std::string schema_for_new(const CommandContext& context, const syntax::TableName& name) {
  if (!name.schema.empty()) {
    require_schema(context, name.schema);
    if (name.schema == catalog::system_schema && !context.allow_system_tables) {
      throw SqlError(sqlstate::insufficient_privilege,
                     fmt::format("permission denied to create \"{}\"", written_name(name)),
                     "System catalog modifications are currently disallowed.");
    }
    return name.schema;
  }
  if (context.search_path.empty()) throw SqlError(undefined_schema, "no schema has been selected to create in");
  return context.search_path.front();
}

void throw_exists(std::string_view name) {
  throw SqlError(sqlstate::duplicate_table, fmt::format("relation \"{}\" already exists", name));
}

std::string NameChooser::choose(std::string_view table, const std::vector<std::string>& columns,
                                std::string_view label) {
  const auto taken = [&](const std::string& name) {
    return reserved_.contains(name) ||
           context_.catalog().find_in_schema(&context_.transaction, schema_, name).has_value();
  };
  std::string name = syntax::default_index_name(table, columns, label, taken);
  reserved_.insert(name);
  return name;
}

}  // namespace polarsim::engine::commands
