// From paths to plans: expressions of the query become expressions over the rows of children (PostgreSQL's
// optimizer/plan/createplan.c and setrefs.c).
#pragma once

#include "engine/plan/level.h"

namespace polarsim::engine::plan {

// A value that a nested loop hands to its right side.
struct OuterValue {
  ExpressionPtr expression;
  int parameter = 0;
};
struct Placement {
  const std::vector<ExpressionPtr>& first;
  const std::vector<ExpressionPtr>& second;
  StatementState* statement = nullptr;
  std::vector<OuterValue>* outer_values = nullptr;  // columns found nowhere become parameters; null: XX000
};
ExpressionPtr place(const ExpressionPtr& expression, const Placement& placement);
std::vector<ExpressionPtr> place(const std::vector<ExpressionPtr>& expressions, const Placement& placement);

Stage build_path(Level& level, const PathPtr& path);

// --- stages ---

// Around a child, whose row it sees and gives.
Stage make_stage(Plan::Node node, const Stage& child);
// The node gives exactly these; a Result is put above where the node cannot compute.
Stage project(Level& level, Stage stage, const std::vector<ExpressionPtr>& wanted,
              const std::vector<std::string>& names);
// All it gives already, and these.
Stage extend(Level& level, Stage stage, const std::vector<ExpressionPtr>& wanted);
// The position among the stage's outputs, from 1; 0: none.
int position_of(const Stage& stage, const ExpressionPtr& expression);
Stage sort_stage(const Level& level, const Stage& stage, std::vector<SortKey> keys, double limit_rows);

}  // namespace polarsim::engine::plan
