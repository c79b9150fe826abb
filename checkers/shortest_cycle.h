// A shortest cycle within a strongly connected component, whatever its edges.
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

// Of many components of one graph: what is found of one costs no more than its own size or the steps of its proof, and
// all share one fixed number of steps. When these are used up, each further cycle is the first one met.
class ShortestCycles {
 public:
  // `components` are those of the edges that have any of `relations`; both must outlive the search.
  ShortestCycles(const DependencyGraph& graph, const Components& components, Relations relations);

  // `members` are the vertices of one nontrivial component, ascending. Among cycles of the same length it is the one
  // whose lowest vertex comes first, then its second one, and so on: the same on every run.
  ShortestCycle find(std::span<const std::uint32_t> members);

 private:
  bool from(std::uint32_t start, std::size_t longest, std::vector<std::uint32_t>& best);

  const DependencyGraph& graph_;
  const Components& components_;
  const Relations relations_;
  std::vector<std::uint32_t> stamp_, parent_, queue_;
  std::uint32_t current_stamp_ = 0;
  std::uint64_t steps_ = 0;
};

// The same for one component.
ShortestCycle find_shortest_cycle(const DependencyGraph& graph, std::span<const std::uint32_t> members,
                                  const Components& components, Relations relations);

}  // namespace polarsim::checkers
