// Rows from elsewhere whose number is guessed by whoever gives them. To the planner they cost nothing: the work is done
// elsewhere, and there is no other way to get them.
#pragma once

#include "engine/query/query.h"

namespace polarsim::engine::plan {

class EstimatedCustomRows : public query::CustomRows {
 public:
  virtual double estimated_rows() const = 0;
};

}  // namespace polarsim::engine::plan
