// Plans: how a query is run (PostgreSQL's src/include/nodes/plannodes.h).
//
// A plan is a tree of nodes. Each gives rows of `targets`, and its expressions see (query/program.h):
//
//   scans                 Column{0, n}: column n of what is scanned, then the system columns the scan was asked for
//   joins                 Column{0, n}: the left (outer) row, Column{1, n}: the right (inner) row. A semi join's right
//                         row is the first that matched, an anti join's is all NULL
//   Aggregate             `groups` and the aggregates' arguments see the child's row; targets and conditions see the
//                         groups' values, the aggregates' results, those of `grouping`, those of `carried`
//   WindowAgg             likewise, but targets see the child's row, then the window functions' results
//   ModifyTable           see there
//   others                the child's row
//
// A row may have more columns than whoever reads it wants: hidden ones (sort keys that are not shown, the places of
// rows to be locked) come last. Readers go by position and ignore what follows.
//
// So there are no aggregates, window calls, queries or outer columns in a plan's expressions: what comes from outside
// are parameters of the plan (Parameter::of_plan) and subplans. For EXPLAIN, whoever reads a plan follows columns down
// to where they come from.
//
// Plans are immutable and hold no state of a run; one plan may be run many times.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/query/query.h"
#include "engine/types/value_type.h"

