// What contradicts an axiom of the levels from MAV to CC, in words.
#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <optional>
#include <span>
#include <utility>

#include "checkers/executions.h"
#include "checkers/explanation_parts.h"
#include "checkers/levels.h"

namespace polarsim::checkers {

namespace {

using Reason = CommitConstraint::Reason;
constexpr std::size_t told_at_most = 16;          // constraints, in words
constexpr std::size_t constraints_at_most = 100;  // in the data
constexpr std::size_t past_at_most = 200'000;     // transactions looked at for the way from one to another

class ContradictionStory {
 public:
  ContradictionStory(const Operations& operations, const NumberedExecution& numbered, WeakLevel level)
      : operations_(operations), numbered_(numbered), level_(level), story_(operations) {}

  Explained tell(const WeakVerdict::Contradiction& contradiction) {
    std::vector<CommitConstraint> cycle = contradiction.cycle;
    // What was observed comes first, because that is what was seen.
    const auto seen = std::find_if(cycle.begin(), cycle.end(), [](const CommitConstraint& constraint) {
      return constraint.reason == Reason::observed;
    });
    if (seen != cycle.end()) std::rotate(cycle.begin(), seen, cycle.end());
    const std::size_t all = cycle.size();
    if (all > constraints_at_most) cycle.resize(constraints_at_most);
    for (const CommitConstraint& constraint : cycle) {
      if (constraint.before != Execution::initial) place(constraint.before);
    }
    std::size_t told = 0;
    for (const CommitConstraint& constraint : cycle) {
      Sentence sentence = add_edge(constraint);
      if (constraint.reason == Reason::initial) continue;  // the sentence before says that nothing comes before it
      if (++told <= told_at_most) story_.tell(std::move(sentence));
    }
    told += all - cycle.size();
    if (told > told_at_most) {
      Sentence rest;
      rest << "And so on: " << std::to_string(told - told_at_most) << " more constraints lead back to the first";
      story_.tell(std::move(rest));
    }
    for (auto& [edge, sentence] : support_) story_.add_edge(std::move(edge), std::move(sentence));
    const std::string anomaly = std::string(to_string(level_)) + "-cycle";
    Sentence end;
    end << "No order of commits has all of this, which rules out " << joined_with_and(levels_ruled_out_by(anomaly));
    if (!contradiction.shortest) end << ". There may be a shorter contradiction";
    story_.tell(std::move(end));
    Explained result = std::move(story_).finish(anomaly);
    result.details.shortest = contradiction.shortest;
    result.details.omitted = all - cycle.size();
    return result;
  }

 private:
  const Execution& execution() const { return numbered_.execution; }
  std::uint32_t operation(std::uint32_t transaction) const { return numbered_.operations[transaction]; }
  std::size_t place(std::uint32_t transaction) {
    return transaction == Execution::initial ? Explanation::Edge::initial_state
                                             : story_.cast.add(operation(transaction));
  }
  std::span<const Step> steps(std::uint32_t transaction) const { return operations_.steps_of(operation(transaction)); }
  std::string shown(const Step& step) const { return step_value(operations_, step); }
  bool wrote(std::uint32_t transaction, std::uint32_t key, std::int64_t value) const {
    const std::span<const Step> all = steps(transaction);
    return std::any_of(all.begin(), all.end(),
                       [&](const Step& step) { return !step.is_read() && step.key == key && step.argument == value; });
  }

  // The first step of the reader that shows a version of the writer, after so many steps; its place, or the end.
  std::size_t find_read(std::uint32_t reader, std::uint32_t writer, std::uint32_t key, std::size_t since = 0) const {
    const std::span<const Step> all = steps(reader);
    for (std::size_t i = since; i < all.size(); ++i) {
      const Step& step = all[i];
      if (!step.is_read() || step.key != key) continue;
      const bool lists = step.kind == MicroOp::Kind::read_list;
      const bool initial = lists ? step.length() == 0 : !step.known;
      if (writer == Execution::initial
              ? initial
              : !initial && wrote(writer, step.key, lists ? operations_.list_of(step).back() : step.argument)) {
        return i;
      }
    }
    return all.size();
  }
  std::string read_value(std::uint32_t reader, std::uint32_t writer, std::uint32_t key, std::size_t since = 0) const {
    const std::size_t at = find_read(reader, writer, key, since);
    return at == steps(reader).size() ? std::string() : shown(steps(reader)[at]);
  }
  // The first or the last value that a transaction wrote to a key.
  std::string written_value(std::uint32_t transaction, std::uint32_t key, bool last) const {
    std::string value;
    for (const Step& step : steps(transaction)) {
      if (step.is_read() || step.key != key || (!last && !value.empty())) continue;
      value = shown(step);
    }
    return value;
  }
  // Whether its writes are appends to lists.
  bool appends(std::uint32_t transaction) const {
    const std::span<const Step> all = steps(transaction);
    return std::any_of(all.begin(), all.end(), [](const Step& step) { return step.kind == MicroOp::Kind::append; });
  }
  std::string key_text(std::uint32_t key) const { return short_key(operations_, key); }
  void about(std::uint32_t transaction, std::uint32_t key) { story_.cast.about(operation(transaction), key); }
  std::string process_text(std::uint32_t transaction) const {
    return "process " + std::to_string(operations_.list[operation(transaction)].process);
  }

