// This system's promise, checked on lists: Adya's PL-2 over the whole cluster, PostgreSQL's Read Committed on each
// node, all or nothing in the end, and what statements miss excused by nothing but a commit that is pending.
#include <algorithm>
#include <map>
#include <utility>

#include "checkers/checkers.h"
#include "checkers/cluster_statements.h"
#include "checkers/list_append_judge.h"
#include "checkers/node_read_committed.h"

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
  boost::unordered_flat_map<std::int64_t, std::size_t> session_of_process;

  void add(std::int64_t process, NodeHistory::Piece piece, Source source) {
    const auto [session, added] = session_of_process.try_emplace(process, history.sessions.size());
    if (added) history.sessions.emplace_back();
    history.sessions[session->second].push_back(static_cast<std::uint32_t>(history.pieces.size()));
    history.pieces.push_back(std::move(piece));
    sources.push_back(source);
  }
};

// No order of a node's commits: decided from what clients saw alone.
class NodeOrders {
 public:
  NodeOrders(const ClusterHistory& cluster, Findings& findings)
      : operations_(cluster.operations),
        index_(cluster.index),
        cluster_(cluster),
        findings_(findings),
        nodes_(cluster.log.nodes.size()),
        commits_(nodes_.size()) {}

  void check(ReadYourWrites read_your_writes) {
    for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
      if (operations_.list[v].possible()) chop(v);
    }
    for (std::uint32_t number = 0; number < nodes_.size(); ++number) {
      ChoppedNode& node = nodes_[number];
      node.history.sessions_see_own_commits = read_your_writes == ReadYourWrites::always;
      for (const std::vector<NodeConstraint>& cycle : decide(node.history).contradictions) {
        add_cycle(cluster_.node_name(number), node, cycle);
      }
    }
  }

 private:
  void chop(std::uint32_t v) {
    const Operation& operation = operations_.list[v];
    // What has an unknown outcome is nobody's past: its process asked for nothing afterwards.
    written_.clear();
    committing_.clear();
    for (const Step& op : operations_.steps_of(v)) {
      const ListAppendIndex::Element& version = index_.element(index_.version_in(op));
      const std::uint32_t node = cluster_.node_of_key[version.key];
      if (op.kind == MicroOp::Kind::append) {
        written_.push_back(version.key);
        // Versions count from 1; where an element stands that nobody read is not known.
        if (version.position < 0) continue;
        if (commits_[node].empty()) committing_.push_back(node);
        commits_[node].push_back({version.key, static_cast<std::uint32_t>(version.position) + 1});
        continue;
      }
      if (!operation.ok() || std::find(written_.begin(), written_.end(), version.key) != written_.end()) continue;
      // What is wrong by itself is reported by itself.
      if (op.length() > 0 && (version.position < 0 || version.writer == no_vertex || version.intermediate)) continue;
      NodeHistory::Piece snapshot;
      snapshot.versions.push_back(
          {version.key, op.length() == 0 ? 0 : static_cast<std::uint32_t>(version.position) + 1});
      nodes_[node].add(operation.process, std::move(snapshot), {v, &op});
    }
    for (const std::uint32_t node : committing_) {
      nodes_[node].add(operation.process, {true, std::exchange(commits_[node], {})}, {v, nullptr});
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

  const Operations& operations_;
  const ListAppendIndex& index_;
  const ClusterHistory& cluster_;
  Findings& findings_;
  std::vector<ChoppedNode> nodes_;
  std::vector<std::vector<NodeHistory::Version>> commits_;  // by node, of the operation at hand
  std::vector<std::uint32_t> committing_;                   // nodes with any
  std::vector<std::uint32_t> written_;                      // keys
};

// What final reads prove, by the names of the promise.
std::string name_in_promise(const std::string& anomaly) {
  if (anomaly == "lost-append") return "lost-commit";
  if (anomaly == "partial-commit") return "half-commit";
  return anomaly;
}

// What was not decided because the history does not tell when nodes committed; empty if nothing was.
std::string reason_of(const StatementReport& report) {
  if (!report.problem.empty()) return report.problem;
  if (report.undecided_fractured_reads > 0) {
    return "a read that is fractured across nodes is permitted only while the commit was pending on the node read, and "
           "of " +
           std::to_string(report.undecided_fractured_reads) + " the history does not tell whether it was";
  }
  if (report.undecided_stale_reads > 0) {
    return "a read may miss what was acknowledged only while the commit was pending on the node read, and of " +
           std::to_string(report.undecided_stale_reads) + " the history does not tell whether it was";
  }
  if (report.undecided_snapshots > 0) {
    return "of " + std::to_string(report.undecided_snapshots) +
           " reads the history does not tell whether what they show had committed before their snapshots";
  }
  return {};
}

}  // namespace

