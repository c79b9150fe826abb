#include "engine/cluster/recovery.h"

#include <algorithm>
#include <mutex>

#include "engine/types/quote.h"

namespace polarsim::engine::cluster {

namespace {

bool has(const std::vector<std::string>& sorted, const std::string& gid) {
  return std::binary_search(sorted.begin(), sorted.end(), gid);
}

}  // namespace

Recovery::Recovery(Coordinator& coordinator)
    : coordinator_(coordinator),
      executor_(coordinator.host(), coordinator.config().node),
      local_(coordinator.instance().connect()) {
  local_->set_trusted(true);
}

bool Recovery::is_own(std::string_view gid) const {
  const auto parsed = Gid::parse(gid);
  return parsed && parsed->group_id == coordinator_.group_id();
}

Recovery::Names Recovery::prepared_on(const NodeInfo& node) {
  const QueryResult result = executor_.run_on(node, "SELECT gid FROM pg_catalog.pg_prepared_xacts");
  Names names;
  for (const Row& row : result.rows) {
    if (is_own(row.at(0).as_text())) names.emplace_back(row[0].as_text());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Recovery::Names Recovery::records_of(const NodeInfo& node) {
  const Value group = Value::text(std::to_string(node.group_id));
  const QueryResult result =
      run_sql(*local_, coordinator_.statements(), "SELECT gid FROM pg_catalog.pg_dist_transaction WHERE groupid = $1",
              std::span(&group, 1));
  Names names;
  for (const Row& row : result.rows) {
    if (is_own(row.at(0).as_text())) names.emplace_back(row[0].as_text());
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool Recovery::decide(const NodeInfo& node, const std::string& decision, const std::string& gid) {
  try {
    executor_.run_on(node, decision + " " + quote_literal(gid));
    return true;
  } catch (const SqlError& error) {
    if (error.sqlstate() == sqlstate::undefined_object) return false;
    throw;
  }
}

void Recovery::delete_records(const Names& gids) {
  if (gids.empty()) return;
  syntax::StatementCache& statements = coordinator_.statements();
  try {
    run_sql(*local_, statements, "BEGIN");
    for (const std::string& gid : gids) {
      const Value parameter = Value::text(gid);
      run_sql(*local_, statements, "DELETE FROM pg_catalog.pg_dist_transaction WHERE gid = $1",
              std::span(&parameter, 1));
    }
    run_sql(*local_, statements, "COMMIT");
  } catch (const SqlError&) {
    if (local_->status() != TransactionStatus::idle) run_sql(*local_, statements, "ROLLBACK");
    throw;
  }
}

void Recovery::recover_node(const NodeInfo& node, RecoveryCounts& counts) {
  sim::Host& host = coordinator_.host();
  // The order of the next four statements is the safety argument of recovery.h.
  const Names prepared_first = prepared_on(node);
  host.fault_point("recovery/after-first-list");
  const std::set<TransactionId> active = coordinator_.active_transactions();
  const Names records = records_of(node);
  host.fault_point("recovery/after-records");
  const Names prepared_again = prepared_on(node);

  const auto is_active = [&active](const std::string& gid) { return active.contains(Gid::parse(gid)->transaction); };
  Names done;
  for (const std::string& gid : records) {
    if (is_active(gid)) {
      host.reached("recovery/active-left-alone");
      ++counts.left;
    } else if (!has(prepared_again, gid)) {
      done.push_back(gid);
    } else if (!has(prepared_first, gid)) {
      host.reached("recovery/prepared-between-lists");
      ++counts.left;
    } else {
      host.fault_point("recovery/before-commit-prepared");
      if (decide(node, "COMMIT PREPARED", gid)) {
        host.reached("recovery/committed");
        ++counts.committed;
      }
      host.fault_point("recovery/after-commit-prepared");
      done.push_back(gid);
    }
  }
  for (const std::string& gid : prepared_first) {
    if (has(records, gid)) continue;
    if (is_active(gid)) {
      host.reached("recovery/active-left-alone");
      ++counts.left;
      continue;
    }
    host.fault_point("recovery/before-rollback-prepared");
    if (decide(node, "ROLLBACK PREPARED", gid)) {
      host.reached("recovery/rolled-back");
      ++counts.rolled_back;
    }
  }
  delete_records(done);
  counts.records_deleted += static_cast<int>(done.size());
}

RecoveryCounts Recovery::run() {
  const std::lock_guard<sim::Mutex> lock(coordinator_.recovery_mutex());
  RecoveryCounts counts;
  const auto metadata = coordinator_.metadata();
  // Shards first, then what leads to them, as the session itself commits.
  for (const bool of_data_nodes : {true, false}) {
    for (const auto& [group, node] : metadata->nodes) {
      if (group == coordinator_.group_id() || node.holds_shards != of_data_nodes) continue;
      try {
        recover_node(node, counts);
      } catch (const SqlError& error) {
        coordinator_.host().reached("recovery/node-left-for-later");
        coordinator_.host().log("two-phase commit recovery on " + node.name + ": " + error.fields().message);
      }
    }
  }
  executor_.close();
  local_->close();
  return counts;
}

void run_recovery_daemon(Coordinator& coordinator) {
  while (true) {
    try {
      Recovery(coordinator).run();
    } catch (const SqlError& error) {
      coordinator.host().log("two-phase commit recovery: " + error.fields().message);
    }
    coordinator.host().sleep_for(coordinator.config().recover_2pc_interval);
  }
}

}  // namespace polarsim::engine::cluster
