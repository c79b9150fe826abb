// Who waits for whom on this node, and which backends of other nodes work for its sessions: what coordinators ask each
// other and the data nodes for when they look for deadlocks over nodes (cluster/deadlocks.h). The closest relative has
// a function for the first, dump_local_wait_edges().
#include "engine/executor/system_views_families.h"

namespace polarsim::engine::executor {

namespace {

constexpr std::int64_t epoch_2000_us = 946'684'800'000'000;

std::vector<Row> wait_rows(const SystemViewInputs& inputs) {
  std::vector<Row> rows;
  for (const txn::LockManager::Wait& wait : inputs.database.locks().waits()) {
    rows.push_back(
        {Value::integer(wait.waiter), Value::integer(wait.since_us - epoch_2000_us), Value::integer(wait.blocker)});
  }
  return rows;
}

std::vector<Row> worker_rows(const SystemViewInputs& inputs) {
  std::vector<Row> rows;
  for (const txn::Backend* const backend : inputs.database.backends()) {
    const txn::RemoteWork work = backend->remote_work();
    for (const txn::RemoteWork::Worker& worker : work.workers) {
      rows.push_back({Value::integer(backend->process_id()), Value::integer(work.transaction_start_us - epoch_2000_us),
                      Value::integer(worker.group_id), Value::integer(worker.process_id)});
    }
  }
  return rows;
}

}  // namespace

void add_wait_views(std::vector<SystemView>& to) {
  using enum TypeId;
  to.push_back(make_view(12301, catalog::system_schema, "polar_cluster_local_waits",
                         {{"waiting_pid", int4}, {"waitstart", timestamptz}, {"blocking_pid", int4}}, wait_rows));
  to.push_back(make_view(12302, catalog::system_schema, "polar_cluster_remote_workers",
                         {{"pid", int4}, {"xact_start", timestamptz}, {"groupid", int4}, {"worker_pid", int4}},
                         worker_rows));
}

}  // namespace polarsim::engine::executor
