// The rows of one table, with their versions, in memory.
//
// A logical row is a chain of versions, oldest first; an update appends a version, a delete marks the chain. Versions
// of aborted transactions are taken out at once, so every version in a chain is committed, in progress or prepared.
// Because writers of a row exclude each other by row locks (txn/lock_table.h), at most one transaction has uncommitted
// versions in a chain, and they are the last ones. The contents are volatile: recovery rebuilds them from the WAL
// through the same functions.
//
// Rows keep their number for life; a scan visits them in order of insertion. The primary key index maps a key to every
// chain that has a version with that key. Pointers to chains are stable until the chain is removed, which may happen
// whenever the caller blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "engine/sql/value.h"

namespace polarsim::engine::legacy {

// Transaction identifiers are 64 bits wide and never wrap; 0 is none.
using Xid = std::uint64_t;
// Counts the statements of a transaction, so that a statement does not see its own changes.
using CommandId = std::uint32_t;
using RowId = std::uint64_t;
using RowPointer = std::shared_ptr<const Row>;

struct RowVersion {
  Xid created_by = 0;
  CommandId created_at = 0;
  RowPointer row;
};

struct RowChain {
  RowId id = 0;
  std::vector<RowVersion> versions;  // oldest first, never empty
  Xid deleted_by = 0;                // of the last version
  CommandId deleted_at = 0;
  bool several_keys = false;  // some update has changed the primary key
};

// NULL sorts last and equals NULL; for keys of indexes, groups and DISTINCT.
int compare_with_nulls(const Value& a, const Value& b);
struct RowLess {
  bool operator()(const Row& a, const Row& b) const;
};

class TableHeap {
 public:
  explicit TableHeap(std::vector<int> key_columns) : key_columns_(std::move(key_columns)) {}
  TableHeap(const TableHeap&) = delete;
  TableHeap& operator=(const TableHeap&) = delete;

  bool has_key() const { return !key_columns_.empty(); }
  const std::vector<int>& key_columns() const { return key_columns_; }
  Row key_of(const Row& row) const;
  bool same_key(const Row& a, const Row& b) const;

  RowId next_row_id() const { return next_row_id_; }
  // `id` must be free; numbers up to it are used up.
  RowChain& insert(RowId id, Xid xid, CommandId command, RowPointer row);
  void update(RowChain& chain, Xid xid, CommandId command, RowPointer row);
  void mark_deleted(RowChain& chain, Xid xid, CommandId command);
  // Takes back everything `xid` did to the row. No effect if it did nothing or the row is gone.
  void undo(RowId id, Xid xid);

  // True if no snapshot that exists or will exist distinguishes the state before the transaction from the state after
  // it.
  using SettledForAll = std::function<bool(Xid)>;
  // Drops versions that nobody can see any more, and the whole chain if it is deleted for all. True if nothing is left
  // to prune later.
  bool prune(RowId id, const SettledForAll& settled);

  RowChain* find(RowId id);
  // In order of insertion. The chains must not be removed meanwhile.
  const std::map<RowId, RowChain>& chains() const { return chains_; }
  // Chains with a version whose key is `key` or starts with `key` (in order of keys, each chain once per key).
  std::vector<const RowChain*> find_by_key(const Row& key) const;
  std::size_t version_count() const { return versions_; }

 private:
  void index_add(const Row& key, RowId id);
  void index_remove(const Row& key, RowId id);
  // Removes the versions [first, last) and the index entries that only they had.
  void remove_versions(RowChain& chain, std::size_t first, std::size_t last);

  std::vector<int> key_columns_;
  std::map<RowId, RowChain> chains_;
  std::map<Row, std::vector<RowId>, RowLess> index_;
  RowId next_row_id_ = 1;
  std::size_t versions_ = 0;
};

}  // namespace polarsim::engine::legacy