void place_keys(ClusterHistory& cluster, const ClusterOptions& options) {
  ClusterLog& log = cluster.log;
  for (const auto& [key, node] : options.node_of_key) log.node_of_key.insert_or_assign(key, log.number_of(node));
  std::uint32_t unplaced = ClusterLog::no_node;
  for (std::uint32_t key = 0; key < cluster.index.key_count(); ++key) {
    std::uint32_t node = log.node_of(cluster.operations.key(key));
    if (node == ClusterLog::no_node) {
      if (unplaced == ClusterLog::no_node) unplaced = log.number_of("the node of unplaced keys");
      node = unplaced;
    }
    cluster.node_of_key.push_back(node);
  }
  log.unknown_commits.resize(log.nodes.size());
}

Verdict check_read_committed_cluster(const History& history, const ClusterOptions& options) {
  static constexpr std::string_view checker = "read-committed-cluster";
  const Operations operations = collect_operations(history);
  if (!operations.problem.empty()) return unknown_verdict(checker, operations.problem, operations.list.size());
  const ListAppendIndex index(operations);
  if (!index.problem().empty()) return unknown_verdict(checker, index.problem(), operations.list.size());
  auto log = read_cluster_log(history);
  if (!log) return unknown_verdict(checker, log.error(), operations.list.size());
  const Branches branches(*log, history, operations);
  ClusterHistory cluster{history, operations, index, *log, branches, {}};
  place_keys(cluster, options);

  // Over the cluster, and in the end: what list-append decides at PL-2.
  Verdict verdict = judge_lists(operations, index, {.model = "PL-2"});
  verdict.checker = checker;
  verdict.exposures.clear();
  for (Anomaly& anomaly : verdict.anomalies) anomaly.name = name_in_promise(anomaly.name);
  std::map<std::string, std::uint64_t> counts;
  for (const auto& [name, number] : verdict.counts) counts[name_in_promise(name)] += number;

  Findings findings(operations);
  const StatementReport report = check_statements(cluster, options.read_your_writes, findings);
  if (!report.complete) NodeOrders(cluster, findings).check(options.read_your_writes);
  check_ends(cluster, findings);
  Verdict nodes =
      std::move(findings).verdict(checker,
                                  {"node-read-committed", "unexcused-fractured-read", "read-your-writes", "stale-read",
                                   "half-commit", "lost-commit", "resurrected-abort", "stuck-prepared"},
                                  false);
  // The same transaction may be half committed by final reads and by what the nodes did.
  for (const auto& [name, number] : nodes.counts) counts[name] = std::max(counts[name], number);
  std::move(nodes.anomalies.begin(), nodes.anomalies.end(), std::back_inserter(verdict.anomalies));
  verdict.exposures = std::move(nodes.exposures);
  verdict.counts.assign(counts.begin(), counts.end());
  verdict.validity = combine(verdict.validity, nodes.validity);
  if (std::string reason = reason_of(report); !reason.empty() && verdict.validity != Validity::invalid) {
    verdict.validity = Validity::unknown;
    verdict.reason = std::move(reason);
  }
  return verdict;
}

}  // namespace polarsim::checkers
