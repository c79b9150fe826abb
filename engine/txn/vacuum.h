// Vacuum: takes away row versions that nobody can see any more, with their index entries, and freezes old ones
// (PostgreSQL's src/backend/access/heap/vacuumlazy.c).
//
// Page by page: index entries go first, then the line pointers they led to are free again, so a crash in between leaves
// a dead version without entries, which the next run removes. A version older than vacuum_freeze_min_age whose inserter
// has committed is frozen, an old xmax that has ended without effect is taken off, a multixact that is old or over
// gives way to whoever of it still counts, so that the commit log and the multixacts can be cut at the oldest
// identifiers left. The free space map learns what each page has free.
//
// The table's toast relation is vacuumed after it, with the same horizon.
//
// Empty pages at a relation's end are given back by truncate(), which needs the table for itself. PostgreSQL tries for
// five seconds to get it; here the next vacuum tries again.
//
// Fault points: "vacuum/index-entries-removed", between a page's index entries and its line pointers;
// "vacuum/truncation-logged", between the record and the cut. Probe: "vacuum/truncated".
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/storage/btree.h"
#include "engine/txn/heap_access.h"

namespace polarsim::engine::txn {

struct VacuumIndex {
  storage::BTree* tree = nullptr;
  std::vector<std::size_t> columns;  // that the key is made of, from 0
  // The key that the index has for a row; may block. Nothing: whoever wants the entry has to search for it.
  std::function<std::optional<std::string>(Row)> key;
};

struct VacuumResult {
  std::uint64_t pages = 0;                          // of the table and its toast relation
  std::uint64_t removed = 0, kept = 0, frozen = 0;  // row versions; kept: dead, but not for everybody
  std::uint64_t live = 0;
  // Nothing older is left in the table and its toast relation.
  Xid oldest_xid = 0;
  MultiXactId oldest_multixact = 0;
  // Of the table and its toast relation, those that end in so many empty pages that it is worth giving them back.
  std::vector<RelationId> to_truncate;
};

class Vacuum {
 public:
  explicit Vacuum(Heap& heap) : heap_(heap) {}
  // The caller holds the table's lock in share_update_exclusive, and no snapshot. Blocks; others go on meanwhile.
  // `freeze`: whatever nobody sees otherwise any more is frozen, however young (VACUUM FREEZE).
  VacuumResult run(Backend& backend, const HeapTable& table, const std::vector<VacuumIndex>& indexes,
                   bool freeze = false);
  // The caller holds the table's lock in access_exclusive. Goes from the end to the last page that is in use, as long
  // as `go_on` says so, and gives back what lies behind it; returns how many pages that were. Blocks.
  storage::BlockNumber truncate(Backend& backend, RelationId relation, const std::function<bool()>& go_on);

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
