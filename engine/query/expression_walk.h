// Walking and rewriting expressions and queries (PostgreSQL's expression_tree_walker and expression_tree_mutator,
// src/backend/nodes/nodeFuncs.c). Nothing here knows what a node means.
//
// Rewriting copies only the path to what changed: where a function gives every child back as it was, the node itself is
// given back. Null children are never visited.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include "engine/query/query.h"

namespace polarsim::engine::query {

// A function that is called while its owner lives; unlike std::function it allocates nothing.
template <typename Signature>
class FunctionReference;
template <typename Result, typename... Arguments>
class FunctionReference<Result(Arguments...)> {
 public:
  template <typename Function>
  requires(!std::is_same_v<std::remove_cvref_t<Function>, FunctionReference>)
      FunctionReference(Function&& function)  // NOLINT(google-explicit-constructor): lambdas are passed as they are
      : function_(const_cast<void*>(static_cast<const void*>(std::addressof(function)))),
        call_([](void* target, Arguments... arguments) -> Result {
          return (*static_cast<std::remove_reference_t<Function>*>(target))(std::forward<Arguments>(arguments)...);
        }) {}
  Result operator()(Arguments... arguments) const { return call_(function_, std::forward<Arguments>(arguments)...); }

 private:
  void* function_;
  Result (*call_)(void*, Arguments...);
};

using VisitExpression = FunctionReference<void(const ExpressionPtr&)>;
using VisitQuery = FunctionReference<void(const QueryPtr&)>;
using MapExpression = FunctionReference<ExpressionPtr(const ExpressionPtr&)>;
using MapQuery = FunctionReference<QueryPtr(const QueryPtr&)>;

// --- one step ---

// The operands of a node in order of evaluation. Not the query of a Subquery; what stands left of it is.
void for_each_child(const Expression& expression, VisitExpression visit);
ExpressionPtr map_children(const ExpressionPtr& expression, MapExpression map);
// Also the query of a Subquery.
ExpressionPtr map_children(const ExpressionPtr& expression, MapExpression map, MapQuery map_query);

// The expressions of a query itself: targets (hidden ones, too), FROM (functions, VALUES, columns and conditions of
// joins), WHERE, HAVING, windows, LIMIT, ON CONFLICT, RETURNING; not those of the queries inside it.
void for_each_expression(const Query& query, VisitExpression visit);
// The queries in FROM and the common tables; not those in expressions.
void for_each_query(const Query& query, VisitQuery visit);
QueryPtr map_query(const QueryPtr& query, MapExpression map, MapQuery map_inner);

// --- all the way down ---

// `levels` is how many queries lie between the expression and where the walk began: Column{.levels_up = levels} belongs
// to the query where it began. False: not what is below.
using VisitNode = FunctionReference<bool(const Expression& expression, int levels)>;
void walk(const ExpressionPtr& expression, VisitNode visit, int levels = 0);
// The walk begins inside the query.
void walk(const Query& query, VisitNode visit, int levels = 0);

// What the node is to be replaced by; null: it stays, and what is below is looked at. A replacement is not looked at
// again.
using ReplaceNode = FunctionReference<ExpressionPtr(const ExpressionPtr& expression, int levels)>;
ExpressionPtr rewrite(const ExpressionPtr& expression, ReplaceNode replace, int levels = 0);
QueryPtr rewrite(const QueryPtr& query, ReplaceNode replace, int levels = 0);

// Whether the predicate holds for the expression or something below it, queries inside it not looked at.
bool contains(const ExpressionPtr& expression, FunctionReference<bool(const Expression&)> predicate);
// Calls, operators, comparisons and conversions with functions of this volatility or a worse one, queries included
// (PostgreSQL's contain_volatile_functions and contain_mutable_functions).
bool contains_volatility(const ExpressionPtr& expression, Volatility at_least);
// That of the functions the node itself calls.
Volatility volatility_of(const Expression& expression);
// Whether a column of the query where the expression stands is used in it, queries included.
bool uses_columns(const ExpressionPtr& expression);

// --- equality ---

// Whether both compute the same: all the same but positions and how it was written (PostgreSQL's equal()).
bool equal(const Expression& a, const Expression& b);
bool equal(const Query& a, const Query& b);
inline bool equal(const ExpressionPtr& a, const ExpressionPtr& b) {
  return a == b || (a != nullptr && b != nullptr && equal(*a, *b));
}

// --- making ---

template <typename Node>
ExpressionPtr make_expression(Node node, Type type, int position = 0) {
  return std::make_shared<const Expression>(Expression{std::move(node), type, position});
}

}  // namespace polarsim::engine::query
