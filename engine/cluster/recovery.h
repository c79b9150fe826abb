// The end of what two-phase commits have left behind, by the coordinator that began them.
//
// Data nodes come before coordinators: who is led to a shard by a definition that a round commits finds it there. A
// node that is down does not hold up the others, as it does not in the session's own second phase.
// For every other node, in this order, which is the safety argument:
//   P  the own transactions that are prepared on the node
//   A  the own transactions that are active in memory
//   T  the own commit records for the node, in one snapshot
//   Q  the prepared ones once more
// then for each:
//   record, active                          leave it: its session is at work
//   record, in P and in Q                   COMMIT PREPARED, then delete the record
//   record, in Q but not in P               leave it for the next round
//   record, not in Q                        delete the record: the node has committed
//   in P, no record in T, not active in A   ROLLBACK PREPARED
// Why: a transaction in P that is not in A, read later, had either ended or its coordinator had crashed; if it was
// decided, its record was committed before T was read. A record's transaction that is not in Q, and is not active, was
// prepared before the record was committed and has therefore been committed since. Transactions of other coordinators
// and of users are not touched: names are compared exactly (gid.h).
#pragma once

#include <cstdint>
#include <vector>

#include "engine/cluster/coordinator.h"
#include "engine/cluster/executor.h"

namespace polarsim::engine::cluster {

struct RecoveryCounts {
  int committed = 0;
  int rolled_back = 0;
  int records_deleted = 0;
  int left = 0;  // prepared or recorded, and not to be touched now
};

class Recovery {
 public:
  Recovery(Coordinator& coordinator);
  // One round over all nodes, data nodes first. A node that cannot be reached or answers with errors is left for the
  // next round.
  RecoveryCounts run();

 private:
  using Names = std::vector<std::string>;
  void recover_node(const NodeInfo& node, RecoveryCounts& counts);
  Names prepared_on(const NodeInfo& node);
  Names records_of(const NodeInfo& node);
  // False if the node no longer knows the transaction.
  bool decide(const NodeInfo& node, const std::string& decision, const std::string& gid);
  bool is_own(std::string_view gid) const;
  void delete_records(const Names& gids);

  Coordinator& coordinator_;
  Executor executor_;
  std::unique_ptr<LocalSession> local_;
};

// Runs a round at once and then every recover_2pc_interval, for ever.
void run_recovery_daemon(Coordinator& coordinator);

}  // namespace polarsim::engine::cluster
