#include "checkers/cycle_search.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace polarsim::checkers {

namespace {

constexpr Relations dependencies = ww | wr;
constexpr Relations data = ww | wr | rw;

// Steps (edges looked at) that one search may spend on finding a cycle at all, and then on the proof that it is a
// shortest one. A verdict shows few cycles of a kind; once so many are proved, the others are made a little shorter.
constexpr std::uint64_t search_budget = 20'000'000;
constexpr std::uint64_t proof_budget = 20'000'000;
constexpr std::uint64_t shortening_budget = 20'000;
constexpr std::size_t proved_per_kind = 4;

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

enum class Kind { g0, g1c, single, nonadjacent, g2 };
constexpr std::array<std::pair<Kind, const char*>, 5> kinds = {{{Kind::g0, "G0"},
                                                                {Kind::g1c, "G1c"},
                                                                {Kind::single, "G-single-item"},
                                                                {Kind::nonadjacent, "G-nonadjacent-item"},
                                                                {Kind::g2, "G2-item"}}};
// Which order beyond data may take part.
struct Variant {
  const char* suffix;
  Relations extra;
};
constexpr std::array<Variant, 3> variants = {{{"", 0}, {"-process", process}, {"-realtime", realtime}}};

// One kind of cycle, as it is looked for: an edge that has a required relation, and a path of allowed ones back.
struct Form {
  std::string type;
  Relations required = 0;
  Relations allowed = 0;
  Match match = Match::label;
  bool nonadjacent = false;  // the path may have rw edges besides, as long as no two of the cycle follow each other
};

Form form_of(Kind kind, const Variant& variant, Match match) {
  const Relations extra = variant.extra;
  for (const auto& [known, name] : kinds) {
    if (known != kind) continue;
    const std::string type = std::string(name) + variant.suffix;
    switch (kind) {
      case Kind::g0:
        // Edges that every cycle of this variant must show: its own kind, or any.
        return {type, extra != 0 ? extra : Relations{ww}, static_cast<Relations>(ww | extra), match};
      case Kind::g1c:
        return {type, wr, static_cast<Relations>(dependencies | extra), match};
      case Kind::single:
        return {type, rw, static_cast<Relations>(dependencies | extra), match};
      case Kind::nonadjacent:
        return {type, rw, static_cast<Relations>(dependencies | extra), match, true};
      case Kind::g2:
        return {type, rw, static_cast<Relations>(data | extra), match};
    }
  }
  return {};
}

class CycleSearch {
 public:
  explicit CycleSearch(const DependencyGraph& graph) : graph_(graph) {}
  CycleReport run();

 private:
  using Path = std::vector<std::uint32_t>;
  using Members = std::vector<std::uint32_t>;
  struct Candidate {
    std::uint32_t from, to;
  };
  // What a search has come to: a cycle that is a shortest one if `proved`; none if empty, for certain if `proved`.
  struct Found {
    Path cycle;
    bool proved = false;
  };

  void search_component(std::uint32_t component, const Members& members);
  void note_existing(const Members& members);
  bool has_cycle(const Model& model, const Members& members);
  void search_variant(const Members& members, const Variant& variant);
  bool wanted(const std::string& type) const { return !implied_.contains(type); }
  Found search(const Members& members, const Form& form);
  void report(const Members& members, const std::string& sought, Found found);
  void collect_candidates(const Members& members, const Form& form);
  bool prove(const Form& form, std::size_t first, std::uint64_t budget, Path& best);
  Path shortest(const Form& form, const Candidate& candidate, std::size_t longest);
  Path shortest_path(const Form& form, std::uint32_t from, std::uint32_t to, std::size_t longest);
  Path shortest_nonadjacent_path(const Form& form, std::uint32_t from, std::uint32_t to, std::size_t longest);
  Relations relations_of(const DependencyGraph::Edge& edge, Match match) const {
    return match == Match::label ? label_of(edge.relations) : edge.relations;
  }
  void begin_search(std::size_t states);
  bool visit(std::uint32_t state, std::uint32_t parent);
  Path path_to(std::uint32_t from, std::uint32_t to, std::uint32_t divisor) const;
  const Components& components(Relations free, bool extended);

