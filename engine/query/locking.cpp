// FOR UPDATE and its kin (PostgreSQL's transformLockingClause(), src/backend/parser/analyze.c, and
// markQueryForLocking(), src/backend/rewrite/rewriteHandler.c).
#include "engine/query/locking.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/query/analysis_parts.h"
#include "engine/query/expression_walk.h"
#include "engine/types/error.h"

namespace polarsim::engine::query {

namespace {

void mark(Query& query, int entry, const syntax::LockingClause& clause) {
  for (RowMark& known : query.row_marks) {
    if (known.entry != entry) continue;
    known.strength = std::max(known.strength, clause.strength);
    known.wait = std::max(known.wait, clause.wait);
    return;
  }
  query.row_marks.push_back({entry, clause.strength, clause.wait});
}

void lock_all(Query& query, const syntax::LockingClause& clause);
void lock_joined(Query& query, const JoinTree& tree, const syntax::LockingClause& clause);

// `in_view`: what the FROM of the subquery has is locked, and whether that can be, is a matter of planning it.
void lock_entry(Query& query, std::size_t number, const syntax::LockingClause& clause, bool in_view) {
  RangeTableEntry& entry = query.entries[number];
  if (auto* table = std::get_if<TableSource>(&entry.source)) {
    table->lock = std::max(table->lock, syntax::TableLockMode::row_share);
    mark(query, static_cast<int>(number), clause);
  } else if (auto* subquery = std::get_if<SubquerySource>(&entry.source)) {
    mark(query, static_cast<int>(number), clause);
    auto locked = std::make_shared<Query>(*subquery->query);
    if (in_view || subquery->view != nullptr) {
      for (const JoinTreePtr& tree : subquery->query->from) lock_joined(*locked, *tree, clause);
    } else {
      check_lockable(*locked, clause.strength);
      lock_all(*locked, clause);
    }
    subquery->query = std::move(locked);
  }
}

void lock_all(Query& query, const syntax::LockingClause& clause) {
  for (std::size_t i = 0; i < query.entries.size(); ++i) lock_entry(query, i, clause, false);
}

void lock_joined(Query& query, const JoinTree& tree, const syntax::LockingClause& clause) {
  if (tree.is_leaf()) return lock_entry(query, static_cast<std::size_t>(tree.entry), clause, true);
  lock_joined(query, *tree.left, clause);
  lock_joined(query, *tree.right, clause);
}

const char* unlockable(const RangeTableEntry& entry) {
  if (std::holds_alternative<JoinSource>(entry.source)) return "a join";
  if (std::holds_alternative<FunctionSource>(entry.source)) return "a function";
  if (std::holds_alternative<ValuesSource>(entry.source)) return "VALUES";
  if (std::holds_alternative<CommonTableSource>(entry.source)) return "a WITH query";
  return nullptr;
}

void lock_named(Query& query, const syntax::TableName& name, const syntax::LockingClause& clause) {
  const char* words = lock_name(clause.strength);
  if (!name.schema.empty()) {
    throw SqlError(sqlstate::syntax_error, fmt::format("{} must specify unqualified relation names", words))
        .at(name.position);
  }
  for (std::size_t i = 0; i < query.entries.size(); ++i) {
    const RangeTableEntry& entry = query.entries[i];
    if (entry.alias != name.name) continue;
    if (const char* what = unlockable(entry)) {
      throw SqlError(sqlstate::feature_not_supported, fmt::format("{} cannot be applied to {}", words, what))
          .at(name.position);
    }
    lock_entry(query, i, clause, false);
    return;
  }
  throw SqlError(sqlstate::undefined_table,
                 fmt::format("relation \"{}\" in {} clause not found in FROM clause", name.name, words))
      .at(name.position);
}

}  // namespace

const char* lock_name(syntax::LockStrength strength) {
  switch (strength) {
    case syntax::LockStrength::key_share:
      return "FOR KEY SHARE";
    case syntax::LockStrength::share:
      return "FOR SHARE";
    case syntax::LockStrength::no_key_update:
      return "FOR NO KEY UPDATE";
    case syntax::LockStrength::update:
    case syntax::LockStrength::none:
      break;
  }
  return "FOR UPDATE";
}

bool has_window_calls(const Query& query) {
  const auto is_window_call = [](const Expression& each) { return each.as<WindowCall>() != nullptr; };
  return std::any_of(query.targets.begin(), query.targets.end(),
                     [&](const Target& target) { return contains(target.expression, is_window_call); });
}

void check_lockable(const Query& query, syntax::LockStrength strength, bool has_aggregates) {
  const char* obstacle = nullptr;
  if (query.set_operation != nullptr) {
    obstacle = "UNION/INTERSECT/EXCEPT";
  } else if (query.distinct || !query.distinct_on.empty()) {
    obstacle = "DISTINCT clause";
  } else if (!query.group_by.empty() || !query.grouping_sets.empty()) {
    obstacle = "GROUP BY clause";
  } else if (query.having != nullptr) {
    obstacle = "HAVING clause";
  } else if (query.grouped || has_aggregates) {
    obstacle = "aggregate functions";
  } else if (has_window_calls(query)) {
    obstacle = "window functions";
  } else if (query.has_set_functions) {
    obstacle = "set-returning functions in the target list";
  }
  if (obstacle == nullptr) return;
  throw SqlError(sqlstate::feature_not_supported,
                 fmt::format("{} is not allowed with {}", lock_name(strength), obstacle));
}

bool is_locked(std::string_view name, const QueryScope& scope) {
  if (scope.locked_from_parent) return true;
  if (scope.locking == nullptr) return false;
  for (const syntax::LockingClause& clause : *scope.locking) {
    if (clause.of.empty()) return true;
    for (const syntax::TableName& table : clause.of) {
      if (table.name == name) return true;
    }
  }
  return false;
}

void analyse_locking(const syntax::Select& select, QueryScope& scope) {
  for (const syntax::LockingClause& clause : select.locking) {
    check_lockable(scope.query, clause.strength, scope.has_aggregates);
    if (clause.of.empty()) {
      lock_all(scope.query, clause);
    } else {
      for (const syntax::TableName& name : clause.of) lock_named(scope.query, name, clause);
    }
  }
}

}  // namespace polarsim::engine::query
