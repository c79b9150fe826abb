// The simulated network: messages through the whole model, what the digest costs of them, and SimGrid beside it.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "scenarios/cli/benchmarks.h"
#include "sim/assert.h"
#include "sim/simulation.h"

namespace polarsim::scenarios::cli {

namespace {

constexpr std::uint16_t port = 7;

void answer_until_closed(sim::Host& host) {
  auto listener = host.listen(port);
  POLARSIM_ASSERT(listener.has_value(), "nothing else listens on this host");
  auto connection = listener->accept();
  std::string buffer;
  while (connection) {
    buffer.clear();
    const auto count = connection->receive(buffer);
    if (!count || *count == 0 || !connection->send(buffer)) return;
  }
}

void ask(sim::Host& host, const std::string& server, std::uint64_t questions) {
  auto connection = host.connect({server, port});
  POLARSIM_ASSERT(connection.has_value(), "the server listens before the client boots");
  const std::string message(100, 'x');
  std::string buffer;
  for (std::uint64_t i = 0; i < questions; ++i) {
    buffer.clear();
    if (!connection->send(message) || !connection->receive(buffer)) return;
  }
  connection->close();
}

struct PingPong {
  std::uint64_t pairs = 1;
  sim::LinkParameters link;
  std::uint64_t digest_records = 0;  // of the last run

  // Hosts in pairs that send each other 100 bytes in turn, `messages` one-way messages in all.
  void run(std::uint64_t messages) {
    sim::Simulation simulation(sim::SimulationOptions{});
    simulation.network().set_default_link(link);
    for (std::uint64_t pair = 0; pair < pairs; ++pair) {
      simulation.add_host(fmt::format("server{}", pair)).set_program(answer_until_closed);
      simulation.add_host(fmt::format("client{}", pair))
          .set_program([pair, questions = messages / pairs / 2 + 1](sim::Host& host) {
            ask(host, fmt::format("server{}", pair), questions);
          });
    }
    const auto boot = [&](std::size_t first) {
      for (std::size_t i = first; i < simulation.hosts().size(); i += 2) simulation.hosts()[i]->boot();
      simulation.run(sim::deadline_after(simulation.now(), sim::Duration(1)));
    };
    boot(0);
    boot(1);
    simulation.run();
    digest_records = simulation.digest().count();
  }
  double seconds() {
    return seconds_each([this](std::uint64_t count) { run(count); });
  }
};

// The other program beside this one; empty if it was not built.
std::string simgrid_program() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto other = self.parent_path() / "polarsim_simgrid_pingpong";
  return !error && std::filesystem::exists(other, error) ? other.string() : "";
}

// It prints processor seconds for each message.
double simgrid_seconds(const std::string& program) {
  FILE* const pipe = ::popen(("'" + program + "' 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) return 0;
  double seconds = 0;
  if (std::fscanf(pipe, "%lf", &seconds) != 1) seconds = 0;
  ::pclose(pipe);
  return seconds;
}

}  // namespace

double digest_record_seconds() {
  sim::RunningDigest digest;
  return seconds_each([&](std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) digest.absorb(sim::DigestKind::user, i, 7);
  });
}

std::vector<Measurement> bench_network() {
  PingPong quiet;
  PingPong faulty;
  faulty.link.loss = 0.01;
  faulty.link.corruption = 0.001;
  faulty.link.latency = sim::DurationDistribution::exponential(sim::Duration(100'000), sim::Duration(400'000));
  return {{"sim/network", 1 / quiet.seconds(), "messages/s", "100 bytes one way between two hosts", ">= 1 M"},
          {"sim/network-faulty", 1 / faulty.seconds(), "messages/s",
           "the same where 1 % are lost, 0.1 % damaged, latency exponential", ">= 1 M"}};
}

std::vector<Measurement> bench_digest() {
  PingPong ping_pong;
  const double message = ping_pong.seconds();
  constexpr std::uint64_t messages = 100'000;
  ping_pong.run(messages);
  const double records = static_cast<double>(ping_pong.digest_records) / static_cast<double>(messages);
  const double record = digest_record_seconds();
  const double share = records * record / message;
  return {{"sim/digest-record", record * 1e9, "ns", "one record absorbed, hashing included"},
          {"sim/digest-records", records, "records/message", "absorbed for one message of sim/network"},
          {"sim/digest-share", 100 * share, "%",
           "of the time of sim/network, which does nothing else (of a run: engine/append-digest)", "<= 5"}};
}

std::vector<Measurement> bench_simgrid() {
  const std::string program = simgrid_program();
  if (program.empty()) return {};
  PingPong ping_pong;
  ping_pong.pairs = 500;
  ping_pong.link.latency = sim::DurationDistribution::constant(sim::Duration(100'000));
  const double ours = ping_pong.seconds();
  const double theirs = simgrid_seconds(program);
  return {
      {"sim/simgrid-ours", 1 / ours, "messages/s", "100 bytes in turn between 500 pairs of hosts"},
      {"sim/simgrid-theirs", theirs == 0 ? 0 : 1 / theirs, "messages/s", "the same between 1,000 actors of SimGrid"},
      {"sim/simgrid-ratio", theirs / ours, "times", "the first over the second", ">= 5"}};
}

}  // namespace polarsim::scenarios::cli
