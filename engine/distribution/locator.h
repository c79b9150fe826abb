// Where the rows of a query are: whether each shard's node can compute its share of them alone.
//
// The rows of a query, an entry or a join are either the same wherever they are computed (reference tables,
// intermediate results, functions: "everywhere"), or each is found by the node of exactly one shard ("sharded"). A
// sharded row's place is told by its keys: columns with the value of the distribution column. Joins of sharded rows are
// pushed down where keys are equal: then both rows lie in one place. A subquery whose rows depend on all shards (LIMIT,
// groups that are not by a key) may still be computed in place for each row of the query around it, where its own key
// equals a key of that: it is "bound".
//
// Sources of the rules: the relative's query_pushdown_planning.c, relation_restriction_equivalence.c,
// recursive_planning.c.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "engine/distribution/columns.h"
#include "engine/distribution/planner.h"
#include "engine/types/error.h"

namespace polarsim::engine::distribution {

struct KeyColumn {
  ColumnId column;
  // Never NULL: of the null-extended side of an outer join it is not. A weak key may decide on partners, but not on
  // groups.
  bool strong = true;
};
struct OutputKey {
  int column = 0;  // of the answer, from 1
  bool strong = true;
};

struct Location {
  bool sharded = false;
  int component = -1;           // of what is sharded
  std::vector<KeyColumn> keys;  // of the rows of FROM
  // --- of queries ---
  std::vector<OutputKey> outputs;
  std::vector<ColumnId> outer_keys;  // columns of the queries around that equal a key
  bool whole = true;                 // the rows of all shards together are the query's; else it has to be bound
  bool groups_by_key = false;
  bool windows_by_key = false;
  // --- of everything ---
  bool correlated = false;  // uses columns of queries around
  bool unstable = false;    // everywhere, but not for certain the same rows: LIMIT, volatile functions
  bool local = false;       // reads tables of this node
  bool failed = false;      // cannot be pushed down
};

// What keeps a query from being pushed down, and what is to be done about it.
struct Problem {
  enum class Kind : std::uint8_t {
    subquery,     // `query` becomes an intermediate result
    entry,        // the entry of `query` does, with the columns that are needed
    error,        // nothing: `error`
    repartition,  // the tables of `query` are not joined by keys: rows have to be sent first, if that is allowed
  } kind = Kind::error;
  const query::Query* query = nullptr;
  int entry = -1;
  std::optional<SqlError> error = std::nullopt;
};

class Locator {
 public:
  // `inspect`: only tables and conditions on them are looked for; what cannot be pushed down is left as it is.
  Locator(const DistributionInputs& inputs, bool inspect) : inputs_(inputs), inspect_(inspect) {}

  Location locate(const query::Query& query);
  const std::optional<Problem>& problem() const { return problem_; }

  struct Component {
    TableDistributionPtr table;
    ShardChoicePtr choice;
    int parent = -1;
  };
  // Those that tables belong to, in order.
  std::vector<int> roots() const;
  const Component& component(int number) const { return components_[static_cast<std::size_t>(number)]; }
  int root_of(int component) const;
  // The components that occurrences of a table belong to, by the relation's number.
  std::multimap<std::uint32_t, int> tables() const;
  bool has_local_tables() const { return has_local_tables_; }
  bool has_reference_tables() const { return has_reference_tables_; }

 private:
  struct Unit {
    Location location;
    const query::JoinTree* tree = nullptr;
  };
  struct Inner {
    std::vector<const query::JoinTree*> parts;
    std::vector<query::ExpressionPtr> conjuncts;
  };

  // --- locator.cpp: queries and their clauses ---
  Location locate_query(const query::Query& query, const Level* outer);
  Location locate_basic(const query::Query& query, const Level& level);
  Location locate_set_operation(const query::Query& query, const Level& level);
  void collect_leaves(const query::SetOperation& operation, const Level& level, std::vector<Location>& leaves);
  void locate_clauses(const Level& level, Location& from);
  bool all_sets_have(const query::Query& query, const std::vector<char>& is_key_group) const;
  bool groups_by_key(const Level& level, const Location& from) const;
  void add_outputs(const Level& level, Location& location) const;

  // --- locator_joins.cpp: FROM ---
  Location locate_from(const Level& level);
  Location locate_tree(const query::JoinTreePtr& tree, const Level& level, const Equalities& around);
  Location locate_inner(const Inner& inner, const Level& level, const Equalities& around);
  Location locate_outer(const query::JoinTree& tree, const Level& level, const Equalities& around);
  Location locate_leaf(const query::JoinTree& tree, const Level& level);
  Location locate_table(const query::Relation& relation, const query::JoinTree& tree, const Level& level);
  Location locate_lateral(Location rows, const query::JoinTree& tree, const Level& level);
  Location combine(std::vector<Unit>& units, const Level& level, const Equalities& equalities);
  Location combine_sharded(std::vector<Unit>& units, const Level& level, const Equalities& equalities);
  void full_join_keys(const query::JoinTree& tree, const Level& level, const Location& left, const Location& right,
                      Location& location) const;
  void not_connected(const Unit& unit, const Level& level);
  void outer_join_not_connected(const query::JoinTree& tree, const Level& level);
  bool replace_subquery_of(const query::JoinTree& tree, const Level& level);
  bool replace_sharded_leaf(const query::JoinTree& tree, const Level& level);
  void separate_local_leaves(const query::JoinTree& tree, const Location& location, const Level& level);
  bool connected(const Location& a, const Location& b, const Equalities& equalities) const;
  void extend_keys(Location& location, const Equalities& equalities) const;
  Equalities equalities_of(const std::vector<query::ExpressionPtr>& conjuncts, const Level& level) const;
  void restrict(const Location& location, const std::vector<query::ExpressionPtr>& conjuncts, const Level& level);
  ShardChoicePtr choice_of(const query::ExpressionPtr& condition, const Location& location, const Level& level) const;

  // --- locator_subqueries.cpp: queries in expressions ---
  void locate_subqueries(const Level& level, Location& from);
  void locate_subquery(const query::Subquery& subquery, bool is_condition, const Level& level, Location& from);
  bool is_matched_by_key(const query::Subquery& subquery, const Location& rows, bool is_condition, const Level& level,
                         const Location& from) const;
  enum class Tables : std::uint8_t { sharded, local, all };
  bool replace_first_table(const query::Query& query, Tables kind);
  bool is_kind(const query::RangeTableEntry& entry, Tables kind) const;

  void report(Problem problem);
  void report_error(SqlError error);
  int new_component(TableDistributionPtr table, ShardChoicePtr choice);
  void merge_components(int into, int other);
  ShardChoicePtr& choice_at(int component) { return components_[static_cast<std::size_t>(root_of(component))].choice; }

  const DistributionInputs& inputs_;
  const bool inspect_;
  std::optional<Problem> problem_;
  std::vector<Component> components_;
  std::vector<std::pair<std::uint32_t, int>> tables_;
  std::set<std::pair<int, int>> common_tables_used_;  // by level and number
  Equalities places_;  // of lateral subqueries: where their rows are, and what that equals
  int levels_ = 0;
  bool is_sharded_ = false;  // the statement has sharded tables somewhere
  bool has_local_tables_ = false;
  bool has_reference_tables_ = false;
};

// The relative's errors.
SqlError complex_joins_error();

}  // namespace polarsim::engine::distribution
