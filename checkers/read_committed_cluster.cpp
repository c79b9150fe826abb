// This system's promise, checked on lists: Adya's PL-2 over the whole cluster, PostgreSQL's Read Committed on each
// node, and all or nothing in the end.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "checkers/checkers.h"
#include "checkers/final_reads.h"
#include "checkers/list_append_index.h"
#include "checkers/node_read_committed.h"
#include "checkers/operations.h"

namespace polarsim::checkers {

namespace {

// The chopped history of one node, and what its pieces stand for.
struct ChoppedNode {
  NodeHistory history;
  struct Source {
    std::uint32_t operation = 0;
    const Step* read = nullptr;  // of a snapshot
  };
  std::vector<Source> sources;  // by piece
  std::map<std::int64_t, std::size_t> session_of_process;

  void add(std::int64_t process, NodeHistory::Piece piece, Source source) {
    const auto [session, added] = session_of_process.try_emplace(process, history.sessions.size());
    if (added) history.sessions.emplace_back();
    history.sessions[session->second].push_back(static_cast<std::uint32_t>(history.pieces.size()));
    history.pieces.push_back(std::move(piece));
    sources.push_back(source);
  }
};

class ClusterChecker {
 public:
  ClusterChecker(const Operations& operations, const ListAppendIndex& index, const ClusterOptions& options,
                 Findings& findings)
      : operations_(operations), index_(index), options_(options), findings_(findings) {}

  void check_nodes() {
    for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
      if (operations_.list[v].possible()) chop(v);
    }
    for (auto& [name, node] : nodes_) {
      node.history.sessions_see_own_commits = options_.acknowledged_after_second_phase;
      for (const std::vector<NodeConstraint>& cycle : decide(node.history).contradictions) add_cycle(name, node, cycle);
    }
  }

  // Reads that miss what the same transaction had seen a part of before. On one node check_nodes() reports them.
  void count_fractured_reads() {
    std::map<std::uint32_t, Required> required;  // by key
    for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
      if (!operations_.list[v].ok()) continue;
      required.clear();
      for (const Step& op : operations_.steps_of(v)) {
        if (op.kind == MicroOp::Kind::append) continue;
        const ListAppendIndex::Element& version = index_.element(index_.version_in(op));
        const auto found = required.find(op.key);
        if (found != required.end() && version.position < found->second.position &&
            node_of(op.key) != found->second.node) {
          add_fractured(v, op, found->second);
          break;
        }
        if (version.writer == no_vertex || version.writer == v) continue;
        for (const Step& written : operations_.steps_of(version.writer)) {
          if (written.kind != MicroOp::Kind::append) continue;
          const std::int32_t position = index_.element(index_.version_in(written)).position;
          Required& needed = required[written.key];
          if (position > needed.position) needed = {position, version.writer, op.key, node_of(op.key)};
        }
      }
    }
  }

 private:
  struct Required {
    std::int32_t position = -1;
    std::uint32_t writer = no_vertex;
    std::uint32_t seen_key = 0;  // where the writer had been seen
    std::string node;
  };

  std::string node_of(std::uint32_t key) const {
    const auto found = options_.node_of_key.find(operations_.key(key));
    return found == options_.node_of_key.end() ? std::string("the node of unplaced keys") : found->second;
  }

  void chop(std::uint32_t v) {
    const Operation& operation = operations_.list[v];
    // What has an unknown outcome is nobody's past: its process asked for nothing afterwards.
    std::map<std::string, NodeHistory::Piece> commits;
    std::set<std::uint32_t> written;
    for (const Step& op : operations_.steps_of(v)) {
      const ListAppendIndex::Element& version = index_.element(index_.version_in(op));
      if (op.kind == MicroOp::Kind::append) {
        written.insert(op.key);
        // Versions count from 1; where an element stands that nobody read is not known.
        if (version.position < 0) continue;
        commits[node_of(op.key)].versions.push_back({version.key, static_cast<std::uint32_t>(version.position) + 1});
        continue;
      }
      if (!operation.ok() || written.contains(op.key)) continue;
      // What is wrong by itself is reported by itself.
      if (!op.length() == 0 && (version.position < 0 || version.writer == no_vertex || version.intermediate)) continue;
      NodeHistory::Piece snapshot;
      snapshot.versions.push_back(
          {version.key, op.length() == 0 ? 0 : static_cast<std::uint32_t>(version.position) + 1});
      nodes_[node_of(op.key)].add(operation.process, std::move(snapshot), {v, &op});
    }
    for (auto& [node, commit] : commits) {
      commit.commit = true;
      nodes_[node].add(operation.process, std::move(commit), {v, nullptr});
    }
  }

