// What the balance of one account can have gained, given the transfers that may have taken effect so far.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace polarsim::checkers {

// The sums of all subsets of some deltas. Exact while they are few; beyond that only their least and greatest are kept,
// and everything in between counts as reachable: the answer "not reachable" is always right. The sum of the absolute
// values of all deltas must fit 63 bits.
class BalanceSums {
 public:
  void add(std::int64_t delta);
  bool reachable(std::int64_t sum) const;

 private:
  static constexpr std::size_t exact_limit = 4096;
  std::int64_t least_ = 0, greatest_ = 0;
  std::vector<std::int64_t> sums_ = {0};  // sorted; empty once they are too many
};

}  // namespace polarsim::checkers
