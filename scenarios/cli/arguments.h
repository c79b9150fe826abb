// Values of options, checked: every function throws UsageError with a line that names the option and what it expects.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/planted_bugs.h"
#include "scenarios/scenario.h"
#include "sim/time.h"

namespace polarsim::scenarios::cli {

std::uint64_t parse_natural(const std::string& option, const std::string& text, std::uint64_t minimum,
                            std::uint64_t maximum);
std::int64_t parse_integer(const std::string& option, const std::string& text);
// "7" or "1..100", both ends included.
std::pair<std::uint64_t, std::uint64_t> parse_seeds(const std::string& text);
// Seconds as "12.5", or with a unit: "300ms". From zero up to a hundred years.
sim::Duration parse_duration(const std::string& option, const std::string& text);
std::vector<engine::PlantedBug> parse_planted(const std::vector<std::string>& names);

// Folders that hold library scenarios, in the order in which they are searched.
std::vector<std::string> library_folders();
// Paths of the library's scenarios, sorted by name; a name in an earlier folder hides the same name in a later one.
std::vector<std::string> library_scenarios();
// The file of a path or of a bare library name.
std::string find_scenario(const std::string& argument);
// The file of a path or of the bare name of an isolation file that comes along.
std::string find_isolation_file(const std::string& argument);
Scenario load_scenario_argument(const std::string& argument, const std::vector<std::string>& overrides);

}  // namespace polarsim::scenarios::cli
