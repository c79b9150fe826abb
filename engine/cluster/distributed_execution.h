// One execution of a distributed plan (distribution/plan.h): subplans first, their rows as intermediate results where
// they are read; then the tasks; then the merge by the coordinator's own session.
//
// If common tables change data, all that a node is asked are parts of one statement there
// (LocalSession::begin_parts()): they see what there was before it. There is no snapshot over all nodes. What copies of
// reference tables are changed is locked before, as their copies have to see the same.
//
// Tasks of this node run in the local session's transaction, between the nodes' ones. What tasks change is part of the
// session's distributed transaction. Nodes are in a block of it if the caller says so, if they read intermediate
// results, or if there is more than one task that changes something.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/cluster/coordinator.h"
#include "engine/cluster/executor.h"
#include "engine/distribution/explain.h"
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
  std::function<std::string()> begin;  // what nodes are to hear that join it
};

class DistributedExecution final : public executor::CustomRowSource {
 public:
  // `types`: of the statement's parameters.
  DistributedExecution(const ExecutionPlace& place, const distribution::StatementValues& values,
                       std::span<const Type> types)
      : place_(place), values_(values), types_(types), in_block_(place.in_block) {}

  // All rows at once: those of the tasks, as they have come from the nodes, and those of a merge besides.
  QueryResult run(const distribution::DistributedPlan& plan, const distribution::Subplan* subplan = nullptr);
  // Instead of run(), for plans whose tasks' rows are the answer of a SELECT: the rows of one task of each node, in the
  // tasks' order as far as that goes. False at the end.
  static bool can_stream(const distribution::DistributedPlan& plan);
  bool next_rows(const distribution::DistributedPlan& plan, std::vector<Row>& rows);
  std::unique_ptr<Rows> open(const plan::CustomScan& scan) override;
  // Last, if the transaction goes on: what nodes were lent they need not keep until its end. An error, which ends what
  // they have done at least since a savepoint, takes it along by itself.
  void take_back_results();
  // Whether nodes have been asked for anything in a block, so that an error of theirs decides nothing.
  bool in_block() const { return in_block_; }

  // EXPLAIN ANALYZE: before run(). The first task of each job is measured by its node, and all merges are, here.
  struct Measured {
    const distribution::Subplan* subplan = nullptr;  // null: the plan itself
    distribution::DistributedMeasurements measurements;
    std::unique_ptr<LocalSession::MeasuredRun> merge;
  };
  void measure(const plan::ExplainOptions& options) { measure_ = options; }
  // After run(), for as long as this lives; null if it was not run.
  const Measured* measured(const distribution::Subplan* subplan) const;

 private:
  struct Intermediate {
    std::vector<ResultColumn> columns;
    std::vector<std::vector<Row>> parts;  // one, or one for each partition
    bool partitioned = false;
  };

  // If common tables change data: what all that follows sees is what there is now.
  void begin_parts(const distribution::DistributedPlan& plan);
  void lock_references(const distribution::DistributedPlan& plan);
  void run_subplan(const distribution::Subplan& subplan);
  // The rows of all tasks. `measured`: null unless they are to be measured.
  void lock_shards(const distribution::DistributedPlan& plan);
  QueryResult run_job(const distribution::DistributedPlan& plan, Measured* measured);
  QueryResult run_tasks(const distribution::DistributedPlan& plan, const std::vector<distribution::Task>& tasks,
                        Measured* measured);
  QueryResult run_merge(const query::QueryPtr& merge, Measured* measured);
  QueryResult run_here(const std::string& sql, std::span<const Value> parameters);
  void send_results(const distribution::Job& job, const distribution::Task& task, int group);
  void send_rows(int group, const std::string& name, const Intermediate& result, const std::vector<Row>& rows);
  // How values are written for other nodes and read from them: objects by their names.
  CallContext wire_context() const;
  // A column of the tasks' answers that other nodes send as text, because its values mean nothing outside the node, or
  // have no form that could be read again.
  struct TextColumn {
    std::size_t position = 0;
    Type type;
    bool is_object = false;  // it has a name; else it is a row
  };
  static std::vector<TextColumn> text_columns(const distribution::Job& job);
  // Names become this node's objects; rows become texts here, too.
  std::optional<Value> table_of_shard(std::string_view name) const;
  void read_texts(QueryResult& answer, const std::vector<TextColumn>& columns, bool remote) const;
  // As texts, which is how they travel.
  std::vector<Value> wire_parameters(const distribution::Job& job, const std::vector<Value>& values) const;
  std::string begin() const { return in_block_ ? place_.begin() : std::string(); }

  const ExecutionPlace& place_;
  const distribution::StatementValues& values_;
  std::span<const Type> types_;
  bool in_block_;
  std::map<std::string, Intermediate, std::less<>> results_;
  // Of the plan that is merged now: those of subplans are merged before.
  const distribution::Job* merged_job_ = nullptr;
  std::vector<Row> job_rows_;
  std::optional<std::vector<distribution::Task>> streamed_;  // those that have not run yet
  std::map<std::pair<int, std::string>, bool> sent_;         // results that nodes have, by group and name
  std::optional<plan::ExplainOptions> measure_;
  std::vector<std::unique_ptr<Measured>> measured_;
};

}  // namespace polarsim::engine::cluster
