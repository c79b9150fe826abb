// A query made simpler before its joins are planned (PostgreSQL's src/backend/optimizer/prep): columns of joins become
// what they stand for, common tables used once become subqueries, EXISTS and IN become joins, simple subqueries in FROM
// are merged, outer joins whose NULLs a condition excludes become inner ones.
#pragma once

#include "engine/plan/level.h"

namespace polarsim::engine::plan {

// Fills level.query and level.tree. The query's own `from` and `where` are empty afterwards. Outer joins stay what they
// are, and nothing is folded: what a query that is merged computes and nobody uses must not fail.
void prepare(Level& level, const QueryPtr& query);

// --- its parts ---

// Applies the function to every expression of this query, those of the join tree and (with levels 1 and up) of queries
// inside included.
void rewrite_level(Level& level, query::ReplaceNode replace);
// Columns and other references of the outer queries to an expression that moves `by` levels out or in.
ExpressionPtr shift_levels(const ExpressionPtr& expression, int by, int from_level);
QueryPtr shift_levels(const QueryPtr& query, int by, int from_level);
void pull_up_sublinks(Level& level);
void pull_up_subqueries(Level& level);
// What PostgreSQL computes of a UNION ALL in FROM while it plans, even where no row of it can be wanted: constants in
// the lists of its simple parts. For its errors.
void fold_flat_union(Level& level, const Query& query);
// Folds constants in what is computed by this query, but not in queries inside.
void fold_level(Level& level);
// Conditions of HAVING that need no groups become ones of WHERE.
void move_having(Level& level);
// Takes away what does not matter if all that counts is whether there is a row (simplify_EXISTS_query(), subselect.c);
// false, and nothing is changed, where that is not simple.
bool simplify_exists(Query& query);
void reduce_outer_joins(Level& level);
// Once it is known which conditions are looked at where.
void push_conditions(Level& level, BaseRelation& base);
void remove_unused_outputs(Level& level);
// Appends the query's range table; its FROM and WHERE become a node, whose entries count from where they now are.
JoinNodePtr make_join_node(const query::JoinTreePtr& tree);

}  // namespace polarsim::engine::plan
