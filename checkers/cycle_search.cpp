#include "checkers/cycle_search.h"

#include <algorithm>
#include <array>
#include <optional>

namespace polarsim::checkers {

namespace {

constexpr Relations dependencies = ww | wr;
constexpr Relations data = ww | wr | rw;

// Steps (edges looked at) one search may spend on finding a cycle at all, and then on a shorter one.
constexpr std::uint64_t search_budget = 20'000'000;
constexpr std::uint64_t shortening_budget = 400'000;

std::uint32_t dependency_state(std::uint32_t v) { return 2 * v; }           // reached by anything but rw
std::uint32_t anti_dependency_state(std::uint32_t v) { return 2 * v + 1; }  // reached by rw

// Components of the graph in which no two rw edges follow each other: each vertex in two states.
Components find_nonadjacent_components(const DependencyGraph& graph, Relations free) {
  return find_components(
      2 * graph.vertex_count(), [&](std::uint32_t state) { return 2 * graph.edges_of(state / 2).size(); },
      [&](std::uint32_t state, std::uint32_t i) {
        const DependencyGraph::Edge& edge = graph.edges_of(state / 2)[i / 2];
        if (i % 2 == 0) return (edge.relations & free) != 0 ? dependency_state(edge.to) : no_vertex;
        return state % 2 == 0 && (edge.relations & rw) != 0 ? anti_dependency_state(edge.to) : no_vertex;
      });
}

struct Model {
  const char* name;  // as "<name>-cycle-exists" says it
  const char* friendly;
  Relations free;  // edges that may follow any edge
  bool extended;   // and rw edges that follow one of those
};

// From the weakest model to the strongest, data alone first.
constexpr std::array<Model, 13> models = {{
    {"PL-1", "read-uncommitted", ww, false},
    {"PL-2", "read-committed", dependencies, false},
    {"PL-SI", "snapshot-isolation", dependencies, true},
    {"PL-2.99", "repeatable-read", data, false},
    {"PL-3", "serializable", data, false},
    {"strong-session-PL-1", "strong-session-read-uncommitted", ww | process, false},
    {"strong-session-PL-2", "strong-session-read-committed", dependencies | process, false},
    {"strong-session-snapshot-isolation", "strong-session-snapshot-isolation", dependencies | process, true},
    {"strong-session-serializable", "strong-session-serializable", data | process, false},
    {"strong-PL-1", "strong-read-uncommitted", ww | realtime, false},
    {"strong-PL-2", "strong-read-committed", dependencies | realtime, false},
    {"strong-snapshot-isolation", "strong-snapshot-isolation", dependencies | realtime, true},
    {"PL-SS", "strong-serializable", data | realtime, false},
}};

// How edges are matched against a set: by their label alone, or by any of their relations.
enum class Match { label, any };

class CycleSearch {
 public:
  explicit CycleSearch(const DependencyGraph& graph) : graph_(graph) {}
  CycleReport run();

 private:
  using Path = std::vector<std::uint32_t>;
  void search_component(std::uint32_t component, const std::vector<std::uint32_t>& members);
  void note_existing(const std::vector<std::uint32_t>& members);
  bool has_cycle(const Model& model, const std::vector<std::uint32_t>& members);
  void search_variant(const std::vector<std::uint32_t>& members, const std::string& suffix, Relations extra);
  bool wanted(const std::string& type) const { return !implied_.contains(type); }
  void report(const std::string& sought, const std::optional<Path>& cycle);
  std::optional<Path> through_edges(const std::vector<std::uint32_t>& members, Relations required, Relations allowed,
                                    Match match);
  std::optional<Path> nonadjacent(const std::vector<std::uint32_t>& members, Relations free);
  std::optional<Path> shortest_path(std::uint32_t from, std::uint32_t to, Relations allowed, Match match,
                                    std::size_t limit);
  std::optional<Path> shortest_nonadjacent_path(std::uint32_t from, std::uint32_t to, Relations free,
                                                std::size_t limit);
  void begin_search(std::size_t states);
  bool visit(std::uint32_t state, std::uint32_t parent);
  Path path_to(std::uint32_t from, std::uint32_t to, std::uint32_t divisor) const;
  const Components& components(Relations free, bool extended);

