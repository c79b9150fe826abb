#include "engine/commands/objects.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "engine/sql/object_names.h"

namespace polarsim::engine::commands {

namespace {

constexpr const char* undefined_schema = "3F000";

void require_schema(const CommandContext& context, const std::string& schema) {
  if (context.catalog().schema_id(&context.transaction, schema) != 0) return;
  throw SqlError(undefined_schema, fmt::format("schema \"{}\" does not exist", schema));
}

// The relation and what has to be locked before it.
std::vector<RelationId> locks_of(const Relation& relation) {
  if (relation.description->kind == RelationKind::index) return {relation.description->index.table, relation.id};
  return {relation.id};
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
  const std::array path{name.schema, std::string(catalog::system_schema)};
  auto found = context.catalog().find(&context.transaction, path, name.name);
  if (found && found->description->schema != name.schema) return std::nullopt;
  return found;
}

std::optional<Relation> open(CommandContext& context, const syntax::TableName& name, LockMode mode, bool wait) {
  txn::LockManager& locks = context.database.locks();
  txn::LockOwner& owner = context.transaction.level().locks;
  for (std::optional<Relation> found = find(context, name); found; found = find(context, name)) {
    bool waited = false;
    std::vector<txn::LockTag> taken;
    for (const RelationId id : locks_of(*found)) {
      const txn::LockTag tag = txn::LockTag::of_relation(id);
      const txn::LockResult result = locks.acquire(context.backend(), owner, tag, mode, wait);
      if (result == txn::LockResult::not_available) {
        throw SqlError(sqlstate::lock_not_available,
                       fmt::format("could not obtain lock on relation \"{}\"", name.name));
      }
      waited = waited || result == txn::LockResult::granted_after_wait;
      taken.push_back(tag);
    }
    if (!waited) return found;
    // While it waited, the relation may have changed, or gone, and another have taken its name.
    std::optional<Relation> again = find(context, name);
    if (again && again->id == found->id) return again;
    for (const txn::LockTag& tag : taken) locks.release(context.backend(), owner, tag, mode);
  }
  return std::nullopt;
}

catalog::TablePtr open_table(CommandContext& context, const syntax::TableName& name, LockMode mode) {
  const std::optional<Relation> found = open(context, name, mode);
  if (!found) {
    throw SqlError(sqlstate::undefined_table, fmt::format("relation \"{}\" does not exist", written_name(name)))
        .at(name.position);
  }
  if (found->description->kind != RelationKind::table)
    throw SqlError(sqlstate::wrong_object_type, fmt::format("\"{}\" is not a table", name.name));
  catalog::TablePtr table = context.catalog().find_table(&context.transaction, found->id);
  if (table->is_system() && mode != LockMode::access_share) {
    throw SqlError(sqlstate::insufficient_privilege,
                   fmt::format("permission denied: \"{}\" is a system catalog", name.name));
  }
  return table;
}

std::string schema_for_new(const CommandContext& context, const syntax::TableName& name) {
  if (!name.schema.empty()) {
    require_schema(context, name.schema);
    if (name.schema == catalog::system_schema) {
      throw SqlError(sqlstate::insufficient_privilege,
                     fmt::format("permission denied to create \"{}\"", written_name(name)), "",
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
  const std::array path{schema_, std::string(catalog::system_schema)};
  const auto taken = [&](const std::string& name) {
    if (reserved_.contains(name)) return true;
    const auto found = context_.catalog().find(&context_.transaction, path, name);
    return found && found->description->schema == schema_;
  };
  std::string name = sql::default_index_name(table, columns, label, taken);
  reserved_.insert(name);
  return name;
}

query::Relation described(const Definition& definition, RelationId id) {
  query::Relation relation;
  relation.id = id;
  relation.schema = definition.schema;
  relation.name = definition.name;
  for (const catalog::Column& column : definition.columns) {
    query::RelationColumn made;
    made.name = column.name;
    made.type = column.type;
    made.not_null = column.not_null;
    made.dropped = column.dropped;
    relation.columns.push_back(std::move(made));
  }
  return relation;
}

}  // namespace polarsim::engine::commands
