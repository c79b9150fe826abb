// What a query tells of the fields of its records (PostgreSQL's expandRecordVariable(),
// src/backend/parser/parse_target.c).
#pragma once

#include <vector>

#include "engine/query/query.h"

namespace polarsim::engine::query {

// Of a whole row, or of a column of type record: names and types in order, dropped columns left out. `column` is one of
// the query's own entries. Empty if the query does not tell: function results and set operations, for example.
std::vector<OutputName> fields_of_column(const Query& query, const Column& column);

}  // namespace polarsim::engine::query
