// Whether the running stack has room for one more level of a recursion (PostgreSQL's check_stack_depth(),
// src/backend/tcop/postgres.c).
//
// Whatever recurses as deep as a statement is nested asks at each level. What is left when it is refused is enough for
// everything that does not recurse so: the operators of the deepest expression, a catalog's scan, a printed error. A
// destructor cannot ask; it needs less of a stack than what built the tree, and all stacks are equally large.
#pragma once

namespace polarsim::engine {

// Where the running stack ends (its lowest byte); null: it is the operating system's, of which 8 MiB are taken for
// granted.
using FindStackEnd = const char* (*)();
// Whoever runs the engine on stacks of its own says once where they end.
void set_stack_end_finder(FindStackEnd finder);

// Throws SqlError 54001 "stack depth limit exceeded", with PostgreSQL's hint.
void check_stack_depth();
[[noreturn]] void throw_stack_too_deep();

}  // namespace polarsim::engine