  std::string piece_text(const ChoppedNode& node, std::uint32_t piece) const {
    const ChoppedNode::Source& source = node.sources[piece];
    if (source.read == nullptr) return "The commit of " + findings_.describe(source.operation);
    return "The read of key " + findings_.key(source.read->key) + " by " + findings_.describe(source.operation);
  }

  void add_cycle(const std::string& name, const ChoppedNode& node, const std::vector<NodeConstraint>& cycle) {
    std::vector<std::uint32_t> involved;
    for (const NodeConstraint& constraint : cycle) {
      const std::uint32_t operation = node.sources[constraint.before].operation;
      if (involved.empty() || involved.back() != operation) involved.push_back(operation);
    }
    findings_.add("node-read-committed", involved, [&] {
      using Reason = NodeConstraint::Reason;
      std::string text = "On " + name + ":";
      for (const NodeConstraint& constraint : cycle) {
        std::string before = piece_text(node, constraint.before);
        std::string after = piece_text(node, constraint.after);
        // Each sentence begins with the piece it is about.
        const bool about_after = constraint.reason == Reason::ww || constraint.reason == Reason::wr;
        (about_after ? before : after)[0] = 't';
        const std::string key = constraint.reason == Reason::program ? std::string() : findings_.key(constraint.key);
        switch (constraint.reason) {
          case Reason::program:
            text += " " + before + " came before " + after + " in its session (program order).";
            break;
          case Reason::ww:
            text += " " + after + " overwrote key " + key + " after " + before + " (ww).";
            break;
          case Reason::wr:
            text += " " + after + " showed what " + before + " wrote (wr).";
            break;
          case Reason::rw:
            text += " " + before + " did not yet show what " + after + " wrote to key " + key + " (rw).";
            break;
        }
      }
      return text + " No order of the commits on this node lets each statement see what a prefix of it left.";
    });
  }

  void add_fractured(std::uint32_t v, const Step& read, const Required& missed) {
    findings_.add("fractured-read", {v, missed.writer}, [&] {
      return findings_.describe(v) + " saw what " + findings_.describe(missed.writer) + " wrote to key " +
             findings_.key(missed.seen_key) + " on " + missed.node + ", and then read " + list_text(operations_, read) +
             " from key " + findings_.key(read.key) + " on " + node_of(read.key) +
             ", without what the same transaction wrote there.";
    });
  }

  const Operations& operations_;
  const ListAppendIndex& index_;
  const ClusterOptions& options_;
  Findings& findings_;
  std::map<std::string, ChoppedNode> nodes_;
};

// What final reads prove, by the names of the promise.
std::string name_in_promise(const std::string& anomaly) {
  if (anomaly == "lost-append") return "lost-commit";
  if (anomaly == "partial-commit") return "half-commit";
  return anomaly;
}

}  // namespace

Verdict check_read_committed_cluster(const History& history, const ClusterOptions& options) {
  static constexpr std::string_view checker = "read-committed-cluster";
  const Operations operations = collect_operations(history);
  if (!operations.problem.empty()) return unknown_verdict(checker, operations.problem, operations.list.size());
  const ListAppendIndex index(operations);
  if (!index.problem().empty()) return unknown_verdict(checker, index.problem(), operations.list.size());

  // Over the cluster, and in the end: what list-append decides at PL-2.
  Verdict verdict = check_list_append(operations, {.model = "PL-2"});
  verdict.checker = checker;
  verdict.exposures.clear();
  for (Anomaly& anomaly : verdict.anomalies) anomaly.name = name_in_promise(anomaly.name);

  Findings findings(operations);
  ClusterChecker cluster(operations, index, options, findings);
  cluster.check_nodes();
  cluster.count_fractured_reads();
  Verdict nodes = std::move(findings).verdict(checker, {"node-read-committed"}, false);
  std::move(nodes.anomalies.begin(), nodes.anomalies.end(), std::back_inserter(verdict.anomalies));
  verdict.exposures = std::move(nodes.exposures);
  std::map<std::string, std::uint64_t> counts;
  for (const auto& [name, number] : verdict.counts) counts[name_in_promise(name)] += number;
  for (const auto& [name, number] : nodes.counts) counts[name] += number;
  verdict.counts.assign(counts.begin(), counts.end());

  verdict.validity = combine(verdict.validity, nodes.validity);
  if (verdict.validity == Validity::valid && !verdict.exposures.empty()) {
    verdict.validity = Validity::unknown;
    verdict.reason =
        "a read that is fractured across nodes is permitted only while the commit was pending on the node read, and "
        "the "
        "history does not tell when each node committed";
  }
  return verdict;
}

}  // namespace polarsim::checkers
