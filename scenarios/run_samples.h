// Hand-made scenarios and records for tests of what happens after a run.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <stdexcept>
#include <string>

#include "scenarios/runner.h"
#include "scenarios/scenario.h"

namespace polarsim::scenarios::test {

inline Scenario sample_scenario(const std::string& name = "sample") {
  const std::string text =
      "description = \"a sample\"\n[workload]\nname = \"append\"\n[check]\ncheckers = [{name = \"list-append\"}]\n";
  auto scenario = parse_scenario(text, name + ".toml");
  if (!scenario) throw std::runtime_error(scenario.error().message);
  return *scenario;
}

inline RunRecord sample_record(const Scenario& scenario, std::uint64_t seed, bool valid) {
  RunRecord record;
  record.scenario = scenario.name;
  record.seed = seed;
  record.validity = valid ? checkers::Validity::valid : checkers::Validity::invalid;
  checkers::Verdict verdict;
  verdict.checker = "list-append";
  verdict.validity = record.validity;
  verdict.operations_checked = 2;
  if (!valid) {
    verdict.anomalies = {{"G1c", "Operation 1 and operation 3 saw each other.", {1, 3}}};
    verdict.counts = {{"G1c", 1}};
    record.seen = {"G1c"};
    record.signature = "list-append:G1c";
  }
  record.verdicts = {verdict};
  record.digest = {seed, 7};
  record.ladder_interval = 4096;
  record.ladder = {{seed, 1}, {seed, 2}, {seed, 3}};
  record.digest_records = 3 * 4096 + 5;
  record.virtual_time = sim::Duration(2'000'000'000);
  record.transactions_ok = 1;
  record.transactions_info = 1;
  record.probes = {{"2pc/prepared", 2}};
  record.nodes = {"cn1", "dn1", "dn2"};
  record.schedule.profile = "standard";
  faults::Fault fault;
  fault.at = sim::Duration(500'000'000);
  fault.kind = faults::FaultKind::crash;
  fault.targets = {"dn1"};
  fault.duration = sim::Duration(1'000'000'000);
  record.schedule.faults = {fault};
  record.faults_scheduled = record.faults_struck = 1;
  const auto add = [&record](std::int64_t index, std::int64_t process, checkers::EventType type) {
    checkers::Event event;
    event.index = index;
    event.time_ns = 100'000'000 * (index + 1);
    event.type = type;
    event.process = process;
    event.f = "txn";
    event.value = checkers::Transaction{{checkers::MicroOp::Kind::append, 1, index, false, {}}};
    record.history.events.push_back(event);
  };
  add(0, 0, checkers::EventType::invoke);
  add(1, 0, checkers::EventType::ok);
  add(2, 1, checkers::EventType::invoke);
  add(3, 1, checkers::EventType::info);
  return record;
}

// A folder of its own for one test, removed at its end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "polarsim-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace polarsim::scenarios::test
