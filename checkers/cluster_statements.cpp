#include "checkers/cluster_statements.h"

#include <algorithm>
#include <limits>
#include <span>
#include <utility>

namespace polarsim::checkers {

namespace {

class StatementChecker {
 public:
  StatementChecker(ClusterHistory& cluster, ReadYourWrites read_your_writes, Findings& findings)
      : cluster_(cluster),
        operations_(cluster.operations),
        index_(cluster.index),
        read_your_writes_(read_your_writes),
        findings_(findings) {}

  StatementReport run() {
    collect_versions();
    check_orders();
    for (std::uint32_t v = 0; v < operations_.list.size() && report_.problem.empty(); ++v) {
      if (operations_.list[v].ok()) check_operation(v);
    }
    return std::move(report_);
  }

 private:
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

  struct Required {
    std::int32_t position = -1;
    std::uint32_t writer = no_vertex;
    std::uint32_t seen_key = 0;  // where the writer had been seen
  };
  // A read of a version, which counts from 1; 0 is the initial one.
  struct Read {
    std::uint32_t reader = 0;
    const Step* op = nullptr;
    std::uint32_t key = 0;
    std::size_t number = 0;
    Moment snapshot;  // nothing if it is not known
  };

  std::uint32_t node_of(std::uint32_t key) const { return cluster_.node_of_key[key]; }
  std::string name(std::uint32_t operation) const { return findings_.describe(operation); }
  std::string node_text(std::uint32_t key) const { return cluster_.node_name(node_of(key)); }
  std::uint32_t writer_of(std::uint32_t key, std::size_t number) const { return writers_[offsets_[key] + number - 1]; }
  const Branch* branch_of(std::uint32_t writer, std::uint32_t key) const {
    return writer == no_vertex ? nullptr : cluster_.branches.find(writer, node_of(key));
  }
  // Whether somebody looked at the node, and what it has not been seen to commit has not committed there.
  bool knows_all_commits(std::uint32_t node) const {
    return cluster_.log.observed && cluster_.log.unknown_commits[node] == 0;
  }

  // By key, in the order of the versions: who wrote each, when it was committed (0: not known), and the earliest
  // acknowledgement of it or of any later one. Versions that nobody read come last, in the order of their commits.
  void collect_versions() {
    const std::vector<std::vector<Unread>> unread = collect_unread();
    offsets_.reserve(index_.key_count() + 1U);
    for (std::uint32_t key = 0; key < index_.key_count(); ++key) {
      offsets_.push_back(commits_.size());
      for (const std::uint32_t element : index_.order_of(key)) {
        const std::uint32_t writer = index_.element(element).writer;
        const Branch* const branch = branch_of(writer, key);
        add_version(writer, branch == nullptr ? 0 : branch->commit.position);
      }
      for (const Unread& version : unread[key]) add_version(version.writer, version.commit);
      for (std::size_t i = acknowledged_.size(); i-- > offsets_.back() + 1;) {
        acknowledged_[i - 1] = std::min(acknowledged_[i - 1], acknowledged_[i]);
      }
      const std::span<const std::uint64_t> positions(commits_.data() + offsets_.back(),
                                                     commits_.size() - offsets_.back());
      in_order_.push_back(std::is_sorted(positions.begin(), positions.end()) &&
                          (positions.empty() || positions.front() != 0));
    }
    offsets_.push_back(commits_.size());
  }

  struct Unread {
    std::uint64_t commit = 0;
    std::uint32_t writer = no_vertex;
    auto rank() const { return std::pair(commit, writer); }
  };
  // By key: the appends that the log knows as committed, and that no read shows.
  std::vector<std::vector<Unread>> collect_unread() const {
    std::vector<std::vector<Unread>> unread(index_.key_count());
    if (cluster_.branches.all().empty()) return unread;
    for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
      if (!operations_.list[v].possible() || cluster_.branches.first_of(v) == no_vertex) continue;
      for (const Step& op : operations_.steps_of(v)) {
        if (op.kind != MicroOp::Kind::append) continue;
        const ListAppendIndex::Element& element = index_.element(index_.version_in(op));
        if (element.position >= 0) continue;
        const Branch* const branch = branch_of(v, element.key);
        if (branch != nullptr && branch->commit) unread[element.key].push_back({branch->commit.position, v});
      }
    }
    for (std::vector<Unread>& versions : unread) {
      std::sort(versions.begin(), versions.end(), [](const Unread& x, const Unread& y) { return x.rank() < y.rank(); });
    }
    return unread;
  }

