#include "checkers/session_guarantees.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <string>
#include <utility>
#include <vector>

#include "checkers/calls.h"
#include "checkers/consistency_models.h"
#include "checkers/dependency_graph.h"
#include "checkers/session_versions.h"
#include "checkers/shortest_cycle.h"

namespace polarsim::checkers {

namespace {

constexpr std::uint32_t none = SessionVersions::none;
// Beyond so many constraints the verdict is unknown: a transaction of very many reads from very many sessions.
constexpr std::size_t constraints_limit = 200'000'000;

const char* anomaly_name(SessionGuarantee guarantee) {
  switch (guarantee) {
    case SessionGuarantee::monotonic_reads:
      return "N-MR";
    case SessionGuarantee::read_your_writes:
      return "MYR";
    case SessionGuarantee::monotonic_writes:
      return "N-MW";
    case SessionGuarantee::writes_follow_reads:
      return "MRWD";
  }
  return "N-MR";
}

// What one step does to what, and who does it.
struct Deed {
  std::uint32_t transaction = none;
  std::uint32_t version = none;
  bool write = false;
};

// "This must come before that, because of these two steps, and perhaps of what a third read."
struct Constraint {
  std::uint32_t from = 0, to = 0;
  Deed first, second;
  std::uint32_t bridge = none;  // the version that the second's transaction had read, by the session of the first
};

// Several versions one after another, and a vertex for "all up to here", so that what must come after all of them needs
// one edge. A version takes part once.
struct Chain {
  std::vector<std::uint32_t> versions, vertices;
  std::vector<std::uint32_t> since;  // the number of writes of the session before it
};

class SessionJudge {
 public:
  SessionJudge(const History& history, const SessionVersions& versions, SessionGuarantee guarantee)
      : history_(history),
        sessions_(versions),
        guarantee_(guarantee),
        vertices_(static_cast<std::uint32_t>(versions.versions.size())) {}

  Verdict run() {
    CallFindings findings(to_string(guarantee_));
    collect();
    if (constraints_.size() > constraints_limit) {
      findings.undecided("the guarantee puts more than " + std::to_string(constraints_limit) +
                         " constraints on the versions of this history");
    } else {
      search(findings);
    }
    Verdict verdict = std::move(findings).verdict(sessions_.transactions.size());
    if (verdict.validity == Validity::invalid) {
      verdict.not_models = {to_string(guarantee_)};
      NameSet stronger = models_at_least(to_string(guarantee_));
      stronger.erase(to_string(guarantee_));
      verdict.also_not.assign(stronger.begin(), stronger.end());
    }
    return verdict;
  }

 private:
  using Step = SessionVersions::Step;
  using KeyOfSession = std::pair<std::uint32_t, std::uint32_t>;  // session, key

  void collect() {
    for (std::uint32_t t = 0; t < sessions_.transactions.size(); ++t) {
      for (const Step& step : sessions_.transactions[t].steps) {
        switch (guarantee_) {
          case SessionGuarantee::monotonic_reads:
            monotonic_reads(t, step);
            break;
          case SessionGuarantee::read_your_writes:
            read_your_writes(t, step);
            break;
          case SessionGuarantee::monotonic_writes:
            monotonic_writes(t, step);
            break;
          case SessionGuarantee::writes_follow_reads:
            writes_follow_reads(t, step);
            break;
        }
      }
    }
    const bool visible =
        guarantee_ == SessionGuarantee::monotonic_writes || guarantee_ == SessionGuarantee::writes_follow_reads;
    if (visible) index_lists();
    for (std::uint32_t t = 0; visible && t < sessions_.transactions.size(); ++t) look_at_reader(t);
  }

  KeyOfSession place(std::uint32_t t, const Step& step) const {
    return {sessions_.transactions[t].session, sessions_.versions[step.version].key};
  }
  static Deed deed(std::uint32_t t, const Step& step) { return {t, step.version, step.write}; }

  void require(std::uint32_t from, std::uint32_t to, Deed first, Deed second, std::uint32_t bridge = none) {
    if (from != to && constraints_.size() <= constraints_limit)
      constraints_.push_back({from, to, first, second, bridge});
  }

  void monotonic_reads(std::uint32_t t, const Step& step) {
    if (step.write) return;
    const auto [last, first] = last_.try_emplace(place(t, step), deed(t, step));
    if (!first) require(last->second.version, step.version, last->second, deed(t, step));
    last->second = deed(t, step);
  }

  void read_your_writes(std::uint32_t t, const Step& step) {
    Chain& chain = chains_[place(t, step)];
    if (step.write) {
      extend(chain, deed(t, step), 0);
    } else {
      require_all_before(chain, chain.versions.size(), deed(t, step), none);
    }
  }

