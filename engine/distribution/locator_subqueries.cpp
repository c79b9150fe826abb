// Queries in expressions: EXISTS, IN, scalar subqueries.
#include <algorithm>

#include "engine/distribution/entries.h"
#include "engine/distribution/locator.h"
#include "engine/query/expression_walk.h"

namespace polarsim::engine::distribution {

using query::ExpressionPtr;

void Locator::locate_subqueries(const Level& level, Location& from) {
  std::vector<ExpressionPtr> conditions;
  add_conjuncts(level.query->where, conditions);
  query::for_each_expression(*level.query, [&](const ExpressionPtr& expression) {
    if (expression == level.query->where) return;
    for_each_subquery(expression,
                      [&](const query::Subquery& subquery) { locate_subquery(subquery, false, level, from); });
  });
  for (const ExpressionPtr& condition : conditions) {
    const auto* whole = condition->as<query::Subquery>();
    for_each_subquery(condition, [&](const query::Subquery& subquery) {
      locate_subquery(subquery, &subquery == whole, level, from);
    });
  }
}

// key IN (SELECT key ...): what is equal lies in one place.
bool Locator::is_matched_by_key(const query::Subquery& subquery, const Location& rows, bool is_condition,
                                const Level& level, const Location& from) const {
  if (subquery.kind != query::Subquery::Kind::any || !rows.whole || rows.failed) return false;
  for (std::size_t i = 0; i < subquery.left.size() && i < subquery.comparisons.size(); ++i) {
    const OperatorEntry& comparison = *subquery.comparisons[i];
    if (std::string_view(comparison.symbol) != "=") continue;
    const TypeId type = is_polymorphic(comparison.left) ? subquery.left[i]->type.id : comparison.left;
    const TypeId other = is_polymorphic(comparison.right) ? type : comparison.right;
    if (!hashes_alike(type, other)) continue;
    const auto left = column_of(subquery.left[i], level);
    if (!left) continue;
    // NULLs elsewhere could make the answer NULL instead of false: as a condition both are the same.
    const bool left_is_key = std::any_of(from.keys.begin(), from.keys.end(), [&](const KeyColumn& key) {
      return key.column == *left && (key.strong || is_condition);
    });
    const bool right_is_key = std::any_of(rows.outputs.begin(), rows.outputs.end(), [&](const OutputKey& key) {
      return key.column == static_cast<int>(i) + 1 && (key.strong || is_condition);
    });
    // A row of several columns may be unknown although one of them differs in place.
    if (left_is_key && right_is_key && (is_condition || subquery.left.size() == 1)) return true;
  }
  return false;
}

void Locator::locate_subquery(const query::Subquery& subquery, bool is_condition, const Level& level, Location& from) {
  const Location rows = locate_query(*subquery.query, &level);
  const query::Query* query = subquery.query.get();
  // A value of each group is found where the groups are: if that is the coordinator, it has no shard of any table.
  const bool of_groups = computes_over_groups_around(subquery);
  if (of_groups && from.sharded && !inspect_ && !groups_by_key(level, from)) {
    from.failed = from.failed || rows.sharded;
    if (replace_first_table(*query, Tables::all)) return;
  }
  if (!rows.sharded) {
    if (rows.local && is_sharded_ && !rows.correlated) report({Problem::Kind::subquery, query});
    if (rows.local && from.sharded && rows.correlated) replace_first_table(*query, Tables::local);
    if (rows.unstable && from.sharded && !rows.correlated) report({Problem::Kind::subquery, query});
    from.local = from.local || rows.local;
    from.unstable = from.unstable || rows.unstable;
    return;
  }
  const auto same_place = [&](const Location& a, const Location& b) {
    const TableDistribution& one = *component(root_of(a.component)).table;
    const TableDistribution& other = *component(root_of(b.component)).table;
    return one.colocation_id == other.colocation_id && one.method == other.method;
  };
  if (from.sharded && same_place(from, rows)) {
    const bool one_place = component(root_of(from.component)).table->method == Method::single_shard;
    const bool bound = std::any_of(rows.outer_keys.begin(), rows.outer_keys.end(), [&](const ColumnId& column) {
      return std::any_of(from.keys.begin(), from.keys.end(),
                         [&](const KeyColumn& key) { return key.column == column; });
    });
    if (!rows.failed && (one_place || bound || is_matched_by_key(subquery, rows, is_condition, level, from))) {
      const ShardChoicePtr choice = choice_at(from.component);
      merge_components(from.component, rows.component);
      choice_at(from.component) = choice;
      return;
    }
  }
  if (!rows.correlated) {
    from.failed = true;
    return report({Problem::Kind::subquery, query});
  }
  // Bound to a query further out, as is then the query that it stands in.
  std::vector<ColumnId> further = rows.outer_keys;
  std::erase_if(further, [&](const ColumnId& column) { return column.level == level.number; });
  if (!from.sharded && !further.empty() && !rows.failed) {
    from.sharded = true;
    from.component = rows.component;
    from.whole = false;
    from.outer_keys = std::move(further);
    return;
  }
  const bool was_sharded = from.sharded && !of_groups;
  from.failed = true;
  if (inspect_ || problem_) return;
  if (was_sharded) return report_error(complex_joins_error());
  if (!replace_first_table(*query, Tables::sharded)) report_error(complex_joins_error());
}

bool Locator::is_kind(const query::RangeTableEntry& entry, Tables kind) const {
  if (std::holds_alternative<query::SystemViewSource>(entry.source)) return kind != Tables::sharded;
  const auto* table = std::get_if<query::TableSource>(&entry.source);
  if (table == nullptr) return false;
  if (kind == Tables::all) return true;
  const TableDistributionPtr distribution = inputs_.source.find(*table->relation);
  return kind == Tables::local ? distribution == nullptr : distribution != nullptr && !distribution->is_reference();
}

// A table of the query, or of one inside it: one whose rows are sent.
bool Locator::replace_first_table(const query::Query& query, Tables kind) {
  if (inspect_ || problem_) return true;
  for (std::size_t i = 0; i < query.entries.size(); ++i) {
    const bool found = is_kind(query.entries[i], kind);
    if (!found) continue;
    report({Problem::Kind::entry, &query, static_cast<int>(i)});
    return true;
  }
  bool found = false;
  query::for_each_query(query,
                        [&](const query::QueryPtr& inner) { found = found || replace_first_table(*inner, kind); });
  query::for_each_expression(query, [&](const ExpressionPtr& expression) {
    for_each_subquery(expression, [&](const query::Subquery& subquery) {
      found = found || replace_first_table(*subquery.query, kind);
    });
  });
  return found;
}

}  // namespace polarsim::engine::distribution
