#include "faults/schedule.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <stdexcept>

#include "faults/family.h"

namespace polarsim::faults {
namespace {

using namespace std::chrono_literals;

const Topology topology{{"cn1", "cn2"}, {"dn1", "dn2", "dn3", "dn4"}, {"client1", "client2"}};

std::string profile_number(std::size_t index) { return list_profiles().at(index % list_profiles().size()).name; }

RC_GTEST_PROP(schedule, generation_is_a_pure_function, (std::uint64_t seed, unsigned profile)) {
  const std::string name = profile_number(profile);
  RC_ASSERT(generate(name, seed, topology, 30s) == generate(name, seed, topology, 30s));
}

RC_GTEST_PROP(schedule, generated_faults_are_valid_sorted_and_end_within_the_window,
              (std::uint64_t seed, unsigned profile)) {
  const sim::Duration window = 20s;
  const Schedule schedule = generate(profile_number(profile), seed, topology, window);
  RC_ASSERT(validate(schedule, topology) == "");
  for (const Fault& fault : schedule.faults) {
    RC_ASSERT(fault.at >= 0s);
    RC_ASSERT(fault.at < window);
    RC_ASSERT(fault.at + fault.duration <= window);
  }
}

RC_GTEST_PROP(schedule, json_round_trip, (std::uint64_t seed)) {
  const Schedule schedule = generate("harsh", seed, topology, 30s);
  const auto read = schedule_from_json(to_json(schedule), "schedule.json");
  RC_ASSERT(read.has_value());
  RC_ASSERT(*read == schedule);
}

RC_GTEST_PROP(schedule, truncated_json_is_refused, (std::uint64_t seed)) {
  const std::string text = to_json(generate("standard", seed, topology, 30s));
  // The last two characters are the closing brace and the newline; without the newline alone it is still whole.
  const std::size_t length = *rc::gen::inRange<std::size_t>(0, text.size() - 1);
  const auto read = schedule_from_json(text.substr(0, length), "schedule.json");
  RC_ASSERT(!read.has_value());
  RC_ASSERT(read.error().rfind("schedule.json: ", 0) == 0);
  RC_ASSERT(read.error().find('\n') == std::string::npos);
}

TEST(schedule, swarm_turns_every_kind_on_in_some_seeds_and_off_in_others) {
  for (const ProfileInfo& kind : list_fault_kinds()) {
    int with = 0;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
      bool found = false;
      for (const Fault& fault : generate("standard", seed, topology, 30s).faults) {
        found = found || kind.name == to_string(fault.kind);
      }
      with += found ? 1 : 0;
    }
    EXPECT_GT(with, 10) << kind.name;
    EXPECT_LT(with, 55) << kind.name;
  }
}

TEST(schedule, a_small_topology_still_yields_valid_faults) {
  const Topology smallest{{"cn1"}, {"dn1"}, {"client1"}};
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    EXPECT_EQ(validate(generate("harsh", seed, smallest, 30s), smallest), "");
  }
}

TEST(schedule, profiles) {
  EXPECT_TRUE(generate("none", 7, topology, 30s).faults.empty());
  EXPECT_THROW(generate("nasty", 7, topology, 30s), std::invalid_argument);
  std::size_t gentle = 0;
  std::size_t harsh = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    gentle += generate("gentle", seed, topology, 30s).faults.size();
    harsh += generate("harsh", seed, topology, 30s).faults.size();
  }
  EXPECT_GT(gentle, 0U);
  EXPECT_GT(harsh, 3 * gentle);
}

std::string error_of(std::string_view text) {
  const auto read = schedule_from_json(text, "s.json");
  return read ? "accepted" : read.error();
}