  // Adds the edge of a constraint and returns its sentence.
  Sentence add_edge(const CommitConstraint& constraint) {
    Explanation::Edge edge;
    edge.from = place(constraint.before);
    edge.to = place(constraint.after);
    Sentence line;
    switch (constraint.reason) {
      case Reason::initial:
        edge.relations = {"initial"};
        line << "The initial state comes before everything";
        break;
      case Reason::session:
        line = session(edge, constraint.after);
        break;
      case Reason::reads_from:
        line = reads_from(edge, constraint.before, constraint.after, key_read(constraint.after, constraint.before));
        conclude(line, edge);
        break;
      case Reason::overwrites:
        line = overwrites(edge, constraint.before, constraint.after);
        break;
      case Reason::observed:
        line = observation(edge, constraint);
        break;
    }
    story_.add_edge(std::move(edge), line);
    return line;
  }

  Sentence session(Explanation::Edge& edge, std::uint32_t after) const {
    edge.relations = {"process"};
    Sentence line;
    line.op(edge.from) << " came before ";
    line.op(edge.to) << " in " << process_text(after) << " (process)";
    return line;
  }

  std::uint32_t key_read(std::uint32_t reader, std::uint32_t writer) const {
    for (const Execution::Read& read : execution().reads_of(reader)) {
      if (read.writer == writer) return read.key;
    }
    return 0;
  }

  // "op 3 read key 1 as [1] from op 2"
  Sentence reads_from(Explanation::Edge& edge, std::uint32_t writer, std::uint32_t reader, std::uint32_t key) {
    edge.relations = {"wr"};
    edge.key = key_text(key);
    edge.after = read_value(reader, writer, key);
    about(writer, key);
    about(reader, key);
    Sentence line;
    line.op(edge.to) << " read key " << edge.key << " as " << edge.after << " from ";
    line.op(edge.from);
    return line;
  }

  Sentence overwrites(Explanation::Edge& edge, std::uint32_t before, std::uint32_t after) {
    edge.relations = {"ww"};
    Sentence line;
    for (const Execution::Overwrite& step : execution().overwrites()) {
      if (step.before != before || step.after != after) continue;
      edge.key = key_text(step.key);
      edge.before = written_value(before, step.key, true);
      edge.after = written_value(after, step.key, false);
      about(before, step.key);
      about(after, step.key);
      break;
    }
    line.op(edge.to) << (appends(after) ? " appended " : " wrote ") << edge.after << " to key " << edge.key
                     << " after the " << edge.before << " of ";
    line.op(edge.from);
    conclude(line, edge);
    return line;
  }

  Sentence observation(Explanation::Edge& edge, const CommitConstraint& constraint) {
    const std::uint32_t observer = constraint.observer;
    const std::uint32_t missed = constraint.before;
    const std::uint32_t shown = constraint.after;
    edge.relations = {"observed"};
    edge.key = key_text(constraint.key);
    edge.before = written_value(missed, constraint.key, true);
    for (const std::uint32_t one : {observer, missed, shown}) {
      if (one != Execution::initial) about(one, constraint.key);
    }
    const std::size_t witness = place(observer);
    edge.witnesses.push_back(witness);
    Sentence line;
    std::size_t since = 0;
    if (const auto direct = observed_read(constraint)) {
      since = direct->since;
      Explanation::Edge support = supporting(missed, observer);
      line = reads_from(support, missed, observer, direct->key);
      Sentence why = line;
      conclude(why, support);
      support_.emplace_back(std::move(support), std::move(why));
      line << (level_ == WeakLevel::mav || level_ == WeakLevel::be_rc ? " and after that key " : " and key ");
    } else {
      line = chain(missed, observer);
      line << "; yet ";
      line.op(witness) << " read key ";
    }
    edge.after = read_value(observer, shown, constraint.key, since);
    support_shown(edge, shown, observer);
    line << edge.key << " as " << edge.after;
    const bool initial = shown == Execution::initial;
    if (initial) {
      line << ", the initial state";
    } else {
      line << " from ";
      line.op(edge.to);
    }
    line << ", although ";
    line.op(edge.from) << (appends(missed) ? " had appended " : " had written ") << edge.before << " to it";
    if (initial) {
      line << ", so ";
      line.op(edge.from) << " would come before the initial state (observed)";
    } else {
      conclude(line, edge);
    }
    return line;
  }

