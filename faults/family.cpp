#include "faults/family.h"

#include <algorithm>

#include "sim/assert.h"

namespace polarsim::faults {

const std::vector<const KindDescription*>& all_kinds() {
  static const std::vector<const KindDescription*> kinds = [] {
    std::vector<const KindDescription*> list;
    for (const auto family : {network_kinds(), process_kinds(), disk_kinds(), clock_kinds()}) {
      for (const KindDescription& description : family) list.push_back(&description);
    }
    std::sort(list.begin(), list.end(), [](const auto* a, const auto* b) { return a->kind < b->kind; });
    return list;
  }();
  return kinds;
}

const KindDescription& description_of(FaultKind kind) {
  const auto index = static_cast<std::size_t>(kind);
  POLARSIM_ASSERT(index < all_kinds().size(), "a fault kind without a description");
  const KindDescription& description = *all_kinds()[index];
  POLARSIM_ASSERT(description.kind == kind, "fault kinds and their descriptions are out of step");
  return description;
}

std::vector<std::string> all_nodes(const Topology& topology) {
  std::vector<std::string> nodes = topology.coordinators;
  nodes.insert(nodes.end(), topology.data_nodes.begin(), topology.data_nodes.end());
  return nodes;
}

std::vector<std::string> all_hosts(const Topology& topology) {
  std::vector<std::string> hosts = all_nodes(topology);
  hosts.insert(hosts.end(), topology.clients.begin(), topology.clients.end());
  return hosts;
}

std::vector<std::string> draw_nodes(sim::RandomStream& stream, const Topology& topology, std::size_t most) {
  const std::vector<std::string> nodes = all_nodes(topology);
  POLARSIM_ASSERT(!nodes.empty(), "a topology without nodes");
  const std::size_t count = 1 + static_cast<std::size_t>(stream.below(std::min(most, nodes.size())));
  std::vector<std::size_t> order(nodes.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  stream.shuffle(order);
  order.resize(count);
  std::sort(order.begin(), order.end());
  std::vector<std::string> drawn;
  for (const std::size_t index : order) drawn.push_back(nodes[index]);
  return drawn;
}

}  // namespace polarsim::faults
