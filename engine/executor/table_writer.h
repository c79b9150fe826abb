// New versions of rows: constraints, the heap, entries in indexes (PostgreSQL's src/backend/executor/execIndexing.c and
// ExecConstraints()). What UPDATE, DELETE and INSERT ... ON CONFLICT decide is in row_change.h and upsert.h.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/executor/index_keys.h"
#include "engine/executor/node_state.h"

namespace polarsim::engine::executor {

using storage::Tid;
using KeyOwner = txn::Heap::KeyOwner;

class TableWriter {
 public:
  TableWriter(ExecutorState& state, const plan::ModifyTable& node);

  const OpenTable& table() const { return table_; }
  txn::Heap& heap() const { return state_.database().heap(); }

  // Generated columns, then NOT NULL (23502) and CHECK (23514), with the row in the detail.
  void complete(Row& row);

  // A row that has been completed, with its index entries.
  Tid insert(const Row& row);
  // An entry for the version in every index. Waits until nobody else can come to own its keys; throws 23505 if
  // somebody does.
  void insert_entries(const Row& row, Tid tid);

  // --- one index, by its position in the table ---
  std::size_t index_count() const { return indexes_.size(); }
  std::size_t index_of(std::uint32_t id) const;
  // Whether the row's key may be in the index only once.
  bool must_be_unique(std::size_t index, const Row& row);
  void insert_entry(std::size_t index, const Row& row, Tid tid);
  // The same without waiting: false, and no entry, if somebody may own the key.
  bool try_insert_entry(std::size_t index, const Row& row, Tid tid);
  // Who has the row's key, or may come to have it.
  KeyOwner find_owner(std::size_t index, const Row& row);
  // The places of the row's key.
  std::vector<Tid> places(std::size_t index, const Row& row);

  // Whether a column of some unique index differs: then an UPDATE must exclude those who rely on the row's key.
  bool changes_key(const Row& before, const Row& after);
  // Whether these columns, from 1, are part of some such index.
  bool names_key(const std::vector<int>& columns) const;

 private:
  struct Index {
    const catalog::Index* index;
    storage::BTree* tree;
    std::unique_ptr<IndexKeys> keys;
  };
  std::string key(Index& index, const Row& row);
  KeyOwner owner_among(Index& index, const std::string& key, const std::vector<Tid>& tids);
  KeyOwner insert_unless_owned(Index& index, const Row& row, Tid tid);
  [[noreturn]] void throw_unique_violation(Index& index, const Row& row);
  void check_not_null(const Row& row) const;
  std::string failing_row(const Row& row) const;

  struct Generated {
    std::size_t column;
    Evaluator value;
  };
  ExecutorState& state_;
  const OpenTable& table_;
  std::vector<Index> indexes_;
  std::vector<Generated> generated_;
  std::vector<Evaluator> checks_;
};

}  // namespace polarsim::engine::executor