TEST(schedule, reading_errors_name_the_key) {
  EXPECT_EQ(error_of("[]"), "s.json: expected an object, found array");
  EXPECT_EQ(error_of(R"({"profile": "x"})"), "s.json: faults: missing");
  EXPECT_EQ(error_of(R"({"profile": "x", "faultz": []})"),
            "s.json: faultz: unknown key; expected one of profile, faults");
  EXPECT_EQ(error_of(R"({"profile": 1, "faults": []})"), "s.json: profile: expected a string, found number");
  const std::string unknown_kind = error_of(R"({"profile": "x", "faults": [{"kind": "melt"}]})");
  EXPECT_EQ(unknown_kind.rfind("s.json: faults[0].kind: unknown kind of fault 'melt'; expected one of partition", 0),
            0U)
      << unknown_kind;
  EXPECT_EQ(error_of(R"({"profile": "x", "faults": [{"kind": "crash", "at_ns": -1, "targets": []}]})"),
            "s.json: faults[0].at_ns: expected an integer that is not negative, found -1");
  EXPECT_EQ(
      error_of(R"({"profile": "x", "faults": [{"kind": "crash", "at_ns": 18446744073709551615, "targets": []}]})"),
      "s.json: faults[0].at_ns: expected an integer that is not negative, found 18446744073709551615");
  EXPECT_EQ(error_of(R"({"profile": "x", "faults": [{"kind": "crash", "at_ns": 1, "targets": [2]}]})"),
            "s.json: faults[0].targets[0]: expected a string, found number");
  EXPECT_EQ(error_of(R"({"profile": "x", "faults": [{"kind": "crash", "at_ns": 1, "targets": ["dn1"], "factor": 2}]})"),
            "s.json: faults[0].factor: unknown key; expected one of at_ns, kind, targets, duration_ns");
}

Fault crash_of(std::vector<std::string> targets) {
  Fault fault;
  fault.kind = FaultKind::crash;
  fault.targets = std::move(targets);
  fault.duration = 1s;
  return fault;
}

TEST(schedule, validation_names_the_field) {
  EXPECT_EQ(validate(crash_of({"dn1", "cn2"}), topology), "");
  EXPECT_EQ(validate(crash_of({}), topology), "targets: crash needs at least one");
  EXPECT_EQ(validate(crash_of({"dn1", "dn1"}), topology), "targets: 'dn1' is named twice");
  EXPECT_EQ(validate(crash_of({"client1"}), topology),
            "targets: unknown node 'client1'; expected some of cn1, cn2, dn1, dn2, dn3, dn4");
  Fault fault = crash_of({"dn1"});
  fault.duration = 0s;
  EXPECT_EQ(validate(fault, topology), "duration: crash needs one");
  fault = crash_of({"dn1"});
  fault.kind = FaultKind::slow_disk;
  fault.factor = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(validate(fault, topology).rfind("factor: ", 0), 0U);
  fault = crash_of(all_hosts(topology));
  fault.kind = FaultKind::partition;
  EXPECT_EQ(validate(fault, topology), "targets: partition leaves nobody on the other side");
  fault = crash_of({"dn1"});
  fault.kind = FaultKind::crash_at_point;
  EXPECT_EQ(validate(fault, topology), "point: crash_at_point needs the name of a fault point");
  fault.point = "wal/flush";
  EXPECT_EQ(validate(fault, topology), "");

  Schedule schedule{"explicit", {crash_of({"dn1"}), crash_of({"dn2"})}};
  schedule.faults[0].at = 2s;
  EXPECT_EQ(validate(schedule, topology), "faults[1].at: faults must be in order of time");
}

TEST(schedule, descriptions_read_well) {
  Fault fault = crash_of({"dn2"});
  fault.at = 12500ms;
  fault.duration = 3s;
  EXPECT_EQ(describe(fault), "12.5 s: crash dn2 for 3 s");
  fault.kind = FaultKind::crash_at_point;
  fault.point = "2pc/after-prepare";
  fault.occurrence = 4;
  EXPECT_EQ(describe(fault), "12.5 s: crash_at_point dn2 at visit 4 of 2pc/after-prepare for 3 s");
  fault = Fault{1s, FaultKind::drop_connections, {"cn1", "dn1"}, 0s, 0, "", 1};
  EXPECT_EQ(describe(fault), "1 s: drop_connections cn1 - dn1");
}

}  // namespace
}  // namespace polarsim::faults
