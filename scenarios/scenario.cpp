#include "scenarios/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "checkers/checkers.h"
#include "checkers/elle/second_opinion.h"
#include "scenarios/input_file.h"
#include "scenarios/judge.h"
#include "scenarios/toml_section.h"
#include "scenarios/workload.h"

namespace polarsim::scenarios {
namespace {

using namespace std::chrono_literals;
using Keys = std::vector<std::string>;

constexpr std::int64_t storage_buffers_min = 16;
constexpr std::int64_t storage_buffers_max = 1 << 20;

const Keys root_keys{"description", "cluster",  "clients", "run",   "network",
                     "disk",        "workload", "faults",  "fault", "check"};
const Keys cluster_keys{"coordinators",
                        "data_nodes",
                        "shard_count",
                        "recover_2pc_interval_s",
                        "lock_timeout_s",
                        "deadlock_timeout_s",
                        "statement_timeout_s",
                        "tcp_user_timeout_s",
                        "tcp_keepalive_s",
                        "connect_timeout_s",
                        "max_connections",
                        "shared_buffers",
                        "full_page_writes",
                        "checkpoint_timeout_s",
                        "max_wal_size_kb",
                        "wal_segment_kb",
                        "autovacuum",
                        "autovacuum_naptime_s",
                        "distributed_deadlock_detection_factor"};
const Keys clients_keys{"hosts"};
const Keys run_keys{"duration_s", "liveness_timeout_s", "policy"};
const Keys network_keys{"latency_us", "bandwidth_bytes_per_s", "loss", "retransmission_timeout_ms"};
const Keys disk_keys{"read_latency_us", "write_latency_us", "sync_latency_us"};
const Keys faults_keys{"profile"};
const Keys fault_keys{"at_s", "kind", "targets", "duration_s", "factor", "point", "occurrence"};
const Keys check_keys{"checkers", "elle", "expect", "never"};
const Keys checker_keys{"name", "level", "read_your_writes"};

// The table `key` of `parent`; an empty one if it is absent.
const toml::table& table_of(const Section& parent, std::string_view key) {
  static const toml::table empty;
  const toml::node* const node = parent.find(key);
  if (node == nullptr) return empty;
  if (!node->is_table()) parent.refuse_key(key, "expected a table");
  return *node->as_table();
}

// The elements of an array of tables.
std::vector<const toml::table*> tables_of(const Section& parent, std::string_view key) {
  std::vector<const toml::table*> tables;
  const toml::node* const node = parent.find(key);
  if (node == nullptr) return tables;
  if (!node->is_array()) parent.refuse_key(key, "expected an array of tables");
  for (const toml::node& element : *node->as_array()) {
    if (!element.is_table()) refuse(element, parent.name_of(key), "expected an array of tables");
    tables.push_back(element.as_table());
  }
  return tables;
}

void read_storage(const Section& section, engine::NodeConfig& node) {
  const auto kilobytes = [&](std::string_view key, std::uint64_t bytes, std::int64_t least) {
    constexpr std::int64_t most = 1 << 24;
    const auto value = static_cast<std::int64_t>(bytes >> 10);
    return static_cast<std::uint64_t>(section.integer(key, value, least, most)) << 10;
  };
  node.shared_buffers = static_cast<std::uint32_t>(
      section.integer("shared_buffers", node.shared_buffers, storage_buffers_min, storage_buffers_max));
  node.full_page_writes = section.boolean("full_page_writes", node.full_page_writes);
  node.checkpoint_timeout = section.duration("checkpoint_timeout_s", node.checkpoint_timeout, 10ms, 24h);
  node.max_wal_size_bytes = kilobytes("max_wal_size_kb", node.max_wal_size_bytes, 64);
  node.wal_segment_bytes = kilobytes("wal_segment_kb", node.wal_segment_bytes, 16);
  node.autovacuum = section.boolean("autovacuum", node.autovacuum);
  node.autovacuum_naptime = section.duration("autovacuum_naptime_s", node.autovacuum_naptime, 10ms, 24h);
}

void read_cluster(const Section& root, Scenario& scenario) {
  const Section section(table_of(root, "cluster"), "cluster", cluster_keys);
  engine::ClusterConfig& cluster = scenario.cluster;
  engine::NodeConfig& node = cluster.node;
  cluster.coordinators = static_cast<int>(section.integer("coordinators", cluster.coordinators, 1, 32));
  cluster.data_nodes = static_cast<int>(section.integer("data_nodes", cluster.data_nodes, 1, 64));
  cluster.shard_count = static_cast<int>(section.integer("shard_count", cluster.shard_count, 1, 1024));
  cluster.recover_2pc_interval = section.duration("recover_2pc_interval_s", cluster.recover_2pc_interval, 10ms, 1h);
  cluster.distributed_deadlock_detection_factor =
      section.real("distributed_deadlock_detection_factor", cluster.distributed_deadlock_detection_factor, -1, 1000);
  node.lock_timeout = section.duration("lock_timeout_s", node.lock_timeout, 0s, 1h);
  node.deadlock_timeout = section.duration("deadlock_timeout_s", node.deadlock_timeout, 1ms, 1h);
  node.statement_timeout = section.duration("statement_timeout_s", node.statement_timeout, 0s, 1h);
  node.tcp_user_timeout = section.duration("tcp_user_timeout_s", node.tcp_user_timeout, 10ms, 1h);
  node.tcp_keepalive = section.duration("tcp_keepalive_s", node.tcp_keepalive, 10ms, 1h);
  node.connect_timeout = section.duration("connect_timeout_s", node.connect_timeout, 10ms, 1h);
  node.max_connections = static_cast<int>(section.integer("max_connections", node.max_connections, 1, 10'000));
  read_storage(section, node);
}

void read_run(const Section& root, Scenario& scenario) {
  const Section clients(table_of(root, "clients"), "clients", clients_keys);
  scenario.client_hosts = static_cast<int>(clients.integer("hosts", scenario.client_hosts, 1, 64));
  const Section run(table_of(root, "run"), "run", run_keys);
  scenario.duration = run.duration("duration_s", scenario.duration, 10ms, 24h);
  scenario.liveness_timeout = run.duration("liveness_timeout_s", scenario.liveness_timeout, 1s, 24h);
  const std::string policy = run.choice("policy", "random", {"fifo", "random", "pct"});
  scenario.policy = policy == "fifo"     ? sim::SchedulingPolicy::fifo
                    : policy == "random" ? sim::SchedulingPolicy::random
                                         : sim::SchedulingPolicy::pct;
}

void read_latency(const Section& section, std::string_view key, sim::DurationDistribution& latency) {
  if (!section.has(key)) return;
  const auto [low, high] = section.range_us(key, latency.low, latency.high);
  latency = sim::DurationDistribution::uniform(low, high);
}

void read_machine(const Section& root, Scenario& scenario) {
  const Section network(table_of(root, "network"), "network", network_keys);
  read_latency(network, "latency_us", scenario.network.latency);
  const auto bandwidth = static_cast<std::int64_t>(scenario.network.bandwidth_bytes_per_s);
  scenario.network.bandwidth_bytes_per_s =
      static_cast<std::uint64_t>(network.integer("bandwidth_bytes_per_s", bandwidth, 0, 1'000'000'000'000));
  scenario.network.loss = network.real("loss", scenario.network.loss, 0, 0.9);
  scenario.network.retransmission_timeout =
      network.duration("retransmission_timeout_ms", scenario.network.retransmission_timeout, 1ms, 1min);
  const Section disk(table_of(root, "disk"), "disk", disk_keys);
  read_latency(disk, "read_latency_us", scenario.disk.read_latency);
  read_latency(disk, "write_latency_us", scenario.disk.write_latency);
  read_latency(disk, "sync_latency_us", scenario.disk.sync_latency);
}

void read_workload(const Section& root, Scenario& scenario) {
  const toml::table& table = table_of(root, "workload");
  Keys names;
  for (const WorkloadInfo& info : list_workloads()) names.push_back(info.name);
  const toml::node* const name = table.get("name");
  // Without a name nothing is known about the other keys.
  if (name == nullptr) {
    const toml::node& place = table.empty() ? static_cast<const toml::node&>(root.table()) : table;
    refuse(place, "workload.name", "missing; expected one of " + join_words(names));
  }
  const WorkloadInfo* const info = name->is_string() ? find_workload(name->as_string()->get()) : nullptr;
  if (info == nullptr) {
    const std::string found = name->is_string() ? "'" + name->as_string()->get() + "'" : "something else";
    refuse(*name, "workload.name", fmt::format("expected one of {}, found {}", join_words(names), found));
  }
  Keys permitted{"name"};
  for (const ParameterInfo& parameter : info->parameters) permitted.push_back(parameter.name);
  const Section section(table, "workload", permitted);
  WorkloadParameters& parameters = scenario.workload;
  parameters.name = info->name;
  for (const ParameterInfo& parameter : info->parameters) {
    const std::string& key = parameter.name;
    switch (parameter.kind) {
      case ParameterInfo::Kind::integer:
        parameters.integers[key] =
            section.integer(key, parameter.integer_default, parameter.minimum, parameter.maximum);
        break;
      case ParameterInfo::Kind::real:
        parameters.reals[key] = section.real(key, parameter.real_default, static_cast<double>(parameter.minimum),
                                             static_cast<double>(parameter.maximum));
        break;
      case ParameterInfo::Kind::boolean:
        parameters.switches[key] = section.boolean(key, parameter.boolean_default);
        break;
      case ParameterInfo::Kind::text:
        parameters.texts[key] = section.choice(key, parameter.text_default, parameter.choices);
        break;
    }
  }
  if (!parameters.integers.contains("operations_minimum")) return;
  const std::int64_t fewest = parameters.integers.at("operations_minimum");
  const std::int64_t most = parameters.integers.at("operations_maximum");
  // The default minimum is below every permitted maximum, so it is the minimum that the file gives.
  if (fewest > most) {
    section.refuse_key("operations_minimum",
                       fmt::format("must not be above operations_maximum, which is {}, found {}", most, fewest));
  }
}

faults::Fault read_fault(const toml::table& table, const std::string& path, const faults::Topology& topology) {
  const Section section(table, path, fault_keys);
  faults::Fault fault;
  for (const char* required : {"at_s", "kind", "targets"}) {
    if (!section.has(required)) section.refuse_key(required, "missing");
  }
  const auto kind = faults::fault_kind_from(section.text("kind", ""));
  if (!kind) section.refuse_key("kind", kind.error());
  fault.kind = *kind;
  fault.at = section.duration("at_s", 0s, 0s, 24h);
  fault.targets = section.texts("targets");
  fault.duration = section.duration("duration_s", 0s, 0s, 24h);
  fault.factor = section.real("factor", 0, -1e9, 1e9);
  fault.point = section.text("point", "");
  fault.occurrence = static_cast<std::uint64_t>(section.integer("occurrence", 1, 1, 1'000'000'000));
  const std::string problem = faults::validate(fault, topology);
  if (!problem.empty()) refuse(table, path, problem);
  return fault;
}

void read_faults(const Section& root, Scenario& scenario) {
  const Section section(table_of(root, "faults"), "faults", faults_keys);
  Keys profiles;
  for (const faults::ProfileInfo& profile : faults::list_profiles()) profiles.push_back(profile.name);
  scenario.fault_profile = section.choice("profile", scenario.fault_profile, profiles);
  const std::vector<const toml::table*> tables = tables_of(root, "fault");
  if (tables.empty()) return;
  if (section.has("profile")) {
    section.refuse_key("profile", "a scenario has a profile or [[fault]] tables, not both");
  }
  faults::Schedule schedule;
  schedule.profile = "explicit";
  const faults::Topology topology = topology_of(scenario);
  for (std::size_t i = 0; i < tables.size(); ++i) {
    schedule.faults.push_back(read_fault(*tables[i], fmt::format("fault[{}]", i), topology));
    const faults::Fault& fault = schedule.faults.back();
    if (fault.at >= scenario.duration)
      refuse(*tables[i], fmt::format("fault[{}].at_s", i), "must be before run.duration_s");
  }
  faults::sort_by_time(schedule);
  scenario.explicit_schedule = std::move(schedule);
}

CheckerRequest read_checker(const toml::table& table, const std::string& path, const Scenario& scenario) {
  const Section section(table, path, checker_keys);
  Keys names;
  for (const JudgeInfo& info : list_judges()) names.push_back(info.name);
  if (!section.has("name")) section.refuse_key("name", "missing; expected one of " + join_words(names));
  CheckerRequest request;
  request.name = section.choice("name", "", names);
  const JudgeInfo* const info = find_judge(request.name);
  if (!info->workload.empty() && info->workload != scenario.workload.name) {
    section.refuse_key("name", fmt::format("'{}' judges the workload {}, this scenario runs {}", request.name,
                                           info->workload, scenario.workload.name));
  }
  if (section.has("read_your_writes")) {
    if (request.name != "read-committed-cluster")
      section.refuse_key("read_your_writes", fmt::format("'{}' does not ask for it", request.name));
    request.read_your_writes = section.choice("read_your_writes", "", {"unless-pending", "always"});
  }
  if (!section.has("level")) {
    if (info->has_level) request.level = default_level;
    return request;
  }
  if (!info->has_level) section.refuse_key("level", fmt::format("'{}' has no levels", request.name));
  request.level = section.text("level", "");
  if (!checkers::is_known_level(request.level)) {
    section.refuse_key(
        "level", fmt::format("expected one of {}, found '{}'", join_words(checkers::known_levels()), request.level));
  }
  return request;
}

std::vector<std::string> read_anomalies(const Section& section, std::string_view key) {
  std::vector<std::string> names = section.texts(key);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (is_known_anomaly(names[i])) continue;
    const toml::node& element = (*section.find(key)->as_array())[i];
    refuse(element, fmt::format("{}[{}]", section.name_of(key), i),
           fmt::format("unknown anomaly '{}'; expected one of {}", names[i], join_words(known_anomalies())));
  }
  return names;
}

void read_check(const Section& root, Scenario& scenario) {
  const Section section(table_of(root, "check"), "check", check_keys);
  if (!section.has("checkers")) scenario.checkers = default_checkers(scenario.workload.name);
  const std::vector<const toml::table*> tables = tables_of(section, "checkers");
  for (std::size_t i = 0; i < tables.size(); ++i) {
    scenario.checkers.push_back(read_checker(*tables[i], fmt::format("check.checkers[{}]", i), scenario));
  }
  scenario.elle = section.boolean("elle", false);
  const bool understood =
      std::any_of(scenario.checkers.begin(), scenario.checkers.end(),
                  [](const CheckerRequest& request) { return checkers::elle_judges(request.name); });
  if (scenario.elle && !understood)
    section.refuse_key("elle", "Elle judges what list-append and rw-register do, and this scenario asks for neither");
  scenario.expect = read_anomalies(section, "expect");
  scenario.never = read_anomalies(section, "never");
}

// --- overrides ---

bool is_bare_word(std::string_view text) {
  if (text.empty() || (std::isalpha(static_cast<unsigned char>(text[0])) == 0 && text[0] != '_')) return false;
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '/' || c == '.';
  });
}

std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

toml::table parse_override(const std::string& text) {
  const std::string place = "--set " + text;
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) throw SectionError{place + ": expected key=value"};
  const std::string value = trimmed(std::string_view(text).substr(equals + 1));
  const bool word = is_bare_word(value) && value != "true" && value != "false" && value != "inf" && value != "nan";
  const std::string assignment = text.substr(0, equals) + "=" + (word ? "\"" + value + "\"" : value);
  if (assignment.find('\n') != std::string::npos) throw SectionError{place + ": must be one line"};
  try {
    return toml::parse(assignment, place);
  } catch (const toml::parse_error& error) {
    throw SectionError{fmt::format("{}: {}", place, error.description())};
  }
}

void merge(toml::table& into, toml::table&& from) {
  for (auto&& [key, value] : from) {
    toml::node* const present = into.get(key.str());
    if (present != nullptr && present->is_table() && value.is_table()) {
      merge(*present->as_table(), std::move(*value.as_table()));
    } else {
      into.insert_or_assign(key, std::move(value));
    }
  }
}

// --- the whole ---

std::string stem_of(std::string_view path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash != std::string_view::npos) path.remove_prefix(slash + 1);
  if (path.ends_with(".toml")) path.remove_suffix(5);
  return std::string(path);
}

Scenario read_scenario(std::string_view text, std::string_view name, const std::vector<std::string>& overrides) {
  Scenario scenario;
  scenario.name = stem_of(name);
  scenario.source_name = name;
  scenario.source_text = text;
  toml::table table = toml::parse(text, name);
  for (const std::string& override_text : overrides) merge(table, parse_override(override_text));
  const Section root(table, "", root_keys);
  scenario.summary = root.text("description", "");
  read_cluster(root, scenario);
  read_run(root, scenario);
  read_machine(root, scenario);
  read_workload(root, scenario);
  read_faults(root, scenario);
  read_check(root, scenario);
  return scenario;
}

}  // namespace

