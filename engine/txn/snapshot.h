// Which transactions' effects a statement sees (PostgreSQL's SnapshotData, src/include/utils/snapshot.h).
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/storage/types.h"

namespace polarsim::engine::txn {

struct Snapshot {
  storage::Xid xmin = storage::first_normal_xid;  // all older ones had ended
  storage::Xid xmax = storage::first_normal_xid;  // this one and later ones had not begun
  std::vector<storage::Xid> in_progress;          // in between, subtransactions included; sorted by value
  storage::CommandId command = 0;  // of the statement that took it: it sees what earlier ones of its transaction did

  // Whether `xid` had not ended (or not begun) when the snapshot was taken.
  bool in_progress_then(storage::Xid xid) const {
    if (storage::xid_precedes(xid, xmin)) return false;
    if (!storage::xid_precedes(xid, xmax)) return true;
    return std::binary_search(in_progress.begin(), in_progress.end(), xid);
  }
};

}  // namespace polarsim::engine::txn
