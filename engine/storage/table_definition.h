// What a table is, as the catalog keeps it.
#pragma once

#include <string>
#include <vector>

#include "engine/sql/analyze.h"

namespace polarsim::engine {

struct TableDefinition {
  std::string schema;  // "public" or "pg_catalog"
  std::string name;
  std::vector<sql::ColumnInfo> columns;
  std::vector<int> primary_key;  // column positions; empty: none
  std::string primary_key_name;
};

}  // namespace polarsim::engine
