// The history of the workload meter as its checker and measurements look at it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "checkers/cluster_log.h"
#include "checkers/history.h"

namespace polarsim::checkers {

struct MeterHistory {
  // When a transaction was first and last committed on a node.
  struct Transfer {
    std::int64_t index = 0;  // of the invocation
    std::string_view group;
    std::uint32_t nodes = 0;  // on which it has committed
    std::int64_t first_ns = 0, last_ns = 0;
    std::int64_t window_ns() const { return last_ns - first_ns; }
  };
  // A statement that is ok, and its snapshots.
  struct Sum {
    std::int64_t index = 0;  // of the completion
    std::string_view group;
    std::int64_t value = 0;
    bool final = false;
    bool observed = false;
    std::int64_t first_ns = 0, last_ns = 0;
  };
  std::vector<Transfer> transfers;  // committed somewhere, by the first commit
  std::vector<Sum> sums;

  // The transfer that had committed somewhere when the last snapshot was taken, and not everywhere when the first was:
  // what may have made a sum differ. Null: none. Transfers follow each other.
  const Transfer* straddled_by(const Sum& sum) const;
};

// The error is one sentence that names the event.
tl::expected<MeterHistory, std::string> read_meter_history(const History& history, ClusterLog& log);

}  // namespace polarsim::checkers
