// ALTER TABLE (PostgreSQL's src/backend/commands/tablecmds.c).
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "engine/commands/storage_parameters.h"
#include "engine/commands/table_change.h"

namespace polarsim::engine::commands {

namespace {

using Action = syntax::AlterTable::Action;

// When an action is done: PostgreSQL sorts those of a statement into passes (AT_PASS_DROP and its like), so that what
// is dropped makes room for what is added, and constraints are over the columns as they will be.
int pass_of(const Action& action) {
  switch (action.kind) {
    case Action::Kind::drop_column:
    case Action::Kind::drop_constraint:
    case Action::Kind::drop_default:
    case Action::Kind::drop_not_null:
    case Action::Kind::drop_identity:
    case Action::Kind::drop_expression:
      return 0;
    case Action::Kind::set_type:
      return 1;
    case Action::Kind::add_column:
      return 2;
    case Action::Kind::set_not_null:
      return 3;
    case Action::Kind::add_constraint: {
      const auto kind = action.constraint->kind;
      return kind == syntax::Constraint::Kind::primary_key || kind == syntax::Constraint::Kind::unique ? 4 : 5;
    }
    case Action::Kind::set_default:
    case Action::Kind::add_identity:
      return 5;
    case Action::Kind::validate_constraint:
    case Action::Kind::set_parameters:
    case Action::Kind::reset_parameters:
    case Action::Kind::owner:
      return 6;
  }
  return 6;
}

bool is_property(Action::Kind kind) {
  return kind == Action::Kind::owner || kind == Action::Kind::set_parameters || kind == Action::Kind::reset_parameters;
}

// Owner and storage parameters, which any kind of relation has.
void change_property(CommandContext& context, RelationId id, const Action& action) {
  if (action.kind == Action::Kind::owner) return require_role(action.column);
  Definition changed = *context.catalog().find(&context.transaction, id)->description;
  if (action.kind == Action::Kind::set_parameters) {
    set_storage_parameters(changed, action.parameters);
  } else {
    reset_storage_parameters(changed, action.parameters);
  }
  context.catalog().alter(context.transaction, id, std::move(changed));
}

const char* tag_of(syntax::ObjectKind kind) {
  switch (kind) {
    case syntax::ObjectKind::table:
      return "ALTER TABLE";
    case syntax::ObjectKind::index:
      return "ALTER INDEX";
    case syntax::ObjectKind::view:
      return "ALTER VIEW";
    case syntax::ObjectKind::sequence:
      return "ALTER SEQUENCE";
    case syntax::ObjectKind::schema:
      return "ALTER SCHEMA";
    default:
      throw SqlError(sqlstate::feature_not_supported, "ALTER of this kind of object is not supported");
  }
}

void alter_schema_owner(const CommandContext& context, const syntax::AlterTable& alter) {
  if (context.catalog().schema_id(&context.transaction, alter.table.name) == 0)
    throw SqlError(sqlstate::invalid_schema_name, fmt::format("schema \"{}\" does not exist", alter.table.name));
  for (const Action& action : alter.actions) require_role(action.column);
}

// ALTER TABLE may name any of them.
void require_kind(const Relation& relation, syntax::ObjectKind kind) {
  const RelationKind is = relation.description->kind;
  const auto refuse = [&](const char* what) {
    throw SqlError(sqlstate::wrong_object_type, fmt::format("\"{}\" is not {}", relation.description->name, what));
  };
  if (kind == syntax::ObjectKind::view && is != RelationKind::view) refuse("a view");
  if (kind == syntax::ObjectKind::index && is != RelationKind::index) refuse("an index");
  if (kind == syntax::ObjectKind::sequence && is != RelationKind::sequence) refuse("a sequence");
}

}  // namespace

std::string alter_table(CommandContext& context, const syntax::AlterTable& alter) {
  const std::string tag = tag_of(alter.kind);
  if (alter.kind == syntax::ObjectKind::schema) {
    alter_schema_owner(context, alter);
    return tag;
  }
  for (const Action& action : alter.actions) {
    if (action.kind == Action::Kind::owner) require_role(action.column);
  }
  if (alter.if_exists && !find(context, alter.table)) {
    context.notice(fmt::format("relation \"{}\" does not exist, skipping", alter.table.name));
    return tag;
  }
  context.database.visit_append_point();
  if (std::all_of(alter.actions.begin(), alter.actions.end(),
                  [](const Action& action) { return is_property(action.kind); })) {
    const std::optional<Relation> found = open(context, alter.table, LockMode::access_exclusive);
    if (!found) {
      throw SqlError(sqlstate::undefined_table,
                     fmt::format("relation \"{}\" does not exist", written_name(alter.table)))
          .at(alter.table.position);
    }
    require_kind(*found, alter.kind);
    refuse_catalog(context, *found);
    for (const Action& action : alter.actions) change_property(context, found->id, action);
    return tag;
  }
  if (alter.kind != syntax::ObjectKind::table) tag_of(syntax::ObjectKind::type);
  const catalog::TablePtr table = open_table(context, alter.table, LockMode::access_exclusive);
  TableChange change(context, table);
  std::multimap<int, const Action*> passes;
  for (const Action& action : alter.actions) passes.emplace(pass_of(action), &action);
  for (const auto& [pass, action] : passes) {
    if (is_property(action->kind)) {
      change_property(context, table->id, *action);
    } else {
      change.run(*action);
    }
  }
  change.check_existing_rows();
  return tag;
}

}  // namespace polarsim::engine::commands
