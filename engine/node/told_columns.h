// The columns of an answer as clients are told of them.
#pragma once

#include <vector>

#include "engine/node/session.h"
#include "engine/query/column_origins.h"

namespace polarsim::engine {

inline void tell_origins(std::vector<ResultColumn>& columns, const std::vector<query::ColumnOrigin>& origins) {
  if (columns.size() != origins.size()) return;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    columns[i].table = origins[i].relation;
    columns[i].number = origins[i].number;
  }
}

}  // namespace polarsim::engine
