// What each statement of a cluster saw, against what had committed on its node by then: exactly where the log of the
// cluster tells the moments of commits and snapshots, and as far as it goes where it does not.
//
// "node-read-committed": with moments, a read is right iff it shows the version that was committed last before its
// snapshot, found by binary search among the commits of the key, which must stand in the order of the versions.
//
// A read that misses another transaction, of which the same transaction has seen a part on another node before, is
// fractured. It is excused iff that transaction was pending (prepared, and neither committed nor rolled back) on the
// node read when the snapshot was taken: "fractured-read". If not: "unexcused-fractured-read".
//
// A read that misses what had been acknowledged before its transaction was asked for is stale: "read-your-writes" if
// its own session had been told, else "stale-read". While the commit is pending on the node read it is called
// "pending-own-write" or "pending-write", unless the system promises to acknowledge only what has committed everywhere.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checkers/branches.h"
#include "checkers/checkers.h"
#include "checkers/cluster_log.h"
#include "checkers/list_append_index.h"
#include "checkers/operations.h"

namespace polarsim::checkers {

// What the passes over a cluster's history look at.
struct ClusterHistory {
  const History& history;
  const Operations& operations;
  const ListAppendIndex& index;
  ClusterLog& log;
  const Branches& branches;
  std::vector<std::uint32_t> node_of_key;  // by the index's number of the key
  const std::string& node_name(std::uint32_t node) const { return log.nodes[node]; }
};

// Puts every key on its node: by the log, by the options, or all that nobody placed on one further node.
void place_keys(ClusterHistory& cluster, const ClusterOptions& options);

struct StatementReport {
  // What only moments that the log does not tell could decide.
  std::uint64_t undecided_fractured_reads = 0;
  std::uint64_t undecided_stale_reads = 0;
  std::uint64_t undecided_snapshots = 0;  // reads whose snapshot is known, and not whether it had to show a commit
  std::string problem;                    // of the field :snapshots: one sentence
  // Each read was held to its snapshot and to all commits of its key, in their order. Then the order in which things
  // happened on each node is one that Read Committed asks for, unless a read has been found wrong.
  bool complete = true;
  // Acknowledged transactions that read on several nodes; and for each that was fractured whom it missed.
  std::uint64_t transactions_over_nodes = 0;
  std::vector<std::uint32_t> missed_parts;
};

StatementReport check_statements(ClusterHistory& cluster, ReadYourWrites read_your_writes, Findings& findings);

// The end: "half-commit", "lost-commit", "resurrected-abort" (rolled back, or told so, and committed all the same, or
// shown by a final read) and "stuck-prepared".
void check_ends(const ClusterHistory& cluster, Findings& findings);

}  // namespace polarsim::checkers
