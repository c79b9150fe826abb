// SQL text to statements, by PostgreSQL's own grammar (libpg_query 15), and back.
//
// parse() is a pure function. It needs a deep stack and libpg_query leaves it by longjmp on errors: call it on the
// scheduler's stack (Scheduler::on_scheduler_stack); never switch fibers inside.
// Text with more than `max_nesting` open brackets or longer than `max_operators` chained operators is refused with
// 54001 before the grammar sees it, because libpg_query has no stack-depth check of its own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/syntax/ast.h"

namespace polarsim::engine::syntax {

inline constexpr int max_nesting = 10'000;
inline constexpr int max_operators = 5000;
// The deepest tree of expressions, subqueries and joins parse() returns; deeper ones are refused with 54001, too, and
// so is whatever does not fit the stack. Whoever walks a tree may recurse, and asks check_stack_depth() at each level.
// AND, OR, IN lists, argument lists and FROM lists are flat, whatever their length.
inline constexpr int max_expression_depth = 5000;

// The statements of a text, separated by ';'. Throws SqlError: 42601 with PostgreSQL's message and position, 0A000 for
// what the grammar knows and this engine does not, 54001 for what is nested too deeply.
std::vector<StatementPtr> parse(std::string_view text);

// SQL text that parses to the same tree. Identifiers are quoted where PostgreSQL would.
std::string deparse(const Statement& statement);
std::string deparse(const Expression& expression);
std::string deparse(const Select& select);

}  // namespace polarsim::engine::syntax
