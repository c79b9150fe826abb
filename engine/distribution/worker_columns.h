// The columns that shards give to the coordinator, collected while a query is split (merge.h).
#pragma once

#include <string>
#include <vector>

#include "engine/query/query.h"

namespace polarsim::engine::distribution {

class WorkerColumns {
 public:
  // The column for what shards compute, as the merge query sees it. `preferred`: its name; empty: "worker_column_<n>".
  // The same expression asked for twice is one column.
  query::ExpressionPtr column(const query::ExpressionPtr& expression, const std::string& preferred);
  // Always a column of its own.
  query::ExpressionPtr new_column(const query::ExpressionPtr& expression, const std::string& preferred);
  // A column that shards group by.
  query::ExpressionPtr group(const query::ExpressionPtr& expression, const std::string& preferred);

  // SELECT of the columns; grouped by what was asked for as a group.
  void finish(query::Query& worker) const;
  // "remote_scan", without a source, with the columns' names made different.
  query::RangeTableEntry entry() const;

 private:
  std::vector<query::Target> targets_;
  std::vector<int> groups_;
};

}  // namespace polarsim::engine::distribution
