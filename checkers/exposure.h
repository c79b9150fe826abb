// How much of the anomalies that a cluster permits its clients get to see, measured on a history whose nodes were
// watched (cluster_log.h): how often reads over several shards or nodes are fractured, for how long a commit is seen on
// one node and not on another, and how long it takes after faults until every commit is everywhere.
//
// Two kinds of histories: transactions over lists, in which a transaction is fractured, and those of the workload
// meter: one transaction after the other moves an amount between two rows, `:f :transfer`, while single statements add
// up all rows, `:f :sum`, in the groups that their field :case names; a statement is fractured if its sum is not the
// total.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "checkers/history.h"

namespace polarsim::checkers {

struct ExposureGroup {
  std::string name;         // the case; of transactions over lists "transactions"
  std::uint64_t reads = 0;  // statements over several shards, or transactions that read on several nodes
  std::uint64_t fractured = 0;
  std::uint64_t commits = 0;  // of transactions that wrote on several nodes
  double per_million() const {
    return reads == 0 ? 0 : static_cast<double>(fractured) * 1e6 / static_cast<double>(reads);
  }
};

// The visibility window of a transaction: from its first commit on a node to its last; its commit skew.
struct WindowBin {
  std::int64_t up_to_ns = 0;  // and above the bound of the bin before
  std::uint64_t commits = 0;
  std::uint64_t fractured = 0;  // reads that saw one of these transactions on one node and not on another
};

struct Exposure {
  std::vector<ExposureGroup> groups;  // by name
  std::vector<WindowBin> windows;     // of transactions that committed on several nodes; bounds double
  // Of these windows; 0 if there are none. The smallest window that so many per cent do not exceed.
  std::int64_t p50_ns = 0, p90_ns = 0, p99_ns = 0, max_ns = 0;
  // From the end of the faults until every commit that was pending then was everywhere; 0 if none was. Nothing: the
  // history does not tell when faults ended, or something remained pending.
  std::optional<std::int64_t> atomic_after_healing_ns;
};

// A history that is no such thing has no groups.
Exposure measure_exposure(const History& history);

}  // namespace polarsim::checkers