  void add_version(std::uint32_t writer, std::uint64_t commit) {
    writers_.push_back(writer);
    commits_.push_back(commit);
    const bool acknowledged = writer != no_vertex && operations_.list[writer].ok();
    acknowledged_.push_back(acknowledged ? operations_.list[writer].completed : never);
  }
  std::span<const std::uint64_t> commits_of(std::uint32_t key) const {
    return {commits_.data() + offsets_[key], offsets_[key + 1] - offsets_[key]};
  }

  // Row locks are held until the commit, so versions are committed in their order.
  void check_orders() {
    for (std::uint32_t key = 0; key < index_.key_count(); ++key) {
      if (in_order_[key]) continue;
      const std::span<const std::uint64_t> commits = commits_of(key);
      std::size_t last = 0;  // the version before that is known, counted from 1
      for (std::size_t number = 1; number <= commits.size(); ++number) {
        if (commits[number - 1] == 0) continue;
        if (last != 0 && commits[last - 1] > commits[number - 1]) add_order(key, last, number);
        last = number;
      }
    }
  }

  void check_operation(std::uint32_t v) {
    const Operation& operation = operations_.list[v];
    const std::span<const Step> transaction = operations_.steps_of(v);
    const auto reads = [](const Step& op) { return op.is_read(); };
    if (std::none_of(transaction.begin(), transaction.end(), reads)) return;
    const auto result = read_snapshots(cluster_.history.events[static_cast<std::size_t>(operation.completed)],
                                       cluster_.log, snapshots_);
    if (!result) {
      report_.problem = result.error();
      return;
    }
    cluster_.log.unknown_commits.resize(cluster_.log.nodes.size());
    required_.clear();
    own_.clear();
    bool fractured = false;
    std::uint32_t first_node = no_vertex;  // read from
    bool over_nodes = false;
    for (std::size_t step = 0; step < transaction.size(); ++step) {
      const Step& op = transaction[step];
      const ListAppendIndex::Element& version = index_.element(index_.version_in(op));
      if (op.kind == MicroOp::Kind::append) {
        own_.push_back(version.key);
        continue;
      }
      Read read{v, &op, version.key, static_cast<std::size_t>(version.position + 1), moment_of(step, version.key)};
      if (op.length() == 0) read.number = 0;
      // What is wrong by itself is reported by itself, and of its own writes a transaction sees more than its snapshot.
      const bool sound =
          op.length() == 0 || (version.position >= 0 && version.writer != no_vertex && !version.intermediate);
      if (sound && std::find(own_.begin(), own_.end(), version.key) == own_.end()) check_read(read);
      if (transaction.size() == 1) break;
      if (first_node == no_vertex) first_node = node_of(version.key);
      over_nodes = over_nodes || first_node != node_of(version.key);
      if (!fractured) fractured = check_fractured(read, version.position);
      require_all_of(version.writer, v, op.key);
    }
    if (over_nodes) ++report_.transactions_over_nodes;
  }

  Moment moment_of(std::size_t step, std::uint32_t key) const {
    if (step >= snapshots_.size() || snapshots_[step].node != node_of(key)) return {};
    return snapshots_[step].moment;
  }

  void check_read(const Read& read) {
    bool right = true;
    report_.complete = report_.complete && read.snapshot && in_order_[read.key];
    if (read.snapshot) right = in_order_[read.key] ? check_by_search(read) : check_neighbours(read);
    if (right) check_stale(read);
  }

