// schedule.json: {"profile": "standard", "faults": [{"at_ns": 1500000000, "kind": "crash", "targets": ["dn1"],
// "duration_ns": 2000000000}]}
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "faults/family.h"

namespace polarsim::faults {
namespace {

using Json = nlohmann::ordered_json;

// Carries the one line that the caller will see.
struct Refused {
  std::string message;
};

std::string join_names(const std::vector<std::string>& names) {
  std::string joined;
  for (const std::string& name : names) joined += (joined.empty() ? "" : ", ") + name;
  return joined;
}

void check_keys(const Json& object, const std::string& path, const std::vector<std::string>& permitted) {
  for (const auto& [key, value] : object.items()) {
    if (std::find(permitted.begin(), permitted.end(), key) != permitted.end()) continue;
    throw Refused{fmt::format("{}: unknown key; expected one of {}", path.empty() ? key : path + "." + key,
                              join_names(permitted))};
  }
}

const Json& member(const Json& object, const std::string& path, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) throw Refused{fmt::format("{}{}: missing", path.empty() ? "" : path + ".", key)};
  return *found;
}

std::string text_of(const Json& value, const std::string& path) {
  if (!value.is_string()) throw Refused{fmt::format("{}: expected a string, found {}", path, value.type_name())};
  return value.get<std::string>();
}

std::int64_t natural_of(const Json& value, const std::string& path) {
  const bool fits =
      value.is_number_integer() && !(value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX);
  if (!fits || value.get<std::int64_t>() < 0) {
    throw Refused{fmt::format("{}: expected an integer that is not negative, found {}", path, value.dump())};
  }
  return value.get<std::int64_t>();
}

double number_of(const Json& value, const std::string& path) {
  if (!value.is_number()) throw Refused{fmt::format("{}: expected a number, found {}", path, value.type_name())};
  return value.get<double>();
}

std::vector<std::string> permitted_keys(const KindDescription& kind) {
  std::vector<std::string> keys{"at_ns", "kind", "targets"};
  if (kind.has_duration) keys.emplace_back("duration_ns");
  if (kind.has_factor) keys.emplace_back("factor");
  if (kind.has_point) {
    keys.emplace_back("point");
    keys.emplace_back("occurrence");
  }
  return keys;
}

Fault fault_from(const Json& object, const std::string& path) {
  if (!object.is_object()) throw Refused{fmt::format("{}: expected an object, found {}", path, object.type_name())};
  const auto kind = fault_kind_from(text_of(member(object, path, "kind"), path + ".kind"));
  if (!kind) throw Refused{fmt::format("{}.kind: {}", path, kind.error())};
  const KindDescription& description = description_of(*kind);
  check_keys(object, path, permitted_keys(description));

  Fault fault;
  fault.kind = *kind;
  fault.at = sim::Duration(natural_of(member(object, path, "at_ns"), path + ".at_ns"));
  const Json& targets = member(object, path, "targets");
  if (!targets.is_array())
    throw Refused{fmt::format("{}.targets: expected an array, found {}", path, targets.type_name())};
  for (std::size_t i = 0; i < targets.size(); ++i) {
    fault.targets.push_back(text_of(targets[i], fmt::format("{}.targets[{}]", path, i)));
  }
  if (description.has_duration) {
    fault.duration = sim::Duration(natural_of(member(object, path, "duration_ns"), path + ".duration_ns"));
  }
  if (description.has_factor) fault.factor = number_of(member(object, path, "factor"), path + ".factor");
  if (description.has_point) {
    fault.point = text_of(member(object, path, "point"), path + ".point");
    if (object.contains("occurrence")) {
      fault.occurrence = static_cast<std::uint64_t>(natural_of(object["occurrence"], path + ".occurrence"));
    }
  }
  return fault;
}

}  // namespace

std::string to_json(const Schedule& schedule) {
  Json faults = Json::array();
  for (const Fault& fault : schedule.faults) {
    const KindDescription& kind = description_of(fault.kind);
    Json object;
    object["at_ns"] = fault.at.count();
    object["kind"] = kind.name;
    object["targets"] = fault.targets;
    if (kind.has_duration) object["duration_ns"] = fault.duration.count();
    if (kind.has_factor) object["factor"] = fault.factor;
    if (kind.has_point) {
      object["point"] = fault.point;
      object["occurrence"] = fault.occurrence;
    }
    faults.push_back(std::move(object));
  }
  Json root;
  root["profile"] = schedule.profile;
  root["faults"] = std::move(faults);
  return root.dump(2) + "\n";
}

tl::expected<Schedule, std::string> schedule_from_json(std::string_view text, std::string_view file_name) {
  try {
    const Json root = Json::parse(text);
    if (!root.is_object()) throw Refused{fmt::format("expected an object, found {}", root.type_name())};
    check_keys(root, "", {"profile", "faults"});
    Schedule schedule;
    schedule.profile = text_of(member(root, "", "profile"), "profile");
    const Json& faults = member(root, "", "faults");
    if (!faults.is_array()) throw Refused{fmt::format("faults: expected an array, found {}", faults.type_name())};
    for (std::size_t i = 0; i < faults.size(); ++i) {
      schedule.faults.push_back(fault_from(faults[i], fmt::format("faults[{}]", i)));
    }
    return schedule;
  } catch (const Refused& refused) {
    return tl::unexpected(fmt::format("{}: {}", file_name, refused.message));
  } catch (const Json::parse_error& error) {
    // The library's message is its own prefix, then "at line L, column C: ..."; only the latter helps a reader.
    std::string message = error.what();
    const std::size_t start = message.find("] ");
    if (start != std::string::npos) message.erase(0, start + 2);
    return tl::unexpected(fmt::format("{}: {}", file_name, message));
  }
}

}  // namespace polarsim::faults
