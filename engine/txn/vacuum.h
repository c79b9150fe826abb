// Vacuum: takes away row versions that nobody can see any more, with their index entries, and freezes old ones
// (PostgreSQL's src/backend/access/heap/vacuumlazy.c).
//
// Page by page: index entries go first, then the line pointers they led to are free again, so a crash in between leaves
// a dead version without entries, which the next run removes. A version older than vacuum_freeze_min_age whose inserter
// has committed is frozen, an old xmax that has ended without effect is taken off, a multixact that is old or over
// gives way to whoever of it still counts, so that the commit log and the multixacts can be cut at the oldest
// identifiers left. The free space map learns what each page has free. Pages at the end that are empty are not given
// back.
//
// The table's toast relation is vacuumed after it, with the same horizon.
//
// Fault point: "vacuum/index-entries-removed", between a page's index entries and its line pointers.
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
  std::uint64_t pages = 0;                          // of the table and its toast relation
  std::uint64_t removed = 0, kept = 0, frozen = 0;  // row versions; kept: dead, but not for everybody
  // Nothing older is left in the table and its toast relation.
  Xid oldest_xid = 0;
  MultiXactId oldest_multixact = 0;
};

class Vacuum {
 public:
  explicit Vacuum(Heap& heap) : heap_(heap) {}
  // The caller holds the table's lock in share_update_exclusive, and no snapshot. Blocks; others go on meanwhile.
  // `freeze`: whatever nobody sees otherwise any more is frozen, however young (VACUUM FREEZE).
  VacuumResult run(Backend& backend, const HeapTable& table, const std::vector<VacuumIndex>& indexes,
                   bool freeze = false);

 private:
  struct Cutoffs {
    Xid dead_before = 0;  // ended before this one: nobody sees it
    Xid freeze_before = 0;
    MultiXactId freeze_multixacts_before = 0;
  };
  class Pass;

  Heap& heap_;
};

}  // namespace polarsim::engine::txn