  bool check_by_search(const Read& read) {
    const std::span<const std::uint64_t> commits = commits_of(read.key);
    const auto next = std::lower_bound(commits.begin(), commits.end(), read.snapshot.position);
    const auto shown = static_cast<std::size_t>(next - commits.begin());
    if (shown == read.number) return true;
    shown < read.number ? add_too_new(read) : add_too_old(read, shown);
    return false;
  }

  // The same where the log does not know each commit of the key.
  bool check_neighbours(const Read& read) {
    const std::span<const std::uint64_t> commits = commits_of(read.key);
    if (read.number > 0) {
      const std::uint64_t commit = commits[read.number - 1];
      if (commit == 0 && !knows_all_commits(node_of(read.key))) {
        ++report_.undecided_snapshots;
        return true;
      }
      if (commit == 0 || commit > read.snapshot.position) {
        add_too_new(read);
        return false;
      }
    }
    for (std::size_t number = read.number + 1; number <= commits.size(); ++number) {
      if (commits[number - 1] == 0 || commits[number - 1] > read.snapshot.position) continue;
      add_too_old(read, number);
      return false;
    }
    return true;
  }

  void check_stale(const Read& read) {
    const std::size_t first = offsets_[read.key] + read.number;
    const std::size_t end = offsets_[read.key + 1];
    const std::int64_t asked = operations_.list[read.reader].invoked;
    if (first == end || acknowledged_[first] >= asked) return;
    // The first version missed that had been acknowledged; one of the own session counts for more.
    std::uint32_t missed = no_vertex;
    bool own = false;
    for (std::size_t i = first; i < end && acknowledged_[i] < asked && !own; ++i) {
      const std::uint32_t writer = writer_of(read.key, i - offsets_[read.key] + 1);
      if (writer == no_vertex || !operations_.list[writer].ok() || operations_.list[writer].completed >= asked)
        continue;
      own = operations_.list[writer].process == operations_.list[read.reader].process;
      if (missed == no_vertex || own) missed = writer;
    }
    const Branch* const branch = branch_of(missed, read.key);
    if (read_your_writes_ == ReadYourWrites::always || wrote_on_one_node(missed)) {
      add_stale(own ? "read-your-writes" : "stale-read", read, missed, branch);
    } else if (!read.snapshot || (branch == nullptr && !knows_all_commits(node_of(read.key)))) {
      ++report_.undecided_stale_reads;
    } else if (branch != nullptr && branch->pending_at(read.snapshot.position)) {
      add_stale(own ? "pending-own-write" : "pending-write", read, missed, branch);
    } else {
      add_stale(own ? "read-your-writes" : "stale-read", read, missed, branch);
    }
  }

  // It has then committed there when it is acknowledged.
  bool wrote_on_one_node(std::uint32_t v) const {
    std::uint32_t node = no_vertex;
    for (const Step& op : operations_.steps_of(v)) {
      if (op.kind != MicroOp::Kind::append) continue;
      const std::uint32_t its = node_of(index_.element(index_.version_in(op)).key);
      if (node != no_vertex && node != its) return false;
      node = its;
    }
    return true;
  }

  bool check_fractured(const Read& read, std::int32_t position) {
    const auto found = required_.find(read.key);
    if (found == required_.end() || position >= found->second.position) return false;
    const Required& missed = found->second;
    if (node_of(missed.seen_key) == node_of(read.key)) return false;
    const Branch* const branch = branch_of(missed.writer, read.key);
    report_.missed_parts.push_back(missed.writer);
    if (!read.snapshot || (branch == nullptr && !knows_all_commits(node_of(read.key)))) {
      ++report_.undecided_fractured_reads;
      add_fractured("fractured-read", read, missed, nullptr);
    } else if (branch != nullptr && branch->pending_at(read.snapshot.position)) {
      add_fractured("fractured-read", read, missed, branch);
    } else {
      add_fractured("unexcused-fractured-read", read, missed, branch);
    }
    return true;
  }

