// Which identifiers are those of transactions that have not ended, and whose (PostgreSQL's ProcArray). Private to the
// transaction manager.
#pragma once

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <vector>

#include "engine/storage/types.h"
#include "engine/txn/snapshot.h"

namespace polarsim::engine::txn {

struct OpenTransaction;

class RunningXids {
 public:
  void add(storage::Xid xid, OpenTransaction& owner) {
    // Identifiers rise, but for one wraparound in 2^32: the place is nearly always the end.
    values_.insert(std::upper_bound(values_.begin(), values_.end(), xid), xid);
    owners_.emplace(xid, &owner);
  }
  void remove(const std::vector<storage::Xid>& xids) {
    for (const storage::Xid xid : xids) owners_.erase(xid);
    if (xids.size() == 1) {
      values_.erase(std::lower_bound(values_.begin(), values_.end(), xids.front()));
    } else if (!xids.empty()) {
      std::erase_if(values_, [&](storage::Xid xid) { return !owners_.contains(xid); });
    }
  }
  // Null if it does not run.
  OpenTransaction* owner(storage::Xid xid) const {
    const auto found = owners_.find(xid);
    return found == owners_.end() ? nullptr : found->second;
  }
  // The oldest; `next`, which is the next to be given out, if there is none.
  storage::Xid oldest(storage::Xid next) const {
    if (values_.empty()) return next;
    // Those with larger values than `next` are from before the wraparound.
    const auto before_wraparound = std::upper_bound(values_.begin(), values_.end(), next);
    return before_wraparound == values_.end() ? values_.front() : *before_wraparound;
  }
  const std::vector<storage::Xid>& values() const { return values_; }  // sorted

 private:
  std::vector<storage::Xid> values_;
  boost::unordered_flat_map<storage::Xid, OpenTransaction*> owners_;
};

// The snapshots that are in use.
class SnapshotRegistry {
 public:
  // The snapshot must not move until remove().
  std::size_t add(const Snapshot& snapshot) {
    if (free_.empty()) {
      snapshots_.push_back(&snapshot);
      return snapshots_.size() - 1;
    }
    const std::size_t place = free_.back();
    free_.pop_back();
    snapshots_[place] = &snapshot;
    return place;
  }
  void remove(std::size_t place) {
    snapshots_[place] = nullptr;
    free_.push_back(place);
  }
  // The oldest xmin of all, or `latest` if that is older.
  storage::Xid oldest_xmin(storage::Xid latest) const {
    for (const Snapshot* const snapshot : snapshots_) {
      if (snapshot != nullptr && storage::xid_precedes(snapshot->xmin, latest)) latest = snapshot->xmin;
    }
    return latest;
  }
  bool any_in_progress_then(storage::Xid xid) const {
    return std::any_of(snapshots_.begin(), snapshots_.end(), [&](const Snapshot* snapshot) {
      return snapshot != nullptr && snapshot->in_progress_then(xid);
    });
  }

 private:
  std::vector<const Snapshot*> snapshots_;  // null: free
  std::vector<std::size_t> free_;
};

}  // namespace polarsim::engine::txn
