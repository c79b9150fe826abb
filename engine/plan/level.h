// What planning one query keeps, shared by the planner's parts; not for users of plans.
//
// A statement is planned query by query (`Level`), inner queries first. Within one, expressions name columns by entry
// of the range table, as in query.h, until build.h makes a plan's positions of them. `bases` are the leaves of the
// join tree after subqueries were pulled up; sets of them are bit masks (Relids), which limits a join to 64 relations.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/plan/plan.h"
#include "engine/plan/planner.h"
#include "engine/query/expression_walk.h"

namespace polarsim::engine::plan {

using query::Column;
using query::Expression;
using query::Query;
using query::QueryPtr;

using Relids = std::uint64_t;
constexpr int relations_max = 64;
constexpr Relids relid(int base) { return Relids{1} << base; }
constexpr bool overlaps(Relids a, Relids b) { return (a & b) != 0; }
constexpr bool is_subset(Relids part, Relids whole) { return (part & ~whole) == 0; }

// --- the join tree while it is changed (PostgreSQL's FromExpr and JoinExpr) ---

struct JoinNode;
using JoinNodePtr = std::shared_ptr<JoinNode>;
struct JoinNode {
  enum class Kind : std::uint8_t { leaf, list, join } kind = Kind::list;
  int entry = -1;                         // of a leaf; of a join its JoinSource
  std::vector<JoinNodePtr> items;         // of a list: all combined; of a join: left and right
  PlanJoin type = PlanJoin::inner;        // of a join
  std::vector<ExpressionPtr> conditions;  // all must hold
};

// --- conditions and equivalence ---

struct Condition {
  ExpressionPtr expression;
  Relids relids = 0;        // whose columns it uses
  Relids required = 0;      // where it may be looked at: outer joins may delay it
  bool pushed_down = true;  // false: of an outer join's own ON
  Relids kept = 0;          // then: the side whose rows are all kept
  // Of `left = right` whose sides use different relations.
  Relids left = 0;
  Relids right = 0;
  bool equality = false;  // may be hashed and merged by
  int left_class = -1;    // of `equality`: the equivalence classes of the sides
  int right_class = -1;
  int of_class = -1;           // made by this equivalence class
  mutable bool moved = false;  // into the subquery that it is over: push_conditions() has seen to it
  mutable double selectivity = -1;
  mutable double outer_selectivity = -1;  // of the join it belongs to, if that is no inner one
};

// Expressions that are equal in every row that the WHERE clause lets through (equivclass.c).
struct EquivalenceClass {
  struct Member {
    ExpressionPtr expression;
    Relids relids = 0;
    bool constant = false;
  };
  std::vector<Member> members;
  int merged_into = -1;
  std::vector<ExpressionPtr> sources;  // the equalities it was made of
  bool has_constant = false;
  bool below_outer_join = false;
  struct Derived {
    std::size_t left;
    std::size_t right;
    const Condition* condition;
  };
  std::vector<Derived> derived;
};

struct OrderItem {
  int equivalence = -1;
  bool descending = false;
  bool nulls_first = false;
  friend bool operator==(const OrderItem&, const OrderItem&) = default;
};
using Order = std::vector<OrderItem>;

// An outer, semi or anti join, and what must be joined before (PostgreSQL's SpecialJoinInfo).
struct SpecialJoin {
  PlanJoin type = PlanJoin::left;  // left, full, semi, anti
  Relids minimum_left = 0;
  Relids minimum_right = 0;
  Relids written_left = 0;
  Relids written_right = 0;
  bool left_strict = false;
  // A semi join's right side may be made unique and joined like any other.
  bool can_be_unique = false;
  std::vector<ExpressionPtr> unique_columns;
};

// --- paths: ways to get the rows of a set of relations ---

struct Path;
using PathPtr = std::shared_ptr<const Path>;
struct BaseRelation;
struct IndexCondition {
  IndexScan::Bound bound;  // value and condition in terms of the query's columns
  const Condition* source = nullptr;
  bool lossy = false;  // `source` must be looked at, too
};
struct Path {
  enum class Kind : std::uint8_t {
    scan,
    index_scan,
    one_row,
    nothing,
    nested_loop,
    hash_join,
    merge_join,
    materialize,
    sort
  } kind = Kind::scan;
  Relids relids = 0;
  Relids required_outer = 0;  // whose columns it needs from a nested loop around it
  Cost cost;
  Order order;
  // A scan.
  int base = -1;
  std::size_t index = 0;
  std::vector<IndexCondition> bounds;
  std::vector<const Condition*> enforced;  // join conditions that this parameterised path sees to
  bool backward = false;
  bool index_only = false;
  // A join; the others have one child, `left`.
  PlanJoin type = PlanJoin::inner;
  PathPtr left;
  PathPtr right;
  std::vector<const Condition*> keys;        // hashed or merged by, in order
  std::vector<const Condition*> conditions;  // a join's own; of a scan: what it has to look at
  std::vector<const Condition*> filters;     // after an outer join
  Order merge_order;                         // of a merge join: how both sides are sorted, one item per key
  std::vector<ExpressionPtr> sort_keys;      // of a sort: what it sorts by, one for each item of `order`
};

// What is known of a set of relations (PostgreSQL's RelOptInfo).
struct JoinRelation {
  Relids relids = 0;
  double rows = 1;
  int width = 0;
  std::vector<PathPtr> paths;
  PathPtr cheapest_startup;
  PathPtr cheapest_total;
  std::vector<PathPtr> cheapest_parameterised;
  bool never = false;  // has no row: its one path is that of nothing
};
using JoinRelationPtr = std::shared_ptr<JoinRelation>;

struct Stage;

struct BaseRelation {
  int entry = -1;
  int number = -1;              // Plan::entry
  query::RelationPtr relation;  // of a table or system view
  double tuples = 0;
  double pages = 0;
  std::vector<const Condition*> conditions;       // over it alone
  std::vector<const Condition*> join_conditions;  // over it and others
  std::vector<ExpressionPtr> columns_used;        // Column{entry, n}, in order of n
  std::vector<int> system_columns;
  std::shared_ptr<const Stage> subquery;                           // the scan, of everything but tables
  std::vector<ExpressionPtr> subquery_outputs;                     // what a scan of a table gives
  std::string name;                                                // Plan::alias
  std::vector<std::pair<int, ExpressionPtr>> subquery_parameters;  // what a lateral subquery gets
  Relids lateral = 0;
  bool never = false;  // gives no row, so that there is nothing to scan
  JoinRelationPtr rows_of;
};

// --- a plan under construction ---

// A node whose row is `outputs`: what each column stands for, in terms of the query.
struct Stage {
  std::shared_ptr<Plan> plan;
  std::vector<ExpressionPtr> outputs;  // null: nobody may ask for it by what it stands for
  // What the node's own expressions see.
  std::vector<ExpressionPtr> seen;
  std::vector<ExpressionPtr> seen_right;
  Order order;
  const Cost& cost() const { return plan->cost; }
};

// --- a statement, and a query in it ---

struct StatementState {
  explicit StatementState(const PlannerInputs& planner_inputs) : inputs(planner_inputs) {}
  const PlannerInputs& inputs;
  std::vector<SubplanDefinition> subplans;
  int parameters = 0;
  int work_tables = 0;
  std::vector<std::string> scan_names;  // by number
  std::vector<std::pair<query::RelationPtr, syntax::TableLockMode>> relations;
  bool qualify_columns = false;
};

struct Level {
  Level(StatementState& state, Level* around)
      : statement(state), outer(around), depth(around ? around->depth + 1 : 0) {}
  StatementState& statement;
  Level* outer;
  int depth;
  Query query;
  JoinNodePtr tree;

