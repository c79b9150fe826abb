// Distributed plans: how a statement over shards is run.
//
//   1. `subplans`, in their order, but for those that nobody waits for: statements whose rows become intermediate
//   results, which later subplans, the tasks
//      and the merge read by name (PostgreSQL's rows in a file on the nodes that need them, in the relative).
//   2. the tasks of `job`: the same query for each of its shards, as text for the shards' nodes.
//   3. `merge`: a query for the local planner, in which one entry of the range table (TaskRows) stands for the rows of
//      all tasks. Null: the tasks' rows are the answer as they are, in any order.
//
// A plan is immutable, holds no state of a run, and may be kept as long as the metadata that it was made from are
// current: if `generic`, for all values of the parameters. What depends on them, which shards there is something to do
// on, is found when the tasks are made.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/distribution/shard_choice.h"
#include "engine/distribution/table.h"
#include "engine/plan/custom_rows.h"
#include "engine/query/query.h"

namespace polarsim::engine::distribution {

// The first that fits.
enum class Tier : std::uint8_t {
  local,          // no table of a node but this one: `merge` is the statement itself
  router,         // one task
  pushed_down,    // a task for each shard
  repartitioned,  // rows were sent first to where they are joined, or inserted: subplans with `partition`
  pulled,         // INSERT ... SELECT whose rows come together at this node first: the only subplan
};
const char* to_string(Tier tier);

// In place of a table or subquery: the rows of a subplan.
class IntermediateResult final : public query::CustomRows {
 public:
  explicit IntermediateResult(std::string result, bool partitioned = false)
      : result_(std::move(result)), partitioned_(partitioned) {}
  const char* name() const override { return "PolarCluster Intermediate Result"; }
  // "read_intermediate_result('1_1'::text, 'binary'::text)"
  std::string call() const override;
  const std::string& result() const { return result_; }
  // Each task reads its own partition: in its text, "_<partition>" follows the name.
  bool partitioned() const { return partitioned_; }

 private:
  std::string result_;
  bool partitioned_;
};

// Where a text's $n comes from.
struct ParameterSource {
  int statement_parameter = 0;  // from 1; 0: `value`
  query::ExpressionPtr value;   // sees no row; computed once for all tasks: now() and the like, random() in INSERT
};

// INSERT of several rows into a table with several shards: each task has the rows of its own shard. The query's rows
// are those of its VALUES.
struct RowsByShard {
  std::size_t column = 0;  // of VALUES: the distribution column
};

// A table that tasks read or write, with shards.
struct JobTable {
  query::RelationPtr relation;
  TableDistributionPtr distribution;
  std::size_t choice = 0;  // in Job::choices; of no meaning for reference tables
};

class TaskTexts;
struct Job {
  // What every task runs, over whole tables.
  query::QueryPtr query;
  std::vector<JobTable> tables;
  // One, all of whose shards have a task; or more, each of which is_single(): the one task is for the shards of all.
  // None: one task (reference tables and intermediate results alone).
  std::vector<ShardChoicePtr> choices;
  std::vector<ParameterSource> parameters;
  // The statement's parameters from the first, in order, and nothing else.
  bool same_parameters = false;
  bool writes = false;
  bool locks = false;  // takes row locks
  // One task, even if no shard is chosen: the tables of that choice are empty for it; if there is no other, it runs on
  // this node (count(*) has a row all the same).
  // Else there are as many tasks as shards.
  bool router = false;
  // The only task is this node's own: it reads tables that are nowhere else, or none at all.
  bool on_coordinator = false;
  // One task for each partition of the subplans that are split, not one for each shard; all tables are reference
  // tables.
  int partitions = 0;
  // Each shard's task reads the partition of its own number. Of an INSERT: a task whose partition has no rows may be
  // left out.
  bool partition_by_shard = false;
  // INSERT: a NULL in the distribution column, which is in no shard, is an error (22004). What `choices` ask for are
  // the parameters of the tasks, so that a value computed once is the one that is sent.
  bool inserts = false;
  std::optional<RowsByShard> rows;
  std::vector<std::string> results;  // the intermediate results that tasks read
  int own_group = 0;
  std::vector<int> all_groups;
  // Texts, made when they are first asked for.
  std::shared_ptr<TaskTexts> texts;
};
using JobPtr = std::shared_ptr<const Job>;

// In a merge query: the rows of all tasks.
class TaskRows final : public plan::EstimatedCustomRows {
 public:
  explicit TaskRows(JobPtr job) : job_(std::move(job)) {}
  // What the relative assumes.
  double estimated_rows() const override { return 100000; }
  const char* name() const override { return "PolarCluster Adaptive"; }
  const JobPtr& job() const { return job_; }

