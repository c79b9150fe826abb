#include "checkers/cluster_log.h"

#include <algorithm>

#include "checkers/edn_scanner.h"

namespace polarsim::checkers {

namespace {

constexpr std::size_t shown_at_most = 60;

// Reads the value of one event; the first thing that does not fit ends it.
class ValueReader {
 public:
  ValueReader(const Event& event, std::string_view text, std::string_view what)
      : event_(event), what_(what), scanner_(text) {}

  const std::string& problem() const { return problem_; }
  bool ok() const { return problem_.empty(); }

  // Most of what is read has no blank before it.
  bool take(char expected) {
    if (scanner_.take(expected)) return true;
    skip_blanks();
    return scanner_.take(expected);
  }
  void require(char expected, const char* meaning) {
    if (ok() && !take(expected)) fail(meaning);
  }
  void require_end() {
    skip_blanks();
    if (ok() && !scanner_.at_end()) fail("nothing more");
  }
  std::int64_t integer(const char* meaning) {
    std::int64_t value = 0;
    skip_blanks();
    if (ok() && !scanner_.take_integer(value)) fail(meaning);
    return value;
  }
  bool take_nil() {
    skip_blanks();
    const std::size_t start = scanner_.position();
    if (scanner_.peek() == 'n' && scanner_.take_atom() == "nil") return true;
    scanner_.set_position(start);
    return false;
  }
  // The contents of a string, without escapes: names of nodes and transactions have none.
  std::string_view string(const char* meaning) {
    skip_blanks();
    const std::size_t start = scanner_.position();
    if (!ok()) return {};
    if (scanner_.peek() != '"' || !scanner_.skip_string()) {
      fail(meaning);
      return {};
    }
    const std::string_view quoted = scanner_.since(start);
    return quoted.substr(1, quoted.size() - 2);
  }
  std::string_view atom() {
    skip_blanks();
    return scanner_.take_atom();
  }
  // Any form, as its text.
  std::string_view form(const char* meaning) {
    skip_blanks();
    const std::size_t start = scanner_.position();
    if (ok() && !scanner_.skip_form()) fail(meaning);
    return scanner_.since(start);
  }
  void fail(std::string_view expected) {
    if (!ok()) return;
    std::string found(scanner_.text().substr(std::min(scanner_.position(), scanner_.text().size()), shown_at_most));
    if (found.empty()) found = "its end";
    problem_ = "op " + std::to_string(event_.index) + ": " + std::string(what_) + ": expected " +
               std::string(expected) + ", found " + found;
  }

 private:
  void skip_blanks() {
    const char next = scanner_.peek();
    const bool begins_a_form = (next >= '0' && next <= '9') || (next >= 'a' && next <= 'z') || next == '"' ||
                               next == ':' || next == '[' || next == ']' || next == '{' || next == '}';
    if (begins_a_form) return;
    // Nearly always it is one space.
    if (next == ' ') scanner_.set_position(scanner_.position() + 1);
    const char then = scanner_.peek();
    if ((then >= '0' && then <= '9') || then == '"' || then == ':' || then == '[') return;
    scanner_.skip_blanks();
  }

  const Event& event_;
  std::string_view what_;
  EdnScanner scanner_;
  std::string problem_;
};

std::string_view text_of(const Value& value) {
  const auto* opaque = std::get_if<Opaque>(&value);
  return opaque == nullptr ? std::string_view() : std::string_view(opaque->edn);
}

class LogReader {
 public:
  explicit LogReader(const History& history) : history_(history) {}

  tl::expected<ClusterLog, std::string> run() {
    for (const Event& event : history_.events) {
      if (event.process != nemesis_process) {
        if (!log_.observed && event.type == EventType::ok) log_.observed = !event.field("snapshots").empty();
        continue;
      }
      if (event.type != EventType::info) continue;
      std::string problem;
      if (event.f == "placement") problem = read_placement(event);
      if (event.f == "prepare") problem = read_branch(event, ClusterLog::BranchEvent::Kind::prepare);
      if (event.f == "commit") problem = read_branch(event, ClusterLog::BranchEvent::Kind::commit);
      if (event.f == "abort") problem = read_branch(event, ClusterLog::BranchEvent::Kind::abort);
      if (event.f == "heal") log_.healed_ns = event.time_ns;
      if (event.f == "rest") problem = read_rest(event);
      if (!problem.empty()) return tl::unexpected(std::move(problem));
    }
    log_.unknown_commits.resize(log_.nodes.size());
    return std::move(log_);
  }

 private:
  std::string read_placement(const Event& event) {
    log_.placed = true;
    // An empty map is read as one of balances.
    if (const auto* none = std::get_if<Balances>(&event.value); none != nullptr && none->empty()) return {};
    ValueReader value(event, text_of(event.value), "placement");
    value.require('{', "a map of keys to names of nodes");
    while (value.ok() && !value.take('}')) {
      const std::string_view key_text = value.form("a key");
      const std::uint32_t node = log_.number_of(value.string("the name of the node that holds the key, in quotes"));
      if (!value.ok()) break;
      const std::optional<std::int64_t> key = key_of(key_text);
      if (!key) continue;  // of no operation
      const auto [entry, added] = log_.node_of_key.try_emplace(*key, node);
      if (!added && entry->second != node) {
        return "op " + std::to_string(event.index) + ": placement: key " + std::string(key_text) + " moves from " +
               log_.nodes[entry->second] + " to " + log_.nodes[node] + "; histories with keys that move are not judged";
      }
    }
    value.require_end();
    return value.problem();
  }

