// Who is told what the transactions of all nodes of a cluster do, from outside of the world (txn/observer.h). A branch
// is a transaction's part on one node.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "engine/storage/types.h"
#include "engine/txn/transaction_manager.h"

namespace polarsim::engine {

// A session of a coordinator, by the backend's process id that its client has been told.
struct CoordinatorSessionName {
  std::string coordinator;
  std::uint32_t process_id = 0;
  friend auto operator<=>(const CoordinatorSessionName&, const CoordinatorSessionName&) = default;
};

class ClusterObserver {
 public:
  virtual ~ClusterObserver() = default;
  // `process_id`: of the node's backend, unique since the node's boot.
  virtual void snapshot_taken(const std::string& node, std::uint32_t process_id) = 0;
  virtual void branch_begun(const std::string& node, storage::Xid xid, std::uint32_t process_id) = 0;
  virtual void branch_prepared(const std::string& node, storage::Xid xid, const std::string& gid) = 0;
  virtual void branch_ended(const std::string& node, storage::Xid xid, bool committed) = 0;
  // A session is about to give the node's backend a task, for the statement that its client has asked for. What the
  // backend does up to its next task is its work, even if the session has lost the connection meanwhile.
  virtual void task_begins(const CoordinatorSessionName& session, const std::string& node,
                           std::uint32_t process_id) = 0;
  // The node has recovered, and nobody has connected yet. `status_of` tells what has become of branches: those in
  // progress are prepared. Valid during the call only.
  using StatusOf = std::function<txn::XidStatus(storage::Xid)>;
  virtual void node_opened(const std::string& node, const StatusOf& status_of) = 0;
};

}  // namespace polarsim::engine