  // Whoever has seen a part of a transaction is to see the rest.
  void require_all_of(std::uint32_t writer, std::uint32_t reader, std::uint32_t seen_key) {
    if (writer == no_vertex || writer == reader) return;
    const std::span<const Step> transaction = operations_.steps_of(writer);
    if (transaction.size() == 1) return;
    for (const Step& written : transaction) {
      if (written.kind != MicroOp::Kind::append) continue;
      const ListAppendIndex::Element& element = index_.element(index_.version_in(written));
      Required& needed = required_[element.key];
      if (element.position > needed.position) needed = {element.position, writer, seen_key};
    }
  }

  // --- what is said ---

  std::string read_text(const Read& read) const {
    std::string text = name(read.reader) + " read " + list_text(operations_, *read.op) + " from key " +
                       findings_.key(read.op->key) + " on " + node_text(read.key);
    if (read.snapshot) text += " at " + time_text(read.snapshot.time_ns);
    return text;
  }

  void add_order(std::uint32_t key, std::size_t before, std::size_t after) {
    const std::uint32_t first = writer_of(key, before);
    const std::uint32_t second = writer_of(key, after);
    findings_.add("node-read-committed", {first, second}, [&] {
      return "On " + node_text(key) + " " + name(second) + " appended to key " + findings_.key(key) + " after " +
             name(first) + ", which committed only later: at " + time_text(branch_of(first, key)->commit.time_ns) +
             ", and " + name(second) + " at " + time_text(branch_of(second, key)->commit.time_ns) +
             ". It did not wait for the row's lock.";
    });
  }

  void add_too_new(const Read& read) {
    const std::uint32_t writer = writer_of(read.key, read.number);
    findings_.add("node-read-committed", {read.reader, writer}, [&] {
      const Branch* const branch = branch_of(writer, read.key);
      return read_text(read) + ", but " + name(writer) + ", whose append is the last one there, " +
             (branch != nullptr && branch->commit
                  ? "committed on this node only at " + time_text(branch->commit.time_ns) + "."
                  : std::string("never committed on this node."));
    });
  }

  void add_too_old(const Read& read, std::size_t shown) {
    const std::uint32_t writer = writer_of(read.key, shown);
    findings_.add("node-read-committed", {read.reader, writer}, [&] {
      return read_text(read) + ", without the append of " + name(writer) +
             ", which had committed on this node before, at " + time_text(branch_of(writer, read.key)->commit.time_ns) +
             ".";
    });
  }

  // When the branch was pending there, told by what the log knows.
  std::string window_text(std::uint32_t writer, std::uint32_t key, const Branch& branch) const {
    // Since the transaction could be seen somewhere, or at least since it was prepared here.
    std::int64_t since_ns = never;
    for (std::uint32_t other = cluster_.branches.first_of(writer); other != no_vertex;
         other = cluster_.branches.next_of(other)) {
      const Branch& elsewhere = cluster_.branches.all()[other];
      if (elsewhere.node != node_of(key) && elsewhere.commit) since_ns = std::min(since_ns, elsewhere.commit.time_ns);
    }
    if (since_ns == never) since_ns = branch.prepare.time_ns;
    return "its commit was pending on " + node_text(key) + " from " + time_text(since_ns) +
           (branch.commit  ? " to " + time_text(branch.commit.time_ns)
            : branch.abort ? " until it was lost at " + time_text(branch.abort.time_ns)
                           : std::string(" on"));
  }

  std::string verdict_text(std::uint32_t writer, std::uint32_t key, const Branch* branch,
                           const Moment& snapshot) const {
    if (branch == nullptr) return name(writer) + " had not even been prepared on " + node_text(key);
    if (branch->pending_at(snapshot.position)) return window_text(writer, key, *branch);
    if (branch->commit && branch->commit.position < snapshot.position) {
      return name(writer) + " had committed on " + node_text(key) + " at " + time_text(branch->commit.time_ns);
    }
    if (branch->abort && branch->abort.position < snapshot.position) {
      return name(writer) + " had been rolled back on " + node_text(key) + " at " + time_text(branch->abort.time_ns);
    }
    return name(writer) + " had not even been prepared on " + node_text(key);
  }

