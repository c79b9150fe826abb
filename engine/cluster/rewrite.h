// Rewriting of statements: what a planner does to the tree of a statement to make it one for a shard.
//
// Expressions are immutable and shared; a rewrite copies only what it changes.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/sql/ast.h"

namespace polarsim::engine::cluster {

// Returns what to put in an expression's place, or null to look into its arguments.
using ExpressionMapper = std::function<sql::ExpressionPtr(const sql::ExpressionPtr&)>;

sql::ExpressionPtr map_expression(const sql::ExpressionPtr& expression, const ExpressionMapper& mapper);
// Replaces every expression of the statement. Select lists made of `*` have none.
void map_expressions(sql::Select& statement, const ExpressionMapper& mapper);
void map_expressions(sql::Insert& statement, const ExpressionMapper& mapper);
void map_expressions(sql::Update& statement, const ExpressionMapper& mapper);
void map_expressions(sql::Delete& statement, const ExpressionMapper& mapper);

// True if `test` holds for the expression or anything in it.
bool contains(const sql::ExpressionPtr& expression, const std::function<bool(const sql::Expression&)>& test);
// A call of a function whose value may differ from row to row or from node to node within one statement.
bool calls_volatile_function(const sql::ExpressionPtr& expression);
// A call of a function whose value depends on when the statement runs, volatile ones included.
bool calls_non_immutable_function(const sql::ExpressionPtr& expression);

// Gives the parameters that a rewritten statement still uses the numbers 1, 2, ... in order of their first use.
class ParameterRenumbering {
 public:
  explicit ParameterRenumbering(std::span<const Value> original) : original_(original) {}
  ExpressionMapper mapper();
  // A new parameter that carries `value`.
  sql::ExpressionPtr add(Value value);
  const std::vector<Value>& values() const { return values_; }

 private:
  std::span<const Value> original_;
  std::vector<Value> values_;
  std::vector<int> number_of_;  // by original number; 0: not used yet
};

sql::ExpressionPtr make_constant(Value value, TypeId type);
sql::ExpressionPtr make_column(std::string table, std::string name);

// The table's name in a statement for a shard. An alias keeps the column references valid that are qualified by the
// table's own name.
sql::TableName shard_table_name(const sql::TableName& original, std::string shard_name);

}  // namespace polarsim::engine::cluster
