// The names by which a deparsed query calls its entries and their columns: unique where SQL needs it (PostgreSQL's
// set_rtable_names, set_using_names, set_relation_column_names and set_join_column_names in
// src/backend/utils/adt/ruleutils.c). Private to the deparse_*.cpp files.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/query/deparse.h"

namespace polarsim::engine::query {

struct EntryNames {
  std::string name;  // empty: an unnamed join
  std::vector<std::string> columns;
  bool show_columns = false;               // an alias list has to be written
  std::vector<std::string> using_columns;  // of a join
  // The named joins around a leaf, innermost first: outside of them its columns go by their names.
  std::vector<int> named_joins;
};

struct QueryNames {
  const Query* query = nullptr;
  std::vector<EntryNames> entries;
};

// `outer`: of the queries around, outermost first, whose names are not taken again. `reserved`: names that nobody may
// have.
QueryNames choose_names(const Query& query, std::span<const QueryNames> outer,
                        std::span<const std::string_view> reserved);

// The names of a query's columns as the query itself gives them.
std::vector<std::string> output_names(const Query& query);

}  // namespace polarsim::engine::query
