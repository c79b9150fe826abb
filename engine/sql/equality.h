// Structural equality of trees: everything but positions in the text.
#pragma once

#include "engine/sql/ast.h"

namespace polarsim::engine::sql {

bool structurally_equal(const Expression& a, const Expression& b);
// Two absent expressions are equal.
bool structurally_equal(const ExpressionPtr& a, const ExpressionPtr& b);
bool structurally_equal(const Statement& a, const Statement& b);

}  // namespace polarsim::engine::sql
