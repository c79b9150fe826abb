// Partitions as data: shapes over host names, the directed cuts they stand for, and draws of them.
//
// A partition is a value: it can be drawn before a run, printed into a report, edited, and applied any number of times.
// Applying it counts one cut on each of its links (Network::apply), so that partitions may overlap and each heals its
// own share. A cut from a to b means that nothing a sends arrives at b.
#pragma once

#include <compare>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "sim/random.h"

namespace polarsim::sim {

struct DirectedLink {
  std::string from, to;
  friend auto operator<=>(const DirectedLink&, const DirectedLink&) = default;
};

// One host against all others.
struct IsolateOne {
  std::string host;
  std::vector<std::string> others;
};

// Two or more components, of which none sees another. Hosts in none of them see all.
struct Components {
  std::vector<std::vector<std::string>> components;
};

// Every host hears a majority, and no two hosts the same one: the host at place i of the ring hears the floor(n/2) + 1
// hosts of the window around it. As in Jepsen's "majorities ring" (nemesis.clj), where an even window reaches one
// further back than ahead, so that some links are cut in one direction alone. Fewer than three hosts: no cut.
struct MajorityRing {
  std::vector<std::string> ring;
};

// Two halves that see each other only through one host, which sees both (Jepsen's "bridge").
struct Bridge {
  std::vector<std::string> first;
  std::string bridge;
  std::vector<std::string> second;
};

// Nothing that `from` sends arrives at `to`; the way back is open.
struct OneWay {
  std::vector<std::string> from, to;
};

// Cuts between roles: for every pair (sender's role, receiver's role), all links between hosts of these roles. A role
// paired with itself parts its hosts from each other.
struct ByRole {
  std::map<std::string, std::string> role_of_host;
  std::vector<std::pair<std::string, std::string>> cut_roles;
};

struct CustomCuts {
  std::vector<DirectedLink> links;
};

using Partition = std::variant<IsolateOne, Components, MajorityRing, Bridge, OneWay, ByRole, CustomCuts>;

// Every link that the partition cuts, once, sorted. A host is never cut off from itself.
std::vector<DirectedLink> directed_cuts(const Partition& partition);
// One line, e.g. "components {a, b} | {c, d, e}".
std::string text(const Partition& partition);
std::string text(const DirectedLink& link);

// Draws over the hosts given, which must be distinct; the same stream and order of hosts give the same partition.
Partition draw_isolate_one(RandomStream& stream, std::vector<std::string> hosts);  // of at least one
// Two components whose sizes differ by one at most.
Partition draw_halves(RandomStream& stream, std::vector<std::string> hosts);
// Two components of any sizes, none empty; of at least two hosts.
Partition draw_split(RandomStream& stream, std::vector<std::string> hosts);
Partition draw_majority_ring(RandomStream& stream, std::vector<std::string> hosts);
Partition draw_bridge(RandomStream& stream, std::vector<std::string> hosts);  // of at least one
// One side of draw_split is not heard by the other.
Partition draw_one_way(RandomStream& stream, std::vector<std::string> hosts);  // of at least two
// Any of these shapes, each as likely; of at least two hosts.
Partition draw_partition(RandomStream& stream, std::vector<std::string> hosts);

}  // namespace polarsim::sim
