// Expressions of one clause, from syntax to typed trees (PostgreSQL's src/backend/parser/parse_expr.c, parse_func.c,
// parse_oper.c, parse_coerce.c). What depends on where the expression stands is asked of its scope.
//
// Expression::position is what PostgreSQL's exprLocation() gives: where the whole expression begins (of a + b: a), or
// the name of a call. That is where errors about the expression point; errors about an operator point to it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/query/query.h"
#include "engine/types/error.h"

namespace polarsim::engine::query {

// The place of an expression; implemented by the analysis of statements (scope.h). All throw SqlError with positions.
class ExpressionScope {
 public:
  // A column, or a whole row of type record ((t).f is `field`, and asks row_fields()).
  virtual ExpressionPtr column(const syntax::Expression& reference) = 0;
  // What t.* or * stands for inside a row constructor.
  virtual std::vector<ExpressionPtr> star(const syntax::Expression& reference) = 0;
  // The fields of a whole row that column() gave, or of a column of type record: names and types in order, dropped
  // columns left out. Their numbers (FieldSelection::field) are 1, 2, ... Empty if they are not known.
  virtual std::vector<OutputName> row_fields(const Column& whole_row) = 0;
  // What an error calls the row's relation: 42703 "column t.x does not exist".
  virtual std::string row_name(const Column& whole_row) = 0;
  // The table whose row it is; null if it is that of something else.
  virtual RelationPtr row_table(const Column&) { return nullptr; }
  // The table, view or catalog of that name, for its row type; null if there is none.
  virtual RelationPtr find_relation(std::string_view, std::string_view) { return nullptr; }
  // For names of functions, operators, types and collations that are written with a schema.
  virtual bool has_schema(std::string_view name) = 0;
  // The query, analysed inside this scope: it may use columns from here. May be called more than once for one query.
  // `position`: of what it is part of, for the error that there must be none here.
  virtual QueryPtr subquery(const syntax::Select& select, int position) = 0;
  // A parameter of the statement. Its type may be unknown until coerce() asks parameter_type() to settle it.
  virtual ExpressionPtr parameter(const syntax::Expression& reference) = 0;
  // Settles the type of a parameter that had none; 42P08 if it already has another.
  virtual void settle_parameter(int index, TypeId type, int position) = 0;
  // Arguments, order, filter are analysed. Of ordered-set aggregates `arguments` are the direct ones, and what is
  // aggregated is `order_by`. Finds the query it belongs to, checks that it may stand here.
  virtual ExpressionPtr aggregate(Aggregate call, Type type, int position) = 0;
  virtual ExpressionPtr window_call(WindowCall call, Type type, const syntax::WindowSpecification& over,
                                    int position) = 0;
  virtual ExpressionPtr grouping(const std::vector<syntax::ExpressionPtr>& arguments, int position) = 0;
  // A call of a set-returning function was met: checks that it may stand here.
  virtual void set_returning_call(const FunctionEntry& function, int position) = 0;
  // Before and after the arguments (or the filter) of an aggregate are analysed, so that the scope can tell nested
  // ones.
  virtual void enter_aggregate_arguments() = 0;
  virtual void leave_aggregate_arguments() = 0;
  virtual const CallContext& call_context() const = 0;
  // Where warnings go; null: nobody listens.
  virtual std::vector<ErrorFields>* notices() { return nullptr; }

 protected:
  ~ExpressionScope() = default;
};

// The type may still be unknown: a string literal, NULL, or a parameter; see settle_unknown().
ExpressionPtr analyse_expression(const syntax::ExpressionPtr& expression, ExpressionScope& scope);
// An unknown becomes text, as at the end of a select list.
ExpressionPtr settle_unknown(ExpressionPtr expression, ExpressionScope& scope);
// WHERE, ON, HAVING, FILTER, ...: boolean, else 42804 "argument of WHERE must be type boolean, not type integer".
ExpressionPtr analyse_condition(const syntax::ExpressionPtr& expression, ExpressionScope& scope,
                                std::string_view construct);

// --- conversions (parse_coerce.c) ---

// Null if there is no way in this context. The target's modifier is enforced; a literal becomes a constant at once
// (errors of its input function have the literal's position), a parameter gets its type.
ExpressionPtr coerce(const ExpressionPtr& expression, Type target, CastContext context, CallForm form,
                     ExpressionScope& scope);
// For INSERT and UPDATE: 42804 "column \"a\" is of type integer but expression is of type text" with its hint. Enforces
// the modifier.
ExpressionPtr coerce_for_assignment(const ExpressionPtr& expression, Type target, std::string_view column,
                                    ExpressionScope& scope);
// What UNION, CASE, VALUES, IN and the like give; 42804 "UNION types integer and text cannot be matched".
// Earlier ones matter more (CASE wants ELSE first). With an empty construct there is no error but TypeId::none.
Type common_type(const std::vector<ExpressionPtr>& expressions, std::string_view construct);
ExpressionPtr coerce_to_common(const ExpressionPtr& expression, Type common, std::string_view construct,
                               ExpressionScope& scope);

// --- operators and functions (parse_oper.c, parse_func.c) ---

// left may be null: a prefix operator. 42883 "operator does not exist: integer + boolean" with its hint; 42725.
ExpressionPtr make_operator(std::string_view symbol, const ExpressionPtr& left, const ExpressionPtr& right,
                            int position, ExpressionScope& scope);
// The `=` (or `<`) of a type's default order; null if it has none. For GROUP BY, DISTINCT, ORDER BY, USING.
const OperatorEntry* equality_of(TypeId type);
const OperatorEntry* less_of(TypeId type);
// a = b for USING and NATURAL JOIN.
ExpressionPtr make_equality(const ExpressionPtr& left, const ExpressionPtr& right, int position,
                            ExpressionScope& scope);
// ORDER BY of an aggregate: an unknown becomes text; 42883 "could not identify an ordering operator for type json".
OrderKey analyse_order(const syntax::OrderItem& item, ExpressionScope& scope);
// ORDER BY ... USING operator: whether that means descending; 42809 "operator = is not a valid ordering operator".
bool is_descending_operator(std::string_view symbol, TypeId type, int position);

// --- arrays ---

// The subscripts of a[1], a[1:2][3] or of a jsonb, analysed; for reading and for assignment. 42804 "cannot subscript
// type integer because it does not support subscripting" at the container.
struct AnalysedSubscripts {
  std::vector<Subscript::Index> indexes;
  Type part;  // what they name: an element, a slice, a jsonb
};
AnalysedSubscripts analyse_subscripts(const std::vector<syntax::Expression::Subscript>& subscripts, Type container,
                                      int container_position, ExpressionScope& scope);

// --- records ---

// The fields of an expression of type record, as far as they can be told: of whole rows, ROW(...), functions with
// output columns, subqueries and what passes such through. Empty if they cannot.
std::vector<OutputName> fields_of(const Expression& record, ExpressionScope& scope);
// (record).* in select lists and row constructors: a FieldSelection for each. 42809 "type integer is not composite".
std::vector<Target> expand_record(const ExpressionPtr& record, int position, ExpressionScope& scope);

// The name of an output column that has none (FigureColname). Only a scalar subquery that selects `*` needs to be
// looked at after analysis.
std::string figure_column_name(const syntax::Expression& expression, const Expression* analysed = nullptr);

}  // namespace polarsim::engine::query
