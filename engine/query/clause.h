// The clauses an expression may stand in, and what may not stand there (PostgreSQL's ParseExprKind,
// src/include/parser/parse_node.h, and the checks of parse_agg.c, parse_func.c and parse_expr.c).
#pragma once

#include <cstdint>
#include <string_view>

namespace polarsim::engine::query {

enum class Clause : std::uint8_t {
  other,
  join_condition,
  from_subquery,
  from_function,
  where,
  having,
  filter,
  window_partition,
  window_order,
  window_rows,
  window_range,
  window_groups,
  select_target,
  insert_target,
  update_source,
  group_by,
  order_by,
  distinct_on,
  limit,
  offset,
  returning,
  values,         // of several rows
  values_single,  // of one row in INSERT
  check_constraint,
  column_default,
  index_expression,
  index_predicate,
  generated_column,
  transform,
  execute_parameter,
  call_argument,
  copy_where,
};

// Words for messages; null where the thing is allowed.
struct ClauseRules {
  const char* name;           // "ORDER BY": as other messages call the clause
  const char* aggregates;     // "aggregate functions are not allowed in <this>"
  const char* windows;        // "window functions are not allowed in <this>"
  const char* set_functions;  // "set-returning functions are not allowed in <this>"
  const char* subqueries;     // "cannot use subquery in <this>"
};

const ClauseRules& rules_of(Clause clause);
// From the name that analyse_over_relation() is given: "check constraints", "index predicates", "index expressions",
// "column generation expressions", "COPY FROM WHERE conditions", "transform expressions"; others are `other`.
Clause clause_named(std::string_view name);

}  // namespace polarsim::engine::query
