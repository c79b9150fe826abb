// Vacuum: takes away row versions that nobody can see any more, with their index entries, and freezes old ones
// (PostgreSQL's src/backend/access/heap/vacuumlazy.c).
//
// Index entries go first, then the line pointers they led to are free again. A version older than `freeze_min_age` whose
// inserter has committed is frozen, a finished xmax is taken off, so that the commit log and the multixacts can be cut
// at the oldest identifier left.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/storage/btree.h"
#include "engine/txn/heap_access.h"

namespace polarsim::engine::txn {

struct VacuumIndex {
  storage::BTree* tree = nullptr;
  std::vector<int> columns;
};

struct VacuumResult {
  std::uint64_t pages = 0, removed = 0, kept = 0, frozen = 0;  // row versions; kept: dead, but not for everybody
  Xid oldest_xid = 0;                // left in the table
  MultiXactId oldest_multixact = 0;
};

class Vacuum {
 public:
  explicit Vacuum(Heap& heap) : heap_(heap) {}
  // The caller holds the table's lock in share_update_exclusive. Blocks; others go on meanwhile.
  VacuumResult run(Backend& backend, const HeapTable& table, const std::vector<VacuumIndex>& indexes);

 private:
  Heap& heap_;
};

}  // namespace polarsim::engine::txn
