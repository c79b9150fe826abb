// The walk over one syntax tree behind analyse_expression(). Private to the analysis of expressions.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "engine/query/coercion.h"
#include "engine/query/expression_analysis.h"
#include "engine/query/expression_walk.h"
#include "engine/query/operator_resolution.h"
#include "engine/query/type_resolution.h"

namespace polarsim::engine::query {

class ExpressionAnalyser {
 public:
  explicit ExpressionAnalyser(ExpressionScope& scope) : scope_(scope) {}

  // The type may stay unknown.
  ExpressionPtr analyse(const syntax::Expression& expression);
  ExpressionPtr analyse(const syntax::ExpressionPtr& expression) { return analyse(*expression); }
  OrderKey analyse_order(const syntax::OrderItem& item) { return make_order(analyse(item.expression), item); }

 private:
  using Syntax = syntax::Expression;
  using Expressions = std::vector<ExpressionPtr>;

  Expressions analyse_all(const std::vector<syntax::ExpressionPtr>& expressions);
  // As analyse_all(), with stars replaced by what they stand for.
  Expressions analyse_list(const std::vector<syntax::ExpressionPtr>& expressions);

  // --- expression_analysis.cpp ---
  ExpressionPtr logical(const Syntax& expression);
  ExpressionPtr boolean_test(const Syntax& expression);
  ExpressionPtr null_test(const Syntax& expression);
  ExpressionPtr case_when(const Syntax& expression);
  ExpressionPtr coalesce(const Syntax& expression);
  ExpressionPtr min_max(const Syntax& expression);
  ExpressionPtr cast(const Syntax& expression);
  ExpressionPtr row_of_its_own_type(const Syntax& cast);
  ExpressionPtr row_of_relation(const Syntax& cast);
  ExpressionPtr row_as(const RowConstructor& row, const RelationPtr& relation, int position);
  ExpressionPtr collate(const Syntax& expression);
  ExpressionPtr value_function(const Syntax& expression);
  OrderKey make_order(const ExpressionPtr& expression, const syntax::OrderItem& item);
  // Refuses calls of set-returning functions that were met since there were `before`.
  void refuse_set_calls(int before, std::string_view construct);

  // --- comparison_analysis.cpp ---
  ExpressionPtr operation(const Syntax& expression);
  ExpressionPtr array_comparison(const Syntax& expression);
  ExpressionPtr in_list(const Syntax& expression);
  ExpressionPtr between(const Syntax& expression);
  ExpressionPtr distinct_test(const Syntax& expression);
  ExpressionPtr null_if(const Syntax& expression);
  ExpressionPtr compare_rows(const OperatorName& name, const Expressions& left, const Expressions& right);
  ExpressionPtr make_distinct_test(const ExpressionPtr& left, const ExpressionPtr& right, int position);
  ExpressionPtr make_logical(Logical::Kind kind, Expressions arguments, int position);

  // --- array_analysis.cpp ---
  // `wanted`: the array type a cast asks for, or none.
  ExpressionPtr array(const Syntax& expression, Type wanted);
  ExpressionPtr subscript(const Syntax& expression);

  // --- record_analysis.cpp ---
  ExpressionPtr row(const Syntax& expression);
  ExpressionPtr field(const Syntax& expression);

  // --- subquery_analysis.cpp ---
  ExpressionPtr subquery(const Syntax& expression);
  ExpressionPtr subquery_comparison(const Syntax& expression);
  ExpressionPtr compare_with_subquery(Subquery::Kind kind, const OperatorName& name, const Syntax& written_left,
                                      const syntax::SelectPtr& written_query);

  // --- call_analysis.cpp ---
  struct CallParts;
  ExpressionPtr call(const Syntax& expression);
  ExpressionPtr resolve_call(CallParts& parts);
  ExpressionPtr make_call(CallParts& parts);
  ExpressionPtr make_aggregate(CallParts& parts);
  ExpressionPtr make_ordered_set_aggregate(CallParts& parts);
  ExpressionPtr make_window_call(CallParts& parts);
  // name(argument) or (argument).name; null if there is neither a field nor a function nor a type of the name.
  ExpressionPtr call_on_one(std::string_view name, const ExpressionPtr& argument, int position);

  ExpressionScope& scope_;
  // Calls of set-returning functions met so far, and where the last one stands.
  int set_calls_ = 0;
  int last_set_call_position_ = 0;
};

// The field of the name as a selection; null if there is none or the fields are not known.
ExpressionPtr select_field(const ExpressionPtr& record, std::string_view name, ExpressionScope& scope);

}  // namespace polarsim::engine::query
