// Tests the quorum store: many seeds, each with its own workload, faults and interleaving.
//
//   replicated_kv --seeds A..B [--bug NAME]         runs each seed twice, and requires the same digest
//   replicated_kv --seed N [--bug NAME] [--trace]   one seed; --trace: prints all that happened
//
// Exit status: 0 all passed; 1 a seed failed; 2 unusable arguments.
#include <charconv>
#include <iostream>
#include <map>
#include <optional>
#include <string_view>

#include "checkers/checkers.h"
#include "quorum_store.h"
#include "recorder.h"
#include "sim/partition.h"

namespace replicated_kv {
namespace {

using namespace std::chrono_literals;
using checkers::EventType;

constexpr std::int64_t keys = 5;
constexpr std::int64_t clients = 4;
constexpr sim::Duration operation_timeout = 200ms;
constexpr sim::Time faults_end = sim::time_zero + 3s;
constexpr sim::Time at_rest = faults_end + 3s;  // longer than any operation, fault or clock error still under way
constexpr sim::Time run_end = at_rest + 10s;

const std::map<std::string_view, Bug>& bugs() {
  static const std::map<std::string_view, Bug> names{
      {"none", Bug::none},
      {"no-write-back", Bug::no_write_back},
      {"no-fsync", Bug::no_fsync},
      {"quorum-of-one", Bug::quorum_of_one},
      {"clock-timestamps", Bug::clock_timestamps},
      {"reused-tag", Bug::reused_tag},
  };
  return names;
}

// --- the workload ---

// False if a read got no answer.
bool perform(sim::Host& host, Client& client, Recorder& recorder, Operation& operation, std::int64_t value) {
  const auto record = [&](EventType type, const Version& version) {
    recorder.add(host.simulation(), type, operation, version);
  };
  record(EventType::invoke, {{}, operation.is_write ? value : 0});
  if (!operation.is_write) {
    const auto version = client.read(operation.key);
    // A read without an answer has changed no value: it may simply not have happened.
    record(version ? EventType::ok : EventType::fail, version.value_or(Version{}));
    return version.has_value();
  }
  const WriteResult result = client.write(operation.key, value);
  if (result.outcome == WriteResult::Outcome::done) record(EventType::ok, result.version);
  if (result.outcome == WriteResult::Outcome::not_done) record(EventType::fail, {{}, value});
  if (result.outcome == WriteResult::Outcome::unknown) {
    record(EventType::info, result.version);
    operation.process += clients;  // that process may still be writing, for all anyone knows: go on as another
  }
  return true;
}

void run_client(sim::Host& host, std::int64_t id, Client client, Recorder& recorder, std::int64_t& finished) {
  sim::RandomStream& random = host.random("workload");
  Operation operation{id};
  std::int64_t value = id * 1'000'000;  // every value written is unique: the checker needs it
  while (host.simulation().now() < faults_end) {
    host.sleep_for(random.between(sim::Duration(0), 20ms));
    operation.key = random.between(0, keys - 1);
    operation.is_write = random.chance(0.5);
    perform(host, client, recorder, operation, ++value);
  }
  host.scheduler().sleep_until(at_rest);
  operation.is_write = false;
  operation.at_rest = true;
  for (operation.key = 0; operation.key < keys; ++operation.key) {
    // A timeout may still come by bad luck. That reads succeed in the end is what `finished` shows.
    while (!perform(host, client, recorder, operation, 0)) {
    }
  }
  ++finished;
}

// --- the faults ---

void part_network(sim::Simulation& simulation, sim::RandomStream& random, sim::Time until) {
  std::vector<std::string> names;
  for (const auto& host : simulation.hosts()) names.push_back(host->name());
  const sim::Partition partition = sim::draw_partition(random, names);
  sim::Network& network = simulation.network();
  network.apply(partition);
  simulation.trace().add(simulation.now(), sim::TraceKind::fault, "", "partition: " + sim::text(partition));
  simulation.scheduler().call_at(until, [&network, partition] { network.heal(partition); });
}

void trouble_disk(sim::Simulation& simulation, sim::RandomStream& random, sim::Disk& disk, sim::Time until) {
  sim::DiskParameters parameters;
  parameters.slowdown = static_cast<double>(random.between(10, 200));
  parameters.sync_failure = random.chance(0.5) ? 0.2 : 0;
  parameters.sync_failure_kind = sim::SyncFailure::forgets;  // as Linux does
  disk.set_parameters(parameters);
  simulation.scheduler().call_at(until, [&disk] { disk.set_parameters({}); });
}

// Each draw has a statement of its own: C++ does not say in which order the parts of an expression are evaluated.
void inject_faults(sim::Simulation& simulation, const std::vector<std::string>& replicas, std::int64_t& count) {
  sim::RandomStream& random = simulation.random("faults");
  sim::Scheduler& scheduler = simulation.scheduler();
  for (;; ++count) {
    scheduler.sleep_for(random.between(20ms, 300ms));
    if (simulation.now() >= faults_end) return;
    const sim::Duration duration = random.between(50ms, 900ms);
    sim::Host& replica = simulation.host(random.pick(replicas));
    sim::Host& any = *random.pick(simulation.hosts());
    const sim::Time until = simulation.now() + duration;
    const std::uint64_t kind = random.below(8);
    if (kind <= 2) part_network(simulation, random, until);
    if (kind == 3 || kind == 4) replica.crash_and_restart(duration);
    if (kind == 5) trouble_disk(simulation, random, replica.disk(), until);
    if (kind == 6) any.clock().set_drift_ppm(simulation.now(), static_cast<double>(random.between(-50'000, 50'000)));
    if (kind == 7) any.clock().step(simulation.now(), random.between(-2s, 2s));
  }
}

// --- one run ---

struct Result {
  sim::Digest128 digest;
  std::size_t events = 0;
  std::int64_t faults = 0;
  std::string failure;  // empty: passed
};

std::string judge(const Recorder& recorder) {
  const auto verdict = checkers::check_list_append(recorder.history(), {.model = "strict-serializable"});
  if (verdict.validity == checkers::Validity::valid) return "";
  // Unknown is not a pass.
  if (verdict.anomalies.empty()) return std::string(to_string(verdict.validity)) + ": " + verdict.reason;
  return verdict.anomalies.front().name + ": " + verdict.anomalies.front().explanation;
}

Result run(std::uint64_t seed, Bug bug, bool trace) {
  sim::SimulationOptions options;
  options.seed = seed;
  options.scheduler.policy = sim::SchedulingPolicy::random;
  options.trace.enabled = trace;
  // What programs and faults refer to is declared before the simulation: its destructor still unwinds them.
  Recorder recorder;
  std::vector<std::string> replicas;
  std::int64_t finished = 0;
  Result result;
  sim::Simulation simulation(options);
  sim::LinkParameters link;
  link.latency = sim::DurationDistribution::long_tail(200us, 2ms, 100ms, 20);
  simulation.network().set_default_link(link);

  const std::int64_t replica_count = simulation.random("topology").chance(0.5) ? 3 : 5;
  for (std::int64_t i = 1; i <= replica_count; ++i) {
    replicas.push_back("replica" + std::to_string(i));
    simulation.add_host(replicas.back()).set_program([bug](sim::Host& host) { Replica(host, bug).serve(); });
  }
  for (std::int64_t id = 1; id <= clients; ++id) {
    sim::Host& client = simulation.add_host("client" + std::to_string(id));
    client.set_program([&, id](sim::Host& host) {
      run_client(host, id, Client(host, id, replicas, operation_timeout, bug), recorder, finished);
    });
  }
  for (const auto& host : simulation.hosts()) host->boot();
  simulation.scheduler().spawn("faults", [&] { inject_faults(simulation, replicas, result.faults); });

  simulation.run(faults_end + 1s);  // by now every fault is over; a replica whose disk failed has given up
  for (const std::string& name : replicas) simulation.host(name).boot();
  simulation.run(run_end);

  if (trace) simulation.trace().write_text(std::cout);
  result.digest = simulation.digest().value();
  result.events = recorder.size();
  if (finished != clients) {
    result.failure = "liveness: a client could not read, though every fault was over";
  } else {
    result.failure = judge(recorder);
  }
  return result;
}

// --- the command line ---

struct Arguments {
  std::uint64_t first = 1, last = 1;
  Bug bug = Bug::none;
  bool trace = false;
};

bool parse_number(std::string_view text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

std::optional<Arguments> parse(const std::vector<std::string_view>& words) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--trace") {
      arguments.trace = true;
      continue;
    }
    if (i + 1 == words.size()) return std::nullopt;
    const std::string_view option = words[i];
    const std::string_view value = words[++i];
    if (option == "--bug" && bugs().contains(value)) {
      arguments.bug = bugs().at(value);
      continue;
    }
    const std::size_t dots = option == "--seeds" ? value.find("..") : value.npos;
    const std::string_view last = dots == value.npos ? value : value.substr(dots + 2);
    const bool numbers = parse_number(value.substr(0, dots), arguments.first) && parse_number(last, arguments.last);
    if (!numbers || (option != "--seed" && option != "--seeds")) return std::nullopt;
  }
  // No seed at all would pass.
  if (arguments.first > arguments.last) return std::nullopt;
  return arguments;
}