namespace polarsim::engine::plan {

using query::ExpressionPtr;
using query::JoinType;

struct Plan;
using PlanPtr = std::shared_ptr<const Plan>;

struct Cost {
  double startup = 0;
  double total = 0;
  double rows = 1;
  int width = 0;
};

struct SortKey {
  int column = 0;  // of the child's row, from 1
  TypeId type = TypeId::none;
  bool descending = false;
  bool nulls_first = false;
};

// --- scans ---

// Which of a table's columns somebody reads, by position, those beyond its end not; nothing: all. A scan gives the
// others as NULL, so that their values need not be made, nor fetched from where long ones lie (as PostgreSQL's slots
// are deformed only as far as needed).
using ColumnsRead = std::optional<std::vector<bool>>;

// A table, all its rows in order of place.
struct SeqScan {
  query::RelationPtr relation;
  std::vector<int> system_columns;  // system_columns.h: their values follow the table's
  ColumnsRead columns_read;
};
// Rows by an index, in its order.
struct IndexScan {
  // key <operator> value: value sees no row, but parameters of the plan.
  struct Bound {
    std::size_t key = 0;  // position among the index's keys
    enum class Comparison : std::uint8_t {
      less,
      less_equal,
      equal,
      greater_equal,
      greater,
      in_array,
      is_null,
      is_not_null
    } comparison = Comparison::equal;
    ExpressionPtr value;      // of the column's type or one of its family (integers, floats, texts); in_array: an array
    ExpressionPtr condition;  // what it was made of, for EXPLAIN and for looking again at a changed row
  };
  query::RelationPtr relation;
  std::size_t index = 0;  // in Relation::indexes
  std::vector<Bound> bounds;
  bool backward = false;
  // No columns but the index's keys are wanted: whoever knows that a row is visible need not read the table.
  bool index_only = false;
  std::vector<int> system_columns;
  ColumnsRead columns_read;
};
struct SubqueryScan {};  // the child is the subquery's plan
struct FunctionScan {
  query::FunctionSource source;
  std::vector<query::OutputName> columns =
      {};  // of all functions, in order: what those are asked for that make records
};
struct ValuesScan {
  std::vector<std::vector<ExpressionPtr>> rows;
};
struct SystemViewScan {
  query::RelationPtr relation;
};
// The rows of PlannedStatement::subplans[subplan], computed once as far as somebody asks.
struct CommonTableScan {
  int subplan = 0;
};
// Inside the recursive part: the rows that the last round found.
struct WorkTableScan {
  int work_table = 0;  // RecursiveUnion::work_table
};

// --- joins: left, right ---

enum class PlanJoin : std::uint8_t { inner, left, right, full, semi, anti };
const char* to_string(PlanJoin join);  // "Inner", "Left", ...
struct NestedLoop {
  PlanJoin type = PlanJoin::inner;  // never right or full
  // Set from the left row before the right side is run again.
  std::vector<query::Subplan::Argument> parameters;
  std::vector<ExpressionPtr> condition;  // the join's own, as opposed to Plan::conditions, which come after it
};
struct HashJoin {
  PlanJoin type = PlanJoin::inner;
  std::vector<ExpressionPtr> left_keys;        // over the left row, as Column{0, n}
  std::vector<ExpressionPtr> right_keys;       // over the right row alone, as Column{0, n}
  std::vector<TypeId> key_types;               // both sides have been converted to it, or belong to one integer family
  std::vector<ExpressionPtr> hash_conditions;  // left = right, for EXPLAIN
  std::vector<ExpressionPtr> condition;        // what else must hold of both
};
struct MergeJoin {
  PlanJoin type = PlanJoin::inner;
  std::vector<ExpressionPtr> left_keys;
  std::vector<ExpressionPtr> right_keys;
  std::vector<SortKey> order;  // of both sides; `column` means nothing
  std::vector<ExpressionPtr> merge_conditions;
  std::vector<ExpressionPtr> condition;
};

// --- one child ---

struct Result {};      // without a child: one row; with one: conditions that need no row of it (One-Time Filter)
struct ProjectSet {};  // targets may be calls of set-returning functions, at the top
struct Materialize {};
struct Sort {
  std::vector<SortKey> keys;
};
struct AggregateCall {
  const FunctionEntry* function = nullptr;
  // Of an ordered-set aggregate: what is aggregated, as `order_by` has it, then the direct ones.
  std::vector<ExpressionPtr> arguments;
  std::size_t direct_arguments = 0;
  std::vector<query::OrderKey> order_by;
  ExpressionPtr filter;
  bool distinct = false;
  bool star = false;
  Type type;
};
struct Aggregate {
  enum class Strategy : std::uint8_t { plain, sorted, hashed, mixed } strategy = Strategy::plain;
  std::vector<SortKey> groups;  // columns of the child's row; direction means nothing
  // Grouping sets, each as positions among `groups`; empty: one with all. GROUPING() is an aggregate here: `grouping`.
  std::vector<std::vector<int>> sets;
  std::vector<AggregateCall> aggregates;
  std::vector<std::vector<int>> grouping;  // positions among `groups`; follow the aggregates in the row targets see
  // Columns of the child's row that depend on the groups (GROUP BY a primary key): any row's of the group will do.
  std::vector<int> carried;
};
struct WindowCall {
  const FunctionEntry* function = nullptr;
  std::vector<ExpressionPtr> arguments;
  ExpressionPtr filter;
  bool star = false;
  Type type;
};
struct WindowAgg {
  std::vector<SortKey> partition_by;  // the child is sorted by these, then by order_by
  std::vector<SortKey> order_by;
  query::Window window;  // frame; its offsets see no row
  std::vector<WindowCall> calls;
};
struct Unique {
  std::vector<SortKey> keys;
};
struct LockRows {
  struct Mark {
    query::RelationPtr relation;
    query::RowMark mark;
    // Of the child's row, from 1: its place, NULL where an outer join found no row. If `relation` is null the scan is
    // not one of a table, and this is its whole row as a record.
    int tid_column = 0;
    // Plan::entry of the scan that gives this row (or the newest version of it) when the plan is run again.
    int entry = 0;
  };
  std::vector<Mark> marks;
};
struct Limit {
  ExpressionPtr limit;        // null: none
  ExpressionPtr offset;       // null: none
  std::vector<SortKey> ties;  // WITH TIES: equal in these
};

// --- many children ---

struct Append {};  // the children's rows one after the other; they are alike
// The left child's rows, less or together with the right child's.
struct SetOperation {
  query::SetOperator kind = query::SetOperator::intersect;
  bool all = false;
  std::vector<SortKey> columns;
};
// Left child: the first rows; right child: run again over the work table until it finds nothing.
struct RecursiveUnion {
  int work_table = 0;
  bool all = true;
  std::vector<SortKey> columns;  // for UNION without ALL
};

// INSERT, UPDATE, DELETE; targets are RETURNING's and see the new (DELETE: the old) row of the table as Column{0, n},
// followed by its system columns, followed by the child's row. Without RETURNING (`returning` is false) there are no
// rows.
struct ModifyTable {
  query::Command command = query::Command::insert;
  query::RelationPtr relation;
  // INSERT: the child's row has a value for each column of the table. UPDATE: the child's row begins with the values of
  // `columns`. UPDATE and DELETE: tid_column tells which row.
  std::vector<int> columns;
  int tid_column = 0;
  int entry = 0;  // as LockRows::Mark::entry
  bool returning = false;
  std::vector<int> system_columns;  // of the new row, for RETURNING
  // Where the child joins other tables: how to find their rows again when the changed row has to be looked at once
  // more.
  std::vector<LockRows::Mark> others;
  struct Conflict {
    bool update = false;
    std::vector<std::size_t> arbiters;
    std::vector<int> columns;           // what `values` are for
    std::vector<ExpressionPtr> values;  // over Column{0, n}: the existing row, Column{1, n}: the proposed one
    std::vector<ExpressionPtr> conditions;
  };
  std::optional<Conflict> conflict;
  // Computed from the new row (Column{0, n}: its columns) once it is complete, before `checks`.
  struct Generated {
    int column = 0;
    ExpressionPtr value;
  };
  std::vector<Generated> generated;
  std::vector<ExpressionPtr> checks;  // CHECK constraints over the new row; named as in relation->checks
};

// What another part of the engine knows how to run: the distributed executor's place in a local plan.
using CustomScan = query::CustomRows;
struct Custom {
  std::shared_ptr<const CustomScan> scan;
};

struct PlanTarget {
  ExpressionPtr expression;
  std::string name;
};

struct Plan {
  using Node =
      std::variant<SeqScan, IndexScan, SubqueryScan, FunctionScan, ValuesScan, SystemViewScan, CommonTableScan,
                   WorkTableScan, NestedLoop, HashJoin, MergeJoin, Result, ProjectSet, Materialize, Sort, Aggregate,
                   WindowAgg, Unique, LockRows, Limit, Append, SetOperation, RecursiveUnion, ModifyTable, Custom>;
  Node node;
  std::vector<PlanPtr> children;
  // Empty: the row it sees, as it is.
  std::vector<PlanTarget> targets;
  std::vector<ExpressionPtr> conditions;           // all must hold, else the row is left out
  std::vector<ExpressionPtr> one_time_conditions;  // see no row; if one fails there are no rows at all
  Cost cost;
  // Of scans: what EXPLAIN calls it, different from all others of the statement; of changes: what the table goes by.
  std::string alias;
  std::vector<std::string> names;  // of scans: the columns' names; empty: the relation's
  int entry = -1;                  // of scans: its number among the scans of the statement
  std::vector<int> initial_plans;  // subplans shown below this node by EXPLAIN

