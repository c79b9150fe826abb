// Making a Job of a query: its tables, its parameters renumbered, what the coordinator computes once. Used by the
// planners of SELECT and of changes.
#pragma once

#include <map>

#include "engine/distribution/planner.h"

namespace polarsim::engine::distribution {

struct JobOptions {
  bool router = false;
  bool on_coordinator = false;
  int partitions = 0;
  // Of an INSERT: what stands in its targets and VALUES is computed by the coordinator as a whole if it is not
  // immutable.
  bool inserts = false;
};

// Which of a job's choices is a hash-distributed or single-shard table's, by the relation's number.
using ChoiceOfTable = std::map<std::uint32_t, std::size_t>;

// The statement's parameters keep their numbers if there is no gap among those that are used, else they get the numbers
// 1, 2, ... in order of their first use; functions that are stable and see no row become
// parameters, computed once by the coordinator.
std::shared_ptr<Job> make_job(const query::QueryPtr& query, std::vector<ShardChoicePtr> choices,
                              const ChoiceOfTable& choice_of, const DistributionInputs& inputs,
                              const JobOptions& options = {});

// The text for one set of shards: positions[i] is that of choices[i]. Empty where there are choices: of a task that
// finds all tables empty.
std::string task_text(const Job& job, const std::vector<std::size_t>& positions, int partition = -1);
// The text of another query over the job's tables. Its constants are written by `call`; null: as for every session.
std::string task_text_of(const Job& job, const query::QueryPtr& query, const std::vector<std::size_t>& positions,
                         const CallContext* call = nullptr);

}  // namespace polarsim::engine::distribution
