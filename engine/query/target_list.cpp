// Select lists and what refers to them: ORDER BY, DISTINCT (PostgreSQL's src/backend/parser/parse_target.c and
// parse_clause.c).
#include <fmt/format.h>

#include "engine/query/analysis_parts.h"
#include "engine/query/expression_walk.h"
#include "engine/types/error.h"

namespace polarsim::engine::query {

namespace {

using Kind = syntax::Expression::Kind;

const ExpressionPtr& without_implicit_conversions(const ExpressionPtr& expression) {
  const auto* conversion = expression->as<Convert>();
  if (conversion == nullptr || conversion->form != CallForm::implicit_cast) return expression;
  return without_implicit_conversions(conversion->argument);
}

// GROUP BY of an output column must not mean an aggregate.
void check_found_target(const Target& target, Clause clause, QueryScope& scope) {
  if (clause != Clause::group_by) return;
  if (!scope.has_aggregates && !scope.has_window_calls) return;
  walk(target.expression, [](const Expression& part, int depth) {
    if (const auto* aggregate = part.as<Aggregate>(); aggregate != nullptr && aggregate->levels_up == depth) {
      throw SqlError(sqlstate::grouping_error, "aggregate functions are not allowed in GROUP BY").at(part.position);
    }
    if (depth == 0 && part.as<WindowCall>() != nullptr) {
      throw SqlError("42P20", "window functions are not allowed in GROUP BY").at(part.position);
    }
    return true;
  });
}

// The output column of the name; -1 if there is none.
int target_named(const syntax::Expression& item, Clause clause, QueryScope& scope) {
  int found = -1;
  const std::vector<Target>& targets = scope.query.targets;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (targets[i].hidden || targets[i].name != item.name) continue;
    if (found < 0) {
      found = static_cast<int>(i);
    } else if (!equal(targets[static_cast<std::size_t>(found)].expression, targets[i].expression)) {
      throw SqlError(sqlstate::ambiguous_column,
                     fmt::format("{} \"{}\" is ambiguous", rules_of(clause).name, item.name))
          .at(item.position);
    }
  }
  return found;
}

int target_numbered(const syntax::Expression& item, Clause clause, QueryScope& scope) {
  if (item.type != TypeId::int4) {
    throw SqlError(sqlstate::syntax_error, fmt::format("non-integer constant in {}", rules_of(clause).name))
        .at(item.position);
  }
  const std::int64_t wanted = item.value.as_integer();
  std::int64_t number = 0;
  const std::vector<Target>& targets = scope.query.targets;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (!targets[i].hidden && ++number == wanted) return static_cast<int>(i);
  }
  throw SqlError(sqlstate::invalid_column_reference,
                 fmt::format("{} position {} is not in select list", rules_of(clause).name, wanted))
      .at(item.position);
}

// The place where a target of DISTINCT ON was written.
[[noreturn]] void throw_distinct_mismatch(int position) {
  throw SqlError(sqlstate::invalid_column_reference,
                 "SELECT DISTINCT ON expressions must match initial ORDER BY expressions")
      .at(position);
}

bool sorts_by(const std::vector<SortClause>& order, int target) {
  for (const SortClause& clause : order) {
    if (clause.target == target) return true;
  }
  return false;
}

void analyse_distinct_on(const syntax::Select& select, QueryScope& scope) {
  std::vector<int> targets;
  std::vector<int> positions;
  for (const syntax::ExpressionPtr& item : select.distinct_on) {
    const int target = find_target(item, Clause::distinct_on, true, scope);
    targets.push_back(target);
    positions.push_back(item->position);
  }
  Query& query = scope.query;
  bool skipped = false;
  for (const SortClause& clause : query.order_by) {
    if (!contains_target(targets, clause.target)) {
      skipped = true;
    } else if (skipped) {
      for (std::size_t i = 0; i < targets.size(); ++i) {
        if (targets[i] == clause.target) throw_distinct_mismatch(positions[i]);
      }
    } else {
      query.distinct_on.push_back(clause);
    }
  }
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (sorts_by(query.distinct_on, targets[i])) continue;
    if (skipped) throw_distinct_mismatch(positions[i]);
    Target& target = query.targets[static_cast<std::size_t>(targets[i])];
    target.expression = settle_unknown(target.expression, scope);
    require_equality(target.expression->type.id, positions[i]);
    query.distinct_on.push_back({targets[i], false, false});
  }
}

// The table and the column that a column's value comes from, through subqueries.
void mark_origin(Target& target, const Column& column, QueryScope& scope) {
  if (column.column <= 0) return;
  const RangeTableEntry& entry = scope.around(column.levels_up).query.entries[static_cast<std::size_t>(column.entry)];
  const Query* inner = nullptr;
  if (const auto* table = std::get_if<TableSource>(&entry.source)) {
    target.table_id = table->relation->id;
    target.table_column = column.column;
  } else if (const auto* view = std::get_if<SystemViewSource>(&entry.source)) {
    target.table_id = view->relation->id;
    target.table_column = column.column;
  } else if (const auto* subquery = std::get_if<SubquerySource>(&entry.source)) {
    if (subquery->view != nullptr) {
      target.table_id = subquery->view->id;
      target.table_column = column.column;
      return;
    }
    inner = subquery->query.get();
  } else if (const auto* common = std::get_if<CommonTableSource>(&entry.source)) {
    const QueryScope& owner = scope.around(column.levels_up + common->levels_up);
    inner = owner.query.common_tables[static_cast<std::size_t>(common->table)].query.get();
  }
  if (inner == nullptr) return;
  const std::vector<Target>& targets = inner->command == Command::select ? inner->targets : inner->returning;
  int number = 0;
  for (const Target& source : targets) {
    if (source.hidden || ++number != column.column) continue;
    target.table_id = source.table_id;
    target.table_column = source.table_column;
    return;
  }
}

}  // namespace

