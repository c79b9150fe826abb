// Parts of a query that are computed first: taken out, planned, and replaced by what reads their rows.
#pragma once

#include <string>
#include <vector>

#include "engine/distribution/planner.h"

namespace polarsim::engine::distribution {

// The subplans of one plan, numbered in order.
class SubplanList {
 public:
  SubplanList(const DistributionInputs& inputs, std::uint64_t plan) : inputs_(inputs), plan_(plan) {}

  // Plans the query, which must not see others around it, and gives the query that reads its rows.
  query::QueryPtr make(const query::QueryPtr& query);
  // The same, its rows split; the reading query is for a task of one partition.
  query::QueryPtr make_partitioned(const query::QueryPtr& query, Partitioning partition);
  // Of a plan that there is already.
  query::QueryPtr make_of(DistributedPlanPtr plan, std::optional<Partitioning> partition = std::nullopt);
  // The query changes data and nothing reads its rows.
  void make_afterwards(const query::QueryPtr& query);
  std::vector<Subplan> take() { return std::move(subplans_); }
  bool empty() const { return subplans_.empty(); }
  bool generic() const { return generic_; }

 private:
  const DistributionInputs& inputs_;
  std::uint64_t plan_;
  std::vector<Subplan> subplans_;
  bool generic_ = true;
};

// WITH: what may be put in its place is, as PostgreSQL does it: what is used once, does not have to be kept apart and
// has no volatile functions.
query::QueryPtr inline_common_tables(const query::QueryPtr& query);
// The other common tables become subplans.
query::QueryPtr replace_common_tables(const query::QueryPtr& query, SubplanList& subplans,
                                      const DistributionInputs& inputs);

// Subqueries that give columns of queries in FROM that nobody asks for are left out: they would become subplans, whose
// rows somebody might look at.
query::QueryPtr without_unused_subqueries(const query::QueryPtr& query);
// The query `wanted`, somewhere in `query`, becomes a subplan.
query::QueryPtr replace_subquery(const query::QueryPtr& query, const query::Query* wanted, SubplanList& subplans);
// The entry of `level`, which is `query` or somewhere in it, becomes a subplan: its columns that are used, and only the
// rows that conditions on it alone accept.
query::QueryPtr replace_entry(const query::QueryPtr& query, const query::Query* level, int entry,
                              SubplanList& subplans);
// Columns of the entry, from 1, that the query uses, or queries inside it; not whether it is joined by USING.
std::vector<int> used_columns(const query::Query& level, int entry);
// SELECT of the entry's columns that are used, its rows reduced by conditions on it alone. The positions of the columns
// among the entry's go to `columns`.
query::QueryPtr query_of_entry(const query::Query& level, int entry, std::vector<int>& columns);

}  // namespace polarsim::engine::distribution
