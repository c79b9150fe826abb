// Where conditions are looked at, what follows from equalities, and in which orders outer joins may be done
// (PostgreSQL's src/backend/optimizer/plan/initsplan.c and path/equivclass.c).
#pragma once

#include "engine/plan/level.h"

namespace polarsim::engine::plan {

// Fills bases, conditions, classes and special joins of the level from its tree.
void distribute_conditions(Level& level);
// What must hold of rows of left and right together and of neither alone.
std::vector<const Condition*> conditions_between(Level& level, Relids left, Relids right);
// Only those that follow from equivalence; for the index of `base`, with any other relation.
std::vector<const Condition*> equalities_with_others(Level& level, int base);
// The class of an expression rows may be sorted by; made if there is none.
int class_of(Level& level, const ExpressionPtr& expression);
int find_class_of(const Level& level, const ExpressionPtr& expression);
// Whether all rows are equal in it, so that an order by it means nothing.
bool is_constant_class(const Level& level, int id);
// The type whose hash and order both sides of an equality share; none if they share none.
TypeId shared_type(TypeId left, TypeId right);
// A condition with its properties; kept by the level.
const Condition* make_condition(Level& level, const ExpressionPtr& expression, Relids required, bool pushed_down);

}  // namespace polarsim::engine::plan
