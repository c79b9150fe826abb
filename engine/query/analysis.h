// Syntax tree and catalog to query: names resolved, types found, implicit conversions written out (PostgreSQL's
// src/backend/parser/analyze.c and parse_*.c, documentation chapter 10 for the choice of functions and operators).
//
// Views become subqueries here. Nothing is simplified: see fold.h. Throws SqlError with PostgreSQL's texts and
// positions. Blocks where the relation source does.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/query/query.h"
#include "engine/query/relation.h"

namespace polarsim::engine::query {

struct AnalysisContext {
  RelationSource& relations;
  // For the input functions of literals: time zone and the like.
  const CallContext& call;
  // The types of $1...: unknown ones are found from where they are used and filled in; grows if `infer_parameters`.
  std::vector<Type>* parameter_types = nullptr;
  bool infer_parameters = true;
};

QueryPtr analyse(const syntax::Select& select, const AnalysisContext& context);
QueryPtr analyse(const syntax::Insert& insert, const AnalysisContext& context);
QueryPtr analyse(const syntax::Update& update, const AnalysisContext& context);
QueryPtr analyse(const syntax::Delete& removal, const AnalysisContext& context);

// --- expressions that stand outside queries ---

// A type as it was written; 42704 "type \"x\" does not exist".
Type resolve_type(const syntax::TypeName& name);
// DEFAULT of a column, converted by assignment: no columns, subqueries or aggregates.
ExpressionPtr analyse_default(const syntax::ExpressionPtr& expression, const RelationColumn& column,
                              const AnalysisContext& context);
// CHECK, index predicates and expressions, generated columns, COPY's WHERE: over one relation's columns, which are
// Column{0, n}. `clause` is for messages: "check constraints", "index predicates", ...; `wanted`: none, or converted to
// it by assignment (boolean for conditions).
ExpressionPtr analyse_over_relation(const syntax::ExpressionPtr& expression, const Relation& relation, Type wanted,
                                    std::string_view clause, const AnalysisContext& context);
// The parameters of EXECUTE, arguments of CALL: no columns; converted by assignment.
ExpressionPtr analyse_argument(const syntax::ExpressionPtr& expression, Type wanted, const AnalysisContext& context);

// The columns of the answer: what is not hidden, or RETURNING.
std::vector<OutputName> output_columns(const Query& query);

}  // namespace polarsim::engine::query