  void add_fractured(const char* anomaly, const Read& read, const Required& missed, const Branch* branch) {
    findings_.add(anomaly, {read.reader, missed.writer}, [&] {
      std::string text = name(read.reader) + " saw what " + name(missed.writer) + " wrote to key " +
                         findings_.key(missed.seen_key) + " on " + node_text(missed.seen_key) + ", and then read " +
                         list_text(operations_, *read.op) + " from key " + findings_.key(read.op->key) + " on " +
                         node_text(read.key) + (read.snapshot ? " at " + time_text(read.snapshot.time_ns) : "") +
                         ", without what the same transaction wrote there";
      if (!read.snapshot || (branch == nullptr && std::string_view(anomaly) == "fractured-read")) return text + ".";
      return text + ": " + verdict_text(missed.writer, read.key, branch, read.snapshot) + ".";
    });
  }

  void add_stale(const char* anomaly, const Read& read, std::uint32_t writer, const Branch* branch) {
    findings_.add(anomaly, {read.reader, writer}, [&] {
      const std::string text = read_text(read) + ", without what " + name(writer) + " appended, which " +
                               (operations_.list[writer].process == operations_.list[read.reader].process
                                    ? "the same session had been told is committed before it asked"
                                    : "had been acknowledged before this was asked for");
      if (!read.snapshot) return text + ".";
      return text + ": " + verdict_text(writer, read.key, branch, read.snapshot) + ".";
    });
  }

  ClusterHistory& cluster_;
  const Operations& operations_;
  const ListAppendIndex& index_;
  const ReadYourWrites read_your_writes_;
  Findings& findings_;
  StatementReport report_;
  std::vector<std::size_t> offsets_;  // by key, into the three that follow
  std::vector<std::uint32_t> writers_;
  std::vector<std::uint64_t> commits_;
  std::vector<std::int64_t> acknowledged_;
  std::vector<bool> in_order_;  // by key: each commit is known, and they stand in the order of the versions
  std::vector<SnapshotAt> snapshots_;
  std::vector<std::uint32_t> own_;                               // keys that the operation has appended to so far
  boost::unordered_flat_map<std::uint32_t, Required> required_;  // by key
};

class EndChecker {
 public:
  EndChecker(const ClusterHistory& cluster, Findings& findings)
      : cluster_(cluster), operations_(cluster.operations), findings_(findings) {}

  void run() {
    for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
      if (operations_.list[v].final) check_final_read(v);
      if (cluster_.log.observed) check_transaction(v);
    }
    if (!cluster_.log.at_rest) return;
    for (const ClusterLog::Prepared& prepared : *cluster_.log.at_rest) add_stuck(prepared);
  }

 private:
  std::string name(std::uint32_t operation) const { return findings_.describe(operation); }

  void check_final_read(std::uint32_t v) {
    for (const Step& op : operations_.steps_of(v)) {
      const std::uint32_t key = cluster_.index.element(cluster_.index.version_in(op)).key;
      for (const std::int64_t value : cluster_.operations.list_of(op)) {
        const std::uint32_t number = cluster_.index.find_element(key, value);
        if (number == no_vertex || cluster_.index.element(number).failed == no_vertex) continue;
        const std::uint32_t failed = cluster_.index.element(number).failed;
        findings_.add("resurrected-abort", {v, failed}, [&] {
          return name(v) + ", a final read, shows " + std::to_string(value) + " in key " + findings_.key(op.key) +
                 ", but " + name(failed) + ", which appended it, failed.";
        });
      }
    }
  }

