#include "checkers/shortest_cycle.h"

#include <algorithm>
#include <cassert>

namespace polarsim::checkers {

namespace {

// Edges looked at for proofs. A component in which this is not enough has millions of edges and no short cycle.
constexpr std::uint64_t proof_budget = 100'000'000;

}  // namespace

ShortestCycles::ShortestCycles(const DependencyGraph& graph, const Components& components, Relations relations)
    : graph_(graph),
      components_(components),
      relations_(relations),
      stamp_(graph.vertex_count(), 0),
      parent_(graph.vertex_count()) {}

// Whether a cycle of at most `longest` vertices, whose lowest is `start`, was found; it replaces `best`.
bool ShortestCycles::from(std::uint32_t start, std::size_t longest, std::vector<std::uint32_t>& best) {
  const std::uint32_t component = components_.component_of[start];
  if (++current_stamp_ == 0) {
    std::fill(stamp_.begin(), stamp_.end(), 0U);
    current_stamp_ = 1;
  }
  queue_.assign(1, start);
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
      if (edge.to < start || stamp_[edge.to] == current_stamp_ || components_.component_of[edge.to] != component) {
        continue;
      }
      stamp_[edge.to] = current_stamp_;
      parent_[edge.to] = v;
      queue_.push_back(edge.to);
    }
  }
  return false;
}

ShortestCycle ShortestCycles::find(std::span<const std::uint32_t> members) {
  assert(!members.empty());
  ShortestCycle result;
  // The lowest vertex is on some cycle, as all of them are; this costs no more than a walk through the component.
  [[maybe_unused]] const bool found = from(members.front(), members.size(), result.vertices);
  assert(found);
  // Short cycles are looked for everywhere before longer ones anywhere: most components hold one of two or three.
  for (std::size_t limit = 2; result.vertices.size() > 2; limit *= 2) {
    std::size_t longest = std::min(limit, result.vertices.size() - 1);
    for (const std::uint32_t start : members) {
      if (steps_ > proof_budget) {
        result.proved = false;
        return result;
      }
      if (from(start, longest, result.vertices)) longest = result.vertices.size() - 1;
      if (longest < 2) return result;
    }
    if (longest == result.vertices.size() - 1) return result;
  }
  return result;
}

ShortestCycle find_shortest_cycle(const DependencyGraph& graph, std::span<const std::uint32_t> members,
                                  const Components& components, Relations relations) {
  return ShortestCycles(graph, components, relations).find(members);
}

}  // namespace polarsim::checkers
