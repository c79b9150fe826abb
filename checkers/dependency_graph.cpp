#include "checkers/dependency_graph.h"

#include <algorithm>
#include <utility>

namespace polarsim::checkers {

void DependencyGraph::Builder::begin_counting() {
  mode_ = Mode::count;
  offsets_.assign(vertices_ + 1, 0);
}

void DependencyGraph::Builder::begin_placing() {
  mode_ = Mode::place;
  for (std::size_t v = 0; v < vertices_; ++v) offsets_[v + 1] += offsets_[v];
  next_.assign(offsets_.begin(), offsets_.end() - 1);
  edges_.resize(offsets_.back());
}

// Each vertex's edges by target, parallel ones merged in place.
DependencyGraph DependencyGraph::Builder::merge_parallel() {
  next_ = {};
  std::size_t kept = 0;
  for (std::size_t v = 0; v < vertices_; ++v) {
    const std::size_t begin = offsets_[v];
    const std::size_t end = offsets_[v + 1];
    std::sort(edges_.begin() + static_cast<std::ptrdiff_t>(begin), edges_.begin() + static_cast<std::ptrdiff_t>(end),
              [](const Edge& a, const Edge& b) { return a.to != b.to ? a.to < b.to : a.relations < b.relations; });
    offsets_[v] = static_cast<std::uint32_t>(kept);
    for (std::size_t i = begin; i < end; ++i) {
      if (i > begin && edges_[kept - 1].to == edges_[i].to) {
        edges_[kept - 1].relations |= edges_[i].relations;
      } else {
        edges_[kept++] = edges_[i];
      }
    }
  }
  offsets_[vertices_] = static_cast<std::uint32_t>(kept);
  edges_.resize(kept);
  DependencyGraph graph;
  graph.offsets_ = std::move(offsets_);
  graph.edges_ = std::move(edges_);
  return graph;
}

DependencyGraph DependencyGraph::Builder::build() && {
  const std::vector<FullEdge> collected = std::move(collected_);
  begin_counting();
  for (const FullEdge& edge : collected) ++offsets_[edge.from + 1];
  begin_placing();
  for (const FullEdge& edge : collected) edges_[next_[edge.from]++] = {edge.to, edge.relations};
  return merge_parallel();
}

DependencyGraph DependencyGraph::in_two_passes(std::size_t vertices, const std::function<void(Builder&)>& add_edges) {
  Builder builder(vertices);
  builder.begin_counting();
  add_edges(builder);
  builder.begin_placing();
  add_edges(builder);
  return builder.merge_parallel();
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
