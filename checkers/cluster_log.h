// What a history tells, beside its operations, of the cluster that carried them out. Operations say what clients saw;
// this says what happened, as far as somebody looked into the nodes. Events of the nemesis, of type :info:
//
//   :placement  {1 "dn1", 2 "dn2"}     the node that holds each key; later events add keys
//   :prepare    {:op 3, :node "dn1", :position 17, :gid "polar_1_1_1_1"}
//               the branch of a transaction on a node is durably prepared; `:op` is the :index of the operation's
//               invocation, or nil if it is not known; positions count what happens on a node, its snapshots included
//   :commit     the same: from here on new snapshots of the node show the branch
//   :abort      the same: it is rolled back, or a restart has found it gone
//   :heal       nil: every fault has ended
//   :rest       [["dn1" "polar_1_1_1_1"]]: the cluster has had its time to come to rest; what is still prepared
//
// and the field :snapshots of an operation that is ok: for each of its steps [node position time-in-ns], or nil.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "checkers/history.h"

namespace polarsim::checkers {

// A place in what happened on one node.
struct Moment {
  std::uint64_t position = 0;  // 0: it has not happened
  std::int64_t time_ns = 0;
  explicit operator bool() const { return position != 0; }
};

struct ClusterLog {
  static constexpr std::uint32_t no_node = 0xffffffff;

  struct BranchEvent {
    enum class Kind : std::uint8_t { prepare, commit, abort } kind = Kind::commit;
    std::int64_t operation = -1;  // :index of the invocation; -1: not known
    std::uint32_t node = 0;
    Moment moment;
    std::string_view gid;  // empty if it was not prepared; as long as the history lives
  };
  struct Prepared {
    std::uint32_t node = 0;
    std::string gid;
  };

  std::vector<std::string> nodes;  // by number
  boost::unordered_flat_map<std::int64_t, std::uint32_t> node_of_key;
  std::vector<BranchEvent> branches;           // of known operations, in the order of the history
  std::vector<std::uint64_t> unknown_commits;  // by node: commits whose operation is not known
  std::optional<std::int64_t> healed_ns;
  std::optional<std::vector<Prepared>> at_rest;  // the last :rest
  bool placed = false;                           // there is a :placement
  bool observed = false;  // somebody looked into the nodes: there are events of branches, or snapshots

  std::uint32_t number_of(std::string_view node);
  // `no_node` for a key that nobody placed.
  std::uint32_t node_of(std::int64_t key) const {
    const auto found = node_of_key.find(key);
    return found == node_of_key.end() ? no_node : found->second;
  }
};

// What the log refers to of the history has to outlive it. The error is one sentence that names the event by its
// :index, what was expected and what stands there.
tl::expected<ClusterLog, std::string> read_cluster_log(const History& history);

// The snapshots of an operation's steps, from its field :snapshots; empty if there is none. Those that nobody saw have
// no node. Nodes that were not named before are given numbers. The error is as above.
struct SnapshotAt {
  std::uint32_t node = ClusterLog::no_node;
  Moment moment;
};
tl::expected<void, std::string> read_snapshots(const Event& event, ClusterLog& log, std::vector<SnapshotAt>& into);

}  // namespace polarsim::checkers