int run_all(const Arguments& arguments) {
  std::size_t events = 0;
  std::int64_t faults = 0;
  for (std::uint64_t seed = arguments.first; seed <= arguments.last; ++seed) {
    Result result = run(seed, arguments.bug, arguments.trace);
    if (run(seed, arguments.bug, false).digest != result.digest) {
      result.failure = "not deterministic: the second run of this seed has another digest";
    }
    if (!result.failure.empty()) {
      std::cout << "FAILED seed " << seed << ", digest " << result.digest.hex() << '\n' << result.failure << '\n';
      return 1;
    }
    events += result.events;
    faults += result.faults;
  }
  std::cout << "passed: seeds " << arguments.first << ".." << arguments.last << ", each twice; " << events
            << " events of history, " << faults << " faults\n";
  return 0;
}

}  // namespace
}  // namespace replicated_kv

int main(int argc, char** argv) {
  const auto arguments = replicated_kv::parse({argv + 1, argv + argc});
  if (arguments) return replicated_kv::run_all(*arguments);
  std::cerr << "usage: replicated_kv --seeds A..B | --seed N [--bug NAME] [--trace]\nbugs:";
  for (const auto& [name, bug] : replicated_kv::bugs()) std::cerr << ' ' << name;
  std::cerr << '\n';
  return 2;
}
