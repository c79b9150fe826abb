// From rows to the answer of a SELECT: grouping and aggregates, HAVING, ORDER BY, DISTINCT, OFFSET and LIMIT, the
// select list.
//
// Where the rows come from is not its business: a node feeds the rows of its own table that satisfied WHERE, a
// coordinator feeds what the shards delivered. Ties in ORDER BY, and the order without one, are the order of feeding;
// groups come in the order of their first row.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/node/session.h"
#include "engine/sql/select_analysis.h"

namespace polarsim::engine::exec {

std::vector<ResultColumn> result_columns(const std::vector<sql::OutputColumn>& columns);
// One output row.
Row project(const std::vector<sql::OutputColumn>& columns, const sql::EvaluationContext& context);

// The positions of the rows in the order that ORDER BY wants; `keys[i]` are the sort keys of row i. Ties stay in order
// of position.
std::vector<std::size_t> sorted_positions(const std::vector<Row>& keys, const std::vector<sql::SortKey>& order_by);

// Usage: Projection projection(analyzed, base); for each row: projection.add(row); result = projection.finish();
// WHERE is not looked at. `analyzed` must outlive the projection; `base` provides parameters and time.
class Projection {
 public:
  Projection(const sql::AnalyzedSelect& analyzed, const sql::EvaluationContext& base);

  // `row` is not needed after the call. Throws SqlError if an expression fails.
  void add(std::span<const Value> row);
  // True if no further row can change the answer (LIMIT without ORDER BY is satisfied).
  bool satisfied() const;
  // The output rows; to be called once.
  std::vector<Row> finish();

 private:
  void emit(const sql::EvaluationContext& context);
  void sort();
  void remove_duplicates();

  const sql::AnalyzedSelect& analyzed_;
  sql::EvaluationContext base_;
  sql::RowWindow window_;
  sql::Grouping grouping_;
  std::vector<Row> outputs_;
  std::vector<Row> sort_keys_;  // of the outputs; empty without ORDER BY
};

}  // namespace polarsim::engine::exec
