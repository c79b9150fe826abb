// Finding rows of one table, and bringing versions in and out of its indexes: what all statements share.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/exec/execution.h"

namespace polarsim::engine::exec {

using storage::Tid;
using txn::VisibleRow;

// A table as a statement sees it.
struct OpenTable {
  catalog::TablePtr table;
  sql::TableShape shape;  // qualified by the alias, if any
  const TableDefinition& definition() const { return *table->definition; }
  const txn::HeapTable& heap() const { return table->heap; }
};

// Locks the table for as long as the transaction lasts. Throws 42P01 (with the position of the name), 42809 for what
// can only be read if `mode` is for changing.
OpenTable open_table(ExecutionContext& context, const sql::TableName& name, txn::LockMode mode);
sql::TableShape shape_of(const TableDefinition& definition, std::string_view reference);
// "schema.table" as the statement wrote it.
std::string written_name(const sql::TableName& name);

// The table and the snapshot of a statement, in PostgreSQL's order: under read committed the snapshot is taken after
// the lock, so that it shows what the statement had to wait for; that of a repeatable read transaction is taken by its
// first statement before anything else.
class StatementScope {
 public:
  StatementScope(ExecutionContext& context, const sql::TableName& name, txn::LockMode mode);
  const OpenTable& table() const { return table_; }
  const txn::Snapshot& snapshot() const { return **snapshot_; }

 private:
  std::optional<txn::ActiveSnapshot> snapshot_;
  OpenTable table_;
};

// The rows that the snapshot shows and that satisfy the condition: by an index whose leading columns the condition
// fixes, in order of its keys; else all of them, in order of their places. `condition` is `where`, analysed; both may
// be null. Everything it was made of must outlive it. It may be held across whatever the statement does with the rows.
class RowFinder {
 public:
  RowFinder(ExecutionContext& context, const OpenTable& table, const txn::Snapshot& snapshot,
            const sql::ExpressionPtr& where, const sql::BoundExpression& condition);
  // Replaces what `rows` held by some more rows, at least one; false at the end. Blocks.
  bool next(std::vector<VisibleRow>& rows);

 private:
  void choose_index(const sql::ExpressionPtr& where);
  bool qualifies(const Row& row) const;
  bool next_by_index(std::vector<VisibleRow>& rows);

  ExecutionContext& context_;
  const OpenTable& table_;
  const txn::Snapshot& snapshot_;
  const sql::BoundExpression& condition_;
  bool nothing_matches_ = false;
  std::optional<storage::BTree::Scan> index_scan_;
  std::optional<txn::Heap::Scan> heap_scan_;
  std::vector<storage::BTree::Entry> entries_;
};

// --- indexes ---
std::string index_key(const IndexDefinition& index, const Row& row);
// Whether the key may be in a unique index only once: it has no NULL.
bool must_be_unique(const IndexDefinition& index, const Row& row);
bool same_key(const IndexDefinition& index, const Row& a, const Row& b);
// Whether a column of some unique index differs: then an UPDATE must exclude those who rely on the row's key.
bool changes_key(const OpenTable& table, const Row& before, const Row& after);
// An entry for the row version in every index. Waits until nobody else can come to own its keys; throws 23505 if
// somebody does.
void insert_index_entries(ExecutionContext& context, const OpenTable& table, const Row& row, Tid tid);
// The same in one index, but without waiting: false, and no entry, if somebody may own the key.
bool try_insert_index_entry(ExecutionContext& context, const OpenTable& table, const catalog::Index& index,
                            const Row& row, Tid tid);
void insert_index_entry(ExecutionContext& context, const OpenTable& table, const catalog::Index& index, const Row& row,
                        Tid tid);
// Who has the row's key, or may come to have it.
txn::Heap::KeyOwner find_key_owner(ExecutionContext& context, const OpenTable& table, const catalog::Index& index,
                                   const Row& row, const std::vector<Tid>& tids);
[[noreturn]] void throw_unique_violation(const OpenTable& table, const IndexDefinition& index, const Row& row);
// "(id, name)=(1, x)" as PostgreSQL shows a key.
std::string key_description(const TableDefinition& definition, const IndexDefinition& index, const Row& row);

// Throws 23502 with the row in the detail.
void check_not_null(const TableDefinition& definition, const Row& row);

}  // namespace polarsim::engine::exec
