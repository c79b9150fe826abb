#include "sim/partition.h"

#include <set>

#include "sim/assert.h"

namespace polarsim::sim {
namespace {

using Hosts = std::vector<std::string>;

class Cuts {
 public:
  void one_way(const Hosts& from, const Hosts& to) {
    for (const std::string& sender : from) {
      for (const std::string& receiver : to) add(sender, receiver);
    }
  }
  void both_ways(const Hosts& a, const Hosts& b) {
    one_way(a, b);
    one_way(b, a);
  }
  void add(const std::string& from, const std::string& to) {
    if (from != to) links_.insert({from, to});
  }
  std::vector<DirectedLink> list() const { return {links_.begin(), links_.end()}; }

 private:
  std::set<DirectedLink> links_;
};

void collect(const IsolateOne& shape, Cuts& cuts) { cuts.both_ways({shape.host}, shape.others); }

void collect(const Components& shape, Cuts& cuts) {
  for (std::size_t i = 0; i < shape.components.size(); ++i) {
    for (std::size_t j = i + 1; j < shape.components.size(); ++j) {
      cuts.both_ways(shape.components[i], shape.components[j]);
    }
  }
}

void collect(const MajorityRing& shape, Cuts& cuts) {
  const std::size_t count = shape.ring.size();
  if (count < 3) return;
  const std::size_t majority = count / 2 + 1;
  const std::size_t behind = majority / 2;
  for (std::size_t receiver = 0; receiver < count; ++receiver) {
    // The window starts `behind` places before the receiver; whoever lies past its end is not heard.
    for (std::size_t step = majority; step < count; ++step) {
      cuts.add(shape.ring[(receiver + count - behind + step) % count], shape.ring[receiver]);
    }
  }
}

void collect(const Bridge& shape, Cuts& cuts) { cuts.both_ways(shape.first, shape.second); }

void collect(const OneWay& shape, Cuts& cuts) { cuts.one_way(shape.from, shape.to); }

void collect(const ByRole& shape, Cuts& cuts) {
  for (const auto& [from_role, to_role] : shape.cut_roles) {
    for (const auto& [sender, sender_role] : shape.role_of_host) {
      if (sender_role != from_role) continue;
      for (const auto& [receiver, receiver_role] : shape.role_of_host) {
        if (receiver_role == to_role) cuts.add(sender, receiver);
      }
    }
  }
}

void collect(const CustomCuts& shape, Cuts& cuts) {
  for (const DirectedLink& link : shape.links) cuts.add(link.from, link.to);
}

std::string list_text(const Hosts& hosts) {
  std::string result = "{";
  for (const std::string& host : hosts) {
    if (result.size() > 1) result += ", ";
    result += host;
  }
  return result + "}";
}

std::string describe(const IsolateOne& shape) { return "isolate " + shape.host + " from " + list_text(shape.others); }

std::string describe(const Components& shape) {
  std::string result = "components";
  for (std::size_t i = 0; i < shape.components.size(); ++i) {
    result += (i == 0 ? " " : " | ") + list_text(shape.components[i]);
  }
  return result;
}

std::string describe(const MajorityRing& shape) { return "majority ring " + list_text(shape.ring); }

std::string describe(const Bridge& shape) {
  return "bridge " + list_text(shape.first) + " - " + shape.bridge + " - " + list_text(shape.second);
}

std::string describe(const OneWay& shape) {
  return "one way " + list_text(shape.from) + " not heard by " + list_text(shape.to);
}

std::string describe(const ByRole& shape) {
  std::string result = "by role";
  for (const auto& [from_role, to_role] : shape.cut_roles) result += " " + from_role + ">" + to_role;
  result += " of {";
  bool first = true;
  for (const auto& [host, role] : shape.role_of_host) {
    result += (first ? "" : ", ") + host + ": " + role;
    first = false;
  }
  return result + "}";
}

std::string describe(const CustomCuts& shape) {
  std::string result = "cuts";
  for (const DirectedLink& link : shape.links) result += " " + text(link);
  return result;
}

// The first `count` of the hosts, and the rest.
std::pair<Hosts, Hosts> parted(const Hosts& hosts, std::size_t count) {
  const auto middle = hosts.begin() + static_cast<std::ptrdiff_t>(count);
  return {Hosts(hosts.begin(), middle), Hosts(middle, hosts.end())};
}

std::pair<Hosts, Hosts> draw_sides(RandomStream& stream, Hosts& hosts) {
  POLARSIM_ASSERT(hosts.size() >= 2, "a split needs two hosts");
  stream.shuffle(hosts);
  const std::uint64_t count = 1 + stream.below(hosts.size() - 1);
  return parted(hosts, static_cast<std::size_t>(count));
}

}  // namespace

std::vector<DirectedLink> directed_cuts(const Partition& partition) {
  Cuts cuts;
  std::visit([&cuts](const auto& shape) { collect(shape, cuts); }, partition);
  return cuts.list();
}

std::string text(const Partition& partition) {
  return std::visit([](const auto& shape) { return describe(shape); }, partition);
}

std::string text(const DirectedLink& link) { return link.from + ">" + link.to; }

Partition draw_isolate_one(RandomStream& stream, std::vector<std::string> hosts) {
  POLARSIM_ASSERT(!hosts.empty(), "nobody to isolate");
  const auto chosen = static_cast<std::ptrdiff_t>(stream.below(hosts.size()));
  IsolateOne shape;
  shape.host = hosts[static_cast<std::size_t>(chosen)];
  hosts.erase(hosts.begin() + chosen);
  shape.others = std::move(hosts);
  return shape;
}

Partition draw_halves(RandomStream& stream, std::vector<std::string> hosts) {
  stream.shuffle(hosts);
  auto [first, second] = parted(hosts, hosts.size() / 2);
  return Components{{std::move(first), std::move(second)}};
}

Partition draw_split(RandomStream& stream, std::vector<std::string> hosts) {
  auto [first, second] = draw_sides(stream, hosts);
  return Components{{std::move(first), std::move(second)}};
}

Partition draw_majority_ring(RandomStream& stream, std::vector<std::string> hosts) {
  stream.shuffle(hosts);
  return MajorityRing{std::move(hosts)};
}

Partition draw_bridge(RandomStream& stream, std::vector<std::string> hosts) {
  POLARSIM_ASSERT(!hosts.empty(), "nobody to be the bridge");
  stream.shuffle(hosts);
  Bridge shape;
  shape.bridge = std::move(hosts.back());
  hosts.pop_back();
  auto [first, second] = parted(hosts, hosts.size() / 2);
  shape.first = std::move(first);
  shape.second = std::move(second);
  return shape;
}

Partition draw_one_way(RandomStream& stream, std::vector<std::string> hosts) {
  auto [from, to] = draw_sides(stream, hosts);
  return OneWay{std::move(from), std::move(to)};
}

Partition draw_partition(RandomStream& stream, std::vector<std::string> hosts) {
  switch (stream.below(6)) {
    case 0:
      return draw_isolate_one(stream, std::move(hosts));
    case 1:
      return draw_halves(stream, std::move(hosts));
    case 2:
      return draw_split(stream, std::move(hosts));
    case 3:
      return draw_majority_ring(stream, std::move(hosts));
    case 4:
      return draw_bridge(stream, std::move(hosts));
    default:
      return draw_one_way(stream, std::move(hosts));
  }
}

}  // namespace polarsim::sim
