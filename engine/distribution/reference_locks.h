// The order in which all coordinators change the copies of a reference table, and what they lock first.
//
// One copy, that of the node with the least group, is the first for everybody: it is written before the others, which
// then follow in parallel, and rows of reference tables alone are locked there and nowhere else. So whoever waits for
// somebody waits on that node, where deadlocks are found.
//
// That is not enough for copies to stay the same: an UPDATE that starts before another one commits can see its rows on
// one copy and not on the next. Changes that depend on what they see are therefore one at a time for each table, as in
// the relative (distributed_execution_locks.c, an advisory lock on the shard); here the lock is one on the first copy,
// of a mode that lets plain INSERTs of others wait, too, but neither reads, nor row locks, nor the checks of foreign
// keys. SELECT ... FOR UPDATE and the like that join reference tables with shards lock rows on the node of the shards,
// which others would not hear of: they lock the whole first copy, against all but plain reads.
//
// Not prevented: deadlocks in which locks of other nodes than the first take part, as those that checks of foreign keys
// from shards take; statement_timeout ends them.
#pragma once

#include <string>
#include <vector>

#include "engine/distribution/plan.h"

namespace polarsim::engine::distribution {

int first_copy(const std::vector<int>& groups);

struct ReferenceLock {
  int group = 0;
  std::string sql;  // LOCK TABLE ...
};
// In the order in which they are to be taken, inside the transaction's block and before the task.
std::vector<ReferenceLock> reference_locks(const Job& job, const Task& task);
// Those of a change of a reference table, before its task is made; none for other jobs.
std::vector<ReferenceLock> reference_locks(const Job& job);

}  // namespace polarsim::engine::distribution
