// A statement after analysis (PostgreSQL's Query, src/include/nodes/parsenodes.h): what planners, local and
// distributed, views and EXPLAIN start from.
//
// The range table lists everything rows come from; columns name its entries by number. The join tree says how they are
// combined. Clauses that may repeat what the target list computes (GROUP BY, ORDER BY, DISTINCT, PARTITION BY) refer to
// entries of the target list, hidden ones included.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/query/expression.h"
#include "engine/query/relation.h"
#include "engine/syntax/ast.h"
#include "engine/types/value_type.h"

namespace polarsim::engine::query {

struct OutputName {
  std::string name;
  Type type;
};

// --- where rows come from ---

struct TableSource {
  RelationPtr relation;
  syntax::TableLockMode lock = syntax::TableLockMode::access_share;
};
struct SubquerySource {
  QueryPtr query;
  bool lateral = false;
  // The view that the query is the definition of; null: it was written in the statement.
  RelationPtr view = nullptr;
};
struct FunctionSource {
  struct Item {
    ExpressionPtr call;
    int columns = 1;
  };
  std::vector<Item> functions;  // several: ROWS FROM
  bool with_ordinality = false;
  bool lateral = false;
};
struct ValuesSource {
  std::vector<std::vector<ExpressionPtr>> rows;
  bool lateral = false;
};
struct CommonTableSource {
  int table = 0;  // in common_tables of the query `levels_up` around this one
  int levels_up = 0;
  bool recursive_reference = false;  // the working table, inside its own definition
};
// The columns of a join as USING and aliases make them; each is an expression over the joined entries, which may be
// joins again. Most columns of a join are columns of the tables joined; Column names a join's entry only where it made
// something of its own: a merged column of FULL JOIN ... USING, or of two types, or a whole row of a join's alias.
struct JoinSource {
  std::vector<ExpressionPtr> columns;
  // USING, or what NATURAL means, as the sides call them; the first columns are their merged ones.
  std::vector<std::string> using_columns = {};
  std::string using_alias = {};  // USING (...) AS name
};
// Rows computed from the state of a node: pg_locks and the like, and the one row of a sequence.
struct SystemViewSource {
  RelationPtr relation;
};
// Rows that come from somewhere else: what a distributed planner puts in the place of tables and subqueries. Analysis
// never makes one.
class CustomRows {
 public:
  virtual ~CustomRows() = default;
  // As EXPLAIN calls them: "PolarCluster Adaptive".
  virtual const char* name() const = 0;
  // The function call, without alias and column definitions, that means them in a task's text. Empty: no text does.
  virtual std::string call() const { return {}; }
};
struct CustomSource {
  std::shared_ptr<const CustomRows> rows;
};

struct RangeTableEntry {
  std::variant<TableSource, SubquerySource, FunctionSource, ValuesSource, CommonTableSource, JoinSource,
               SystemViewSource, CustomSource>
      source;
  std::string alias;  // what columns are qualified by; empty for joins without one
  bool alias_written = false;
  std::vector<OutputName> columns;  // in order of number; a dropped column of a table keeps its place, without a name

