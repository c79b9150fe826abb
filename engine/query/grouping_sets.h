// GROUP BY's ROLLUP, CUBE and GROUPING SETS (PostgreSQL's expand_grouping_sets(), src/backend/parser/parse_agg.c).
#pragma once

#include <vector>

namespace polarsim::engine::query {

struct GroupSet {
  enum class Kind : unsigned char { simple, rollup, cube, sets } kind = Kind::simple;
  std::vector<int> groups;        // of a simple one; none: the empty set
  std::vector<GroupSet> content;  // of the others
};

inline constexpr std::size_t grouping_sets_max = 4096;
inline constexpr std::size_t cube_elements_max = 12;

// Each set once for every way it is asked for, shortest first; `distinct`: once. Throws SqlError 54001 if there are
// more than grouping_sets_max.
std::vector<std::vector<int>> expand_grouping_sets(const std::vector<GroupSet>& items, bool distinct);

}  // namespace polarsim::engine::query
