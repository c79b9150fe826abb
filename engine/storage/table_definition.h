// What a table and an index are, as the catalog keeps them.
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

// An index of a table: one entry a row version, also for NULLs, which never conflict in a unique one.
struct IndexDefinition {
  std::string name;  // in the table's schema
  std::vector<int> columns;
  bool unique = false;
  bool primary = false;
};

}  // namespace polarsim::engine
