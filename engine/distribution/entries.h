// The entries of a query's range tables, with those of all queries inside it: in FROM, in common tables, in
// expressions.
#pragma once

#include <functional>
#include <optional>

#include "engine/query/expression_walk.h"
#include "engine/query/query.h"

namespace polarsim::engine::distribution {

// The query itself, then those inside it.
using VisitQueryWithin = query::FunctionReference<void(const query::Query& query)>;
void for_each_query_within(const query::Query& query, VisitQueryWithin visit);

// Anywhere in it.
bool has_volatile_functions(const query::Query& statement);

using VisitEntry = query::FunctionReference<void(const query::RangeTableEntry& entry)>;
void for_each_entry(const query::Query& query, VisitEntry visit);

// What takes the entry's place; none: it stays.
using MapEntry = query::FunctionReference<std::optional<query::RangeTableEntry>(const query::RangeTableEntry& entry)>;
query::QueryPtr map_entries(const query::QueryPtr& query, MapEntry map);

// Both expressions and entries, with the number of queries between them and where the rewriting began. A replacement is
// not looked at again; nullptr and none: what is there stays, and what is below is looked at. `inner` may take the
// place of a query inside before anything in it is looked at.
struct DeepRewrite {
  std::function<query::ExpressionPtr(const query::ExpressionPtr& expression, int depth)> expression = nullptr;
  std::function<std::optional<query::RangeTableEntry>(const query::RangeTableEntry& entry, int depth)> entry = nullptr;
  std::function<query::QueryPtr(const query::QueryPtr& inner, int depth)> inner = nullptr;
};
query::QueryPtr rewrite_deep(const query::QueryPtr& query, const DeepRewrite& rewrite, int depth = 0);
query::ExpressionPtr rewrite_deep(const query::ExpressionPtr& expression, const DeepRewrite& rewrite, int depth = 0);

// A query that is put so many queries deeper than where it stood: what it sees around itself is further away.
query::QueryPtr moved_inwards(const query::QueryPtr& query, int levels);
// An expression that is put so many queries deeper, or, if negative, further out: so is the query that it is about.
query::ExpressionPtr moved_inwards(const query::ExpressionPtr& expression, int levels);

// Whether it uses columns, or groups, of queries around it.
bool is_correlated(const query::Query& query);
// Whether one of its common tables, or of the queries inside it, changes data.
bool changes_data(const query::Query& query);
bool locks_rows(const query::Query& query);

// The queries inside the expression, those inside them not among them.
using VisitSubquery = query::FunctionReference<void(const query::Subquery& subquery)>;
void for_each_subquery(const query::ExpressionPtr& expression, VisitSubquery visit);

// Whether it has an aggregate of the query that it stands in: (SELECT max(t.v)) FROM t. It is a value of each group.
bool computes_over_groups_around(const query::Subquery& subquery);

}  // namespace polarsim::engine::distribution
