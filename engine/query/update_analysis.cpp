// UPDATE, DELETE and RETURNING (PostgreSQL's transformUpdateStmt() and transformDeleteStmt(),
// src/backend/parser/analyze.c).
#include <fmt/format.h>

#include "engine/query/analysis_parts.h"
#include "engine/types/error.h"

namespace polarsim::engine::query {

namespace {

// The changed table is an entry and the first leaf of FROM; what is joined to it cannot see it yet.
void add_changed_table(const syntax::TableName& name, const RelationPtr& relation, QueryScope& scope) {
  Query& query = scope.query;
  query.result_entry = add_relation_entry(relation, name, syntax::TableLockMode::row_exclusive, scope);
  query.from.push_back(make_leaf(query.result_entry));
  NamespaceItem& item = scope.add_item(query.result_entry);
  item.lateral_only = true;
  item.lateral_ok = false;
}

}  // namespace

RelationPtr open_changed_relation(const syntax::TableName& name, QueryScope& scope) {
  RelationPtr relation = open_relation(name, syntax::TableLockMode::row_exclusive, scope);
  switch (relation->kind) {
    case Relation::Kind::table:
      break;
    case Relation::Kind::sequence:
      throw SqlError(sqlstate::wrong_object_type, fmt::format("cannot change sequence \"{}\"", relation->name));
    case Relation::Kind::view:
    case Relation::Kind::system_view:
      // Refused when the rest has been looked at.
      return relation;
  }
  if (relation->is_system) {
    throw SqlError(sqlstate::insufficient_privilege,
                   fmt::format("permission denied: \"{}\" is a system catalog", relation->name));
  }
  return relation;
}

void analyse_returning(const std::vector<syntax::SelectItem>& items, QueryScope& scope) {
  if (items.empty()) return;
  scope.query.returning = analyse_targets(items, Clause::returning, scope);
  settle_targets(scope.query.returning, scope);
  mark_origins(scope.query.returning, scope);
}

MutableQueryPtr analyse_update(const syntax::Update& update, QueryScope& scope) {
  Query& query = scope.query;
  query.command = Command::update;
  if (update.with != nullptr) analyse_with(*update.with, scope);
  const RelationPtr relation = open_changed_relation(update.table, scope);
  add_changed_table(update.table, relation, scope);
  analyse_from(update.from, scope);
  query.where = analyse_condition_in(scope, Clause::where, update.where, "WHERE");
  analyse_returning(update.returning, scope);
  query.targets = analyse_assignments(update.assignments, *relation, scope);
  refuse_view(*relation, "update", scope);
  return std::make_shared<Query>(std::move(query));
}

MutableQueryPtr analyse_delete(const syntax::Delete& removal, QueryScope& scope) {
  Query& query = scope.query;
  query.command = Command::remove;
  if (removal.with != nullptr) analyse_with(*removal.with, scope);
  const RelationPtr relation = open_changed_relation(removal.table, scope);
  add_changed_table(removal.table, relation, scope);
  analyse_from(removal.using_items, scope);
  query.where = analyse_condition_in(scope, Clause::where, removal.where, "WHERE");
  analyse_returning(removal.returning, scope);
  refuse_view(*relation, "delete from", scope);
  return std::make_shared<Query>(std::move(query));
}

}  // namespace polarsim::engine::query