  std::optional<std::int64_t> key_of(std::string_view text) {
    EdnScanner scanner(text);
    std::int64_t number = 0;
    if (scanner.take_integer(number)) return number;
    if (named_.empty()) {
      for (std::size_t i = 0; i < history_.key_names.size(); ++i) {
        named_.emplace(history_.key_names[i], first_named_key + static_cast<std::int64_t>(i));
      }
    }
    const auto found = named_.find(std::string(text));
    return found == named_.end() ? std::nullopt : std::optional(found->second);
  }

  std::string read_branch(const Event& event, ClusterLog::BranchEvent::Kind kind) {
    ValueReader value(event, text_of(event.value), event.f);
    ClusterLog::BranchEvent branch;
    branch.kind = kind;
    branch.node = ClusterLog::no_node;
    branch.moment.time_ns = event.time_ns;
    value.require('{', "a map with :op, :node and :position");
    while (value.ok() && !value.take('}')) {
      const std::string_view name = value.atom();
      if (name == ":op") {
        if (!value.take_nil()) branch.operation = value.integer("the :index of an invocation, or nil");
      } else if (name == ":node") {
        branch.node = log_.number_of(value.string("the name of a node, in quotes"));
      } else if (name == ":position") {
        branch.moment.position = static_cast<std::uint64_t>(value.integer("a position from 1 on"));
      } else if (name == ":gid") {
        branch.gid = value.string("a transaction's identifier, in quotes");
      } else {
        value.fail("one of :op, :node, :position, :gid, or the end of the map");
      }
    }
    value.require_end();
    if (!value.ok()) return value.problem();
    if (branch.node == ClusterLog::no_node || !branch.moment) {
      return "op " + std::to_string(event.index) + ": " + event.f +
             ": expected :node and a :position from 1 on, found " +
             std::string(text_of(event.value)).substr(0, shown_at_most);
    }
    log_.observed = true;
    if (branch.operation >= 0) {
      log_.branches.push_back(branch);
    } else if (kind == ClusterLog::BranchEvent::Kind::commit) {
      log_.unknown_commits.resize(log_.nodes.size());
      ++log_.unknown_commits[branch.node];
    }
    return {};
  }

  std::string read_rest(const Event& event) {
    log_.at_rest.emplace();
    // An empty vector is read as a transaction without steps.
    if (const auto* none = std::get_if<Transaction>(&event.value); none != nullptr && none->empty()) return {};
    if (std::holds_alternative<std::monostate>(event.value)) return {};
    ValueReader value(event, text_of(event.value), "rest");
    value.require('[', "a vector of [node, transaction] that are still prepared");
    while (value.ok() && !value.take(']')) {
      value.require('[', "[node, transaction]");
      ClusterLog::Prepared prepared;
      prepared.node = log_.number_of(value.string("the name of a node, in quotes"));
      prepared.gid = std::string(value.string("a transaction's identifier, in quotes"));
      value.require(']', "the end of [node, transaction]");
      log_.at_rest->push_back(std::move(prepared));
    }
    value.require_end();
    return value.problem();
  }

  const History& history_;
  ClusterLog log_;
  boost::unordered_flat_map<std::string, std::int64_t> named_;
};

}  // namespace

std::uint32_t ClusterLog::number_of(std::string_view node) {
  // A cluster has a few dozen nodes at most.
  const auto found = std::find_if(nodes.begin(), nodes.end(), [node](const std::string& known) {
    // Names of nodes differ at their ends.
    return known.size() == node.size() && (known.empty() || known.back() == node.back()) && known == node;
  });
  if (found != nodes.end()) return static_cast<std::uint32_t>(found - nodes.begin());
  nodes.emplace_back(node);
  return static_cast<std::uint32_t>(nodes.size() - 1);
}

tl::expected<ClusterLog, std::string> read_cluster_log(const History& history) { return LogReader(history).run(); }

tl::expected<void, std::string> read_snapshots(const Event& event, ClusterLog& log, std::vector<SnapshotAt>& into) {
  into.clear();
  const std::string_view text = event.field("snapshots");
  if (text.empty()) return {};
  ValueReader value(event, text, "snapshots");
  value.require('[', "a vector of [node, position, time] or nil");
  while (value.ok() && !value.take(']')) {
    SnapshotAt& snapshot = into.emplace_back();
    if (value.take_nil()) continue;
    value.require('[', "[node, position, time], or nil");
    snapshot.node = log.number_of(value.string("the name of a node, in quotes"));
    snapshot.moment.position = static_cast<std::uint64_t>(value.integer("a position from 1 on"));
    snapshot.moment.time_ns = value.integer("a time in nanoseconds");
    if (value.ok() && !snapshot.moment) value.fail("a position from 1 on");
    value.require(']', "the end of [node, position, time]");
  }
  value.require_end();
  if (!value.ok()) return tl::unexpected(value.problem());
  return {};
}

}  // namespace polarsim::checkers