  const DependencyGraph& graph_;
  CycleReport result_;
  Components top_;
  NameSet implied_;
  std::uint32_t component_ = 0;
  std::uint64_t steps_ = 0;
  // Breadth-first search state; a stamp spares clearing it.
  std::vector<std::uint32_t> stamp_, parent_, queue_;
  std::uint32_t current_stamp_ = 0;
  struct CachedComponents {
    Relations free;
    bool extended;
    Components components;
  };
  std::vector<CachedComponents> cache_;
};

const Components& CycleSearch::components(Relations free, bool extended) {
  for (const CachedComponents& cached : cache_) {
    if (cached.free == free && cached.extended == extended) return cached.components;
  }
  cache_.push_back(
      {free, extended, extended ? find_nonadjacent_components(graph_, free) : find_components(graph_, free)});
  return cache_.back().components;
}

CycleReport CycleSearch::run() {
  cache_.reserve(2 * models.size());  // References to cached components stay valid.
  top_ = find_components(graph_, data | process | realtime);
  std::vector<std::vector<std::uint32_t>> members(top_.count);
  for (std::uint32_t v = 0; v < graph_.vertex_count(); ++v) {
    if (top_.component_of[v] != no_component) members[top_.component_of[v]].push_back(v);
  }
  for (std::uint32_t c = 0; c < top_.count; ++c) search_component(c, members[c]);
  return std::move(result_);
}

void CycleSearch::search_component(std::uint32_t component, const std::vector<std::uint32_t>& members) {
  component_ = component;
  implied_.clear();
  note_existing(members);
  Relations present = 0;
  for (const std::uint32_t v : members) {
    for (const DependencyGraph::Edge& edge : graph_.edges_of(v)) {
      if (top_.component_of[edge.to] == component) present |= edge.relations;
    }
  }
  search_variant(members, "", 0);
  if ((present & process) != 0) search_variant(members, "-process", process);
  if ((present & realtime) != 0) search_variant(members, "-realtime", realtime);
}

bool CycleSearch::has_cycle(const Model& model, const std::vector<std::uint32_t>& members) {
  const Components& found = components(model.free, model.extended);
  if (found.count == 0) return false;
  for (const std::uint32_t v : members) {
    if (model.extended) {
      if (found.component_of[dependency_state(v)] != no_component) return true;
    } else if (found.component_of[v] != no_component) {
      return true;
    }
  }
  return false;
}

void CycleSearch::note_existing(const std::vector<std::uint32_t>& members) {
  NameSet impossible;
  for (const Model& model : models) {
    if (impossible.contains(model.friendly) || !has_cycle(model, members)) continue;
    impossible.merge(models_at_least(model.friendly));
    result_.existing.insert(std::string(model.name) + "-cycle-exists");
  }
}

void CycleSearch::report(const std::string& sought, const std::optional<Path>& cycle) {
  if (!cycle) return;
  Path vertices = *cycle;
  std::rotate(vertices.begin(), std::min_element(vertices.begin(), vertices.end()), vertices.end());
  result_.cycles.push_back({classify_cycle(graph_, vertices), std::move(vertices)});
  implied_.merge(anomalies_implied_by(sought));
  implied_.merge(anomalies_implied_by(result_.cycles.back().type));
}

void CycleSearch::search_variant(const std::vector<std::uint32_t>& members, const std::string& suffix,
                                 Relations extra) {
  // Edges that every cycle of this variant must show: its own kind, or any.
  if (const std::string type = "G0" + suffix; wanted(type)) {
    const Relations required = extra != 0 ? extra : Relations{ww};
    auto cycle = through_edges(members, required, ww | extra, Match::label);
    if (!cycle && extra != 0) cycle = through_edges(members, required, ww | extra, Match::any);
    report(type, cycle);
  }
  if (const std::string type = "G1c" + suffix; wanted(type)) {
    auto cycle = through_edges(members, wr, dependencies | extra, Match::label);
    if (!cycle && extra != 0) cycle = through_edges(members, wr, dependencies | extra, Match::any);
    report(type, cycle);
  }
  if (const std::string type = "G-single-item" + suffix; wanted(type)) {
    report(type, through_edges(members, rw, dependencies | extra, Match::label));
  }
  if (const std::string type = "G-nonadjacent-item" + suffix; wanted(type)) {
    report(type, nonadjacent(members, dependencies | extra));
  }
  if (const std::string type = "G2-item" + suffix; wanted(type)) {
    report(type, through_edges(members, rw, data | extra, Match::label));
  }
}

// A short cycle of one edge that has a required relation and a path of allowed edges back to it.
std::optional<CycleSearch::Path> CycleSearch::through_edges(const std::vector<std::uint32_t>& members,
                                                            Relations required, Relations allowed, Match match) {
  const bool required_is_free = (required & allowed) != 0;
  const Components& plain = components(allowed, !required_is_free);
  std::optional<Path> best;
  steps_ = 0;
  for (const std::uint32_t a : members) {
    for (const DependencyGraph::Edge& edge : graph_.edges_of(a)) {
      const Relations relations = match == Match::label ? label_of(edge.relations) : edge.relations;
      if ((relations & required) == 0) continue;
      const std::uint32_t from = required_is_free ? plain.component_of[a] : plain.component_of[dependency_state(a)];
      const std::uint32_t to =
          required_is_free ? plain.component_of[edge.to] : plain.component_of[anti_dependency_state(edge.to)];
      if (from == no_component || from != to) continue;
      if (steps_ > (best ? shortening_budget : search_budget)) return best;
      auto path = shortest_path(edge.to, a, allowed, match, best ? best->size() : no_vertex);
      if (path && (!best || path->size() < best->size())) best = std::move(path);
      if (best && best->size() == 2) return best;
    }
  }
  return best;
}

std::optional<CycleSearch::Path> CycleSearch::nonadjacent(const std::vector<std::uint32_t>& members, Relations free) {
  const Components& product = components(free, true);
  if (product.count == 0) return std::nullopt;
  std::optional<Path> best;
  steps_ = 0;
  for (const std::uint32_t a : members) {
    const std::uint32_t home = product.component_of[dependency_state(a)];
    if (home == no_component) continue;
    for (const DependencyGraph::Edge& edge : graph_.edges_of(a)) {
      if (label_of(edge.relations) != rw || product.component_of[anti_dependency_state(edge.to)] != home) continue;
      if (steps_ > (best ? shortening_budget : search_budget)) return best;
      auto path = shortest_nonadjacent_path(edge.to, a, free, best ? best->size() : no_vertex);
      if (path && (!best || path->size() < best->size())) best = std::move(path);
    }
  }
  return best;
}

void CycleSearch::begin_search(std::size_t states) {
  if (stamp_.size() < states) {
    stamp_.resize(states, 0);
    parent_.resize(states, 0);
  }
  if (++current_stamp_ == 0) {
    std::fill(stamp_.begin(), stamp_.end(), 0U);
    current_stamp_ = 1;
  }
  queue_.clear();
}

bool CycleSearch::visit(std::uint32_t state, std::uint32_t parent) {
  if (stamp_[state] == current_stamp_) return false;
  stamp_[state] = current_stamp_;
  parent_[state] = parent;
  queue_.push_back(state);
  return true;
}

CycleSearch::Path CycleSearch::path_to(std::uint32_t from, std::uint32_t to, std::uint32_t divisor) const {
  Path path;
  for (std::uint32_t state = to; state != from; state = parent_[state]) path.push_back(state / divisor);
  path.push_back(from / divisor);
  std::reverse(path.begin(), path.end());
  return path;
}

// The vertices of a shortest path, both ends included, if it has fewer than `limit`.
std::optional<CycleSearch::Path> CycleSearch::shortest_path(std::uint32_t from, std::uint32_t to, Relations allowed,
                                                            Match match, std::size_t limit) {
  begin_search(graph_.vertex_count());
  visit(from, from);
  std::size_t length = 1;  // vertices on the paths to this layer
  std::size_t layer_end = queue_.size();
  for (std::size_t head = 0; head < queue_.size(); ++head) {
    if (head == layer_end) {
      layer_end = queue_.size();
      if (++length + 1 >= limit) return std::nullopt;
    }
    for (const DependencyGraph::Edge& edge : graph_.edges_of(queue_[head])) {
      ++steps_;
      const Relations relations = match == Match::label ? label_of(edge.relations) : edge.relations;
      if ((relations & allowed) == 0 || top_.component_of[edge.to] != component_) continue;
      if (visit(edge.to, queue_[head]) && edge.to == to) return path_to(from, to, 1);
    }
  }
  return std::nullopt;
}

// The same where no two rw edges follow each other, the path was entered by one, and must not end with one. None if the
// shortest such walk meets a vertex twice.
std::optional<CycleSearch::Path> CycleSearch::shortest_nonadjacent_path(std::uint32_t from, std::uint32_t to,
                                                                        Relations free, std::size_t limit) {
  begin_search(2 * graph_.vertex_count());
  const std::uint32_t start = anti_dependency_state(from);
  visit(start, start);
  std::size_t length = 1;
  std::size_t layer_end = queue_.size();
  for (std::size_t head = 0; head < queue_.size(); ++head) {
    if (head == layer_end) {
      layer_end = queue_.size();
      if (++length + 1 >= limit) return std::nullopt;
    }
    const std::uint32_t state = queue_[head];
    for (const DependencyGraph::Edge& edge : graph_.edges_of(state / 2)) {
      ++steps_;
      if (top_.component_of[edge.to] != component_) continue;
      const Relations label = label_of(edge.relations);
      const bool is_free = (label & free) != 0;
      if (!is_free && (label != rw || state % 2 == 1)) continue;
      const std::uint32_t next = is_free ? dependency_state(edge.to) : anti_dependency_state(edge.to);
      if (!visit(next, state) || next != dependency_state(to)) continue;
      Path path = path_to(start, next, 2);
      Path sorted = path;
      std::sort(sorted.begin(), sorted.end());
      if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) return std::nullopt;
      return path;
    }
  }
  return std::nullopt;
}

}  // namespace

