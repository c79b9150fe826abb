// Syntax tree and catalog to query: names resolved, types found, implicit conversions written out (PostgreSQL's
// src/backend/parser/analyze.c and parse_*.c, documentation chapter 10 for the choice of functions and operators).
//
// Views become subqueries here. Nothing is simplified: see fold.h. Throws SqlError with PostgreSQL's texts and
// positions. Blocks where the relation source does; the statement's tree must stay until then.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/query/query.h"
#include "engine/query/relation.h"
#include "engine/types/error.h"

namespace polarsim::engine::query {

struct AnalysisContext {
  RelationSource& relations;
  // For the input functions of literals: time zone and the like.
  const CallContext& call;
  // The types of $1...: unknown ones (or TypeId::none) are found from where they are used and filled in; grows if
  // `infer_parameters`. Null: a statement without parameters.
  std::vector<Type>* parameter_types = nullptr;
  bool infer_parameters = true;
  // Of what is accepted with a warning. Null: nobody listens.
  std::vector<ErrorFields>* notices = nullptr;
};

// A parameter whose type nothing tells is 42P18 if types are inferred.
QueryPtr analyse(const syntax::Select& select, const AnalysisContext& context);
QueryPtr analyse(const syntax::Insert& insert, const AnalysisContext& context);
QueryPtr analyse(const syntax::Update& update, const AnalysisContext& context);
QueryPtr analyse(const syntax::Delete& removal, const AnalysisContext& context);

// --- expressions that stand outside queries ---

// A type as it was written; 42704 "type \"x\" does not exist".
Type resolve_type(const syntax::TypeName& name, std::vector<ErrorFields>* notices = nullptr);
// DEFAULT of a column, converted by assignment: no columns, subqueries or aggregates. 42804 "column \"a\" is of type
// integer but default expression is of type boolean".
ExpressionPtr analyse_default(const syntax::ExpressionPtr& expression, const RelationColumn& column,
                              const AnalysisContext& context);
// CHECK, index predicates and expressions, generated columns, ALTER TYPE's USING, COPY's WHERE: over one relation's
// columns, which are Column{0, n}. `clause` is for messages: "check constraints", "index predicates", "index
// expressions", "column generation expressions", "transform expressions", "COPY FROM WHERE conditions". `wanted`: none,
// or converted to it by assignment (boolean for conditions); `column` is who wants it, for the message. What a
// generated column must not depend on is refused (42P17).
ExpressionPtr analyse_over_relation(const syntax::ExpressionPtr& expression, const Relation& relation, Type wanted,
                                    std::string_view clause, const AnalysisContext& context,
                                    std::string_view column = {});
// The expression with the relation's whole rows, those of Column{entry, 0}, made of its columns: programs run no whole
// rows. Not for what is shown again.
ExpressionPtr with_rows_made(const ExpressionPtr& expression, const Relation& relation, int entry = 0);
// The parameters of EXECUTE, arguments of CALL: no columns; converted by assignment. 42804 "parameter $1 of type ...
// cannot be coerced to the expected type ...": `number` is the parameter's, from 1.
ExpressionPtr analyse_argument(const syntax::ExpressionPtr& expression, Type wanted, const AnalysisContext& context,
                               int number = 1);

// The columns of the answer: what is not hidden, or RETURNING.
std::vector<OutputName> output_columns(const Query& query);

}  // namespace polarsim::engine::query
