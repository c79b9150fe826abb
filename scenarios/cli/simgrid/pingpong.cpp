// The outside reference of `polarsim bench sim/simgrid`: 1,000 actors of SimGrid on hosts of their own send each other
// 100 bytes in turn, in pairs. Prints processor seconds for each message.
//
// A star of hosts with one private link each, and SimGrid's plain CM02 model without its TCP corrections: the cheapest
// network it offers that still has latency and bandwidth.
#include <cstdio>
#include <ctime>
#include <simgrid/s4u.hpp>
#include <string>

namespace sg4 = simgrid::s4u;

namespace {

constexpr int pairs = 500;
constexpr int rounds = 400;
constexpr int bytes = 100;

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void play(sg4::Mailbox* to, sg4::Mailbox* from, bool first) {
  int message = 0;
  for (int round = 0; round < rounds; ++round) {
    if (first) to->put(&message, bytes);
    from->get<int>();
    if (!first) to->put(&message, bytes);
  }
}

}  // namespace

int main(int argc, char** argv) {
  sg4::Engine engine(&argc, argv);
  sg4::Engine::set_config("network/model:CM02");
  sg4::Engine::set_config("contexts/factory:raw");
  auto* const zone = sg4::create_star_zone("zone");
  for (int i = 0; i < 2 * pairs; ++i) {
    auto* const host = zone->create_host("h" + std::to_string(i), 1e9)->seal();
    auto* const link = zone->create_split_duplex_link("l" + std::to_string(i), 1.25e9)->set_latency(50e-6)->seal();
    zone->add_route(host->get_netpoint(), nullptr, nullptr, nullptr, {{link, sg4::LinkInRoute::Direction::UP}}, true);
  }
  zone->seal();
  for (int pair = 0; pair < pairs; ++pair) {
    auto* const there = sg4::Mailbox::by_name("there" + std::to_string(pair));
    auto* const back = sg4::Mailbox::by_name("back" + std::to_string(pair));
    sg4::Actor::create("ping", engine.host_by_name("h" + std::to_string(2 * pair)), play, there, back, true);
    sg4::Actor::create("pong", engine.host_by_name("h" + std::to_string(2 * pair + 1)), play, back, there, false);
  }
  const double start = processor_seconds();
  engine.run();
  std::printf("%.12f\n", (processor_seconds() - start) / (2.0 * pairs * rounds));
  return 0;
}
