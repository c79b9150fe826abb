#include "sim/fault_point.h"

#include "sim/assert.h"

namespace polarsim::sim {

void FaultPoints::arm(std::string point, std::string host, std::uint64_t occurrence, FaultAction action) {
  POLARSIM_ASSERT(occurrence > 0, "visits of a fault point count from 1");
  armed_.push_back(Armed{std::move(point), std::move(host), occurrence, action});
}

void FaultPoints::disarm_all() { armed_.clear(); }

std::optional<FaultAction> FaultPoints::visit(std::string_view point, std::string_view host) {
  auto counts = visits_.find(point);
  if (counts == visits_.end()) counts = visits_.emplace(std::string(point), Counts{}).first;
  const auto counter = counts->second.find(host);
  if (counter != counts->second.end()) {
    ++counter->second;
  } else {
    counts->second.emplace(std::string(host), 1);
  }
  std::optional<FaultAction> taken;
  for (auto armed = armed_.begin(); armed != armed_.end();) {
    const bool matches = armed->point == point && (armed->host.empty() || armed->host == host);
    if (matches && armed->remaining > 1) {
      --armed->remaining;
    } else if (matches && !taken) {
      taken = armed->action;
      ++taken_;
      armed = armed_.erase(armed);
      continue;
    }
    ++armed;
  }
  return taken;
}

std::map<std::string, std::uint64_t, std::less<>> FaultPoints::visits() const {
  std::map<std::string, std::uint64_t, std::less<>> totals;
  for (const auto& [point, counts] : visits_) {
    for (const auto& [host, count] : counts) totals[point] += count;
  }
  return totals;
}

const std::map<std::string, std::uint64_t, std::less<>>& FaultPoints::visits_by_host(std::string_view point) const {
  static const Counts none;
  const auto found = visits_.find(point);
  return found == visits_.end() ? none : found->second;
}

}  // namespace polarsim::sim
