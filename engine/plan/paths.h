// Ways to scan relations and to join them, and the search for the best order (PostgreSQL's src/backend/optimizer/path).
#pragma once

#include "engine/plan/level.h"

namespace polarsim::engine::plan {

// So many relations are joined in the cheapest of all orders; for more of them the search has to be a bounded one, as
// PostgreSQL's join_collapse_limit and geqo_threshold bound it.
inline constexpr std::size_t exhaustive_search_max = 8;

// All paths of one relation; the relation of the base is filled in.
void make_scan_paths(Level& level, int base);
void make_index_paths(Level& level, int base, JoinRelation& relation);
// Keeps the path unless another is as good in every respect; drops what it beats.
void add_path(JoinRelation& relation, PathPtr path);
void choose_cheapest(JoinRelation& relation);
// Leaves no path but that of nothing (mark_dummy_rel()).
void make_empty(JoinRelation& relation);
PathPtr cheapest_for(const JoinRelation& relation, const Order& order, double fraction);
bool is_ordered_by(const Order& have, const Order& wanted);
// So much of the order of these relations' rows as may be of use above (truncate_useless_pathkeys()).
Order useful_order(const Level& level, Relids relids, const Order& order);
// A sort whatever the order is that the rows have.
std::shared_ptr<Path> make_sort(const Level& level, const PathPtr& input, const Order& order, double limit_rows);
PathPtr make_sort_path(const Level& level, const PathPtr& input, const Order& order, double limit_rows);

// Adds the ways to join the two, left one outside, to the relation.
void add_join_paths(Level& level, JoinRelation& joined, const JoinRelation& left, const JoinRelation& right,
                    PlanJoin type, const std::vector<const Condition*>& conditions);
// One way to join, as add_join_paths() sees it.
struct JoinSides {
  JoinRelation& joined;
  const JoinRelation& left;
  const JoinRelation& right;
  PlanJoin type;
  const std::vector<const Condition*>& own;      // what the join compares
  const std::vector<const Condition*>& filters;  // what is looked at after it
  Relids lateral;                                // whose columns may come from outside
  bool right_unique;                             // no row of the left side has two partners
};
// Its merge joins: of both sides sorted, and of the left side as it comes.
void add_merge_joins(Level& level, const JoinSides& sides);
// Of all relations of the level. There must be one at least.
JoinRelationPtr search_joins(Level& level);

}  // namespace polarsim::engine::plan
