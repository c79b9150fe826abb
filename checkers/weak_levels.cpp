#include "checkers/weak_levels.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cassert>

#include "checkers/shortest_cycle.h"

namespace polarsim::checkers {

namespace {

constexpr std::uint32_t no_writer = no_vertex - 1;
static_assert(no_writer != Execution::initial);

// For the keys that one transaction reads: two distinct writers that they were read from.
class ReadWriters {
 public:
  struct Entry {
    std::uint32_t key = 0;
    std::uint32_t writers[2] = {no_writer, no_writer};
  };

  explicit ReadWriters(std::uint32_t keys) : place_(keys, 0) {}

  void clear() { entries_.clear(); }
  // Makes `writer` the first of its key, unless it is; the one that was first becomes the second.
  void put_first(const Execution::Read& read) {
    Entry& entry = entry_of(read.key);
    if (entry.writers[0] == read.writer) return;
    entry.writers[1] = entry.writers[0];
    entry.writers[0] = read.writer;
  }
  // Keeps the first two distinct writers of a key.
  void append(const Execution::Read& read) {
    Entry& entry = entry_of(read.key);
    if (entry.writers[0] == no_writer) {
      entry.writers[0] = read.writer;
    } else if (entry.writers[0] != read.writer && entry.writers[1] == no_writer) {
      entry.writers[1] = read.writer;
    }
  }
  // Calls `visit` for each entry of a key that `transaction` writes; walks through whichever is less.
  template <typename Visit>
  void for_each_written_by(const Execution& execution, std::uint32_t transaction, const Visit& visit) const {
    const auto written = execution.writes_of(transaction);
    if (entries_.size() <= written.size()) {
      for (const Entry& entry : entries_) {
        if (execution.writes(transaction, entry.key)) visit(entry);
      }
      return;
    }
    for (const std::uint32_t key : written) {
      if (const Entry* entry = find(key)) visit(*entry);
    }
  }

 private:
  const Entry* find(std::uint32_t key) const {
    const std::uint32_t place = place_[key];
    return place < entries_.size() && entries_[place].key == key ? &entries_[place] : nullptr;
  }
  Entry& entry_of(std::uint32_t key) {
    if (find(key) == nullptr) {
      place_[key] = static_cast<std::uint32_t>(entries_.size());
      entries_.push_back({.key = key});
    }
    return entries_[place_[key]];
  }

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> place_;  // by key; only to be believed if the entry there is the key's
};

// What each level makes of the reads: calls `emit(t2, t1, t3, key)` for every "t2 before t1, because t3 observed t2 and
// read `key` from t1" that matters. Constraints that follow from others by transitivity are left out.
template <typename Emit>
class Constraints {
 public:
  Constraints(const Execution& execution, const Emit& emit)
      : execution_(execution), emit_(emit), read_writers_(execution.key_count()) {}

  void of(WeakLevel level) {
    switch (level) {
      case WeakLevel::mav:
      case WeakLevel::be_rc:
        earlier_reads();
        break;
      case WeakLevel::read_atomic:
        any_reads();
        earlier_in_session();
        break;
      case WeakLevel::causal:
        causal_past();
        break;
    }
  }

 private:
  using Entry = ReadWriters::Entry;

  // Backwards through a transaction's reads, with the writers that each key is read from later on. Two writers of a key
  // are enough: of any further one, those two are constrained among themselves by the reads in between.
  void earlier_reads() {
    std::vector<std::uint32_t> first_read(execution_.transaction_count());
    for (std::uint32_t t3 = 0; t3 < execution_.transaction_count(); ++t3) {
      const auto reads = execution_.reads_of(t3);
      if (reads.size() < 2) continue;
      for (std::size_t i = reads.size(); i-- > 0;) {
        if (reads[i].writer != Execution::initial) first_read[reads[i].writer] = static_cast<std::uint32_t>(i);
      }
      read_writers_.clear();
      for (std::size_t i = reads.size(); i-- > 0;) {
        const std::uint32_t t2 = reads[i].writer;
        if (t2 != Execution::initial && first_read[t2] == i) {
          read_writers_.for_each_written_by(execution_, t2, [&](const Entry& entry) {
            const std::uint32_t t1 = entry.writers[0] != t2 ? entry.writers[0] : entry.writers[1];
            if (t1 != no_writer) emit_(t2, t1, t3, entry.key);
          });
        }
        read_writers_.put_first(reads[i]);
      }
    }
  }

