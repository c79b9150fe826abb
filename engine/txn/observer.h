// Who is told what a node's transactions do, from outside of the node's world: for judging what clients see against
// what happened. An observer does nothing that the node could notice: it neither blocks, nor draws, nor sends.
#pragma once

#include <cstdint>
#include <string>

#include "engine/storage/types.h"

namespace polarsim::engine::txn {

class TransactionObserver {
 public:
  virtual ~TransactionObserver() = default;
  // Each is called at the very instant, with nothing in between that another task could see. `process_id` is of the
  // session's backend. What recovery decides is not told: ask the manager what became of whom once it is open.
  // A snapshot of a statement; under repeatable read the transaction's, once.
  virtual void snapshot_taken(std::uint32_t process_id) = 0;
  // The transaction has its identifier: it is about to write or to lock a row.
  virtual void identified(storage::Xid xid, std::uint32_t process_id) = 0;
  // Durably.
  virtual void prepared(storage::Xid xid, const std::string& gid) = 0;
  // From here on every new snapshot shows it, or none does.
  virtual void ended(storage::Xid xid, bool committed) = 0;
};

}  // namespace polarsim::engine::txn