  template <typename T>
  const T* as() const {
    return std::get_if<T>(&node);
  }

  POLARSIM_DECLARE_VALUE_TYPE(Plan);
};

struct SubplanDefinition {
  PlanPtr plan;
  enum class Kind : std::uint8_t { initial, correlated, common_table } kind = Kind::initial;
  std::string name;  // "InitPlan 1 (returns $0)", "SubPlan 2", "CTE t"
  // An initial plan: how its rows become a value (exists, scalar, array), and the parameters that get it: one, or as
  // many as a scalar's row has columns.
  query::Subquery::Kind result = query::Subquery::Kind::scalar;
  std::vector<int> outputs;
  // A common table that changes data is run to its end even if nobody asks.
  bool changes_data = false;
};

struct PlannedStatement {
  query::Command command = query::Command::select;
  PlanPtr plan;
  std::vector<SubplanDefinition> subplans;
  // Of the answer: the first so many of the plan's rows. Empty for changes without RETURNING.
  std::vector<query::OutputName> columns;
  int plan_parameters = 0;
  int work_tables = 0;
  int entries = 0;  // scans that have numbers: Plan::entry is below
  // EXPLAIN: columns are shown with their tables' names, because there is more than one table.
  bool qualify_columns = false;
  // What is to be locked again before a remembered plan is run.
  std::vector<std::pair<query::RelationPtr, syntax::TableLockMode>> relations;
};
using PlannedStatementPtr = std::shared_ptr<const PlannedStatement>;

}  // namespace polarsim::engine::plan
