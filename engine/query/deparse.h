// Queries and expressions back to SQL (PostgreSQL's src/backend/utils/adt/ruleutils.c).
//
// Two styles. For people (views, EXPLAIN, pg_get_viewdef(), pg_get_expr()): PostgreSQL's own layout, character by
// character. For nodes: everything schema-qualified and typed, so that what a data node understands does not depend on
// its settings; relations may be exchanged (a shard's name for its table's).
#pragma once

#include <functional>
#include <string>

#include "engine/query/query.h"

namespace polarsim::engine::query {

struct RelationName {
  std::string schema;
  std::string name;
};

struct DeparseOptions {
  bool pretty = false;  // line breaks and indentation, as pg_get_viewdef(oid, true)
  // For tasks: the name to write instead. Unset: the relation's own, qualified if it is not in the search path.
  std::function<RelationName(const Relation&)> rename;
  bool qualify_always = false;
};

std::string deparse(const Query& query, const DeparseOptions& options = {});
// An expression over one relation's columns (Column{0, n}), as pg_get_expr() shows it.
std::string deparse(const Expression& expression, const Relation* relation, const DeparseOptions& options = {});

// For EXPLAIN: what is written where a plan's expression leads elsewhere. The texts stand as they are.
struct PlanNames {
  std::function<std::string(const Column& column)> column;           // of one of the rows a node sees
  std::function<std::string(const Parameter& parameter)> parameter;  // of a plan: "$0", or what it gets its value from
  std::function<std::string(const Subplan& subplan)> subplan;        // "(SubPlan 1)"
};
// A plan's expression as EXPLAIN shows it: every operation in brackets, as in "(a = 1)".
std::string deparse(const Expression& expression, const PlanNames& names);

}  // namespace polarsim::engine::query