  void monotonic_writes(std::uint32_t t, const Step& step) {
    if (!step.write) return;
    const std::uint32_t session = sessions_.transactions[t].session;
    const auto [last, first] = last_.try_emplace({session, 0}, deed(t, step));
    if (!first) require(last->second.version, step.version, last->second, deed(t, step));
    last->second = deed(t, step);
    extend(chains_[place(t, step)], deed(t, step), sessions_.versions[step.version].place);
  }

  void writes_follow_reads(std::uint32_t t, const Step& step) {
    const std::uint32_t session = sessions_.transactions[t].session;
    written_.resize(sessions_.processes.size(), 0);
    Chain& all = read_by_session_[session];
    if (step.write) {
      if (!all.vertices.empty()) require(all.vertices.back(), step.version, {}, deed(t, step));
      written_[session] = sessions_.versions[step.version].place + 1;
      return;
    }
    if (read_before_.try_emplace({session, step.version}, true).second) {
      extend(all, deed(t, step), 0);
      extend(chains_[place(t, step)], deed(t, step), written_[session]);
    }
  }

  void extend(Chain& chain, Deed added, std::uint32_t since) {
    const std::uint32_t vertex = vertices_++;
    require(added.version, vertex, added, {});
    if (!chain.vertices.empty()) require(chain.vertices.back(), vertex, {}, {});
    chain.versions.push_back(added.version);
    chain.vertices.push_back(vertex);
    chain.since.push_back(since);
  }

  // The first `count` versions of a chain before what is read, but for that version itself.
  void require_all_before(const Chain& chain, std::size_t count, Deed read, std::uint32_t bridge) {
    const auto end = chain.versions.begin() + static_cast<std::ptrdiff_t>(count);
    // What was read is most often the last of the chain.
    const auto found = std::find(std::make_reverse_iterator(end), chain.versions.rend(), read.version);
    const auto own = static_cast<std::size_t>(chain.versions.rend() - found);  // its place, counted from 1; 0: none
    const std::size_t before = own == 0 ? count : own - 1;
    if (before > 0) require(chain.vertices[before - 1], read.version, {}, read, bridge);
    for (std::size_t i = own; own > 0 && i < count; ++i) {
      const std::uint32_t version = chain.versions[i];
      const bool write = guarantee_ == SessionGuarantee::read_your_writes;
      require(version, read.version, {write ? sessions_.versions[version].writer : none, version, write}, read, bridge);
    }
  }

  // A write of a session, by its place among them.
  struct Seen {
    std::uint32_t session, place, version;
  };

  // Of each list and session, its elements by position, each replaced by the latest of the session's writes up to
  // there: a read shows all elements up to its last.
  void index_lists() {
    std::vector<std::uint32_t> elements;
    for (std::uint32_t v = 0; v < sessions_.versions.size(); ++v) {
      if (sessions_.versions[v].position != none && sessions_.versions[v].writer != none) elements.push_back(v);
    }
    std::sort(elements.begin(), elements.end(), [&](std::uint32_t a, std::uint32_t b) {
      return sessions_.versions[a].position != sessions_.versions[b].position
                 ? sessions_.versions[a].position < sessions_.versions[b].position
                 : a < b;
    });
    writers_of_key_.resize(sessions_.keys.size());
    for (const std::uint32_t v : elements) {
      const SessionVersions::Version& version = sessions_.versions[v];
      std::vector<Writer>& writers = writers_of_key_[version.key];
      const std::uint32_t session = sessions_.transactions[version.writer].session;
      const auto [entry, added] =
          places_of_writers_.try_emplace({session, version.key}, static_cast<std::uint32_t>(writers.size()));
      if (added) writers.push_back({session, {}, {}});
      Writer& writer = writers[entry->second];
      const bool latest = writer.latest.empty() || sessions_.versions[writer.latest.back()].place < version.place;
      writer.positions.push_back(version.position);
      writer.latest.push_back(latest ? v : writer.latest.back());
    }
  }

  // What a transaction saw of other sessions, and then still has to see.
  void look_at_reader(std::uint32_t t) {
    std::vector<Seen> seen;  // the last write of each session
    const std::uint32_t own = sessions_.transactions[t].session;
    const auto add = [&](Seen now) {
      if (now.session == own) return;
      const auto known =
          std::find_if(seen.begin(), seen.end(), [&](const Seen& s) { return s.session == now.session; });
      if (known == seen.end()) {
        seen.push_back(now);
      } else if (known->place < now.place) {
        *known = now;
      }
    };
    for (const Step& step : sessions_.transactions[t].steps) {
      if (step.write) continue;
      const SessionVersions::Version& version = sessions_.versions[step.version];
      for (const Seen& other : seen) {
        const auto chain = chains_.find({other.session, version.key});
        if (chain != chains_.end()) require_seen(chain->second, other.place, deed(t, step), other.version);
      }
      if (version.position != none) {
        for (const Writer& writer : writers_of_key_[version.key]) {
          const auto end = std::upper_bound(writer.positions.begin(), writer.positions.end(), version.position);
          if (end == writer.positions.begin()) continue;
          const std::uint32_t latest = writer.latest[static_cast<std::size_t>(end - writer.positions.begin()) - 1];
          add({writer.session, sessions_.versions[latest].place, latest});
        }
      } else if (version.writer != none) {
        add({sessions_.transactions[version.writer].session, version.place, step.version});
      }
    }
  }

