#include "sim/partition.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "sim/test_world.h"

namespace polarsim::sim {
namespace {

std::vector<std::string> host_names(std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back("h" + std::to_string(i));
  return names;
}

std::string cuts_text(const Partition& partition) {
  std::string result;
  for (const DirectedLink& link : directed_cuts(partition)) result += (result.empty() ? "" : " ") + text(link);
  return result;
}

RandomStream stream(std::uint64_t seed) { return RandomStream("test", seed, nullptr); }

// The hosts that `receiver` hears, itself included.
std::set<std::string> heard(const std::vector<std::string>& hosts, const Partition& partition,
                            const std::string& receiver) {
  std::set<std::string> result(hosts.begin(), hosts.end());
  for (const DirectedLink& link : directed_cuts(partition)) {
    if (link.to == receiver) result.erase(link.from);
  }
  return result;
}

TEST(Partition, ShapesCutWhatTheirNamesSay) {
  EXPECT_EQ(cuts_text(IsolateOne{"b", {"a", "b", "c"}}), "a>b b>a b>c c>b");
  EXPECT_EQ(cuts_text(Components{{{"a"}, {"b"}, {"c"}}}), "a>b a>c b>a b>c c>a c>b");
  EXPECT_EQ(cuts_text(Bridge{{"a"}, "x", {"b"}}), "a>b b>a");
  EXPECT_EQ(cuts_text(OneWay{{"a", "b"}, {"c", "a"}}), "a>c b>a b>c");
  EXPECT_EQ(cuts_text(CustomCuts{{{"b", "a"}, {"a", "a"}, {"b", "a"}}}), "b>a");
  const ByRole roles{{{"c1", "cn"}, {"c2", "cn"}, {"d1", "dn"}}, {{"cn", "dn"}, {"cn", "cn"}}};
  EXPECT_EQ(cuts_text(roles), "c1>c2 c1>d1 c2>c1 c2>d1");
}

TEST(Partition, OfAMajorityRingEveryHostHearsAMajorityAndNoTwoTheSame) {
  for (std::size_t count = 3; count <= 9; ++count) {
    const std::vector<std::string> hosts = host_names(count);
    const Partition ring = MajorityRing{hosts};
    std::set<std::set<std::string>> views;
    for (const std::string& host : hosts) {
      const std::set<std::string> view = heard(hosts, ring, host);
      EXPECT_EQ(view.size(), count / 2 + 1);
      EXPECT_TRUE(view.contains(host));
      views.insert(view);
    }
    EXPECT_EQ(views.size(), count);
  }
  EXPECT_EQ(cuts_text(MajorityRing{host_names(2)}), "");
  // Five hosts: each hears its two neighbours, in both directions alike.
  EXPECT_EQ(heard(host_names(5), MajorityRing{host_names(5)}, "h0"), (std::set<std::string>{"h4", "h0", "h1"}));
  // Six: the window of four reaches one further back, as Jepsen's does.
  EXPECT_EQ(heard(host_names(6), MajorityRing{host_names(6)}, "h3"), (std::set<std::string>{"h1", "h2", "h3", "h4"}));
}

TEST(Partition, TextNamesShapeAndHosts) {
  EXPECT_EQ(text(Partition(IsolateOne{"b", {"a", "c"}})), "isolate b from {a, c}");
  EXPECT_EQ(text(Partition(Components{{{"a", "b"}, {"c"}}})), "components {a, b} | {c}");
  EXPECT_EQ(text(Partition(MajorityRing{{"a", "b", "c"}})), "majority ring {a, b, c}");
  EXPECT_EQ(text(Partition(Bridge{{"a"}, "x", {"b"}})), "bridge {a} - x - {b}");
  EXPECT_EQ(text(Partition(OneWay{{"a"}, {"b"}})), "one way {a} not heard by {b}");
  EXPECT_EQ(text(Partition(ByRole{{{"c", "cn"}, {"d", "dn"}}, {{"cn", "dn"}}})), "by role cn>dn of {c: cn, d: dn}");
  EXPECT_EQ(text(Partition(CustomCuts{{{"a", "b"}}})), "cuts a>b");
}

TEST(Partition, OverlappingPartitionsHealTheirOwnShare) {
  TestWorld world{"a", "b", "c"};
  Network& network = world.network();
  const Partition isolated = IsolateOne{"a", {"b", "c"}};
  const Partition one_way = OneWay{{"a"}, {"b"}};
  network.apply(isolated);
  network.apply(one_way);
  EXPECT_TRUE(network.is_cut("a", "b"));
  EXPECT_TRUE(network.is_cut("c", "a"));
  EXPECT_FALSE(network.is_cut("b", "c"));
  network.heal(isolated);
  EXPECT_TRUE(network.is_cut("a", "b"));
  EXPECT_FALSE(network.is_cut("b", "a"));
  EXPECT_FALSE(network.is_cut("c", "a"));
  network.heal(one_way);
  EXPECT_FALSE(network.is_cut("a", "b"));
}

TEST(Partition, AHealWithoutItsApplyTakesBackNothing) {
  TestWorld world{"a", "b"};
  Network& network = world.network();
  const Partition isolated = IsolateOne{"a", {"b"}};
  network.cut("a", "b");
  network.heal(isolated);
  EXPECT_TRUE(network.is_cut("a", "b"));
  // What heal_all() has ended cannot be ended again at the expense of a later fault.
  network.apply(isolated);
  network.heal_all();
  network.cut("a", "b");
  network.heal(isolated);
  EXPECT_TRUE(network.is_cut("a", "b"));
  // Each apply() has its own heal().
  network.heal_all();
  network.apply(isolated);
  network.apply(isolated);
  network.heal(isolated);
  EXPECT_TRUE(network.is_cut("b", "a"));
  network.heal(isolated);
  EXPECT_FALSE(network.is_cut("b", "a"));
}

TEST(Partition, DrawnPartitionsAreOfTheirShapeAndRepeatable) {
  const std::vector<std::string> hosts = host_names(5);
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    RandomStream once = stream(seed);
    RandomStream again = stream(seed);
    const Partition drawn = draw_partition(once, hosts);
    EXPECT_EQ(text(drawn), text(draw_partition(again, hosts)));
    EXPECT_FALSE(directed_cuts(drawn).empty()) << text(drawn);
    seen.insert(text(drawn).substr(0, 4));

    RandomStream halves_stream = stream(seed);
    const auto halves = std::get<Components>(draw_halves(halves_stream, hosts));
    EXPECT_EQ(halves.components[0].size(), 2u);
    EXPECT_EQ(halves.components[1].size(), 3u);
    RandomStream split_stream = stream(seed);
    const auto split = std::get<Components>(draw_split(split_stream, hosts));
    EXPECT_FALSE(split.components[0].empty());
    EXPECT_FALSE(split.components[1].empty());
    RandomStream one_stream = stream(seed);
    const auto one = std::get<IsolateOne>(draw_isolate_one(one_stream, hosts));
    EXPECT_EQ(one.others.size(), 4u);
    EXPECT_EQ(std::count(one.others.begin(), one.others.end(), one.host), 0);
    RandomStream bridge_stream = stream(seed);
    const auto bridge = std::get<Bridge>(draw_bridge(bridge_stream, hosts));
    EXPECT_EQ(bridge.first.size(), 2u);
    EXPECT_EQ(bridge.second.size(), 2u);
  }
  EXPECT_EQ(seen, (std::set<std::string>{"isol", "comp", "majo", "brid", "one "}));
}

}  // namespace
}  // namespace polarsim::sim
