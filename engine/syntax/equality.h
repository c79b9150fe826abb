// Whether two trees say the same, wherever in their texts it was written.
#pragma once

#include "engine/syntax/ast.h"

namespace polarsim::engine::syntax {

bool structurally_equal(const Expression& a, const Expression& b);
bool structurally_equal(const ExpressionPtr& a, const ExpressionPtr& b);  // either may be null
bool structurally_equal(const Select& a, const Select& b);
bool structurally_equal(const Statement& a, const Statement& b);

}  // namespace polarsim::engine::syntax
