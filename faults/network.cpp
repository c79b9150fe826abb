// The network family: partitions, clogs, dropped connections.
//
// Defaults of profiles: partitions last 1 to 6 s and clogs 0.2 to 3 s, around TCP's user timeout of 10 s when a harsh
// profile doubles them; so some are sat out by retransmission and others break connections.
#include <algorithm>
#include <array>

#include "faults/family.h"

namespace polarsim::faults {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> other_side(const Topology& topology, const std::vector<std::string>& side) {
  std::vector<std::string> others;
  for (const std::string& host : all_hosts(topology)) {
    if (std::find(side.begin(), side.end(), host) == side.end()) others.push_back(host);
  }
  return others;
}

// Cutting and uncutting walk the same links, so the network's counters return to where they were.
void change_links(InjectionState& state, const Fault& fault, bool both_directions, bool cut) {
  sim::Network& network = state.simulation.network();
  for (const std::string& other : other_side(state.topology, fault.targets)) {
    for (const std::string& target : fault.targets) {
      if (cut) {
        network.cut(target, other);
        if (both_directions) network.cut(other, target);
      } else {
        network.uncut(target, other);
        if (both_directions) network.uncut(other, target);
      }
    }
  }
}

bool strike_partition(InjectionState& state, const Fault& fault) {
  change_links(state, fault, true, true);
  return true;
}
void end_partition(InjectionState& state, const Fault& fault) { change_links(state, fault, true, false); }

bool strike_partition_oneway(InjectionState& state, const Fault& fault) {
  change_links(state, fault, false, true);
  return true;
}
void end_partition_oneway(InjectionState& state, const Fault& fault) { change_links(state, fault, false, false); }

bool strike_clog(InjectionState& state, const Fault& fault) {
  sim::Network& network = state.simulation.network();
  const sim::Time until = sim::deadline_after(state.simulation.now(), fault.duration);
  network.clog(fault.targets[0], fault.targets[1], until);
  network.clog(fault.targets[1], fault.targets[0], until);
  return true;
}

bool strike_drop_connections(InjectionState& state, const Fault& fault) {
  return state.simulation.network().drop_connections(fault.targets[0], fault.targets[1]) > 0;
}

void heal_network(InjectionState& state) { state.simulation.network().heal_all(); }

void draw_side(sim::RandomStream& stream, const Topology& topology, const Intensity&, Fault& fault) {
  const std::size_t nodes = all_nodes(topology).size();
  fault.targets = draw_nodes(stream, topology, std::max<std::size_t>(1, nodes / 2));
  // Some clients stay with the smaller side: what they see there is as much a part of the history.
  for (const std::string& client : topology.clients) {
    if (stream.chance(0.3)) fault.targets.push_back(client);
  }
  if (fault.targets.size() == all_hosts(topology).size()) fault.targets.pop_back();
}

// Pairs that talk to each other: a coordinator with a data node, with another coordinator, or with a client.
void draw_pair(sim::RandomStream& stream, const Topology& topology, const Intensity&, Fault& fault) {
  const std::string& coordinator = stream.pick(topology.coordinators);
  std::vector<std::string> peers = other_side(topology, {coordinator});
  // Data nodes are counted twice: most messages go to them.
  peers.insert(peers.end(), topology.data_nodes.begin(), topology.data_nodes.end());
  const std::string& peer = stream.pick(peers);
  fault.targets = {coordinator, peer};
}

constexpr std::array<KindDescription, 4> kinds{{
    {FaultKind::partition, "partition", "cuts the targets off from every other host, in both directions",
     TargetRule::side, true, false, false, 0, 0, 1s, 6s, draw_side, strike_partition, end_partition, heal_network},
    {FaultKind::partition_oneway, "partition_oneway", "nothing that the targets send arrives at any other host",
     TargetRule::side, true, false, false, 0, 0, 1s, 6s, draw_side, strike_partition_oneway, end_partition_oneway,
     heal_network},
    {FaultKind::clog, "clog", "the links between two hosts deliver nothing for a while, then everything",
     TargetRule::pair, true, false, false, 0, 0, 200ms, 3s, draw_pair, strike_clog, nullptr, heal_network},
    {FaultKind::drop_connections, "drop_connections", "resets every connection between two hosts", TargetRule::pair,
     false, false, false, 0, 0, 0s, 0s, draw_pair, strike_drop_connections, nullptr, nullptr},
}};

}  // namespace

std::span<const KindDescription> network_kinds() { return kinds; }

}  // namespace polarsim::faults