  POLARSIM_DECLARE_VALUE_TYPE(RangeTableEntry);
};

// --- how they are combined ---

enum class JoinType : std::uint8_t { inner, left, right, full };
struct JoinTree;
using JoinTreePtr = std::shared_ptr<const JoinTree>;
struct JoinTree {
  int entry = -1;  // of a leaf; of a join its JoinSource
  // A join has both; a leaf has neither.
  JoinTreePtr left;
  JoinTreePtr right;
  JoinType type = JoinType::inner;
  ExpressionPtr condition;  // null: none (CROSS JOIN)
  bool is_leaf() const { return left == nullptr; }
};

// --- clauses ---

struct Target {
  ExpressionPtr expression;
  std::string name;
  bool hidden = false;  // only for ORDER BY, GROUP BY and the like
  int column = 0;       // of the table changed, from 1; for INSERT and UPDATE
  // Where the value comes from, for RowDescription: a column of a table, or nothing.
  std::uint32_t table_id = 0;
  int table_column = 0;
};
// How a target is sorted or grouped: by its type's default order (USING has been translated to a direction).
struct SortClause {
  int target = 0;  // in Query::targets
  bool descending = false;
  bool nulls_first = false;
};
struct Window {
  using Mode = syntax::WindowSpecification::Mode;
  using Bound = syntax::WindowSpecification::Bound;
  using Exclusion = syntax::WindowSpecification::Exclusion;
  std::string name;               // empty: written at the call
  std::vector<int> partition_by;  // targets
  std::vector<SortClause> order_by;
  Mode mode = Mode::range;
  Bound start = Bound::unbounded_preceding;
  Bound end = Bound::current_row;
  ExpressionPtr start_offset;
  ExpressionPtr end_offset;
  Exclusion exclusion = Exclusion::nothing;
};
struct RowMark {
  int entry = 0;
  syntax::LockStrength strength = syntax::LockStrength::none;
  syntax::LockWait wait = syntax::LockWait::block;
};
struct CommonTable {
  std::string name;
  QueryPtr query;
  std::vector<OutputName> columns;
  bool recursive = false;
  enum class Materialized : std::uint8_t { by_use, always, never } materialized = Materialized::by_use;
  int uses = 0;
};
using SetOperator = syntax::SetOperator;  // never none
// UNION and the like: leaves are entries of the range table.
struct SetOperation;
using SetOperationPtr = std::shared_ptr<const SetOperation>;
struct SetOperation {
  int entry = -1;  // of a leaf
  SetOperator kind = SetOperator::union_of;
  bool all = false;
  SetOperationPtr left;
  SetOperationPtr right;
  std::vector<Type> types;
  bool is_leaf() const { return left == nullptr; }
};
struct ConflictClause {
  bool update = false;                // else: do nothing
  std::vector<std::size_t> arbiters;  // in Relation::indexes; empty: any
  std::vector<Target> assignments;    // over the table's entry and `excluded_entry`
  ExpressionPtr where;
  int excluded_entry = -1;
};

enum class Command : std::uint8_t { select, insert, update, remove };

struct Query {
  Command command = Command::select;
  std::vector<CommonTable> common_tables;
  std::vector<RangeTableEntry> entries;
  std::vector<JoinTreePtr> from;  // combined as by CROSS JOIN
  ExpressionPtr where;
  std::vector<Target> targets;
  std::vector<int> group_by;                    // targets
  std::vector<std::vector<int>> grouping_sets;  // of positions in group_by; empty: one set with all
  bool grouped = false;                         // GROUP BY, HAVING or an aggregate
  ExpressionPtr having;
  std::vector<Window> windows;
  std::vector<SortClause> order_by;
  bool distinct = false;
  std::vector<SortClause> distinct_on;  // it and order_by: the shorter is the beginning of the longer
  ExpressionPtr limit;                  // bigint
  ExpressionPtr offset;
  bool with_ties = false;
  std::vector<RowMark> row_marks;
  SetOperationPtr set_operation;

  // INSERT, UPDATE, DELETE. The targets of an INSERT are one for every column that gets a value, in order of the
  // table's columns, defaults written out; columns without one, and generated ones, have none. Its rows come from
  // `from`: a VALUES or subquery entry, or nothing (one row). UPDATE's targets are the columns changed, generated ones
  // not among them; its table is the first leaf of `from`, as is DELETE's.
  int result_entry = -1;
  std::optional<ConflictClause> on_conflict;
  std::vector<Target> returning;

  bool has_subqueries = false;
  bool has_set_functions = false;  // in the target list
  bool has_changing_common_tables = false;

  POLARSIM_DECLARE_VALUE_TYPE(Query);
};

}  // namespace polarsim::engine::query
