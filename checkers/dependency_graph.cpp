#include "checkers/dependency_graph.h"

#include <algorithm>

namespace polarsim::checkers {

DependencyGraph DependencyGraph::Builder::build() && {
  DependencyGraph graph;
  graph.offsets_.assign(vertices_ + 1, 0);
  for (const FullEdge& edge : edges_) ++graph.offsets_[edge.from + 1];
  for (std::size_t v = 0; v < vertices_; ++v) graph.offsets_[v + 1] += graph.offsets_[v];
  std::vector<Edge> sorted(edges_.size());
  std::vector<std::uint32_t> next(graph.offsets_.begin(), graph.offsets_.end() - 1);
  for (const FullEdge& edge : edges_) sorted[next[edge.from]++] = {edge.to, edge.relations};
  edges_.clear();
  edges_.shrink_to_fit();

  // Each vertex's edges by target, parallel ones merged in place.
  std::size_t kept = 0;
  for (std::size_t v = 0; v < vertices_; ++v) {
    const std::size_t begin = graph.offsets_[v];
    const std::size_t end = graph.offsets_[v + 1];
    std::sort(sorted.begin() + static_cast<std::ptrdiff_t>(begin), sorted.begin() + static_cast<std::ptrdiff_t>(end),
              [](const Edge& a, const Edge& b) { return a.to != b.to ? a.to < b.to : a.relations < b.relations; });
    graph.offsets_[v] = static_cast<std::uint32_t>(kept);
    for (std::size_t i = begin; i < end; ++i) {
      if (i > begin && sorted[kept - 1].to == sorted[i].to) {
        sorted[kept - 1].relations |= sorted[i].relations;
      } else {
        sorted[kept++] = sorted[i];
      }
    }
  }
  graph.offsets_[vertices_] = static_cast<std::uint32_t>(kept);
  sorted.resize(kept);
  graph.edges_ = std::move(sorted);
  return graph;
}

Relations DependencyGraph::relations_between(std::uint32_t from, std::uint32_t to) const {
  const auto edges = edges_of(from);
  const auto found =
      std::lower_bound(edges.begin(), edges.end(), to, [](const Edge& edge, std::uint32_t v) { return edge.to < v; });
  return found != edges.end() && found->to == to ? found->relations : Relations{0};
}

Components find_components(const DependencyGraph& graph, Relations relations) {
  return find_components(
      graph.vertex_count(), [&](std::uint32_t v) { return graph.edges_of(v).size(); },
      [&](std::uint32_t v, std::uint32_t i) {
        const DependencyGraph::Edge& edge = graph.edges_of(v)[i];
        return (edge.relations & relations) != 0 ? edge.to : no_vertex;
      });
}

}  // namespace polarsim::checkers
