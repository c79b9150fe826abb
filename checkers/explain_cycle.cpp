// Cycles of the dependency graph in words.
#include <algorithm>
#include <utility>

#include "checkers/explanation_parts.h"
#include "checkers/levels.h"

namespace polarsim::checkers {

namespace {

constexpr std::size_t told_at_most = 16;         // dependencies, in words
constexpr std::size_t operations_at_most = 100;  // in the data

// The anomaly's kind, and the order beyond data that takes part: "", "-process" or "-realtime".
std::pair<std::string, std::string> split_type(const std::string& type) {
  for (const std::string suffix : {"-process", "-realtime"}) {
    if (type.ends_with(suffix)) return {type.substr(0, type.size() - suffix.size()), suffix};
  }
  return {type, ""};
}

// What the dependencies of a kind of cycle have in common.
std::string circle_text(const std::string& type) {
  const auto [kind, suffix] = split_type(type);
  const std::string order = suffix == "-process" ? "the order of processes" : suffix.empty() ? "" : "real time";
  if (kind == "G0" || kind == "G1c") {
    std::vector<std::string> parts = {"overwrites"};
    if (kind == "G1c") parts.emplace_back("reads");
    if (!order.empty()) parts.push_back(order);
    return "of " + joined_with_and(parts) + " alone";
  }
  const std::string in_order = order.empty() ? "" : "in " + order + " ";
  if (kind == "G-single-item") return in_order + "with a single read that missed a write";
  if (kind == "G-nonadjacent-item") return in_order + "with reads that missed writes, no two of them in a row,";
  return in_order + "with reads that missed writes, two of them in a row,";
}

class CycleStory {
 public:
  CycleStory(const Operations& operations, const DependencyGraph& graph, const ExplainEdge& explain)
      : operations_(operations), graph_(graph), explain_(explain), story_(operations) {}

  Explained tell(const Cycle& cycle) {
    std::vector<std::uint32_t> vertices = cycle.vertices;
    begin_with_what_was_seen(cycle.type, vertices);
    const std::size_t count = vertices.size();
    const std::size_t kept = std::min(count, operations_at_most);
    for (std::size_t i = 0; i < kept; ++i) story_.cast.add(vertices[i]);
    // Where operations are left out, so is the way back from the last one kept.
    const std::size_t edges = kept == count ? count : kept - 1;
    for (std::size_t i = 0; i < edges; ++i) add_edge(vertices[i], vertices[(i + 1) % count]);

    if (!tell_stale_read()) tell_edges(count);
    tell_end(cycle);
    for (Link& link : links_) story_.add_edge(std::move(link.edge), std::move(link.sentence));
    Explained result = std::move(story_).finish(cycle.type);
    result.involved = std::move(vertices);  // Without the witnesses, but all of them.
    result.details.shortest = cycle.shortest;
    result.details.omitted = count - kept;
    return result;
  }

 private:
  struct Link {
    Explanation::Edge edge;
    EdgeReason reason;
    Sentence sentence;
  };

  Relations label(std::uint32_t from, std::uint32_t to) const { return label_of(graph_.relations_between(from, to)); }

  // The first of the edges that the anomaly is about.
  void begin_with_what_was_seen(const std::string& type, std::vector<std::uint32_t>& vertices) const {
    const Relations telling = type.starts_with("G0") ? ww : type.starts_with("G1c") ? wr : rw;
    for (std::size_t i = 0; i < vertices.size(); ++i) {
      if (label(vertices[i], vertices[(i + 1) % vertices.size()]) != telling) continue;
      std::rotate(vertices.begin(), vertices.begin() + static_cast<std::ptrdiff_t>(i), vertices.end());
      return;
    }
  }

  void add_edge(std::uint32_t from, std::uint32_t to) {
    Link link;
    link.edge.from = story_.cast.add(from);
    link.edge.to = story_.cast.add(to);
    link.edge.relations = relation_names(graph_.relations_between(from, to));
    const Relations relation = label(from, to);
    if (relation == process || relation == realtime) {
      link.sentence = order_sentence(from, to, link.edge, relation);
    } else {
      link.reason = explain_(from, to, relation);
      if (link.reason.known) note_reason(from, to, link);
      link.sentence = data_sentence(link.edge, relation, link.reason);
    }
    links_.push_back(std::move(link));
  }

  void note_reason(std::uint32_t from, std::uint32_t to, Link& link) {
    const EdgeReason& reason = link.reason;
    link.edge.key = short_key(operations_, reason.key);
    link.edge.before = reason.before;
    link.edge.after = reason.after;
    story_.cast.about(from, reason.key);
    story_.cast.about(to, reason.key);
    if (reason.witness == no_vertex) return;
    link.edge.witnesses.push_back(story_.cast.add(reason.witness));
    story_.cast.about(reason.witness, reason.key);
  }

  std::string wait_text(std::uint32_t from, std::uint32_t to) const {
    return duration_text(operations_.list[to].invoked_ns - operations_.list[from].completed_ns);
  }
  std::string process_text(std::uint32_t operation) const {
    return "process " + std::to_string(operations_.list[operation].process);
  }

