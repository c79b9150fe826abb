// Rows of tables as scans give them: the table's columns, then the system columns asked for (query/system_columns.h).
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "engine/executor/executor_state.h"

namespace polarsim::engine::executor {

using storage::Tid;
using txn::VisibleRow;

// ctid as a value: "(page,item)".
Value value_of(Tid tid);
// Throws XX000 if it is none.
Tid tid_of(const Value& ctid);

class TableRows {
 public:
  TableRows(ExecutorState& state, const query::RelationPtr& relation, const std::vector<int>& system_columns)
      : state_(state), table_(state.open(relation)), system_columns_(system_columns) {}

  const OpenTable& table() const { return table_; }
  std::size_t width() const { return columns() + system_columns_.size(); }
  // Makes what lies in the heap a row of the scan. May block.
  void complete(Tid tid, Row& row);
  // The version at that place, if the statement's snapshot shows it; null: all columns are wanted.
  std::optional<Row> fetch(Tid tid, const storage::WantedColumns* wanted = nullptr);

 private:
  std::size_t columns() const { return table_.relation->columns.size(); }
  Value system_column(int number, Tid tid);

  ExecutorState& state_;
  const OpenTable& table_;
  const std::vector<int>& system_columns_;
};

}  // namespace polarsim::engine::executor