NameSet models_with_cycles(const DependencyGraph& graph) {
  NameSet found;
  for (const Model& model : models) {
    // What a weaker model forbids, a stronger one does, too.
    if (found.contains(model.friendly)) continue;
    const Components components =
        model.extended ? find_nonadjacent_components(graph, model.free) : find_components(graph, model.free);
    if (components.count > 0) found.merge(models_at_least(model.friendly));
  }
  return found;
}

std::string classify_cycle(const DependencyGraph& graph, const std::vector<std::uint32_t>& vertices) {
  std::size_t reads = 0;
  std::size_t anti = 0;
  bool adjacent = false;
  Relations seen = 0;
  Relations previous = label_of(graph.relations_between(vertices.back(), vertices.front()));
  for (std::size_t i = 0; i < vertices.size(); ++i) {
    const Relations label = label_of(graph.relations_between(vertices[i], vertices[(i + 1) % vertices.size()]));
    seen |= label;
    reads += label == wr ? 1 : 0;
    anti += label == rw ? 1 : 0;
    adjacent = adjacent || (label == rw && previous == rw);
    previous = label;
  }
  std::string type = anti == 1   ? "G-single-item"
                     : anti > 1  ? (adjacent ? "G2-item" : "G-nonadjacent-item")
                     : reads > 0 ? "G1c"
                                 : "G0";
  if ((seen & realtime) != 0) return type + "-realtime";
  return (seen & process) != 0 ? type + "-process" : type;
}

std::string model_of_cycle_exists(std::string_view anomaly) {
  for (const Model& model : models) {
    if (anomaly == std::string(model.name) + "-cycle-exists") return model.friendly;
  }
  return {};
}

CycleReport find_cycles(const DependencyGraph& graph) { return CycleSearch(graph).run(); }

}  // namespace polarsim::checkers