  void check_transaction(std::uint32_t v) {
    const Branch* committed = nullptr;
    const Branch* gone = nullptr;  // rolled back
    for (std::uint32_t place = cluster_.branches.first_of(v); place != no_vertex;
         place = cluster_.branches.next_of(place)) {
      const Branch& branch = cluster_.branches.all()[place];
      if (branch.commit && branch.abort) {
        branch.commit.position < branch.abort.position ? add_lost(v, branch) : add_resurrected(v, branch);
      }
      if (branch.commit && (committed == nullptr || branch.node < committed->node)) committed = &branch;
      if (branch.abort && !branch.commit && (gone == nullptr || branch.node < gone->node)) gone = &branch;
    }
    if (committed != nullptr && !operations_.list[v].possible() && !committed->abort) add_resurrected(v, *committed);
    if (committed != nullptr && gone != nullptr) return add_half(v, *committed, *gone);
    if (committed == nullptr && gone != nullptr && operations_.list[v].ok()) return add_lost(v, *gone);
    if (committed != nullptr && cluster_.log.at_rest) check_everywhere(v, *committed);
  }

  // At rest, a transaction that has committed somewhere has committed wherever it wrote.
  void check_everywhere(std::uint32_t v, const Branch& committed) {
    for (const Step& op : operations_.steps_of(v)) {
      if (op.kind != MicroOp::Kind::append) continue;
      const std::uint32_t node = cluster_.node_of_key[cluster_.index.element(cluster_.index.version_in(op)).key];
      const Branch* const branch = cluster_.branches.find(v, node);
      if (cluster_.log.unknown_commits[node] != 0) continue;
      if (branch != nullptr && (branch->commit || branch->still_prepared())) continue;
      findings_.add("half-commit", {v}, [&] {
        return name(v) + " committed on " + cluster_.node_name(committed.node) + " at " +
               time_text(committed.commit.time_ns) +
               ", and when the cluster had come to rest it had not committed on " + cluster_.node_name(node) +
               ", where it appended to key " + findings_.key(op.key) + ".";
      });
      return;
    }
  }

  void add_half(std::uint32_t v, const Branch& committed, const Branch& gone) {
    findings_.add("half-commit", {v}, [&] {
      return name(v) + " committed on " + cluster_.node_name(committed.node) + " at " +
             time_text(committed.commit.time_ns) + " and was rolled back on " + cluster_.node_name(gone.node) + " at " +
             time_text(gone.abort.time_ns) + ".";
    });
  }

  void add_lost(std::uint32_t v, const Branch& branch) {
    findings_.add("lost-commit", {v}, [&] {
      return name(v) +
             (branch.commit ? " had committed on " + cluster_.node_name(branch.node) + " at " +
                                  time_text(branch.commit.time_ns) + " and was gone from there at "
                            : " was acknowledged, but rolled back on " + cluster_.node_name(branch.node) + " at ") +
             time_text(branch.abort.time_ns) + ".";
    });
  }

  void add_resurrected(std::uint32_t v, const Branch& branch) {
    findings_.add("resurrected-abort", {v}, [&] {
      return name(v) +
             (branch.abort ? " was rolled back on " + cluster_.node_name(branch.node) + " at " +
                                 time_text(branch.abort.time_ns) + ", and all the same committed there at "
                           : " failed, but committed on " + cluster_.node_name(branch.node) + " at ") +
             time_text(branch.commit.time_ns) + ".";
    });
  }

  void add_stuck(const ClusterLog::Prepared& prepared) {
    const std::uint32_t v = cluster_.branches.prepared_as(prepared.gid);
    std::vector<std::uint32_t> involved;
    if (v != no_vertex) involved.push_back(v);
    findings_.add("stuck-prepared", involved, [&] {
      return "Transaction " + prepared.gid + (v == no_vertex ? std::string() : " of " + name(v)) +
             " is still prepared on " + cluster_.node_name(prepared.node) +
             " though the cluster has had its time to come to rest.";
    });
  }

  const ClusterHistory& cluster_;
  const Operations& operations_;
  Findings& findings_;
};

}  // namespace

StatementReport check_statements(ClusterHistory& cluster, ReadYourWrites read_your_writes, Findings& findings) {
  return StatementChecker(cluster, read_your_writes, findings).run();
}

void check_ends(const ClusterHistory& cluster, Findings& findings) { EndChecker(cluster, findings).run(); }

}  // namespace polarsim::checkers