  void require_seen(const Chain& chain, std::uint32_t place, Deed read, std::uint32_t bridge) {
    // Of writes, those before the one that was seen; of reads, those made before it was written.
    const bool writes = guarantee_ == SessionGuarantee::monotonic_writes;
    const auto end = writes ? std::lower_bound(chain.since.begin(), chain.since.end(), place)
                            : std::upper_bound(chain.since.begin(), chain.since.end(), place);
    const auto count = static_cast<std::size_t>(end - chain.since.begin());
    if (count == 0) return;
    if (!writes) {
      require_all_before(chain, count, read, bridge);
      return;
    }
    // The earlier writes come before the last one anyway.
    const std::uint32_t last = chain.versions[count - 1];
    require(last, read.version, {sessions_.versions[last].writer, last, true}, read, bridge);
  }

  bool known_is_an_order(CallFindings& findings) const {
    DependencyGraph::Builder builder(sessions_.versions.size());
    for (const auto& [before, after] : sessions_.known) builder.add(before, after, ww);
    const Components components = find_components(std::move(builder).build(), ww);
    if (components.count == 0) return true;
    for (std::uint32_t v = 0; v < sessions_.versions.size(); ++v) {
      if (components.component_of[v] == no_component) continue;
      findings.undecided("transactions that read " + value_text(v) +
                         " and others that write it contradict each other on the order of versions (see rw-register)");
      break;
    }
    return false;
  }

  void search(CallFindings& findings) {
    DependencyGraph::Builder builder(vertices_);
    for (const auto& [before, after] : sessions_.known) builder.add(before, after, ww);
    if (!known_is_an_order(findings)) return;
    for (const Constraint& constraint : constraints_) builder.add(constraint.from, constraint.to, process);
    const DependencyGraph graph = std::move(builder).build();
    const Components components = find_components(graph, ww | process);
    std::vector<std::vector<std::uint32_t>> members(components.count);
    for (std::uint32_t v = 0; v < graph.vertex_count(); ++v) {
      if (components.component_of[v] != no_component) members[components.component_of[v]].push_back(v);
    }
    std::size_t shown = 0;
    for (const std::vector<std::uint32_t>& component : members) {
      ++shown;
      std::vector<std::uint32_t> cycle;
      if (shown <= 4) cycle = find_shortest_cycle(graph, component, components, ww | process).vertices;
      std::vector<std::int64_t> involved;
      std::string explanation;
      if (!cycle.empty()) explanation = explain(graph, cycle, involved);
      findings.anomaly(anomaly_name(guarantee_), std::move(involved), [&] { return explanation; });
    }
  }

  std::string name(std::uint32_t transaction) const {
    const SessionVersions::SessionTransaction& at = sessions_.transactions[transaction];
    return "op " + std::to_string(at.index) + " (process " + std::to_string(sessions_.processes[at.session]) + ")";
  }
  std::string value_text(std::uint32_t version) const {
    const SessionVersions::Version& at = sessions_.versions[version];
    return (at.initial ? std::string("nil") : std::to_string(at.value)) + " of key " +
           history_.key_text(sessions_.keys[at.key].key);
  }
  std::string deed_text(const Deed& what) const {
    if (what.transaction == none) return "a process read " + value_text(what.version);
    return name(what.transaction) + (what.write ? " wrote " : " read ") + value_text(what.version);
  }

  const Constraint& constraint_between(std::uint32_t from, std::uint32_t to) const {
    return *std::find_if(constraints_.begin(), constraints_.end(),
                         [&](const Constraint& c) { return c.from == from && c.to == to; });
  }

  std::string known_text(std::uint32_t from, std::uint32_t to) const {
    const std::string order = value_text(from) + " comes before " + value_text(to);
    if (sessions_.versions[from].initial) return order + ", because it is the initial value.";
    const std::uint32_t reader = sessions_.keys[sessions_.versions[from].key].longest_reader;
    if (sessions_.lists) {
      return order + (reader == none ? "." : ", as " + name(reader) + " shows or because nobody read the latter.");
    }
    const std::uint32_t writer = sessions_.versions[to].writer;
    return order + (writer == none ? "." : ", because " + name(writer) + " read the one and wrote the other.");
  }