faults::Topology topology_of(const Scenario& scenario) {
  faults::Topology topology;
  for (int i = 1; i <= scenario.cluster.coordinators; ++i) topology.coordinators.push_back("cn" + std::to_string(i));
  for (int i = 1; i <= scenario.cluster.data_nodes; ++i) topology.data_nodes.push_back("dn" + std::to_string(i));
  for (int i = 1; i <= scenario.client_hosts; ++i) topology.clients.push_back("client" + std::to_string(i));
  return topology;
}

tl::expected<Scenario, InputError> parse_scenario(std::string_view text, std::string_view name,
                                                  const std::vector<std::string>& overrides) {
  try {
    return read_scenario(text, name, overrides);
  } catch (const SectionError& error) {
    return tl::unexpected(InputError{error.message});
  } catch (const toml::parse_error& error) {
    const toml::source_position& place = error.source().begin;
    return tl::unexpected(InputError{fmt::format("{}:{}:{}: {}", name, place.line, place.column, error.description())});
  }
}

tl::expected<Scenario, InputError> load_scenario(const std::string& path, const std::vector<std::string>& overrides) {
  const auto text = read_file(path, largest_input_bytes);
  if (!text) return tl::unexpected(text.error());
  return parse_scenario(*text, path, overrides);
}

std::vector<std::pair<std::string, std::vector<std::string>>> scenario_keys() {
  return {{"", root_keys},        {"cluster", cluster_keys},       {"clients", clients_keys},
          {"run", run_keys},      {"network", network_keys},       {"disk", disk_keys},
          {"workload", {"name"}}, {"faults", faults_keys},         {"fault", fault_keys},
          {"check", check_keys},  {"check.checkers", checker_keys}};
}

}  // namespace polarsim::scenarios