  const DependencyGraph& graph_;
  CycleReport result_;
  Components top_;
  std::map<std::string, std::size_t> proved_of_type_;
  // Of the component at hand.
  std::uint32_t component_ = 0;
  NameSet implied_, reported_, searched_;
  bool all_decided_ = true;  // every search so far has found a shortest cycle or proved that there is none
  // Of the search at hand.
  std::vector<Candidate> candidates_;
  std::uint64_t steps_ = 0;
  std::size_t shortest_rejected_ = no_vertex;  // length of the shortest walk that met a vertex twice
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

void CycleSearch::search_component(std::uint32_t component, const Members& members) {
  component_ = component;
  implied_.clear();
  reported_.clear();
  searched_.clear();
  all_decided_ = true;
  note_existing(members);
  Relations present = 0;
  for (const std::uint32_t v : members) {
    for (const DependencyGraph::Edge& edge : graph_.edges_of(v)) {
      if (top_.component_of[edge.to] == component) present |= edge.relations;
    }
  }
  for (const Variant& variant : variants) {
    if (variant.extra == 0 || (present & variant.extra) != 0) search_variant(members, variant);
  }
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

void CycleSearch::search_variant(const Members& members, const Variant& variant) {
  for (const auto& [kind, name] : kinds) {
    Form form = form_of(kind, variant, Match::label);
    if (!wanted(form.type)) continue;
    Found found = search(members, form);
    // Where data and time tell the same, the label hides the time: an edge may stand for either.
    if (found.cycle.empty() && variant.extra != 0 && (kind == Kind::g0 || kind == Kind::g1c)) {
      form.match = Match::any;
      found = search(members, form);
    }
    report(members, form.type, std::move(found));
  }
}

// A cycle is called by the labels of its edges. If that is another kind than the one sought, a shortest one of that
// kind is shown in its place.
void CycleSearch::report(const Members& members, const std::string& sought, Found found) {
  if (found.cycle.empty()) return;
  std::string type = classify_cycle(graph_, found.cycle);
  if (type != sought) {
    found.proved = false;
    if (reported_.contains(type)) {
      implied_.merge(anomalies_implied_by(sought));
      return;
    }
    for (const Variant& variant : variants) {
      for (const auto& [kind, name] : kinds) {
        const Form form = form_of(kind, variant, Match::label);
        if (form.type != type || searched_.contains(type) || !wanted(type)) continue;
        if (Found own = search(members, form); !own.cycle.empty()) found = std::move(own);
      }
    }
    type = classify_cycle(graph_, found.cycle);
  }
  Path vertices = std::move(found.cycle);
  std::rotate(vertices.begin(), std::min_element(vertices.begin(), vertices.end()), vertices.end());
  if (found.proved) ++proved_of_type_[type];
  implied_.merge(anomalies_implied_by(sought));
  implied_.merge(anomalies_implied_by(type));
  reported_.insert(type);
  result_.cycles.push_back({std::move(type), std::move(vertices), found.proved});
}

// The edges that may begin a cycle of the form, in order of their ends.
void CycleSearch::collect_candidates(const Members& members, const Form& form) {
  candidates_.clear();
  const bool plain = !form.nonadjacent && (form.required & form.allowed) != 0;
  const Components& found = components(form.allowed, !plain);
  if (found.count == 0) return;
  for (const std::uint32_t from : members) {
    const std::uint32_t home = found.component_of[plain ? from : dependency_state(from)];
    if (home == no_component) continue;
    for (const DependencyGraph::Edge& edge : graph_.edges_of(from)) {
      if ((relations_of(edge, form.match) & form.required) == 0) continue;
      if (found.component_of[plain ? edge.to : anti_dependency_state(edge.to)] != home) continue;
      candidates_.push_back({from, edge.to});
    }
  }
}

CycleSearch::Found CycleSearch::search(const Members& members, const Form& form) {
  if (form.match == Match::label) searched_.insert(form.type);
  collect_candidates(members, form);
  steps_ = 0;
  shortest_rejected_ = no_vertex;
  Found found;
  std::size_t first = 0;
  for (; first < candidates_.size() && found.cycle.empty(); ++first) {
    if (steps_ > search_budget) {
      all_decided_ = false;
      return found;
    }
    found.cycle = shortest(form, candidates_[first], no_vertex);
  }
  if (found.cycle.empty()) {
    found.proved = shortest_rejected_ == no_vertex;
    all_decided_ = all_decided_ && found.proved;
    return found;
  }
  const bool thorough = proved_of_type_[form.type] < proved_per_kind;
  found.proved = prove(form, first, thorough ? proof_budget : shortening_budget, found.cycle) &&
                 shortest_rejected_ >= found.cycle.size() && all_decided_;
  return found;
}

// Replaces the cycle by a shortest one; false if the budget ended before that was certain. Candidates before the
// `first` are done with. Short cycles are looked for everywhere before longer ones anywhere: most components hold one
// of two or three. The candidate that a shortest cycle was found from is the first that is in any, because those before
// it were asked for cycles of that length, too.
bool CycleSearch::prove(const Form& form, std::size_t first, std::uint64_t budget, Path& best) {
  steps_ = 0;
  for (std::size_t limit = 2; best.size() > 2; limit *= 2) {
    std::size_t longest = std::min(limit, best.size() - 1);
    for (std::size_t i = first; i < candidates_.size() && longest >= 2; ++i) {
      if (steps_ > budget) return false;
      Path path = shortest(form, candidates_[i], longest);
      if (path.empty()) continue;
      best = std::move(path);
      longest = best.size() - 1;
    }
    if (longest == best.size() - 1) return true;
  }
  return true;
}

// A shortest cycle that begins with the candidate and has at most `longest` vertices; empty if there is none. Of
// several the one whose vertices come first, compared one by one.
CycleSearch::Path CycleSearch::shortest(const Form& form, const Candidate& candidate, std::size_t longest) {
  Path path = form.nonadjacent ? shortest_nonadjacent_path(form, candidate.to, candidate.from, longest)
                               : shortest_path(form, candidate.to, candidate.from, longest);
  if (!path.empty()) std::rotate(path.begin(), path.end() - 1, path.end());
  return path;
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

// The vertices of a shortest path, both ends included, if it has at most `longest`.
CycleSearch::Path CycleSearch::shortest_path(const Form& form, std::uint32_t from, std::uint32_t to,
                                             std::size_t longest) {
  begin_search(graph_.vertex_count());
  visit(from, from);
  std::size_t length = 1;  // vertices on the paths to this layer
  std::size_t layer_end = queue_.size();
  for (std::size_t head = 0; head < queue_.size(); ++head) {
    if (head == layer_end) {
      layer_end = queue_.size();
      if (++length >= longest) return {};
    }
    for (const DependencyGraph::Edge& edge : graph_.edges_of(queue_[head])) {
      ++steps_;
      if ((relations_of(edge, form.match) & form.allowed) == 0 || top_.component_of[edge.to] != component_) continue;
      if (visit(edge.to, queue_[head]) && edge.to == to) return path_to(from, to, 1);
    }
  }
  return {};
}

// The same where no two rw edges follow each other, the path was entered by one, and must not end with one. None if the
// shortest such walk meets a vertex twice. (Such a walk falls apart into two closed ones, and the one with rw edges, if
// it is not the shorter cycle sought, leaves a cycle without any: so where no worse kind of cycle is, a shortest walk
// of all meets none twice.)
CycleSearch::Path CycleSearch::shortest_nonadjacent_path(const Form& form, std::uint32_t from, std::uint32_t to,
                                                         std::size_t longest) {
  begin_search(2 * graph_.vertex_count());
  const std::uint32_t start = anti_dependency_state(from);
  visit(start, start);
  std::size_t length = 1;
  std::size_t layer_end = queue_.size();
  for (std::size_t head = 0; head < queue_.size(); ++head) {
    if (head == layer_end) {
      layer_end = queue_.size();
      if (++length >= longest) return {};
    }
    const std::uint32_t state = queue_[head];
    for (const DependencyGraph::Edge& edge : graph_.edges_of(state / 2)) {
      ++steps_;
      if (top_.component_of[edge.to] != component_) continue;
      const Relations label = label_of(edge.relations);
      const bool is_free = (label & form.allowed) != 0;
      if (!is_free && (label != rw || state % 2 == 1)) continue;
      const std::uint32_t next = is_free ? dependency_state(edge.to) : anti_dependency_state(edge.to);
      if (!visit(next, state) || next != dependency_state(to)) continue;
      Path path = path_to(start, next, 2);
      Path sorted = path;
      std::sort(sorted.begin(), sorted.end());
      if (std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end()) return path;
      shortest_rejected_ = std::min(shortest_rejected_, path.size());
      return {};
    }
  }
  return {};
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
