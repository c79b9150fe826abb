// Properties of connections under random links, windows and faults.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "sim/test_world.h"

namespace polarsim::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint16_t port = 5432;

constexpr int crash_of_receiver = 4;

struct Fault {
  int kind;  // 0 cut, 1 uncut, 2 clog, 3 drop connections, crash_of_receiver, 5 crash of the sender
  bool forward;
  int at_ms;
  int length_ms;
};

std::ostream& operator<<(std::ostream& out, const Fault& fault) {
  return out << "{" << fault.kind << (fault.forward ? " forward" : " back") << " at " << fault.at_ms << " for "
             << fault.length_ms << "}";
}

rc::Gen<std::vector<Fault>> faults(int kinds) {
  return rc::gen::container<std::vector<Fault>>(
      rc::gen::map(rc::gen::tuple(rc::gen::inRange(0, kinds), rc::gen::arbitrary<bool>(), rc::gen::inRange(0, 4000),
                                  rc::gen::inRange(0, 2000)),
                   [](const std::tuple<int, bool, int, int>& t) {
                     return Fault{std::get<0>(t), std::get<1>(t), std::get<2>(t), std::get<3>(t)};
                   }));
}

struct Plan {
  std::uint64_t seed;
  SchedulingPolicy policy;
  std::uint64_t window;
  double loss;
  Duration spread;
  std::vector<int> pieces;  // bytes of each send
  int read_limit;
  int reader_pause_ms;
  bool timeouts;
  std::vector<Fault> schedule;
};

Plan any_plan(bool timeouts, int fault_kinds) {
  Plan plan;
  plan.seed = *rc::gen::inRange<std::uint64_t>(0, 1'000'000);
  plan.policy = *rc::gen::element(SchedulingPolicy::fifo, SchedulingPolicy::random);
  plan.window = *rc::gen::inRange<std::uint64_t>(1, 3000);
  plan.loss = *rc::gen::inRange(0, 7) / 10.0;
  plan.spread = milliseconds(*rc::gen::inRange(0, 80));
  plan.pieces = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 1200));
  plan.read_limit = *rc::gen::inRange(1, 5000);
  plan.reader_pause_ms = *rc::gen::inRange(0, 3);
  plan.timeouts = timeouts;
  plan.schedule = *faults(fault_kinds);
  return plan;
}

struct Result {
  std::string sent;  // accepted by send()
  std::string received;
  std::string end;  // how the receiver's stream ended
  std::string digest;
};

void strike(TestWorld& world, const Fault& fault) {
  Network& network = world.network();
  const std::string from = fault.forward ? "a" : "b";
  const std::string to = fault.forward ? "b" : "a";
  switch (fault.kind) {
    case 0:
      return network.cut(from, to);
    case 1:
      return network.uncut(from, to);
    case 2:
      return network.clog(from, to, world.now() + milliseconds(fault.length_ms));
    case 3:
      network.drop_connections(from, to);
      return;
    case crash_of_receiver:
      return world.host("b").crash_and_restart(milliseconds(fault.length_ms));
    default:
      return world.host("a").crash_and_restart(milliseconds(fault.length_ms));
  }
}

void send_pieces(TestWorld& world, const Plan& plan, Result& result) {
  ConnectionOptions options;
  options.window_bytes = plan.window;
  options.connect_timeout = plan.timeouts ? seconds(5) : Duration::max();
  options.user_timeout = plan.timeouts ? seconds(2) : Duration::max();
  options.keepalive_after = plan.timeouts ? seconds(1) : Duration::max();
  auto connection = world.host("a").connect({"b", port}, options);
  if (!connection) return;
  for (std::size_t i = 0; i < plan.pieces.size(); ++i) {
    std::string piece(static_cast<std::size_t>(plan.pieces[i]), '\0');
    for (std::size_t j = 0; j < piece.size(); ++j) piece[j] = static_cast<char>(i * 31 + j * 7 + j / 200);
    // A send that fails half way may have sent the first half.
    result.sent += piece;
    if (!connection->send(piece)) return;
  }
}

void receive_all(TestWorld& world, const Plan& plan, Result& result) {
  auto listener = world.host("b").listen(port);
  auto connection = listener->accept();
  if (!connection) return;
  for (;;) {
    const auto count = connection->receive(result.received, static_cast<std::size_t>(plan.read_limit));
    result.end = !count ? to_string(count.error()) : *count == 0 ? "end" : "more";
    if (result.end != "more") return;
    world.sleep(milliseconds(plan.reader_pause_ms));
  }
}

Result carry_out(const Plan& plan) {
  TestWorld world({"a", "b"}, plan.seed, plan.policy);
  Result result;
  LinkParameters parameters;
  parameters.latency = DurationDistribution::uniform(Duration(0), plan.spread);
  parameters.loss = plan.loss;
  parameters.bandwidth_bytes_per_s = 10'000'000;
  world.network().set_default_link(parameters);
  for (const Fault& fault : plan.schedule) {
    world.simulation.scheduler().call_at(time_zero + milliseconds(fault.at_ms),
                                         [&world, fault] { strike(world, fault); });
  }
  world.simulation.scheduler().call_at(time_zero + seconds(10), [&world] { world.network().heal_all(); });
  world.spawn("b", [&] { receive_all(world, plan, result); });
  world.spawn("a", [&] { send_pieces(world, plan, result); });
  world.run();
  result.digest = world.simulation.digest().value().hex();
  return result;
}

void log_plan(const Plan& plan) {
  RC_LOG() << "seed " << plan.seed << (plan.policy == SchedulingPolicy::random ? " random" : " fifo") << " window "
           << plan.window << " loss " << plan.loss << " spread " << plan.spread.count() << " pieces "
           << rc::toString(plan.pieces) << " limit " << plan.read_limit << " faults " << rc::toString(plan.schedule)
           << "\n";
}

RC_GTEST_PROP(NetworkProperty, WithoutTimeoutsEverythingArrivesInOrderOnceHealed, ()) {
  const Plan plan = any_plan(false, 3);
  log_plan(plan);
  const Result result = carry_out(plan);
  RC_ASSERT(result.received == result.sent);
  RC_ASSERT(result.end == "end");
}

RC_GTEST_PROP(NetworkProperty, UnderAnyFaultsTheReceivedIsAPrefixOfTheSent, ()) {
  const Plan plan = any_plan(true, 6);
  log_plan(plan);
  const Result result = carry_out(plan);
  RC_ASSERT(result.received.size() <= result.sent.size());
  RC_ASSERT(result.received == result.sent.substr(0, result.received.size()));
  // An orderly end means that nothing is missing.
  if (result.end == "end") RC_ASSERT(result.received == result.sent);
  const bool receiver_crashes = std::any_of(plan.schedule.begin(), plan.schedule.end(),
                                            [](const Fault& fault) { return fault.kind == crash_of_receiver; });
  RC_ASSERT(receiver_crashes || result.end != "more");
}

RC_GTEST_PROP(NetworkProperty, TheSameSeedGivesTheSameDigest, ()) {
  const Plan plan = any_plan(true, 6);
  log_plan(plan);
  const Result first = carry_out(plan);
  const Result second = carry_out(plan);
  RC_ASSERT(first.digest == second.digest);
  RC_ASSERT(first.received == second.received);
  Plan other = plan;
  ++other.seed;
  RC_ASSERT(carry_out(other).digest != first.digest);
}

}  // namespace
}  // namespace polarsim::sim
