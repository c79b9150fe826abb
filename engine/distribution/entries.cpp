#include "engine/distribution/entries.h"

namespace polarsim::engine::distribution {

using query::ExpressionPtr;
using query::QueryPtr;

namespace {

QueryPtr rewrite_inner(const QueryPtr& query, const DeepRewrite& rewrite, int depth) {
  if (rewrite.inner) {
    if (QueryPtr replacement = rewrite.inner(query, depth)) return replacement;
  }
  return rewrite_deep(query, rewrite, depth);
}

}  // namespace

void for_each_subquery(const ExpressionPtr& expression, VisitSubquery visit) {
  if (const auto* subquery = expression->as<query::Subquery>()) visit(*subquery);
  query::for_each_child(*expression, [&](const ExpressionPtr& child) { for_each_subquery(child, visit); });
}

void for_each_entry(const query::Query& query, VisitEntry visit) {
  for_each_query_within(query, [&](const query::Query& each) {
    for (const query::RangeTableEntry& entry : each.entries) visit(entry);
  });
}

void for_each_query_within(const query::Query& query, VisitQueryWithin visit) {
  visit(query);
  query::for_each_query(query, [&](const QueryPtr& inner) { for_each_query_within(*inner, visit); });
  query::for_each_expression(query, [&](const ExpressionPtr& expression) {
    for_each_subquery(expression,
                      [&](const query::Subquery& subquery) { for_each_query_within(*subquery.query, visit); });
  });
}

ExpressionPtr rewrite_deep(const ExpressionPtr& expression, const DeepRewrite& rewrite, int depth) {
  if (rewrite.expression) {
    if (ExpressionPtr replacement = rewrite.expression(expression, depth)) return replacement;
  }
  return query::map_children(
      expression, [&](const ExpressionPtr& child) { return rewrite_deep(child, rewrite, depth); },
      [&](const QueryPtr& inner) { return rewrite_inner(inner, rewrite, depth + 1); });
}

QueryPtr rewrite_deep(const QueryPtr& query, const DeepRewrite& rewrite, int depth) {
  QueryPtr mapped = query::map_query(
      query, [&](const ExpressionPtr& expression) { return rewrite_deep(expression, rewrite, depth); },
      [&](const QueryPtr& inner) { return rewrite_inner(inner, rewrite, depth + 1); });
  if (!rewrite.entry) return mapped;
  std::shared_ptr<query::Query> copy;
  for (std::size_t i = 0; i < mapped->entries.size(); ++i) {
    std::optional<query::RangeTableEntry> entry = rewrite.entry(mapped->entries[i], depth);
    if (!entry) continue;
    if (!copy) copy = std::make_shared<query::Query>(*mapped);
    copy->entries[i] = std::move(*entry);
  }
  return copy ? copy : mapped;
}

QueryPtr map_entries(const QueryPtr& query, MapEntry map) {
  DeepRewrite rewrite;
  rewrite.entry = [&](const query::RangeTableEntry& entry, int) { return map(entry); };
  return rewrite_deep(query, rewrite);
}

namespace {

// Adds `levels` to what lies `least` queries outside of where the rewriting begins, or further.
void move_outer_references(DeepRewrite& rewrite, int levels, int least) {
  rewrite.expression = [&rewrite, levels, least](const ExpressionPtr& expression, int depth) -> ExpressionPtr {
    if (const auto* column = expression->as<query::Column>()) {
      if (column->levels_up < depth + least) return nullptr;
      query::Column moved = *column;
      moved.levels_up += levels;
      return query::make_expression(moved, expression->type, expression->position);
    }
    const auto* aggregate = expression->as<query::Aggregate>();
    if (aggregate == nullptr || aggregate->levels_up < depth + least) return nullptr;
    // Its arguments see the same query as itself.
    auto copy = std::make_shared<query::Expression>(*query::map_children(
        expression, [&](const ExpressionPtr& child) { return rewrite_deep(child, rewrite, depth); }));
    std::get<query::Aggregate>(copy->node).levels_up += levels;
    return copy;
  };
  rewrite.entry = [levels, least](const query::RangeTableEntry& entry,
                                  int depth) -> std::optional<query::RangeTableEntry> {
    const auto* common = std::get_if<query::CommonTableSource>(&entry.source);
    if (common == nullptr || common->levels_up < depth + least) return std::nullopt;
    query::RangeTableEntry moved = entry;
    std::get<query::CommonTableSource>(moved.source).levels_up += levels;
    return moved;
  };
}

}  // namespace

QueryPtr moved_inwards(const QueryPtr& query, int levels) {
  if (levels == 0) return query;
  DeepRewrite rewrite;
  move_outer_references(rewrite, levels, 1);
  return rewrite_deep(query, rewrite);
}

ExpressionPtr moved_inwards(const ExpressionPtr& expression, int levels) {
  if (levels == 0) return expression;
  DeepRewrite rewrite;
  move_outer_references(rewrite, levels, 0);
  return rewrite_deep(expression, rewrite);
}

bool computes_over_groups_around(const query::Subquery& subquery) {
  bool found = false;
  const auto look = [&](const query::Expression& each, int levels) {
    const auto* aggregate = each.as<query::Aggregate>();
    found = found || (aggregate != nullptr && aggregate->levels_up == levels);
    return !found;
  };
  for (const ExpressionPtr& left : subquery.left) query::walk(left, look);
  query::walk(*subquery.query, look, 1);
  return found;
}

bool is_correlated(const query::Query& query) {
  bool found = false;
  query::walk(query, [&](const query::Expression& each, int levels) {
    const auto* column = each.as<query::Column>();
    const auto* aggregate = each.as<query::Aggregate>();
    found = found || (column != nullptr && column->levels_up > levels) ||
            (aggregate != nullptr && aggregate->levels_up > levels);
    return !found;
  });
  return found;
}

bool changes_data(const query::Query& query) {
  bool found = false;
  for_each_query_within(query, [&](const query::Query& each) {
    found = found || (&each != &query && each.command != query::Command::select);
  });
  return found;
}

bool locks_rows(const query::Query& query) {
  bool found = false;
  for_each_query_within(query, [&](const query::Query& each) { found = found || !each.row_marks.empty(); });
  return found;
}

bool has_volatile_functions(const query::Query& statement) {
  bool found = false;
  for_each_query_within(statement, [&](const query::Query& each) {
    query::for_each_expression(each, [&](const query::ExpressionPtr& expression) {
      found = found || query::contains_volatility(expression, Volatility::volatile_function);
    });
  });
  return found;
}

}  // namespace polarsim::engine::distribution
