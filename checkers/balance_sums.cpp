#include "checkers/balance_sums.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace polarsim::checkers {

void BalanceSums::add(std::int64_t delta) {
  if (delta == 0) return;
  (delta < 0 ? least_ : greatest_) += delta;
  if (sums_.empty()) return;
  std::vector<std::int64_t> moved = sums_;
  for (std::int64_t& sum : moved) sum += delta;
  std::vector<std::int64_t> both;
  both.reserve(2 * sums_.size());
  std::set_union(sums_.begin(), sums_.end(), moved.begin(), moved.end(), std::back_inserter(both));
  if (both.size() > exact_limit) both.clear();
  sums_ = std::move(both);
}

bool BalanceSums::reachable(std::int64_t sum) const {
  if (sums_.empty()) return sum >= least_ && sum <= greatest_;
  return std::binary_search(sums_.begin(), sums_.end(), sum);
}

}  // namespace polarsim::checkers
