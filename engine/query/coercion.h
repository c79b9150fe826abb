// The steps of a conversion that calls of functions need one by one (PostgreSQL's coerce_type() and its callers,
// src/backend/parser/parse_coerce.c). Private to the analysis of expressions; others use coerce().
#pragma once

#include <string_view>

#include "engine/query/expression_analysis.h"

namespace polarsim::engine::query {

// Converts to the type without regard to its modifier; there must be a way in this context (can_coerce()). What takes
// any type is given the expression as it is.
ExpressionPtr coerce_type(const ExpressionPtr& expression, Type target, CastContext context, CallForm form,
                          int position, ExpressionScope& scope);
inline ExpressionPtr coerce_implicitly(const ExpressionPtr& expression, TypeId target, ExpressionScope& scope) {
  return coerce_type(expression, target, CastContext::implicit, CallForm::implicit_cast, 0, scope);
}
// As coerce(), with the place of the cast's own syntax.
ExpressionPtr coerce_at(const ExpressionPtr& expression, Type target, CastContext context, CallForm form, int position,
                        ExpressionScope& scope);
// boolean, else 42804 "argument of AND must be type boolean, not type integer".
ExpressionPtr coerce_to_boolean(const ExpressionPtr& expression, std::string_view construct, ExpressionScope& scope);

// Rows of a table have a type of their own, which is no other table's and not that of ROW(...): what is to have a
// common type may not be of several. 42804 or 42846, as PostgreSQL says it.
void refuse_different_rows(const std::vector<ExpressionPtr>& expressions, std::string_view construct,
                           ExpressionScope& scope);

// The first of two positions in the text, where 0 is none.
inline int leftmost(int a, int b) { return a == 0 ? b : b == 0 ? a : a < b ? a : b; }
int leftmost(int position, const std::vector<ExpressionPtr>& arguments);

}  // namespace polarsim::engine::query
