// Plans of SQL text over three tables, their shapes and whether their columns exist, for tests.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "engine/plan/planner.h"
#include "engine/query/relation.h"

namespace polarsim::engine::plan {

// t (a int primary key, b int, c text) of 10000 rows; u (id int primary key, t_a int indexed, v text) of 100000 rows; s
// (x int, y int not null check (y > 0)) of 100 rows without index.
class PlanTables final : public query::RelationSource {
 public:
  PlanTables();
  query::RelationPtr open(std::string_view schema, std::string_view name, syntax::TableLockMode lock) override;
  bool has_schema(std::string_view name) const override { return name == "public"; }

 private:
  std::map<std::string, query::RelationPtr, std::less<>> tables_;
};

PlannedStatementPtr planned(std::string_view text);
// "Sort(Seq Scan t)": nodes by name with their children; scans with aliases; joins with their kinds. Subplans follow:
// "... | InitPlan: Aggregate(Seq Scan t)".
std::string shape(std::string_view text);
// The first column that a plan of the statement names and its child does not have; empty if all is well.
std::string broken_column(const PlannedStatement& statement);

}  // namespace polarsim::engine::plan
