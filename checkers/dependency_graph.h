// Transactions and the dependencies between them, as a compact graph, with its strongly connected components.
//
// Vertices are dense numbers. An edge carries every relation that holds between its ends (a set of bits); its *label*
// is the strongest kind of evidence among them, in the order of the enumeration, which is what explanations and
// classification use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace polarsim::checkers {

enum Relation : std::uint8_t {
  ww = 1,         // overwrites
  wr = 2,         // reads from
  rw = 4,         // anti-depends: overwrites what the other read
  process = 8,    // the same process ran the one, then the other
  realtime = 16,  // the one was acknowledged before the other was asked for
  observed = 32,  // a third saw the one, which wrote a key, and yet read the other's version of it
};
using Relations = std::uint8_t;
inline constexpr Relations every_relation = 0xff;

// The label of a set of relations: its lowest bit.
constexpr Relations label_of(Relations relations) { return static_cast<Relations>(relations & (~relations + 1)); }

class DependencyGraph {
 public:
  struct Edge {
    std::uint32_t to = 0;
    Relations relations = 0;
  };

  // Takes edges in any order and number; parallel ones are merged, self edges dropped.
  class Builder {
   public:
    explicit Builder(std::size_t vertices) : vertices_(vertices) {}
    void add(std::uint32_t from, std::uint32_t to, Relation relation) {
      if (from == to) return;
      switch (mode_) {
        case Mode::collect:
          collected_.push_back({from, to, relation});
          break;
        case Mode::count:
          ++offsets_[from + 1];
          break;
        case Mode::place:
          edges_[next_[from]++] = {to, relation};
          break;
      }
    }
    DependencyGraph build() &&;

   private:
    friend class DependencyGraph;
    enum class Mode : std::uint8_t { collect, count, place };
    struct FullEdge {
      std::uint32_t from, to;
      Relations relations;
    };
    void begin_counting();
    void begin_placing();
    DependencyGraph merge_parallel();

    std::size_t vertices_;
    Mode mode_ = Mode::collect;
    std::vector<FullEdge> collected_;
    std::vector<std::uint32_t> offsets_, next_;
    std::vector<Edge> edges_;
  };
  // The graph of the edges that `add_edges` adds. It is called twice and must add the same ones in the same order: that
  // takes half the memory, because the first time they are only counted.
  static DependencyGraph in_two_passes(std::size_t vertices, const std::function<void(Builder&)>& add_edges);

  std::size_t vertex_count() const { return offsets_.size() - 1; }
  std::size_t edge_count() const { return edges_.size(); }
  // Sorted by target.
  std::span<const Edge> edges_of(std::uint32_t vertex) const {
    return {edges_.data() + offsets_[vertex], edges_.data() + offsets_[vertex + 1]};
  }
  // The relations from one vertex to another; 0 if there is no edge.
  Relations relations_between(std::uint32_t from, std::uint32_t to) const;

 private:
  std::vector<std::uint32_t> offsets_ = {0};
  std::vector<Edge> edges_;
};

// Strongly connected components of `vertices` vertices, by Tarjan's algorithm with an explicit stack. `degree(v)` is
// the number of outgoing edges of v and `target(v, i)` where the i-th leads, or `no_vertex` if that edge does not
// count. Components are numbered; a component of one vertex without an edge to itself is trivial and gets
// `no_component`.
inline constexpr std::uint32_t no_vertex = 0xffffffffU;
inline constexpr std::uint32_t no_component = 0xffffffffU;

struct Components {
  std::vector<std::uint32_t> component_of;  // by vertex
  std::uint32_t count = 0;                  // nontrivial components, numbered by their lowest vertex
};

template <typename Degree, typename Target>
Components find_components(std::size_t vertices, const Degree& degree, const Target& target) {
  constexpr std::uint32_t unvisited = 0xffffffffU;
  struct Frame {
    std::uint32_t vertex, next_edge;
  };
  std::vector<std::uint32_t> order(vertices, unvisited), low(vertices, 0), stack;
  std::vector<bool> on_stack(vertices, false), nontrivial_root(vertices, false);
  std::vector<std::uint32_t> root_of(vertices, no_component);
  std::vector<Frame> frames;
  std::uint32_t counter = 0;
  for (std::uint32_t start = 0; start < vertices; ++start) {
    if (order[start] != unvisited) continue;
    frames.push_back({start, 0});
    while (!frames.empty()) {
      const std::uint32_t v = frames.back().vertex;
      if (frames.back().next_edge == 0 && order[v] == unvisited) {
        order[v] = low[v] = counter++;
        stack.push_back(v);
        on_stack[v] = true;
      }
      if (frames.back().next_edge < degree(v)) {
        const std::uint32_t w = target(v, frames.back().next_edge++);
        if (w == no_vertex) continue;
        if (w == v) {
          nontrivial_root[v] = true;
        } else if (order[w] == unvisited) {
          frames.push_back({w, 0});
        } else if (on_stack[w] && order[w] < low[v]) {
          low[v] = order[w];
        }
        continue;
      }
      frames.pop_back();
      if (!frames.empty() && low[v] < low[frames.back().vertex]) low[frames.back().vertex] = low[v];
      if (low[v] != order[v]) continue;
      const bool alone = stack.back() == v;
      while (true) {
        const std::uint32_t w = stack.back();
        stack.pop_back();
        on_stack[w] = false;
        if (!alone || nontrivial_root[v]) root_of[w] = v;
        if (w == v) break;
      }
    }
  }
  Components result;
  result.component_of.assign(vertices, no_component);
  std::vector<std::uint32_t> number_of_root(vertices, no_component);
  for (std::uint32_t v = 0; v < vertices; ++v) {
    if (root_of[v] == no_component) continue;
    std::uint32_t& number = number_of_root[root_of[v]];
    if (number == no_component) number = result.count++;
    result.component_of[v] = number;
  }
  return result;
}

// The components of the subgraph of the edges that have any of `relations`.
Components find_components(const DependencyGraph& graph, Relations relations);

}  // namespace polarsim::checkers
