// A shortest cycle within a strongly connected component.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "checkers/dependency_graph.h"

namespace polarsim::checkers {

struct ShortestCycle {
  // Each has an edge to the next, the last to the first; the lowest number comes first.
  std::vector<std::uint32_t> vertices;
  // False if the search ended at its fixed number of steps: then there may be a shorter one.
  bool proved = true;
};

// `members` are the vertices of one nontrivial component of the edges that have any of `relations`, ascending. Among
// cycles of the same length it is the one found first from the lowest vertex: the same on every run.
ShortestCycle find_shortest_cycle(const DependencyGraph& graph, std::span<const std::uint32_t> members,
                                  const Components& components, Relations relations);

}  // namespace polarsim::checkers
