#include "scenarios/cli/arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>

#include "scenarios/cli/build_info.h"
#include "scenarios/cli/exit_status.h"

namespace polarsim::scenarios::cli {

namespace fs = std::filesystem;

namespace {

template <typename Number>
std::optional<Number> number_from(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

// Where the running program lies; empty if the system does not say.
fs::path program_folder() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  return error ? fs::path() : program.parent_path();
}

}  // namespace

std::uint64_t parse_natural(const std::string& option, const std::string& text, std::uint64_t minimum,
                            std::uint64_t maximum) {
  const auto value = number_from<std::uint64_t>(text);
  if (!value || *value < minimum || *value > maximum) {
    throw UsageError(
        fmt::format("{}: expected a whole number from {} to {}, found \"{}\"", option, minimum, maximum, text));
  }
  return *value;
}

std::int64_t parse_integer(const std::string& option, const std::string& text) {
  const auto value = number_from<std::int64_t>(text);
  if (!value) throw UsageError(fmt::format("{}: expected a whole number, found \"{}\"", option, text));
  return *value;
}

std::pair<std::uint64_t, std::uint64_t> parse_seeds(const std::string& text) {
  // The database's integers are signed, and a campaign counts its seeds.
  constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();
  constexpr std::uint64_t most = 1'000'000'000;
  const std::size_t dots = text.find("..");
  const auto first = number_from<std::uint64_t>(std::string_view(text).substr(0, dots));
  const auto last =
      dots == std::string::npos ? first : number_from<std::uint64_t>(std::string_view(text).substr(dots + 2));
  if (!first || !last || *first > largest || *last > largest) {
    throw UsageError(fmt::format("--seeds: expected A..B with whole numbers up to {}, found \"{}\"", largest, text));
  }
  if (*first > *last)
    throw UsageError(fmt::format("--seeds: the range {} is empty: its first seed is above its last", text));
  if (*last - *first >= most)
    throw UsageError(fmt::format("--seeds: the range {} holds more than {} seeds", text, most));
  return {*first, *last};
}

sim::Duration parse_duration(const std::string& option, const std::string& text) {
  constexpr double longest_ns = 3.2e18;
  const std::size_t unit_start = std::min(text.find_first_not_of("0123456789.eE+"), text.size());
  const std::map<std::string, double> units{{"", 1e9}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}};
  const auto unit = units.find(text.substr(unit_start));
  const auto value = number_from<double>(std::string_view(text).substr(0, unit_start));
  if (unit == units.end() || !value || !std::isfinite(*value) || *value < 0 || *value * unit->second > longest_ns) {
    throw UsageError(fmt::format("{}: expected seconds, or a number with ns, us, ms or s, found \"{}\"", option, text));
  }
  return sim::Duration(std::llround(*value * unit->second));
}

std::vector<engine::PlantedBug> parse_planted(const std::vector<std::string>& names) {
  std::vector<engine::PlantedBug> planted;
  for (const std::string& name : names) {
    const auto bug = engine::find_planted_bug(name);
    if (!bug) {
      std::vector<std::string> known;
      for (const engine::PlantedBugInfo& info : engine::planted_bugs()) known.emplace_back(info.name);
      throw UsageError(fmt::format("--plant: no bug is called \"{}\"; expected one of {}", name, joined(known)));
    }
    if (std::find(planted.begin(), planted.end(), *bug) == planted.end()) planted.push_back(*bug);
  }
  return planted;
}

namespace {

// Where files that come along may lie, in the order in which they are searched: `source` below the checkout,
// `installed` below share/polarsim.
std::vector<std::string> folders_of(const std::string& source, const std::string& installed) {
  std::vector<std::string> folders;
  // The launcher names its own checkout, which may have been moved since the program was built.
  const char* home = std::getenv("POLARSIM_HOME");
  if (home != nullptr && *home != '\0') folders.push_back((fs::path(home) / source).string());
  folders.push_back(source_folder() + "/" + source);
  const fs::path program = program_folder();
  if (!program.empty()) folders.push_back((program.parent_path() / "share" / "polarsim" / installed).string());
  return folders;
}

// Paths of the TOML files in the folders, sorted by name; a name in an earlier folder hides the same name in a later
// one.
std::vector<std::string> files_in(const std::vector<std::string>& folders) {
  std::map<std::string, std::string> by_name;
  for (const std::string& folder : folders) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      if (entry.path().extension() == ".toml") by_name.emplace(entry.path().stem().string(), entry.path().string());
    }
  }
  std::vector<std::string> paths;
  for (const auto& [name, path] : by_name) paths.push_back(path);
  return paths;
}

// The file of a path or of a bare name among `paths`; `kind` is for the message: "scenario".
std::string find_file(const std::string& argument, const std::vector<std::string>& paths, const std::string& kind) {
  const bool is_path = argument.find('/') != std::string::npos || argument.ends_with(".toml");
  if (is_path) return argument;  // reading it says what is wrong with it
  std::vector<std::string> names;
  for (const std::string& path : paths) {
    const std::string name = fs::path(path).stem().string();
    if (name == argument) return path;
    names.push_back(name);
  }
  const std::string library =
      names.empty() ? "the library is empty or was not found" : "the library has " + joined(names);
  throw UsageError(fmt::format("no {} is called \"{}\": {}; a file is given by a path or its ending .toml", kind,
                               argument, library));
}

}  // namespace

std::vector<std::string> library_folders() { return folders_of("scenarios/library", "scenarios"); }

std::vector<std::string> library_scenarios() { return files_in(library_folders()); }

std::string find_scenario(const std::string& argument) { return find_file(argument, library_scenarios(), "scenario"); }

std::string find_isolation_file(const std::string& argument) {
  return find_file(argument, files_in(folders_of("scenarios/isolation", "isolation")), "isolation file");
}

Scenario load_scenario_argument(const std::string& argument, const std::vector<std::string>& overrides) {
  const std::string file = find_scenario(argument);
  auto scenario = load_scenario(file, overrides);
  if (!scenario) throw UsageError(scenario.error().message);
  // A scenario of the library is recorded by its name: where the library lies differs between machines.
  if (file != argument) scenario->source_name = argument;
  return std::move(*scenario);
}

}  // namespace polarsim::scenarios::cli