 private:
  JobPtr job_;
};

struct DistributedPlan;
using DistributedPlanPtr = std::shared_ptr<const DistributedPlan>;

// Rows are sent to the partition that their hash belongs to: a value of `column` (from 1) of each row is hashed like
// `type`. NULL is in no partition: dropped, or the error 22004 of the text `null_error`.
struct Partitioning {
  int column = 0;
  TypeId type = TypeId::none;
  struct Range {
    std::int32_t low = 0;
    std::int32_t high = 0;
  };
  std::vector<Range> ranges;
  std::string null_error = {};
};

struct Subplan {
  std::string name;  // "1_1"
  DistributedPlanPtr plan;
  // The rows of partition i are the result "1_1_<i>", which task i alone reads.
  std::optional<Partitioning> partition;
  // A common table that changes data and that nothing reads: it is run when the statement has been, the last of them
  // first (PostgreSQL's ExecPostprocessPlan(), executor/execMain.c).
  bool afterwards = false;
};

// A change of a table that only this node has is `merge`, over intermediate results and TaskRows; with a `job` it is an
// INSERT of the tasks' rows.
struct DistributedPlan {
  Tier tier = Tier::local;
  std::uint64_t id = 0;
  query::Command command = query::Command::select;
  std::vector<Subplan> subplans;
  JobPtr job;             // null: local
  query::QueryPtr merge;  // null: the tasks' rows are the answer
  std::vector<query::OutputName> columns;
  // Right for all values of parameters; else it was made for the ones that were given.
  bool generic = true;
};

// Whether common tables of the statement change data: all its parts are then to see what there was before it.
bool has_changing_subplans(const DistributedPlan& plan);

// What EXPLAIN calls the way of an INSERT ... SELECT whose rows do not stay where they are: "repartition" or "pull to
// coordinator", below "Custom Scan (PolarCluster INSERT ... SELECT)"; then follows the plan of the last subplan, which
// is no "Distributed Subplan". Null: the plan is not of that kind.
const char* insert_select_method(const DistributedPlan& plan);

// --- tasks ---

struct Task {
  std::vector<std::int64_t> shards;
  // To read: the first (or any) of them. To write: all.
  std::vector<int> groups;
  std::shared_ptr<const std::string> sql;
  // Of the text's $1...; shared by all tasks of a run.
  std::shared_ptr<const std::vector<Value>> parameters;
  bool writes = false;
  bool locks = false;
  int partition = -1;  // reads that partition of repartitioned results
};

// The tasks of a run, in order of their shards.
std::vector<Task> make_tasks(const Job& job, const StatementValues& values);

// The one task of a router over one colocation group, without the copies that make_tasks() makes. All lives as long as
// the job. None if it is not of that kind, or if there is no shard: ask make_tasks().
struct RoutedTask {
  std::int64_t shard = 0;  // of the first table
  const std::vector<int>* groups = nullptr;
  const std::shared_ptr<const std::string>* sql = nullptr;
  // The task's parameters are so many of the statement's, from the first.
  std::size_t parameters = 0;
};
std::optional<RoutedTask> route(const Job& job, const StatementValues& values);

}  // namespace polarsim::engine::distribution