  void any_reads() {
    std::vector<std::uint32_t> last_reader(execution_.transaction_count(), no_vertex);
    for (std::uint32_t t3 = 0; t3 < execution_.transaction_count(); ++t3) {
      const auto reads = execution_.reads_of(t3);
      if (reads.size() < 2) continue;
      read_writers_.clear();
      for (const Execution::Read& read : reads) read_writers_.append(read);
      for (const Execution::Read& read : reads) {
        const std::uint32_t t2 = read.writer;
        if (t2 == Execution::initial || last_reader[t2] == t3) continue;
        last_reader[t2] = t3;
        read_writers_.for_each_written_by(execution_, t2, [&](const Entry& entry) {
          for (const std::uint32_t t1 : entry.writers) {
            if (t1 != no_writer && t1 != t2) emit_(t2, t1, t3, entry.key);
          }
        });
      }
    }
  }

  // Earlier writers of the session than the last one precede that one by the order of the session.
  void earlier_in_session() {
    boost::unordered_flat_map<std::uint64_t, std::uint32_t> last_writer;  // by session and key
    const auto slot = [&](std::uint32_t t, std::uint32_t key) {
      return std::uint64_t{execution_.session_of(t)} << 32 | key;
    };
    for (std::uint32_t t3 = 0; t3 < execution_.transaction_count(); ++t3) {
      for (const Execution::Read& read : execution_.reads_of(t3)) {
        const auto found = last_writer.find(slot(t3, read.key));
        if (found != last_writer.end() && found->second != read.writer) {
          emit_(found->second, read.writer, t3, read.key);
        }
      }
      for (const std::uint32_t key : execution_.writes_of(t3)) last_writer[slot(t3, key)] = t3;
    }
  }

  // Each key's writers by session, in the order of the session.
  struct WriterList {
    struct Run {
      std::uint32_t session, begin, end;  // places in `writers`
    };
    std::vector<std::uint32_t> run_offsets;  // by key, into `runs`
    std::vector<Run> runs;
    std::vector<std::uint32_t> writers;
  };

  WriterList list_writers() const {
    struct Write {
      std::uint32_t key, session, transaction;
    };
    std::vector<Write> writes;
    for (std::uint32_t t = 0; t < execution_.transaction_count(); ++t) {
      for (const std::uint32_t key : execution_.writes_of(t)) writes.push_back({key, execution_.session_of(t), t});
    }
    std::sort(writes.begin(), writes.end(), [](const Write& a, const Write& b) {
      if (a.key != b.key) return a.key < b.key;
      return a.session != b.session ? a.session < b.session : a.transaction < b.transaction;
    });
    WriterList list;
    list.run_offsets.assign(execution_.key_count() + 1, 0);
    for (std::size_t i = 0; i < writes.size(); ++i) {
      const auto at = static_cast<std::uint32_t>(i);
      if (i == 0 || writes[i - 1].key != writes[i].key || writes[i - 1].session != writes[i].session) {
        list.runs.push_back({writes[i].session, at, at});
        ++list.run_offsets[writes[i].key + 1];
      }
      list.runs.back().end = at + 1;
      list.writers.push_back(writes[i].transaction);
    }
    for (std::size_t key = 1; key < list.run_offsets.size(); ++key) list.run_offsets[key] += list.run_offsets[key - 1];
    return list;
  }

