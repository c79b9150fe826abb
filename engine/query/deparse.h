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
  // As pg_get_viewdef(oid, true): no brackets that operators' priorities make superfluous. Either way PostgreSQL breaks
  // lines.
  bool pretty = false;
  // Whether the name of a relation alone finds it; unset: those of public and pg_catalog. Others are qualified.
  std::function<bool(const Relation&)> is_visible;
  // For tasks: one line, every relation qualified, every conversion and the type of every parameter written out. What
  // assignment converts in INSERT and UPDATE is left to the node, whose tables have the same types.
  bool qualify_always = false;
  // For definitions that are kept, which are not only shown but read: VALUES, whose rows have no name that could be
  // told, are ordered by the numbers of their columns. Tasks always are.
  bool read_again = false;
  // For tasks: the name to write instead of the relation's own.
  std::function<RelationName(const Relation&)> rename;
  // Whose time zone and search path constants are shown by. Null: UTC, and the numbers of relations in place of names.
  const CallContext* call = nullptr;
};

// A view's definition without the semicolon, or a task. Views inside views are written by their names, but in tasks as
// what they select.
std::string deparse(const Query& query, const DeparseOptions& options = {});
// An expression over one relation's columns (Column{0, n}), as pg_get_expr() shows it.
std::string deparse(const Expression& expression, const Relation* relation, const DeparseOptions& options = {});

// For EXPLAIN: what is written where a plan's expression leads elsewhere. The texts stand as they are.
struct PlanNames {
  std::function<std::string(const Column& column)> column;           // of one of the rows a node sees
  std::function<std::string(const Parameter& parameter)> parameter;  // of a plan: "$0", or what it gets its value from
  std::function<std::string(const Subplan& subplan)> subplan;        // "(SubPlan 1)"
  bool show_implicit = false;  // a conversion that nobody wrote, around the whole expression
};
// A plan's expression as EXPLAIN shows it: every operation in brackets, as in "(a = 1)".
std::string deparse(const Expression& expression, const PlanNames& names);

}  // namespace polarsim::engine::query
