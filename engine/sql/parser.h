// SQL text to statements, by PostgreSQL's own grammar (libpg_query 15).
//
// parse() is a pure function. It needs a deep stack and libpg_query leaves it by longjmp on errors: call it on the
// scheduler's stack (Scheduler::on_scheduler_stack), as StatementCache does; never switch fibers inside.
// Text with more than `max_nesting` open brackets or longer than `max_operators` chained operators is refused with
// 54001 before the grammar sees it, because libpg_query has no stack-depth check of its own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/sql/ast.h"
#include "engine/syntax/parser.h"

namespace polarsim::engine::sql {

using syntax::max_expression_depth;
using syntax::max_nesting;
using syntax::max_operators;

// The statements of a text, separated by ';'. Throws SqlError: 42601 with PostgreSQL's message and position, 0A000 for
// what the grammar knows and this engine does not, 54001 for what is nested too deeply.
std::vector<StatementPtr> parse(std::string_view text);

// SQL text that parses to the same tree: what a coordinator sends to a data node. Identifiers are quoted where
// PostgreSQL would.
std::string deparse(const Statement& statement);
std::string deparse(const Expression& expression);
std::string quote_identifier(std::string_view name);
std::string quote_literal(std::string_view text);

}  // namespace polarsim::engine::sql