  std::string required_text(const Deed& first, const Deed& second, std::uint32_t bridge) const {
    std::string text;
    if (bridge == none) {
      text = deed_text(first) + ", and then " + deed_text(second);
    } else {
      const std::uint32_t writer = sessions_.versions[bridge].writer;
      text = deed_text(first) + ", then " + name(writer) + " of that process wrote " + value_text(bridge) + ", and " +
             name(second.transaction) + " saw that and then read " + value_text(second.version);
    }
    return text + ": " + value_text(first.version) + " must come before " + value_text(second.version) + ".";
  }

  // The vertices of the cycle, beginning with a version, so that each way over vertices of chains is whole.
  std::string explain(const DependencyGraph& graph, std::vector<std::uint32_t> cycle,
                      std::vector<std::int64_t>& involved) const {
    const auto is_version = [&](std::uint32_t v) { return v < sessions_.versions.size(); };
    // What is known has no cycle, so that somewhere a constraint leads to a version.
    std::size_t begin = 0;
    for (std::size_t i = 0; i < cycle.size(); ++i) {
      const std::uint32_t before = cycle[(i + cycle.size() - 1) % cycle.size()];
      if (is_version(cycle[i]) && (graph.relations_between(before, cycle[i]) & ww) == 0) begin = i;
    }
    std::rotate(cycle.begin(), cycle.begin() + static_cast<std::ptrdiff_t>(begin), cycle.end());
    const auto involve = [&](std::uint32_t transaction) {
      if (transaction == none) return;
      const std::int64_t index = sessions_.transactions[transaction].index;
      if (std::find(involved.begin(), involved.end(), index) == involved.end()) involved.push_back(index);
    };
    std::string text = std::string("Not ") + to_string(guarantee_) + ".";
    std::uint32_t known_from = none;  // several known steps are told as one
    Deed first;
    for (std::size_t i = 0; i < cycle.size(); ++i) {
      const std::uint32_t from = cycle[i];
      const std::uint32_t to = cycle[(i + 1) % cycle.size()];
      if ((graph.relations_between(from, to) & ww) != 0) {
        if (known_from == none) known_from = from;
        const std::uint32_t after = cycle[(i + 2) % cycle.size()];
        const bool more = i + 1 < cycle.size() && (graph.relations_between(to, after) & ww) != 0 && sessions_.lists;
        if (!more) {
          text += " " + known_text(known_from, to);
          known_from = none;
        }
        continue;
      }
      const Constraint& constraint = constraint_between(from, to);
      if (is_version(from)) first = constraint.first;
      if (!is_version(to)) continue;
      text += " " + required_text(first, constraint.second, constraint.bridge);
      involve(first.transaction);
      if (constraint.bridge != none) involve(sessions_.versions[constraint.bridge].writer);
      involve(constraint.second.transaction);
    }
    return text + " No order of versions agrees with all of this.";
  }

  const History& history_;
  const SessionVersions& sessions_;
  SessionGuarantee guarantee_;
  std::uint32_t vertices_;  // versions first, then those of chains
  std::vector<Constraint> constraints_;
  boost::unordered_flat_map<KeyOfSession, Deed> last_;
  boost::unordered_flat_map<KeyOfSession, Chain> chains_;
  boost::unordered_flat_map<std::uint32_t, Chain> read_by_session_;
  // The elements of a list that one session wrote.
  struct Writer {
    std::uint32_t session = 0;
    std::vector<std::uint32_t> positions, latest;
  };
  std::vector<std::vector<Writer>> writers_of_key_;
  boost::unordered_flat_map<KeyOfSession, std::uint32_t> places_of_writers_;
  boost::unordered_flat_map<KeyOfSession, bool> read_before_;  // session, version
  std::vector<std::uint32_t> written_;                         // by session
};

}  // namespace

const char* to_string(SessionGuarantee guarantee) {
  switch (guarantee) {
    case SessionGuarantee::monotonic_reads:
      return "monotonic-reads";
    case SessionGuarantee::read_your_writes:
      return "read-your-writes";
    case SessionGuarantee::monotonic_writes:
      return "monotonic-writes";
    case SessionGuarantee::writes_follow_reads:
      return "writes-follow-reads";
  }
  return "monotonic-reads";
}

Verdict check_session_guarantee(const History& history, SessionGuarantee guarantee) {
  const SessionVersions versions = session_versions(history);
  if (!versions.problem.empty()) {
    CallFindings findings(to_string(guarantee));
    findings.undecided(versions.problem);
    return std::move(findings).verdict(versions.transactions.size());
  }
  return SessionJudge(history, versions, guarantee).run();
}

}  // namespace polarsim::checkers
