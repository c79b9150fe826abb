// Which columns of an answer are columns of tables (PostgreSQL's markTargetListOrigins(), parse_target.c).
#pragma once

#include <cstdint>
#include <vector>

#include "engine/query/query.h"

namespace polarsim::engine::query {

struct ColumnOrigin {
  std::uint32_t relation = 0;  // the table or view; 0: what is computed, or comes from elsewhere
  std::int16_t number = 0;     // of the column in it; negative: a system column; 0: the whole row
};

// Of each column of output_columns(). Of the query as it was analysed.
std::vector<ColumnOrigin> column_origins(const Query& query);

}  // namespace polarsim::engine::query
