#include "sim/fault_point.h"

#include "sim/assert.h"

namespace polarsim::sim {

void FaultPoints::arm(std::string point, std::string host, std::uint64_t occurrence, FaultAction action) {
  POLARSIM_ASSERT(occurrence > 0, "visits of a fault point count from 1");
  armed_.push_back(Armed{std::move(point), std::move(host), occurrence, action});
}

void FaultPoints::disarm_all() { armed_.clear(); }

std::optional<FaultAction> FaultPoints::visit(std::string_view point, std::string_view host) {
  const auto counter = visits_.find(point);
  if (counter != visits_.end()) {
    ++counter->second;
  } else {
    visits_.emplace(std::string(point), 1);
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

}  // namespace polarsim::sim