bool contains_target(const std::vector<int>& targets, int target) {
  for (const int candidate : targets) {
    if (candidate == target) return true;
  }
  return false;
}

void require_equality(TypeId type, int position) {
  if (equality_of(type) != nullptr) return;
  throw SqlError(sqlstate::undefined_function,
                 fmt::format("could not identify an equality operator for type {}", type_name(type)))
      .at(position);
}

void require_order(TypeId type, int position) {
  if (less_of(type) != nullptr) return;
  throw SqlError(sqlstate::undefined_function,
                 fmt::format("could not identify an ordering operator for type {}", type_name(type)), "",
                 "Use an explicit ordering operator or modify the query.")
      .at(position);
}

std::vector<Target> analyse_targets(const std::vector<syntax::SelectItem>& items, Clause clause, QueryScope& scope) {
  std::vector<Target> targets;
  targets.reserve(items.size());
  for (const syntax::SelectItem& item : items) {
    const syntax::Expression& expression = *item.expression;
    if (expression.kind == Kind::star) {
      for (Target& target : scope.expand_star(expression)) targets.push_back(std::move(target));
      continue;
    }
    if (expression.kind == Kind::field && expression.name.empty()) {
      const ExpressionPtr record = analyse_in(scope, clause, expression.arguments[0]);
      for (Target& target : expand_record(record, expression.position, scope)) targets.push_back(std::move(target));
      continue;
    }
    Target& target = targets.emplace_back();
    target.expression = analyse_in(scope, clause, item.expression);
    target.name = item.alias.empty() ? figure_column_name(expression, target.expression.get()) : item.alias;
  }
  // PostgreSQL's MaxTupleAttributeNumber.
  constexpr std::size_t targets_max = 1664;
  if (targets.size() > targets_max) throw SqlError("54011", "target lists can have at most 1664 entries");
  return targets;
}

void settle_targets(std::vector<Target>& targets, QueryScope& scope) {
  for (Target& target : targets) {
    if (target.expression->type.id == TypeId::unknown) target.expression = settle_unknown(target.expression, scope);
  }
}

void mark_origins(std::vector<Target>& targets, QueryScope& scope) {
  for (Target& target : targets) {
    if (const auto* column = target.expression->as<Column>()) mark_origin(target, *column, scope);
  }
}

int find_target(const syntax::ExpressionPtr& item, Clause clause, bool by_name, QueryScope& scope) {
  if (by_name && item->kind == Kind::column && item->path.empty()) {
    // GROUP BY prefers a column of FROM to one of the output.
    const bool of_from = clause == Clause::group_by && scope.find_column(item->name, item->position, true).has_value();
    if (!of_from) {
      const int found = target_named(*item, clause, scope);
      if (found >= 0) {
        check_found_target(scope.query.targets[static_cast<std::size_t>(found)], clause, scope);
        return found;
      }
    }
  }
  if (by_name && item->kind == Kind::constant) {
    const int found = target_numbered(*item, clause, scope);
    check_found_target(scope.query.targets[static_cast<std::size_t>(found)], clause, scope);
    return found;
  }
  ExpressionPtr expression = analyse_in(scope, clause, item);
  std::vector<Target>& targets = scope.query.targets;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (equal(*expression, *without_implicit_conversions(targets[i].expression))) return static_cast<int>(i);
  }
  Target& target = targets.emplace_back();
  target.expression = std::move(expression);
  target.hidden = true;
  return static_cast<int>(targets.size()) - 1;
}

std::vector<SortClause> analyse_order_by(const std::vector<syntax::OrderItem>& items, Clause clause, bool by_name,
                                         QueryScope& scope) {
  std::vector<SortClause> order;
  order.reserve(items.size());
  for (const syntax::OrderItem& item : items) {
    const int number = find_target(item.expression, clause, by_name, scope);
    Target& target = scope.query.targets[static_cast<std::size_t>(number)];
    if (target.expression->type.id == TypeId::unknown) target.expression = settle_unknown(target.expression, scope);
    SortClause sort{number, item.descending, item.nulls_first};
    if (!item.using_operator.empty()) {
      sort.descending = is_descending_operator(item.using_operator, target.expression->type.id, item.using_position);
      if (!item.nulls_written) sort.nulls_first = sort.descending;
    } else {
      require_order(target.expression->type.id, item.expression->position);
    }
    if (!sorts_by(order, number)) order.push_back(sort);
  }
  return order;
}

void analyse_distinct(const syntax::Select& select, QueryScope& scope) {
  if (!select.distinct_on.empty()) {
    analyse_distinct_on(select, scope);
    return;
  }
  if (!select.distinct) return;
  Query& query = scope.query;
  query.distinct = true;
  for (const SortClause& clause : query.order_by) {
    const Target& target = query.targets[static_cast<std::size_t>(clause.target)];
    if (target.hidden) {
      throw SqlError(sqlstate::invalid_column_reference,
                     "for SELECT DISTINCT, ORDER BY expressions must appear in select list")
          .at(target.expression->position);
    }
  }
  bool any = false;
  for (Target& target : query.targets) {
    if (target.hidden) continue;
    any = true;
    target.expression = settle_unknown(target.expression, scope);
    require_equality(target.expression->type.id, target.expression->position);
  }
  if (!any) throw SqlError(sqlstate::syntax_error, "SELECT DISTINCT must have at least one column");
}

}  // namespace polarsim::engine::query