  // A clock counts, for every session, how many of its transactions are in the past of a transaction. Precondition:
  // reads and sessions make no cycle (decide() has looked). A clock is given back once all who need it have been
  // visited.
  void causal_past() {
    const std::uint32_t count = execution_.transaction_count();
    std::vector<std::uint32_t> waiting_for(count, 0);  // predecessors not yet visited
    std::vector<std::uint32_t> needed_by(count, 0);    // successors not yet visited
    std::vector<std::uint32_t> successor_offsets(count + 1, 0);
    const auto for_each_predecessor = [&](std::uint32_t t, const auto& visit) {
      if (const std::uint32_t before = execution_.session_predecessor(t); before != no_vertex) visit(before);
      for (const Execution::Read& read : execution_.reads_of(t)) {
        if (read.writer != Execution::initial) visit(read.writer);
      }
    };
    for (std::uint32_t t = 0; t < count; ++t) {
      for_each_predecessor(t, [&](std::uint32_t before) {
        ++waiting_for[t];
        ++needed_by[before];
      });
    }
    for (std::uint32_t t = 0; t < count; ++t) successor_offsets[t + 1] = successor_offsets[t] + needed_by[t];
    std::vector<std::uint32_t> successors(successor_offsets[count]);
    std::vector<std::uint32_t> next(successor_offsets.begin(), successor_offsets.end() - 1);
    std::vector<std::uint32_t> ready;
    for (std::uint32_t t = 0; t < count; ++t) {
      for_each_predecessor(t, [&](std::uint32_t before) { successors[next[before]++] = t; });
      if (waiting_for[t] == 0) ready.push_back(t);
    }

    const WriterList writers = list_writers();
    std::vector<std::vector<std::uint32_t>> clocks(count);
    std::vector<std::vector<std::uint32_t>> spare;
    for (std::size_t head = 0; head < ready.size(); ++head) {
      const std::uint32_t t3 = ready[head];
      std::vector<std::uint32_t>& clock = clocks[t3];
      if (!spare.empty()) {
        clock = std::move(spare.back());
        spare.pop_back();
      }
      clock.assign(execution_.session_count(), 0);
      for_each_predecessor(t3, [&](std::uint32_t before) {
        for (std::size_t s = 0; s < clock.size(); ++s) clock[s] = std::max(clock[s], clocks[before][s]);
        std::uint32_t& own = clock[execution_.session_of(before)];
        own = std::max(own, execution_.place_in_session(before) + 1);
        if (--needed_by[before] == 0) spare.push_back(std::move(clocks[before]));
      });
      for (const Execution::Read& read : execution_.reads_of(t3)) last_writers(writers, clock, read, t3);
      if (needed_by[t3] == 0) spare.push_back(std::move(clock));
      for (std::uint32_t i = successor_offsets[t3]; i < successor_offsets[t3 + 1]; ++i) {
        if (--waiting_for[successors[i]] == 0) ready.push_back(successors[i]);
      }
    }
    assert(ready.size() == count);
  }

  // Of each session the last writer of the key in the past of the reader; earlier ones precede it.
  void last_writers(const WriterList& list, const std::vector<std::uint32_t>& clock, const Execution::Read& read,
                    std::uint32_t t3) {
    for (std::uint32_t r = list.run_offsets[read.key]; r < list.run_offsets[read.key + 1]; ++r) {
      const typename WriterList::Run& run = list.runs[r];
      const std::uint32_t known = clock[run.session];
      const auto begin = list.writers.begin() + run.begin;
      const auto past = std::partition_point(begin, list.writers.begin() + run.end, [&](std::uint32_t writer) {
        return execution_.place_in_session(writer) < known;
      });
      if (past == begin) continue;
      const std::uint32_t t2 = *(past - 1);
      if (t2 != read.writer) emit_(t2, read.writer, t3, read.key);
    }
  }

