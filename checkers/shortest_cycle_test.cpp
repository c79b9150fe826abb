#include "checkers/shortest_cycle.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <optional>

#include "checkers/test_histories.h"

namespace polarsim::checkers {
namespace {

using test::Choices;
using Path = std::vector<std::uint32_t>;

// The least of the shortest simple cycles of a component, by trying all; each begins with its lowest vertex.
std::optional<Path> least_of_shortest(const DependencyGraph& graph, const Components& components,
                                      std::uint32_t component) {
  std::optional<Path> best;
  Path path;
  const std::function<void()> extend = [&] {
    if (path.size() > 1 && graph.relations_between(path.back(), path.front()) != 0) {
      if (!best || path.size() < best->size() || (path.size() == best->size() && path < *best)) best = path;
    }
    for (std::uint32_t next = path.front() + 1; next < graph.vertex_count(); ++next) {
      if (graph.relations_between(path.back(), next) == 0) continue;
      if (std::find(path.begin(), path.end(), next) != path.end()) continue;
      path.push_back(next);
      extend();
      path.pop_back();
    }
  };
  for (std::uint32_t start = 0; start < graph.vertex_count(); ++start) {
    if (components.component_of[start] != component) continue;
    path = {start};
    extend();
  }
  return best;
}

RC_GTEST_PROP(ShortestCycles, AreTheLeastOfAllShortestOnes, ()) {
  const auto seed = *rc::gen::resize(100, rc::gen::arbitrary<std::uint32_t>());
  for (std::uint32_t i = 0; i < 40; ++i) {
    Choices choices({seed, i, seed ^ i, i * 2654435761U});
    const std::size_t vertices = 2 + choices.below(7);
    DependencyGraph::Builder builder(vertices);
    for (std::size_t edges = vertices + choices.below(vertices); edges > 0; --edges) {
      const auto from = static_cast<std::uint32_t>(choices.below(vertices));
      builder.add(from, static_cast<std::uint32_t>(choices.below(vertices)), wr);
    }
    const DependencyGraph graph = std::move(builder).build();
    const Components components = find_components(graph, wr);
    ShortestCycles search(graph, components, wr);
    for (std::uint32_t component = 0; component < components.count; ++component) {
      Path members;
      for (std::uint32_t v = 0; v < vertices; ++v) {
        if (components.component_of[v] == component) members.push_back(v);
      }
      const ShortestCycle found = search.find(members);
      RC_ASSERT(found.proved);
      RC_ASSERT(found.vertices == *least_of_shortest(graph, components, component));
    }
  }
}

// A ring of a hundred thousand: shown, and no claim is made that the budget does not allow.
TEST(ShortestCyclesTest, AHugeRingIsShownWithoutProof) {
  constexpr std::uint32_t size = 100'000;
  DependencyGraph::Builder builder(size);
  for (std::uint32_t v = 0; v < size; ++v) builder.add(v, (v + 1) % size, wr);
  const DependencyGraph graph = std::move(builder).build();
  Path members(size);
  std::iota(members.begin(), members.end(), 0U);
  const ShortestCycle found = find_shortest_cycle(graph, members, find_components(graph, wr), wr);
  EXPECT_EQ(found.vertices, members);
  EXPECT_FALSE(found.proved);
}

// Very many components cost no more than their sizes together.
TEST(ShortestCyclesTest, ManyComponents) {
  constexpr std::uint32_t size = 100'000;
  DependencyGraph::Builder builder(2 * size);
  for (std::uint32_t v = 0; v < size; ++v) {
    builder.add(2 * v, 2 * v + 1, wr);
    builder.add(2 * v + 1, 2 * v, wr);
  }
  const DependencyGraph graph = std::move(builder).build();
  const Components components = find_components(graph, wr);
  ShortestCycles search(graph, components, wr);
  for (std::uint32_t v = 0; v < size; ++v) {
    const Path members = {2 * v, 2 * v + 1};
    const ShortestCycle found = search.find(members);
    ASSERT_EQ(found.vertices, members);
    ASSERT_TRUE(found.proved);
  }
}

}  // namespace
}  // namespace polarsim::checkers
