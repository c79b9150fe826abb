// Which operator an expression means (PostgreSQL's src/backend/parser/parse_oper.c). Private to the analysis of
// expressions; others use make_operator().
#pragma once

#include <string>
#include <string_view>

#include "engine/query/expression_analysis.h"

namespace polarsim::engine::query {

// An operator as it was written; `schema` only with OPERATOR(schema.+).
struct OperatorName {
  std::string_view symbol;
  std::string_view schema = {};
  int position = 0;
};

struct OperatorChoice {
  const OperatorEntry* entry = nullptr;
  bool ambiguous = false;  // there were several, none best
};
// By exact types, else by the rules of chapter 10. `left` is none for prefix operators. Choices are remembered.
OperatorChoice choose_operator(std::string_view symbol, TypeId left, TypeId right);
// The same; 42883, 42725, 3F000 if there is none.
const OperatorEntry& find_operator_or_throw(const OperatorName& name, TypeId left, TypeId right,
                                            ExpressionScope& scope);

// left may be null. The node is an OperatorCall.
ExpressionPtr make_operator_call(const OperatorName& name, const ExpressionPtr& left, const ExpressionPtr& right,
                                 ExpressionScope& scope);
// left operator ANY/ALL (array).
ExpressionPtr make_array_comparison(const OperatorName& name, bool all, const ExpressionPtr& left,
                                    const ExpressionPtr& array, ExpressionScope& scope);

}  // namespace polarsim::engine::query
