#include "checkers/shortest_cycle.h"

#include <algorithm>
#include <cassert>

namespace polarsim::checkers {

namespace {

// Edges looked at. A component in which this is not enough has millions of edges and no short cycle.
constexpr std::uint64_t search_budget = 100'000'000;

class Search {
 public:
  Search(const DependencyGraph& graph, const Components& components, Relations relations)
      : graph_(graph),
        components_(components),
        relations_(relations),
        stamp_(graph.vertex_count(), no_vertex),
        parent_(graph.vertex_count()) {}

  // Whether a cycle of at most `longest` vertices, whose lowest is `start`, was found; it replaces `best`.
  bool from(std::uint32_t start, std::size_t longest, std::vector<std::uint32_t>& best) {
    const std::uint32_t component = components_.component_of[start];
    queue_.assign(1, start);
    stamp_[start] = start;
    std::size_t length = 1;  // vertices on the way to the layer that is looked at, both ends included
    std::size_t layer_end = 1;
    for (std::size_t head = 0; head < queue_.size(); ++head) {
      if (head == layer_end) {
        layer_end = queue_.size();
        if (++length > longest) return false;
      }
      const std::uint32_t v = queue_[head];
      for (const DependencyGraph::Edge& edge : graph_.edges_of(v)) {
        ++steps_;
        if ((edge.relations & relations_) == 0) continue;
        if (edge.to == start) {
          best.clear();
          for (std::uint32_t at = v; at != start; at = parent_[at]) best.push_back(at);
          best.push_back(start);
          std::reverse(best.begin(), best.end());
          return true;
        }
        if (edge.to < start || stamp_[edge.to] == start || components_.component_of[edge.to] != component) continue;
        stamp_[edge.to] = start;
        parent_[edge.to] = v;
        queue_.push_back(edge.to);
      }
    }
    return false;
  }

  std::uint64_t steps() const { return steps_; }
  // Forgets which vertices were seen, so that a start may be tried again with a greater limit.
  void forget() { std::fill(stamp_.begin(), stamp_.end(), no_vertex); }

 private:
  const DependencyGraph& graph_;
  const Components& components_;
  const Relations relations_;
  std::vector<std::uint32_t> stamp_, parent_, queue_;
  std::uint64_t steps_ = 0;
};

}  // namespace

ShortestCycle find_shortest_cycle(const DependencyGraph& graph, std::span<const std::uint32_t> members,
                                  const Components& components, Relations relations) {
  assert(!members.empty());
  Search search(graph, components, relations);
  ShortestCycle result;
  // Short cycles are looked for everywhere before longer ones anywhere: most components hold one of two or three.
  for (std::size_t limit = 2; result.vertices.empty(); limit *= 2) {
    std::size_t longest = limit;
    for (const std::uint32_t start : members) {
      if (search.from(start, longest, result.vertices)) longest = result.vertices.size() - 1;
      if (longest < 2) return result;
      if (search.steps() > search_budget) {
        result.proved = false;
        if (!result.vertices.empty()) return result;
      }
    }
    search.forget();
  }
  return result;
}

}  // namespace polarsim::checkers