  // A value of an outer query that this one uses.
  struct OuterParameter {
    int depth = 0;             // of the query it comes from
    ExpressionPtr expression;  // there, with levels_up 0
    int parameter = 0;
  };
  std::vector<OuterParameter> outer_parameters;
  struct CommonTableState {
    int subplan = -1;     // not planned yet, or put in where it is used
    int work_table = -1;  // while its recursive part is planned
    double rows = 0;
    int width = 0;
    std::size_t columns = 0;  // of its rows; what it only sorts by comes behind what it shows
  };
  std::vector<CommonTableState> common_tables;
  std::vector<int> initial_plans;

  // Join planning.
  std::vector<BaseRelation> bases;
  std::vector<int> base_of_entry;
  std::vector<int> numbers;  // Plan::entry by entry of the range table; -1: none
  std::deque<Condition> all_conditions;
  std::vector<EquivalenceClass> classes;
  std::vector<SpecialJoin> special_joins;
  std::vector<const Condition*> join_conditions;
  std::vector<ExpressionPtr> one_time_conditions;
  bool never = false;  // its joins give no row
  // Columns used anywhere: above all joins, or by what has to be looked at where these relations are joined.
  struct ColumnUse {
    ExpressionPtr column;
    int base = -1;
    bool above_joins = false;
    Relids needed = 0;
  };
  std::vector<ColumnUse> column_uses;
  Relids all_relids = 0;
  double tuple_fraction = 0;  // as PostgreSQL's: 0 all, below 1 a fraction, else rows
  double limit_tuples = -1;
  Order query_order;  // what the rows are sorted by at last, so far as the joins may give that order

  const PlannerSettings& settings() const { return statement.inputs.settings; }
  int find_class(int id) const {
    while (classes[static_cast<std::size_t>(id)].merged_into >= 0)
      id = classes[static_cast<std::size_t>(id)].merged_into;
    return id;
  }
  Relids relids_of(const ExpressionPtr& expression) const;
};

template <typename Node>
const Node* node_of(const ExpressionPtr& expression) {
  return expression ? expression->as<Node>() : nullptr;
}

// --- small makers ---

ExpressionPtr make_conjunction(std::vector<ExpressionPtr> conditions);  // null for none
// The arguments of ANDs, appended; TRUE is left out.
void add_conjuncts(const ExpressionPtr& condition, std::vector<ExpressionPtr>& list);
ExpressionPtr make_boolean(bool value);
bool is_true_constant(const ExpressionPtr& expression);
bool is_false_constant(const ExpressionPtr& expression);  // or NULL
// Whether the expression is NULL whenever all columns of the relations are, or (as a condition) not true.
bool is_strict_in(const ExpressionPtr& condition, const std::vector<char>& entries);
// Whether the expression is NULL as soon as one of its columns is (not contain_nonstrict_functions()).
bool is_strict_throughout(const ExpressionPtr& expression);
// Entries whose being NULL makes the condition not true, by entry (find_nonnullable_rels).
void add_nonnullable_entries(const ExpressionPtr& condition, bool top, std::vector<char>& entries);
// Whether a call of a set-returning function is in it.
bool returns_set(const ExpressionPtr& expression);
// The columns of a query's rows that are not hidden.
std::vector<query::OutputName> output_names(const Query& query);
ExpressionPtr strip_relabel(const ExpressionPtr& expression);

}  // namespace polarsim::engine::plan
