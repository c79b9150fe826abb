// What the relative refuses in changes of distributed tables, with its texts (multi_router_planner.c: which functions
// may be used where, and that no row changes its shard).
#pragma once

#include "engine/distribution/planner.h"
#include "engine/types/error.h"

namespace polarsim::engine::distribution {

// The table that a statement changes; null: it is not distributed.
TableDistributionPtr changed_table(const query::Query& query, DistributionSource& source);
const query::Relation& changed_relation(const query::Query& query);
// "public.t"
std::string qualified_name(const query::Relation& relation);

// INSERT ... VALUES: subqueries, ON CONFLICT, RETURNING.
void check_insert(const query::Query& query, const TableDistribution& table);
// ON CONFLICT alone: what can be said of an INSERT ... SELECT.
void check_conflict_clause(const query::Query& query, const TableDistribution& table);
void check_returning(const query::Query& query);
// SET, WHERE and RETURNING of UPDATE and DELETE.
void check_assignments_and_condition(const query::Query& query, const TableDistribution& table);
// Volatile functions anywhere else in an UPDATE or DELETE.
void check_volatility(const query::Query& query);

}  // namespace polarsim::engine::distribution
