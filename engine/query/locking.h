// Which queries' rows can be locked: asked when FOR UPDATE is written, and again of each query that is planned, since
// marks also come into views' (PostgreSQL's CheckSelectLocking(), src/backend/parser/analyze.c).
#pragma once

#include "engine/query/query.h"

namespace polarsim::engine::query {

const char* lock_name(syntax::LockStrength strength);  // "FOR UPDATE"
// A window that nothing is computed over does not count (PostgreSQL's hasWindowFuncs).
bool has_window_calls(const Query& query);
// Throws if something stands between a row of the answer and one row of a table.
void check_lockable(const Query& query, syntax::LockStrength strength, bool has_aggregates = false);

}  // namespace polarsim::engine::query
