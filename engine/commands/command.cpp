#include "engine/commands/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

#include "engine/commands/objects.h"
#include "engine/executor/relations.h"
#include "engine/executor/system_views.h"

namespace polarsim::engine::commands {

namespace {

struct Runner {
  CommandContext& context;
  std::string operator()(const syntax::CreateTable& statement) const { return create_table(context, statement); }
  std::string operator()(const syntax::CreateIndex& statement) const { return create_index(context, statement); }
  std::string operator()(const syntax::CreateSequence& statement) const { return create_sequence(context, statement); }
  std::string operator()(const syntax::AlterSequence& statement) const { return alter_sequence(context, statement); }
  std::string operator()(const syntax::CreateView& statement) const { return create_view(context, statement); }
  std::string operator()(const syntax::CreateSchema& statement) const { return create_schema(context, statement); }
  std::string operator()(const syntax::Drop& statement) const { return drop(context, statement); }
  std::string operator()(const syntax::AlterTable& statement) const { return alter_table(context, statement); }
  std::string operator()(const syntax::Rename& statement) const { return rename(context, statement); }
  std::string operator()(const syntax::AlterSchema& statement) const { return alter_schema(context, statement); }
  std::string operator()(const syntax::Truncate& statement) const { return truncate(context, statement); }
  std::string operator()(const syntax::Comment& statement) const { return comment(context, statement); }
  std::string operator()(const syntax::LockTable& statement) const { return lock_tables(context, statement); }
};

}  // namespace

bool is_command(const syntax::Statement& statement) {
  return std::visit([](const auto& body) { return std::is_invocable_v<Runner, decltype(body)>; }, statement.body);
}

std::string execute(CommandContext& context, const syntax::Statement& statement) {
  return std::visit(
      [&](const auto& body) -> std::string {
        if constexpr (std::is_invocable_v<Runner, decltype(body)>) {
          return Runner{context}(body);
        } else {
          throw SqlError(sqlstate::internal_error, "not a statement that defines anything");
        }
      },
      statement.body);
}

// --- TRUNCATE, COMMENT, LOCK (PostgreSQL's ExecuteTruncate(), CommentObject(), LockTableCommand()) ---

namespace {

// Tables whose foreign keys lead to one that is emptied, and that are not emptied themselves.
std::vector<Relation> referencing(const CommandContext& context, const std::vector<catalog::TablePtr>& tables) {
  const auto among = [&](RelationId id) {
    return std::any_of(tables.begin(), tables.end(), [&](const catalog::TablePtr& table) { return table->id == id; });
  };
  std::vector<Relation> found;
  for (const Relation& other : context.catalog().relations(&context.transaction)) {
    if (among(other.id)) continue;
    const auto& keys = other.description->foreign_keys;
    if (std::any_of(keys.begin(), keys.end(), [&](const auto& key) { return among(key.referenced); }))
      found.push_back(other);
  }
  return found;
}

void restart_sequences(CommandContext& context, RelationId table) {
  for (const Relation& other : context.catalog().relations(&context.transaction)) {
    if (other.description->sequence.owner != table) continue;
    syntax::AlterSequence restart;
    restart.sequence.schema = other.description->schema;
    restart.sequence.name = other.description->name;
    restart.options.restart_at_start = true;
    alter_sequence(context, restart);
  }
}

}  // namespace

std::string truncate(CommandContext& context, const syntax::Truncate& truncate) {
  std::vector<catalog::TablePtr> tables;
  for (const syntax::TableName& name : truncate.tables) {
    catalog::TablePtr table = open_table(context, name, LockMode::access_exclusive);
    const bool twice = std::any_of(tables.begin(), tables.end(),
                                   [&](const catalog::TablePtr& other) { return other->id == table->id; });
    if (!twice) tables.push_back(std::move(table));
  }
  for (auto found = referencing(context, tables); !found.empty(); found = referencing(context, tables)) {
    if (!truncate.cascade) {
      const Definition& other = *found.front().description;
      const auto& keys = other.foreign_keys;
      const auto key = std::find_if(keys.begin(), keys.end(), [&](const catalog::ForeignKey& candidate) {
        return std::any_of(tables.begin(), tables.end(),
                           [&](const catalog::TablePtr& table) { return table->id == candidate.referenced; });
      });
      const auto referenced = context.catalog().find(&context.transaction, key->referenced);
      throw SqlError(sqlstate::feature_not_supported, "cannot truncate a table referenced in a foreign key constraint",
                     fmt::format("Table \"{}\" references \"{}\".", other.name, referenced->description->name),
                     fmt::format("Truncate table \"{}\" at the same time, or use TRUNCATE ... CASCADE.", other.name));
    }
    for (const Relation& other : found) {
      context.notice(fmt::format("truncate cascades to table \"{}\"", other.description->name));
      syntax::TableName name;
      name.schema = other.description->schema;
      name.name = other.description->name;
      tables.push_back(open_table(context, name, LockMode::access_exclusive));
    }
  }
  context.database.visit_append_point();
  for (const catalog::TablePtr& table : tables) {
    const catalog::TablePtr emptied = context.catalog().truncate(context.transaction, *table);
    for (const catalog::Index& index : emptied->indexes) context.database.tree(index).create();
    if (truncate.restart_identity) restart_sequences(context, table->id);
  }
  return "TRUNCATE TABLE";
}

namespace {

void require_kind(const syntax::Comment& comment, RelationKind is) {
  const auto refuse = [&](const char* what) {
    throw SqlError(sqlstate::wrong_object_type, fmt::format("\"{}\" is not {}", comment.object.name, what));
  };
  if (comment.kind == syntax::ObjectKind::table && is != RelationKind::table) refuse("a table");
  if (comment.kind == syntax::ObjectKind::view && is != RelationKind::view) refuse("a view");
  if (comment.kind == syntax::ObjectKind::index && is != RelationKind::index) refuse("an index");
  if (comment.kind == syntax::ObjectKind::sequence && is != RelationKind::sequence) refuse("a sequence");
}

}  // namespace

std::string comment(CommandContext& context, const syntax::Comment& comment) {
  std::optional<Relation> found;
  if (comment.kind == syntax::ObjectKind::schema) {
    const RelationId id = context.catalog().schema_id(&context.transaction, comment.object.name);
    if (id == 0) {
      throw SqlError(sqlstate::invalid_schema_name, fmt::format("schema \"{}\" does not exist", comment.object.name));
    }
    found = context.catalog().find(&context.transaction, id);
  } else {
    found = open(context, comment.object, LockMode::share_update_exclusive);
    if (!found) {
      throw SqlError(sqlstate::undefined_table,
                     fmt::format("relation \"{}\" does not exist", written_name(comment.object)));
    }
    if (comment.column.empty()) require_kind(comment, found->description->kind);
  }
  Definition changed = *found->description;
  if (comment.column.empty()) {
    changed.comment = comment.text.value_or("");
  } else {
    const int number = changed.find_column(comment.column);
    if (number == 0) {
      throw SqlError(sqlstate::undefined_column,
                     fmt::format("column \"{}\" of relation \"{}\" does not exist", comment.column, changed.name));
    }
    changed.columns[static_cast<std::size_t>(number - 1)].comment = comment.text.value_or("");
  }
  context.catalog().alter(context.transaction, found->id, std::move(changed));
  return "COMMENT";
}

std::string lock_tables(CommandContext& context, const syntax::LockTable& lock) {
  for (const syntax::TableName& name : lock.tables) {
    // Nothing changes what the catalogs show but definitions, which lock what they define.
    if (executor::find_system_view(name.schema, name.name) != nullptr) continue;
    const std::optional<Relation> found = open(context, name, executor::lock_mode(lock.mode), !lock.nowait);
    if (!found) {
      throw SqlError(sqlstate::undefined_table, fmt::format("relation \"{}\" does not exist", written_name(name)));
    }
    const RelationKind kind = found->description->kind;
    if (kind != RelationKind::table && kind != RelationKind::view)
      throw SqlError(sqlstate::wrong_object_type, fmt::format("cannot lock relation \"{}\"", name.name),
                     fmt::format("This operation is not supported for {}.",
                                 kind == RelationKind::index ? "indexes" : "sequences"));
  }
  return "LOCK TABLE";
}

}  // namespace polarsim::engine::commands
