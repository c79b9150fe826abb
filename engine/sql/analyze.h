// Names and types: binds an expression tree to a table and gives every node a type by PostgreSQL's rules (unknown
// literals take the other side's type, int4 with int8 gives int8, assignment casts). The result is ready for
// evaluation.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/sql/ast.h"

namespace polarsim::engine::sql {

// What analysis needs to know of a table.
struct ColumnInfo {
  std::string name;
  TypeId type = TypeId::unknown;
  bool not_null = false;
  ExpressionPtr default_value;  // unanalysed
};
struct TableShape {
  std::string name;  // how columns may be qualified (alias if any)
  std::vector<ColumnInfo> columns;
  // Positions of the primary key's columns, if any. Only GROUP BY looks at them: grouping by the whole key covers every
  // other column.
  std::vector<int> primary_key;
  int find(std::string_view column) const;  // -1 if absent
};

// An analysed expression. Immutable, cheap to evaluate many times.
struct BoundNode;
class BoundExpression {
 public:
  BoundExpression() = default;
  explicit BoundExpression(std::shared_ptr<const BoundNode> root) : root_(std::move(root)) {}
  explicit operator bool() const { return root_ != nullptr; }
  TypeId type() const;
  bool is_aggregate() const;  // contains an aggregate call
  const BoundNode* root() const { return root_.get(); }

 private:
  std::shared_ptr<const BoundNode> root_;
};

class SessionFunctions;  // session_functions.h

// What a row-level evaluation may look at.
struct EvaluationContext {
  std::span<const Value> row;         // the table's row; empty if none
  std::span<const Value> excluded;    // the proposed row in ON CONFLICT DO UPDATE
  std::span<const Value> parameters;  // $1.. as text or typed values; types fixed at analysis
  std::span<const Value> aggregates;  // results of aggregate calls, by their slot
  // For time functions: the transaction's and the statement's start, microseconds since the Unix epoch.
  std::int64_t transaction_start_us = 0;
  // Null: a function of the session is refused with 0A000. If there is one, evaluation may block.
  SessionFunctions* session = nullptr;
};

class AggregateCalls;  // aggregate.h

struct AnalyzeOptions {
  const TableShape* table = nullptr;        // null: no FROM
  bool excluded_allowed = false;            // unqualified columns are then ambiguous, as in PostgreSQL
  bool aggregates_allowed = false;          // needs `aggregates`
  std::span<const TypeId> parameter_types;  // unknown: inferred from context, text otherwise
  // Collects the aggregate calls met; the slot of a call is its position there.
  AggregateCalls* aggregates = nullptr;
  // For grouped queries: a column outside aggregate calls must be part of one of these expressions, else 42803.
  const std::vector<ExpressionPtr>* group_by = nullptr;
  // The clause analysed, for messages: "aggregate functions are not allowed in <clause>".
  std::string_view clause = "this place";
};

// Throws SqlError: 42703, 42702, 42883 (no such operator or function), 42804, 22P02 for bad literals, 42803 for
// misplaced aggregates.
BoundExpression analyze(const ExpressionPtr& expression, const AnalyzeOptions& options);
// The same, then cast by assignment rules to `target` (INSERT and UPDATE); 42804 with PostgreSQL's text naming
// `column`.
BoundExpression analyze_assignment(const ExpressionPtr& expression, const AnalyzeOptions& options, TypeId target,
                                   std::string_view column);
// A WHERE or HAVING clause: must be boolean, else 42804 "argument of WHERE must be type boolean, not type ...".
BoundExpression analyze_condition(const ExpressionPtr& expression, const AnalyzeOptions& options,
                                  std::string_view clause);

// Throws SqlError for runtime errors (22012 division by zero, 22003 "integer out of range", ...).
Value evaluate(const BoundExpression& expression, const EvaluationContext& context);
// SQL's WHERE: true only if the value is true (NULL counts as false).
bool evaluate_condition(const BoundExpression& expression, const EvaluationContext& context);

// The name PostgreSQL gives an unnamed output column: the column's name, the function's name, or "?column?".
std::string output_name(const SelectItem& item);

// If `where` is a conjunction that contains `column = <row-independent expression>`, that expression; else null. For
// index lookups and shard pruning.
ExpressionPtr find_equality(const ExpressionPtr& where, std::string_view table, std::string_view column);
// True if the expression refers to no column, aggregate or volatile function: it has one value for the whole statement.
// Functions this module does not know count as volatile.
bool is_row_independent(const ExpressionPtr& expression);

}  // namespace polarsim::engine::sql
