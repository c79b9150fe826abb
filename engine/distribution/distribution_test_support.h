// A cluster's tables, and what becomes of statements over them, for tests.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/distribution/planner.h"
#include "engine/query/analysis_test_support.h"

namespace polarsim::engine::distribution {

// A coordinator (group 0) and two data nodes (1 and 2). Four shards each: a (id int primary key, v int, s text), b (id
// int, w int, s text) and tgt (id int, v int, s text) together, by id; nc (k int, v int) apart, by k; txt (k text, v
// int) by k; given and serial_key, whose columns have defaults, with a. r (id int primary key, name text) and r2 are
// reference tables; one and two (x int, y int) single-shard tables of one group; loc (id int, v int) is the
// coordinator's own.
class ClusterTables final : public DistributionSource {
 public:
  ClusterTables();
  query::RelationSource& relations() { return relations_; }
  TableDistributionPtr find(const query::Relation& relation) override;
  int own_group() const override { return 0; }
  std::vector<int> groups() const override { return {0, 1, 2}; }

 private:
  query::DescribedRelations relations_;
  std::map<std::string, TableDistributionPtr, std::less<>> tables_;
};

struct PlanOptions {
  DistributionSettings settings;
  std::vector<Value> parameters;
  std::vector<Type> parameter_types;
  std::vector<Value> values;  // of a run of a plan that was made without them
};
DistributedPlanPtr distributed(std::string_view text, ClusterTables& tables, const PlanOptions& options = {});
// What is run where, line by line:
//   pushed down
//   1_1: router                                   of a subplan, whose own lines are indented
//   102000 on 1: SELECT ... (4 tasks)             the first task
//   merge: SELECT ...                             over tasks()
// or the error: "!0A000 text DETAIL ... HINT ...".
std::string described(std::string_view text, ClusterTables& tables, const PlanOptions& options = {});
std::string described(const DistributedPlan& plan, const StatementValues& values);

}  // namespace polarsim::engine::distribution
