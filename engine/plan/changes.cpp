// INSERT, UPDATE, DELETE (PostgreSQL's optimizer/prep/preptlist.c, create_modifytable_path()).
#include <algorithm>

#include "engine/plan/level_planner.h"
#include "engine/query/analysis.h"
#include "engine/query/no_relations.h"
#include "engine/query/system_columns.h"
#include "engine/types/error.h"

namespace polarsim::engine::plan {
namespace {

using query::make_expression;

const query::RelationPtr& changed_relation(const Level& level) {
  const auto& entry = level.query.entries[static_cast<std::size_t>(level.query.result_entry)];
  return std::get<query::TableSource>(entry.source).relation;
}

void add_checks(const Level& level, const query::Relation& relation, ModifyTable& node) {
  query::NoRelations none;
  const query::AnalysisContext context{none, level.statement.inputs.call, nullptr, false};
  for (const auto& check : relation.checks) {
    const ExpressionPtr condition =
        query::analyse_over_relation(check.condition, relation, TypeId::boolean, "check constraints", context);
    node.checks.push_back(query::with_rows_made(condition, relation));
  }
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    const query::RelationColumn& column = relation.columns[i];
    if (column.dropped || !column.generated) continue;
    node.generated.push_back(
        {static_cast<int>(i) + 1, query::analyse_over_relation(column.generated, relation, column.type,
                                                               "column generation expressions", context, column.name)});
  }
}

std::vector<ExpressionPtr> columns_of(const query::Relation& relation, int entry) {
  std::vector<ExpressionPtr> columns;
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    columns.push_back(make_expression(Column{entry, static_cast<int>(i) + 1, 0}, relation.columns[i].type));
  }
  return columns;
}

ModifyTable::Conflict make_conflict(const Level& level, const query::Relation& relation) {
  const query::ConflictClause& clause = *level.query.on_conflict;
  ModifyTable::Conflict conflict;
  conflict.update = clause.update;
  conflict.arbiters = clause.arbiters;
  const int entry = level.query.result_entry;
  const std::vector<ExpressionPtr> existing = columns_of(relation, entry);
  const std::vector<ExpressionPtr> proposed = columns_of(relation, clause.excluded_entry);
  auto placed = [&](const ExpressionPtr& expression) {
    const ExpressionPtr made = query::with_rows_made(expression, relation, entry);
    return place(query::with_rows_made(made, relation, clause.excluded_entry), {existing, proposed});
  };
  for (const auto& assignment : clause.assignments) {
    conflict.columns.push_back(assignment.column);
    conflict.values.push_back(placed(assignment.expression));
  }
  std::vector<ExpressionPtr> conditions;
  add_conjuncts(clause.where, conditions);
  for (const ExpressionPtr& condition : conditions) conflict.conditions.push_back(placed(condition));
  return conflict;
}

}  // namespace

std::vector<ExpressionPtr> values_of_change(const Level& level) {
  const Query& query = level.query;
  std::vector<ExpressionPtr> values;
  if (query.command == query::Command::insert) {
    for (const auto& column : changed_relation(level)->columns) {
      values.push_back(make_expression(query::Constant{}, column.type));
    }
    for (const auto& target : query.targets) {
      if (!target.hidden) values[static_cast<std::size_t>(target.column - 1)] = target.expression;
    }
    return values;
  }
  for (const auto& target : query.targets) {
    if (!target.hidden) values.push_back(target.expression);
  }
  values.push_back(make_expression(Column{query.result_entry, query::system_column_ctid, 0}, TypeId::text));
  return values;
}

Stage plan_change(Level& level, Stage stage, const std::vector<LockRows::Mark>& marks,
                  const std::vector<ExpressionPtr>& places) {
  const Query& query = level.query;
  const query::RelationPtr relation = changed_relation(level);
  const bool insert = query.command == query::Command::insert;
  const int entry = query.result_entry;
  std::vector<ExpressionPtr> row = values_of_change(level);
  const std::size_t own = row.size();
  // What RETURNING and whoever looks again at changed rows want to know of the other tables.
  std::vector<ExpressionPtr> others = places;
  for (const auto& target : query.returning) {
    query::walk(target.expression, [&](const Expression& node, int levels) {
      const auto* column = node.as<Column>();
      if (column && column->levels_up == levels && column->entry != entry && !insert) {
        others.push_back(make_expression(Column{column->entry, column->column, 0}, node.type));
      }
      return true;
    });
  }
  std::vector<ExpressionPtr> distinct_others;
  for (const ExpressionPtr& other : others) {
    const bool known = std::any_of(distinct_others.begin(), distinct_others.end(),
                                   [&](const ExpressionPtr& one) { return query::equal(one, other); });
    if (!known) distinct_others.push_back(other);
  }
  row.insert(row.end(), distinct_others.begin(), distinct_others.end());
  // Of one row of VALUES; PostgreSQL makes as many rows of it as there are values.
  if (insert && query.has_set_functions) stage = expand_sets(level, std::move(stage), row);
  stage = project(level, std::move(stage), row, {});

  ModifyTable node;
  node.command = query.command;
  node.relation = relation;
  if (query.command == query::Command::update) {
    for (const auto& target : query.targets) {
      if (!target.hidden) node.columns.push_back(target.column);
    }
  }
  if (!insert) {
    node.tid_column = static_cast<int>(own);
    node.entry = level.numbers[static_cast<std::size_t>(entry)];
    node.others = marks;
    for (std::size_t i = 0; i < marks.size(); ++i) {
      const auto found = std::find_if(distinct_others.begin(), distinct_others.end(),
                                      [&](const ExpressionPtr& other) { return query::equal(other, places[i]); });
      node.others[i].tid_column = static_cast<int>(own + static_cast<std::size_t>(found - distinct_others.begin())) + 1;
    }
  }
  if (query.command != query::Command::remove) add_checks(level, *relation, node);
  if (query.on_conflict) node.conflict = make_conflict(level, *relation);
  node.returning = !query.returning.empty();
  for (const auto& target : query.returning) {
    query::walk(target.expression, [&](const Expression& part, int) {
      const auto* column = part.as<Column>();
      if (column && column->entry == entry && column->column < 0 &&
          std::find(node.system_columns.begin(), node.system_columns.end(), column->column) ==
              node.system_columns.end()) {
        node.system_columns.push_back(column->column);
      }
      return true;
    });
  }
  Stage made = make_stage(node, stage);
  const int number = level.numbers[static_cast<std::size_t>(entry)];
  made.plan->alias = number < 0 ? query.entries[static_cast<std::size_t>(entry)].alias
                                : level.statement.scan_names[static_cast<std::size_t>(number)];
  made.seen = columns_of(*relation, entry);
  for (const int column : node.system_columns) {
    made.seen.push_back(make_expression(Column{entry, column, 0}, query::system_column(column).type));
  }
  // The values of an UPDATE are the old row's expressions, which RETURNING does not mean.
  made.seen.resize(made.seen.size() + own);
  made.seen.insert(made.seen.end(), distinct_others.begin(), distinct_others.end());
  made.outputs.clear();
  for (const auto& target : query.returning) {
    // Of the changed row there is no scan that could make its whole row.
    const ExpressionPtr expression = query::with_rows_made(target.expression, *relation, entry);
    made.plan->targets.push_back({place(expression, {made.seen, {}}), target.name});
    made.outputs.push_back(target.expression);
  }
  made.order.clear();
  if (!node.returning) made.plan->cost.rows = made.plan->cost.width = 0;
  return made;
}

}  // namespace polarsim::engine::plan
