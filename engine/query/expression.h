// Expressions after analysis: every name resolved, every node typed, every conversion written out (PostgreSQL's
// src/include/nodes/primnodes.h).
//
// Trees are immutable and shared: whoever rewrites a query copies the path to what changes. They are at most
// syntax::max_expression_depth deep where they come from one statement, so that walking them may recurse; views and
// rewriting may nest one into another, within the limit that analysis checks again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "engine/types/cast.h"
#include "engine/types/function.h"
#include "engine/types/operator.h"
#include "engine/types/value_type.h"

namespace polarsim::engine::query {

struct Query;
struct Relation;
using QueryPtr = std::shared_ptr<const Query>;
struct Expression;
using ExpressionPtr = std::shared_ptr<const Expression>;

// How a call was written, which is how it is shown again.
enum class CallForm : std::uint8_t { call, explicit_cast, implicit_cast, special_syntax };

struct Constant {
  Value value;
};
// $index, from 1, of the statement; or, in plans only, a value that one part of the plan hands to another.
struct Parameter {
  int index = 0;
  bool of_plan = false;
};
// A column of an entry in the range table of this query, or of the query `levels_up` around it.
struct Column {
  static constexpr int whole_row = 0;
  int entry = 0;   // from 0
  int column = 0;  // from 1; negative: a system column
  int levels_up = 0;
};
struct Call {
  const FunctionEntry* function = nullptr;
  std::vector<ExpressionPtr> arguments;
  CallForm form = CallForm::call;
  bool variadic_array = false;  // VARIADIC was written: the last argument is the array itself
};
struct OperatorCall {
  const OperatorEntry* function = nullptr;
  std::vector<ExpressionPtr> arguments;  // one or two
};
// left operator ANY (array), or ALL; IN over a list is the same with an array of its items.
struct ArrayComparison {
  const OperatorEntry* function = nullptr;
  bool all = false;
  ExpressionPtr left;
  ExpressionPtr array;
};
struct Logical {
  enum class Kind : std::uint8_t { conjunction, disjunction, negation } kind = Kind::conjunction;
  std::vector<ExpressionPtr> arguments;
};
struct NullTest {
  ExpressionPtr argument;
  bool negated = false;  // IS NOT NULL
};
struct BooleanTest {
  enum class Kind : std::uint8_t { is_true, is_not_true, is_false, is_not_false, is_unknown, is_not_unknown } kind;
  ExpressionPtr argument;
};
// IS [NOT] DISTINCT FROM, by the type's `=`.
struct DistinctTest {
  const OperatorEntry* equality = nullptr;
  ExpressionPtr left;
  ExpressionPtr right;
  bool negated = false;  // IS NOT DISTINCT FROM
};
struct NullIf {
  const OperatorEntry* equality = nullptr;
  ExpressionPtr left;
  ExpressionPtr right;
};
// In the conditions of a simple CASE: the operand's value, which is computed once.
struct CaseOperand {};
struct Case {
  struct Branch {
    ExpressionPtr condition;
    ExpressionPtr result;
  };
  ExpressionPtr operand;  // null: the conditions stand for themselves
  std::vector<Branch> branches;
  ExpressionPtr otherwise;  // never null: NULL if there is no ELSE
};
struct Coalesce {
  std::vector<ExpressionPtr> arguments;
};
struct MinMax {
  bool greatest = false;
  std::vector<ExpressionPtr> arguments;
};
// To the expression's type; also where only the modifier has to be enforced.
struct Convert {
  Conversion conversion;
  ExpressionPtr argument;
  CallForm form = CallForm::implicit_cast;
};
struct RowConstructor {
  std::vector<ExpressionPtr> fields;
  std::vector<std::string> names;
  std::shared_ptr<const Relation> relation = nullptr;  // of ROW(...)::t: whose row it is
};
// (a, b) < (c, d); equality and inequality have become conjunctions of single comparisons.
struct RowComparison {
  std::vector<const OperatorEntry*> comparisons;  // of each column
  std::vector<ExpressionPtr> left;
  std::vector<ExpressionPtr> right;
};
struct ArrayConstructor {
  std::vector<ExpressionPtr> elements;
  bool nested = false;  // the elements are arrays: one dimension more
};
struct Subscript {
  struct Index {
    ExpressionPtr lower;  // null: no slice, or from the beginning
    ExpressionPtr upper;  // null: to the end
    bool slice = false;
  };
  ExpressionPtr container;  // an array, or jsonb
  std::vector<Index> indexes;
};
struct FieldSelection {
  ExpressionPtr record;
  int field = 0;  // from 1
};
struct Subquery {
  enum class Kind : std::uint8_t { exists, scalar, any, all, array } kind = Kind::scalar;
  QueryPtr query;
  // For any and all: the comparison of `left` with the columns of a row of the subquery. A scalar one that has them is
  // the comparison of a row, (a, b) = (SELECT ...), with the only row that there may be.
  std::vector<ExpressionPtr> left;
  std::vector<const OperatorEntry*> comparisons;
};
struct OrderKey {
  ExpressionPtr expression;
  bool descending = false;
  bool nulls_first = false;
};
struct Aggregate {
  const FunctionEntry* function = nullptr;
  // Of an ordered-set aggregate (FunctionEntry::aggregate_kind): the direct ones; what it aggregates is in order_by.
  std::vector<ExpressionPtr> arguments;
  std::vector<OrderKey> order_by;
  ExpressionPtr filter;
  bool distinct = false;
  bool star = false;
  int levels_up = 0;  // which query it aggregates over
};
struct WindowCall {
  const FunctionEntry* function = nullptr;  // an aggregate or a window function
  std::vector<ExpressionPtr> arguments;
  ExpressionPtr filter;
  bool star = false;
  int window = 0;  // in Query::windows
};
// GROUPING(...): the bits of the expressions that a grouping set leaves out.
struct GroupingCall {
  std::vector<int> groups;  // Query::group_by
};
// In plans only: a subquery that has a plan of its own (plan::PlannedStatement::subplans). Before each computation the
// parameters get the values of these expressions.
struct Subplan {
  Subquery::Kind kind = Subquery::Kind::scalar;
  int subplan = 0;
  struct Argument {
    int parameter = 0;  // of the plan
    ExpressionPtr value;
  };
  std::vector<Argument> arguments;
  std::vector<ExpressionPtr> left;  // as in Subquery
  std::vector<const OperatorEntry*> comparisons;
  bool hashed = false;  // the rows do not depend on arguments: kept in a hash table
};
// CURRENT_DATE, CURRENT_USER and the like: values of the transaction or the session.
struct ValueFunction {
  enum class Kind : std::uint8_t {
    current_date,
    current_time,
    current_timestamp,
    local_time,
    local_timestamp,
    current_user,
    session_user,
    current_role,
    user,
    current_catalog,
    current_schema
  };
  Kind kind = Kind::current_date;
  int precision = -1;
};
// container[index] = value, and container.field = value, in SET and INSERT: the container with one part replaced.
struct SubscriptAssignment {
  ExpressionPtr container;
  std::vector<Subscript::Index> indexes;
  ExpressionPtr value;
};
// DEFAULT among the VALUES of an INSERT, before it is replaced; nowhere after analysis.
struct DefaultValue {};

struct Expression {
  using Node =
      std::variant<Constant, Parameter, Column, Call, OperatorCall, ArrayComparison, Logical, NullTest, BooleanTest,
                   DistinctTest, NullIf, CaseOperand, Case, Coalesce, MinMax, Convert, RowConstructor, RowComparison,
                   ArrayConstructor, Subscript, FieldSelection, Subquery, Aggregate, WindowCall, GroupingCall, Subplan,
                   ValueFunction, SubscriptAssignment, DefaultValue>;
  Node node;
  Type type;
  int position = 0;  // 1-based character of the statement's text; 0: none

  POLARSIM_DECLARE_VALUE_TYPE(Expression);
  Expression(Node its_node, Type its_type, int its_position);

  template <typename T>
  const T* as() const {
    return std::get_if<T>(&node);
  }
};

}  // namespace polarsim::engine::query
