// Constant folding (PostgreSQL's eval_const_expressions, src/backend/optimizer/util/clauses.c): calls of immutable
// functions with constant arguments become their values, AND and OR lose what cannot matter, CASE and COALESCE what
// cannot be reached. An error while folding is the statement's error, as in PostgreSQL: coalesce(a, 1/0) fails.
#pragma once

#include "engine/query/query.h"

namespace polarsim::engine::query {

struct FoldOptions {
  const CallContext& call;
  // Values for $n, put in their places; empty: parameters stay.
  std::span<const Value> parameters;
  // Also what is stable for the length of a statement: for estimates, pruning of shards, and plans used once.
  bool stable_functions = false;
  // Also in queries inside the expression or query.
  bool inner_queries = true;
  // What fails stays as it is, for whoever computes it: the query is planned again, and perhaps not all of it.
  bool failures_stay = false;
  // What a query groups by stays recognizable in the rest of it, where it is to be read as text: GROUP BY a IS NULL,
  // and a IS NOT NULL instead of NOT (a IS NULL).
  bool groups_stay = false;
};

ExpressionPtr fold(const ExpressionPtr& expression, const FoldOptions& options);
QueryPtr fold(const QueryPtr& query, const FoldOptions& options);

}  // namespace polarsim::engine::query
