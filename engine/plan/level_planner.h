// One query to the stage that gives its rows (PostgreSQL's subquery_planner() and grouping_planner(),
// src/backend/optimizer/plan/planner.c).
#pragma once

#include "engine/plan/build.h"
#include "engine/plan/level.h"

namespace polarsim::engine::plan {

// A query planned: its visible columns come first among the outputs. `outer` are the values of queries around it.
struct PlannedLevel {
  Stage stage;
  std::vector<Level::OuterParameter> outer;
  std::vector<query::OutputName> columns;
  bool never = false;  // is certain to have no row
};
PlannedLevel plan_level(StatementState& statement, Level* around, const QueryPtr& query);

// --- its parts, in this order ---

void plan_common_tables(Level& level);
// Columns of outer queries become parameters, subqueries in expressions plans of their own.
void replace_outer_and_subqueries(Level& level);
ExpressionPtr replace_outer_and_subqueries(Level& level, const ExpressionPtr& expression);
// Joins, without anything above them. `above`: all that is computed of them.
Stage plan_joins(Level& level, const std::vector<ExpressionPtr>& above, const std::vector<query::SortClause>* order);
Stage plan_set_operation(Level& level);
// GROUP BY, aggregates, HAVING.
Stage plan_groups(Level& level, Stage stage);
Stage plan_windows(Level& level, Stage stage);
// Targets, DISTINCT, ORDER BY, row locks, LIMIT. `marks`: rows to lock, whose places are among the level's expressions.
Stage plan_output(Level& level, Stage stage, const std::vector<LockRows::Mark>& marks,
                  const std::vector<ExpressionPtr>& places);
Stage plan_change(Level& level, Stage stage, const std::vector<LockRows::Mark>& marks,
                  const std::vector<ExpressionPtr>& places);
// What INSERT, UPDATE and DELETE want of the rows they change by.
std::vector<ExpressionPtr> values_of_change(const Level& level);

// The planned query's outer values: those of this level are given back, others are handed on.
std::vector<Level::OuterParameter> take_outer(Level& level, std::vector<Level::OuterParameter> outer);
// Where set-returning functions are called in these expressions: rows for each row of theirs, innermost calls first,
// whose values are then among the stage's outputs.
Stage expand_sets(Level& level, Stage stage, const std::vector<ExpressionPtr>& wanted);
// Rows of a UNION's kind without duplicates, so many as are expected to be `different`.
Stage make_distinct(Level& level, Stage stage, const std::vector<SortKey>& keys, bool may_hash, double different);
SortKey sort_key(const Stage& stage, const ExpressionPtr& expression, bool descending = false,
                 bool nulls_first = false);

}  // namespace polarsim::engine::plan
