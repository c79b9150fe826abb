// FROM: items from left to right, joins inside them, and which of their names can be seen from where (PostgreSQL's
// transformFromClause(), src/backend/parser/parse_clause.c).
#include <fmt/format.h>

#include "engine/query/analysis_parts.h"
#include "engine/query/expression_walk.h"
#include "engine/types/error.h"
#include "engine/types/stack_depth.h"

namespace polarsim::engine::query {

namespace {

int analyse_table(const syntax::TableName& table, QueryScope& scope) {
  if (table.schema.empty()) {
    const int common = add_common_table_entry(table, scope);
    if (common >= 0) return common;
  }
  const bool locked = is_locked(table.reference(), scope);
  const syntax::TableLockMode lock = locked ? syntax::TableLockMode::row_share : syntax::TableLockMode::access_share;
  return add_relation_entry(open_relation(table, lock, scope), table, lock, scope);
}

int analyse_from_subquery(const syntax::FromSubquery& subquery, const syntax::FromItem& item, QueryScope& scope) {
  QueryPtr query;
  {
    const Restore<Clause> clause(scope.clause, Clause::from_subquery);
    const Restore<bool> lateral(scope.lateral_active, subquery.lateral);
    QueryScope inner(scope.statement(), &scope);
    inner.locked_from_parent = is_locked(item.alias, scope);
    query = analyse_select(*subquery.query, inner);
  }
  return add_subquery_entry(std::move(query), item.alias, item.column_aliases, subquery.lateral, scope);
}

}  // namespace

JoinTreePtr make_leaf(int entry) {
  auto leaf = std::make_shared<JoinTree>();
  leaf->entry = entry;
  return leaf;
}

void set_lateral(std::span<NamespaceItem> names, bool only, bool ok) {
  for (NamespaceItem& item : names) {
    item.lateral_only = only;
    item.lateral_ok = ok;
  }
}

JoinTreePtr analyse_from_item(const syntax::FromItem& item, QueryScope& scope, std::vector<NamespaceItem>& names) {
  check_stack_depth();
  int entry = 0;
  if (const auto* table = std::get_if<syntax::TableName>(&item.source)) {
    entry = analyse_table(*table, scope);
  } else if (const auto* subquery = std::get_if<syntax::FromSubquery>(&item.source)) {
    entry = analyse_from_subquery(*subquery, item, scope);
  } else if (const auto* function = std::get_if<syntax::FromFunction>(&item.source)) {
    entry = add_function_entry(*function, item, scope);
  } else {
    return analyse_join(item, std::get<syntax::FromJoin>(item.source), scope, names);
  }
  NamespaceItem& name = names.emplace_back();
  name.entry = entry;
  name.name = scope.query.entries[static_cast<std::size_t>(entry)].alias;
  return make_leaf(entry);
}

void analyse_from(const std::vector<syntax::FromItemPtr>& items, QueryScope& scope) {
  scope.query.from.reserve(scope.query.from.size() + items.size());
  for (const syntax::FromItemPtr& item : items) {
    std::vector<NamespaceItem> names;
    JoinTreePtr tree = analyse_from_item(*item, scope, names);
    scope.check_conflicts(scope.names, names);
    // Until the list is through, only LATERAL items see what stands to their left.
    set_lateral(names, true, true);
    scope.query.from.push_back(std::move(tree));
    for (NamespaceItem& name : names) scope.names.push_back(std::move(name));
  }
  set_lateral(scope.names, false, true);
}

}  // namespace polarsim::engine::query
