// A SELECT bound to its table: everything an executor needs to run it over rows, in the order it needs it.
//
// rows -> where -> (if grouped: group by group_keys, aggregate, having) -> order_by -> distinct -> offset, limit ->
// columns. ORDER BY and GROUP BY by position or output name are resolved here, as are stars and PostgreSQL's checks of
// what may refer to what.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/sql/aggregate.h"
#include "engine/sql/analyze.h"

namespace polarsim::engine::sql {

struct OutputColumn {
  std::string name;
  BoundExpression expression;
};

struct SortKey {
  int column = -1;  // an output column; -1: `expression` is evaluated like an output column
  BoundExpression expression;
  bool descending = false;
  bool nulls_first = false;
};

struct AnalyzedSelect {
  std::vector<OutputColumn> columns;
  BoundExpression where;  // empty: all rows
  bool grouped = false;   // GROUP BY, HAVING or an aggregate call: one output row per group; without GROUP BY always
                          // exactly one group
  std::vector<BoundExpression> group_keys;
  AggregateCalls aggregates;
  BoundExpression having;  // empty: all groups
  std::vector<SortKey> order_by;
  bool distinct = false;
  BoundExpression limit;  // bigint; empty or NULL: none
  BoundExpression offset;
};

// `table` is null for a SELECT without FROM, and must outlive only the call. Throws what PostgreSQL would.
AnalyzedSelect analyze_select(const Select& select, const TableShape* table,
                              std::span<const TypeId> parameter_types = {});

// A select or RETURNING list: stars expanded, names given.
std::vector<OutputColumn> analyze_items(const std::vector<SelectItem>& items, const AnalyzeOptions& options);

// LIMIT and OFFSET for the statement: -1 means none. Throws 2201W, 2201X for negative numbers.
struct RowWindow {
  std::int64_t offset = 0;
  std::int64_t limit = -1;
};
RowWindow row_window(const AnalyzedSelect& select, const EvaluationContext& context);

// Negative, zero or positive: where `a` stands relative to `b` in the key's order, NULLs included.
int compare_for_sort(const Value& a, const Value& b, const SortKey& key);

// Rows collected into groups, in the order in which the groups were first seen.
class Grouping {
 public:
  // The select must outlive the grouping.
  explicit Grouping(const AnalyzedSelect& select);
  // One row that satisfies WHERE.
  void add(const EvaluationContext& context);

  struct Group {
    Row row;         // any row of the group: what group keys are evaluated over
    Row aggregates;  // by slot
  };
  // The groups that satisfy HAVING. `context` provides the parameters.
  std::vector<Group> finish(const EvaluationContext& context) const;

 private:
  struct RowLess {
    bool operator()(const Row& a, const Row& b) const;
  };
  struct Collected {
    Row row;
    std::vector<AggregateState> states;
  };

  const AnalyzedSelect& select_;
  std::map<Row, std::size_t, RowLess> by_key_;
  std::vector<Collected> groups_;
};

}  // namespace polarsim::engine::sql
