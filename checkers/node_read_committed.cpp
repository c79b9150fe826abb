#include "checkers/node_read_committed.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include "checkers/dependency_graph.h"
#include "checkers/shortest_cycle.h"

namespace polarsim::checkers {

namespace {

constexpr Relations all = process | ww | wr | rw;

class NodeChecker {
 public:
  explicit NodeChecker(const NodeHistory& history) : history_(history) {
    commits_.reserve(history.pieces.size());
    for (std::uint32_t piece = 0; piece < history.pieces.size(); ++piece) {
      if (!history.pieces[piece].commit) continue;
      for (const NodeHistory::Version& version : history.pieces[piece].versions) commits_[slot(version)] = piece;
    }
  }

  NodeVerdict run() {
    const DependencyGraph graph = build();
    const Components components = find_components(graph, all);
    NodeVerdict verdict;
    if (components.count == 0) return verdict;
    verdict.holds = false;
    std::vector<std::vector<std::uint32_t>> members(components.count);
    for (std::uint32_t v = 0; v < graph.vertex_count(); ++v) {
      if (components.component_of[v] != no_component) members[components.component_of[v]].push_back(v);
    }
    for (const std::vector<std::uint32_t>& component : members) {
      const ShortestCycle cycle = find_shortest_cycle(graph, component, components, all);
      std::vector<NodeConstraint>& constraints = verdict.contradictions.emplace_back();
      for (std::size_t i = 0; i < cycle.vertices.size(); ++i) {
        const std::uint32_t before = cycle.vertices[i];
        const std::uint32_t after = cycle.vertices[(i + 1) % cycle.vertices.size()];
        constraints.push_back(explain(before, after, label_of(graph.relations_between(before, after))));
      }
    }
    return verdict;
  }

 private:
  static std::uint64_t slot(const NodeHistory::Version& version) {
    return std::uint64_t{version.key} << 32 | version.number;
  }
  std::uint32_t commit_of(const NodeHistory::Version& version) const {
    const auto found = commits_.find(slot(version));
    return found == commits_.end() ? no_vertex : found->second;
  }
  std::uint32_t commit_after(const NodeHistory::Version& version) const {
    return commit_of({version.key, version.number + 1});
  }

  DependencyGraph build() const {
    DependencyGraph::Builder builder(history_.pieces.size());
    const auto add = [&](std::uint32_t before, std::uint32_t after, Relation relation) {
      if (before != no_vertex && after != no_vertex) builder.add(before, after, relation);
    };
    for (const std::vector<std::uint32_t>& session : history_.sessions) {
      std::uint32_t last = no_vertex;           // piece
      std::uint32_t last_snapshot = no_vertex;  // of this session
      for (const std::uint32_t piece : session) {
        const bool commit = history_.pieces[piece].commit;
        add(history_.sessions_see_own_commits ? last : last_snapshot, piece, process);
        last = piece;
        if (!commit) last_snapshot = piece;
      }
    }
    for (std::uint32_t piece = 0; piece < history_.pieces.size(); ++piece) {
      for (const NodeHistory::Version& version : history_.pieces[piece].versions) {
        if (history_.pieces[piece].commit) {
          add(piece, commit_after(version), ww);
        } else {
          add(commit_of(version), piece, wr);
          add(piece, commit_after(version), rw);
        }
      }
    }
    return std::move(builder).build();
  }

  NodeConstraint explain(std::uint32_t before, std::uint32_t after, Relations label) const {
    using Reason = NodeConstraint::Reason;
    NodeConstraint constraint;
    constraint.before = before;
    constraint.after = after;
    if (label == process) return constraint;
    constraint.reason = label == ww ? Reason::ww : label == wr ? Reason::wr : Reason::rw;
    const std::uint32_t reader = label == wr ? after : before;
    for (const NodeHistory::Version& version : history_.pieces[reader].versions) {
      if ((label == wr ? commit_of(version) : commit_after(version)) != (label == wr ? before : after)) continue;
      constraint.key = version.key;
      constraint.version = version.number;
      break;
    }
    return constraint;
  }

  const NodeHistory& history_;
  boost::unordered_flat_map<std::uint64_t, std::uint32_t> commits_;  // by version: the piece that wrote it
};

}  // namespace

NodeVerdict decide(const NodeHistory& history) { return NodeChecker(history).run(); }

}  // namespace polarsim::checkers