  const Execution& execution_;
  const Emit& emit_;
  ReadWriters read_writers_;
};

template <typename Emit>
void for_each_observation(const Execution& execution, WeakLevel level, const Emit& emit) {
  Constraints<Emit>(execution, emit).of(level);
}

// The vertices are the transactions; the last one stands for the initial versions.
DependencyGraph build_graph(const Execution& execution, WeakLevel level, bool with_observations) {
  const std::uint32_t initial = execution.transaction_count();
  DependencyGraph::Builder builder(initial + 1);
  for (std::uint32_t t = 0; t < initial; ++t) {
    const std::uint32_t before = execution.session_predecessor(t);
    if (before != no_vertex && level != WeakLevel::mav) builder.add(before, t, process);
    for (const Execution::Read& read : execution.reads_of(t)) {
      if (read.writer != Execution::initial) builder.add(read.writer, t, wr);
    }
  }
  for (const Execution::Overwrite& step : execution.overwrites()) builder.add(step.before, step.after, ww);
  if (with_observations) {
    for_each_observation(execution, level, [&](std::uint32_t t2, std::uint32_t t1, std::uint32_t, std::uint32_t) {
      if (t1 != Execution::initial) {
        builder.add(t2, t1, observed);
        return;
      }
      // Only here does it matter that the initial versions come before everything.
      builder.add(t2, initial, observed);
      builder.add(initial, t2, ww);
    });
  }
  return std::move(builder).build();
}

// What is known of each edge of the cycles but for the observers, who are found by going through all constraints again:
// remembering them for every edge would double the memory.
void explain(const Execution& execution, WeakLevel level, WeakVerdict& verdict) {
  boost::unordered_flat_map<std::uint64_t, std::vector<CommitConstraint*>> unexplained;
  const auto pair_of = [](std::uint32_t before, std::uint32_t after) { return std::uint64_t{before} << 32 | after; };
  for (WeakVerdict::Contradiction& contradiction : verdict.contradictions) {
    for (CommitConstraint& constraint : contradiction.cycle) {
      if (constraint.reason == CommitConstraint::Reason::observed) {
        unexplained[pair_of(constraint.before, constraint.after)].push_back(&constraint);
      }
    }
  }
  if (unexplained.empty()) return;
  for_each_observation(execution, level, [&](std::uint32_t t2, std::uint32_t t1, std::uint32_t t3, std::uint32_t key) {
    const auto found = unexplained.find(pair_of(t2, t1));
    if (found == unexplained.end()) return;
    for (CommitConstraint* constraint : found->second) {
      if (constraint->observer != no_vertex) continue;
      constraint->observer = t3;
      constraint->key = key;
    }
  });
}

WeakVerdict verdict_of(const Execution& execution, WeakLevel level, const DependencyGraph& graph) {
  using Reason = CommitConstraint::Reason;
  constexpr Relations all = ww | wr | process | observed;
  WeakVerdict verdict;
  const Components components = find_components(graph, all);
  if (components.count == 0) return verdict;
  verdict.holds = false;
  std::vector<std::vector<std::uint32_t>> members(components.count);
  for (std::uint32_t v = 0; v < graph.vertex_count(); ++v) {
    if (components.component_of[v] != no_component) members[components.component_of[v]].push_back(v);
  }
  const std::uint32_t initial = execution.transaction_count();
  const auto named = [&](std::uint32_t v) { return v == initial ? Execution::initial : v; };
  ShortestCycles cycles(graph, components, all);
  for (const std::vector<std::uint32_t>& component : members) {
    const ShortestCycle shortest = cycles.find(component);
    WeakVerdict::Contradiction contradiction;
    contradiction.shortest = shortest.proved;
    for (std::size_t i = 0; i < shortest.vertices.size(); ++i) {
      const std::uint32_t before = shortest.vertices[i];
      const std::uint32_t after = shortest.vertices[(i + 1) % shortest.vertices.size()];
      const Relations label = label_of(graph.relations_between(before, after));
      CommitConstraint constraint;
      constraint.reason = before == initial  ? Reason::initial
                          : label == ww      ? Reason::overwrites
                          : label == wr      ? Reason::reads_from
                          : label == process ? Reason::session
                                             : Reason::observed;
      constraint.before = named(before);
      constraint.after = named(after);
      contradiction.cycle.push_back(constraint);
    }
    verdict.contradictions.push_back(std::move(contradiction));
  }
  explain(execution, level, verdict);
  return verdict;
}

}  // namespace

const char* to_string(WeakLevel level) {
  switch (level) {
    case WeakLevel::mav:
      return "MAV";
    case WeakLevel::be_rc:
      return "BE-RC";
    case WeakLevel::read_atomic:
      return "RA";
    case WeakLevel::causal:
      return "CC";
  }
  return "CC";
}

WeakVerdict decide(const Execution& execution, WeakLevel level) {
  if (level == WeakLevel::causal) {
    // Without an order of the past there are no clocks, and a cycle of reads and sessions is the plainer answer.
    WeakVerdict cyclic = verdict_of(execution, level, build_graph(execution, level, false));
    if (!cyclic.holds) return cyclic;
  }
  return verdict_of(execution, level, build_graph(execution, level, true));
}

}  // namespace polarsim::checkers
