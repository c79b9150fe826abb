// One execution of a distributed plan (distribution/plan.h): subplans first, their rows as intermediate results where
// they are read; then the tasks; then the merge by the coordinator's own session.
//
// Tasks of this node run in the local session's transaction, between the nodes' ones. What tasks change is part of the
// session's distributed transaction; whether nodes are in a block of it is the caller's to say: a statement of more
// than one task that changes, or of one with intermediate results, needs one.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/cluster/coordinator.h"
#include "engine/cluster/executor.h"
#include "engine/distribution/plan.h"
#include "engine/executor/executor.h"
#include "engine/node/local_session.h"

namespace polarsim::engine::cluster {

// Where a plan runs. All must outlive the execution.
struct ExecutionPlace {
  Coordinator& coordinator;
  Executor& executor;
  LocalSession& local;
  const Metadata& metadata;
  bool in_block = false;
  std::string begin;  // as nodes are to hear it that join
};

// Whether the plan's tasks need a block of the distributed transaction on their nodes.
bool needs_block(const distribution::DistributedPlan& plan, const distribution::StatementValues& values);

class DistributedExecution final : public executor::CustomRowSource {
 public:
  // `types`: of the statement's parameters.
  DistributedExecution(const ExecutionPlace& place, const distribution::StatementValues& values,
                       std::span<const Type> types)
      : place_(place), values_(values), types_(types) {}

  QueryResult run(const distribution::DistributedPlan& plan);
  std::unique_ptr<Rows> open(const plan::CustomScan& scan) override;

 private:
  struct Intermediate {
    std::vector<ResultColumn> columns;
    std::vector<std::vector<Row>> parts;  // one, or one for each partition
    bool partitioned = false;
  };

  void run_subplan(const distribution::Subplan& subplan);
  // The rows of all tasks.
  QueryResult run_job(const distribution::Job& job, const distribution::DistributedPlan& plan);
  QueryResult run_tasks(const distribution::Job& job, const std::vector<distribution::Task>& tasks,
                        const distribution::DistributedPlan& plan);
  QueryResult run_here(const distribution::Task& task, std::span<const Value> parameters);
  void send_results(const distribution::Job& job, const distribution::Task& task, int group);
  void send_rows(int group, const std::string& name, const Intermediate& result, const std::vector<Row>& rows);
  // As texts, which is how they travel.
  std::vector<Value> wire_parameters(const distribution::Job& job, const std::vector<Value>& values) const;

  const ExecutionPlace& place_;
  const distribution::StatementValues& values_;
  std::span<const Type> types_;
  std::map<std::string, Intermediate, std::less<>> results_;
  // Of the plan that is merged now: those of subplans are merged before.
  const distribution::Job* merged_job_ = nullptr;
  std::vector<Row> job_rows_;
  std::map<std::pair<int, std::string>, bool> sent_;               // results that nodes have, by group and name
};

}  // namespace polarsim::engine::cluster