  // The version that the observer was shown instead.
  void support_shown(const Explanation::Edge& observed, std::uint32_t shown, std::uint32_t observer) {
    Explanation::Edge support = supporting(shown, observer);
    support.relations = {"wr"};
    support.key = observed.key;
    support.after = observed.after;
    Sentence why;
    why.op(support.to) << " read key " << support.key << " as " << support.after;
    if (shown == Execution::initial) {
      why << ", the initial state";
    } else {
      why << " from ";
      why.op(support.from);
      conclude(why, support);
    }
    support_.emplace_back(std::move(support), std::move(why));
  }

  Explanation::Edge supporting(std::uint32_t before, std::uint32_t after) {
    Explanation::Edge edge;
    edge.from = place(before);
    edge.to = place(after);
    edge.in_cycle = false;
    return edge;
  }

  // The observer's own read of the one that was missed; where the level asks for an earlier one, the step after it.
  struct DirectRead {
    std::uint32_t key;
    std::size_t since;
  };
  std::optional<DirectRead> observed_read(const CommitConstraint& constraint) const {
    const bool earlier = level_ == WeakLevel::mav || level_ == WeakLevel::be_rc;
    for (const Execution::Read& read : execution().reads_of(constraint.observer)) {
      if (read.writer != constraint.before) continue;
      const std::size_t at = find_read(constraint.observer, read.writer, read.key);
      return DirectRead{read.key, earlier ? at + 1 : 0};
    }
    return {};
  }

  // How what `from` did can have reached `to`: the fewest reads and steps of sessions, looked for backwards.
  Sentence chain(std::uint32_t from, std::uint32_t to) {
    boost::unordered_flat_map<std::uint32_t, std::uint32_t> next_of;  // by transaction: the one after it on the way
    std::vector<std::uint32_t> queue = {to};
    for (std::size_t head = 0; head < std::min(queue.size(), past_at_most) && !next_of.contains(from); ++head) {
      const std::uint32_t at = queue[head];
      const auto meet = [&](std::uint32_t before) {
        if (before == no_vertex || before == to || !next_of.try_emplace(before, at).second) return;
        queue.push_back(before);
      };
      meet(execution().session_predecessor(at));
      for (const Execution::Read& read : execution().reads_of(at)) {
        if (read.writer != Execution::initial) meet(read.writer);
      }
    }
    Sentence line;
    if (!next_of.contains(from)) {
      line.op(place(from)) << " is in the past of ";
      line.op(place(to)) << ", a long way back";
      return line;
    }
    bool first = true;
    for (std::uint32_t at = from; at != to;) {
      const std::uint32_t next = next_of[at];
      if (!first) line << ", ";
      add_link(line, at, next);
      first = false;
      at = next;
    }
    return line;
  }

  void add_link(Sentence& line, std::uint32_t before, std::uint32_t after) {
    Explanation::Edge support = supporting(before, after);
    const bool session_step = execution().session_predecessor(after) == before;
    Sentence why;
    if (session_step) {
      support.relations = {"process"};
      why.op(support.to) << " came after ";
      why.op(support.from) << " in " << process_text(after);
      line.op(support.to) << " came after ";
      line.op(support.from) << " in " << process_text(after);
    } else {
      why = reads_from(support, before, after, key_read(after, before));
      line.op(support.to) << " read key " << support.key << " as " << support.after << " from ";
      line.op(support.from);
    }
    support_.emplace_back(std::move(support), std::move(why));
  }

  const Operations& operations_;
  const NumberedExecution& numbered_;
  const WeakLevel level_;
  Story story_;
  std::vector<std::pair<Explanation::Edge, Sentence>> support_;
};

}  // namespace

Explained explain_contradiction(const Operations& operations, const WeakVerdict::Contradiction& contradiction,
                                WeakLevel level, const NumberedExecution& numbered) {
  return ContradictionStory(operations, numbered, level).tell(contradiction);
}

}  // namespace polarsim::checkers
