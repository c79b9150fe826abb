// The names by which a deparsed query calls its entries and their columns: unique where SQL needs it (PostgreSQL's
// set_rtable_names, set_using_names, set_relation_column_names and set_join_column_names in
// src/backend/utils/adt/ruleutils.c). Private to the deparse_*.cpp files.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
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

// Names of the queries around, which are not taken again, each with the last number that was put behind it.
using TakenNames = std::map<std::string, int, std::less<>>;
struct QueryNames {
  const Query* query = nullptr;
  std::vector<EntryNames> entries;
  // What was taken for it, or given a number: with what there was before. None: nothing.
  std::vector<std::pair<std::string, std::optional<int>>> before;
};

// `outer`: of the queries around, outermost first. `reserved`: names that nobody of this query may have.
QueryNames choose_names(const Query& query, std::span<const QueryNames> outer, TakenNames& taken,
                        std::span<const std::string_view> reserved);
// Its names may be taken again, once those chosen later may.
void give_back_names(const QueryNames& names, TakenNames& taken);

// The names of a query's columns as the query itself gives them.
std::vector<std::string> output_names(const Query& query);

}  // namespace polarsim::engine::query
