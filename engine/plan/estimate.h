// How many rows, and at what cost (PostgreSQL's utils/adt/selfuncs.c in simple form, optimizer/path/clausesel.c and
// costsize.c).
#pragma once

#include "engine/plan/level.h"

namespace polarsim::engine::plan {

// --- rows ---

void estimate_size(Level& level, BaseRelation& base);  // pages and rows of a table
int width_of(const Level& level, const ExpressionPtr& expression);
// The part of rows for which all hold; of a join of this kind (null: inner, or one relation).
double selectivity(const Level& level, const std::vector<const Condition*>& conditions, const SpecialJoin* join);
double selectivity(const Level& level, const ExpressionPtr& condition);
// Of these expressions among so many rows.
double distinct_values(const Level& level, const std::vector<ExpressionPtr>& expressions, double rows);
// The part of rows in the bucket of a hash table where a row is looked for, if they are hashed by this expression.
double bucket_part(const Level& level, const ExpressionPtr& expression, double buckets);
// How much of two sorted sides a merge join by these reads: from where the first partners may be, and up to where the
// last ones are (mergejoinscansel()).
struct MergedParts {
  double left_start = 0;
  double left_end = 1;
  double right_start = 0;
  double right_end = 1;
};
MergedParts merged_parts(const Level& level, const ExpressionPtr& left, const ExpressionPtr& right, bool descending,
                         bool nulls_first);
// At least one, and whole.
double whole_rows(double rows);

// --- cost ---

struct EvaluationCost {
  double startup = 0;
  double per_row = 0;
};
EvaluationCost evaluation_cost(const Level& level, const ExpressionPtr& expression);
EvaluationCost evaluation_cost(const Level& level, const std::vector<const Condition*>& conditions);
// What costs less for each row is looked at first (order_qual_clauses()): the positions, in that order.
std::vector<std::size_t> order_by_cost(const Level& level, const std::vector<ExpressionPtr>& conditions);
std::vector<ExpressionPtr> ordered_by_cost(const Level& level, const std::vector<ExpressionPtr>& conditions);
Cost sort_cost(const PlannerSettings& settings, const Cost& input, double limit_rows);
Cost materialize_cost(const PlannerSettings& settings, const Cost& input);
// Of one reading of an inner side after the first.
double rescan_cost(const PlannerSettings& settings, const Path& path);
Cost aggregate_cost(const Level& level, const Cost& input, bool hashed, std::size_t keys, double groups,
                    const EvaluationCost& transition, const EvaluationCost& final);
struct HashTableSize {
  double buckets = 1;
  double batches = 1;
};
HashTableSize hash_table_size(const PlannerSettings& settings, double rows, int width);
double pages_of(double rows, int width);
double index_pages_fetched(double tuples, double pages, double index_pages);

}  // namespace polarsim::engine::plan