  Sentence order_sentence(std::uint32_t from, std::uint32_t to, const Explanation::Edge& edge,
                          Relations relation) const {
    Sentence line;
    if (relation == process) {
      line.op(edge.from) << " came before ";
      line.op(edge.to) << " in " << process_text(to) << " (process)";
    } else {
      line.op(edge.from) << " was acknowledged " << wait_text(from, to) << " before ";
      line.op(edge.to) << " was asked for (realtime)";
    }
    return line;
  }

  static Sentence data_sentence(const Explanation::Edge& edge, Relations relation, const EdgeReason& reason) {
    Sentence line;
    if (!reason.known) {
      line.op(edge.from) << " comes before ";
      line.op(edge.to) << " (" << edge.relations.front() << ")";
      return line;
    }
    if (relation == wr) {
      line.op(edge.to) << " read key " << edge.key << " as " << edge.after;
      line << (reason.lists ? ", whose last element " : ", which ");
      line.op(edge.from) << (reason.lists ? " appended" : " wrote");
    } else if (relation == rw) {
      missed_write(line, edge, reason);
    } else {
      overwrite(line, edge, reason);
    }
    conclude(line, edge);
    return line;
  }

  static void missed_write(Sentence& line, const Explanation::Edge& edge, const EdgeReason& reason) {
    line.op(edge.from) << " read key " << edge.key << " as " << edge.before;
    if (reason.lists) {
      line << ", without the " << edge.after << " that ";
      line.op(edge.to) << " appended to it";
    } else if (reason.initial) {
      line << ", the initial state, and not the " << edge.after << " that ";
      line.op(edge.to) << " wrote to it";
    } else if (reason.indirect) {
      line << ", and ";
      line.op(edge.to) << " wrote " << edge.after << " to it, a later version by the order that was inferred";
    } else {
      line << ", the version that ";
      line.op(edge.to) << " had read when it wrote " << edge.after << " over it";
    }
  }

  static void overwrite(Sentence& line, const Explanation::Edge& edge, const EdgeReason& reason) {
    line.op(edge.to) << (reason.lists ? " appended " : " wrote ") << edge.after << " to key " << edge.key;
    if (reason.lists && reason.indirect) {
      line << ", which no read shows: it comes after all that were read, and the last of them is the " << edge.before
           << " of ";
      line.op(edge.from);
      return;
    }
    line << (reason.lists      ? " directly after "
             : reason.indirect ? ", a later version by the order that was inferred than "
                               : ", having read ")
         << "the " << edge.before << " of ";
    line.op(edge.from);
    if (edge.witnesses.empty()) return;
    line << ", as ";
    line.op(edge.witnesses.front()) << " read it (" << reason.witnessed << ")";
  }

  // The plainest of all: a read that misses what had been acknowledged before it was asked for.
  bool tell_stale_read() {
    if (links_.size() != 2 || links_[0].edge.to != links_[1].edge.from) return false;
    const Explanation::Edge& missed = links_[0].edge;
    const EdgeReason& reason = links_[0].reason;
    const std::string& order = links_[1].edge.relations.front();
    if (missed.relations.front() != "rw" || (order != "realtime" && order != "process")) return false;
    if (!reason.known || (!reason.lists && reason.indirect)) return false;
    const std::uint32_t reader = story_.cast.members()[missed.from];
    const std::uint32_t writer = story_.cast.members()[missed.to];
    Sentence seen;
    seen.op(missed.from) << " read key " << missed.key << " as " << missed.before << " although ";
    seen.op(missed.to) << (order == "realtime" ? ", acknowledged " + wait_text(writer, reader) + " before, had "
                                               : ", before it in " + process_text(reader) + ", had ");
    seen << (reason.lists ? "appended " : "written ") << missed.after << " to it";
    story_.tell(std::move(seen));
    Sentence before;
    before << "What it missed puts ";
    before.op(missed.from) << " before ";
    before.op(missed.to) << " (rw)";
    story_.tell(std::move(before));
    Sentence after;
    after << (order == "realtime" ? "Real time puts " : "The order of the process puts ");
    after.op(missed.from) << " after ";
    after.op(missed.to) << " (" << order << ")";
    story_.tell(std::move(after));
    return true;
  }

  void tell_edges(std::size_t count) {
    const std::size_t told = std::min(links_.size(), told_at_most);
    for (std::size_t i = 0; i < told; ++i) story_.tell(links_[i].sentence);
    if (told == count) return;
    Sentence rest;
    rest << "And so on: " << std::to_string(count - told) << " more dependencies lead back to ";
    rest.op(0);
    story_.tell(std::move(rest));
  }

  void tell_end(const Cycle& cycle) {
    Sentence end;
    end << "So ";
    end.op(0) << " would come before itself. A circle " << circle_text(cycle.type) << " rules out "
              << joined_with_and(levels_ruled_out_by(cycle.type));
    if (!cycle.shortest) end << ". There may be a shorter one";
    story_.tell(std::move(end));
  }

  const Operations& operations_;
  const DependencyGraph& graph_;
  const ExplainEdge& explain_;
  Story story_;
  std::vector<Link> links_;
};

}  // namespace

Explained explain_cycle(const Operations& operations, const DependencyGraph& graph, const Cycle& cycle,
                        const ExplainEdge& explain) {
  return CycleStory(operations, graph, explain).tell(cycle);
}

}  // namespace polarsim::checkers
