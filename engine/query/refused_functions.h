// Functions of PostgreSQL that are not here, by name: calls of them are refused (0A000), which tells more than that no
// such function exists. Only the better known ones.
#pragma once

#include <span>
#include <string_view>

namespace polarsim::engine::query {

struct RefusedFunctions {
  std::string_view part;                    // of PostgreSQL that they belong to: "notifications"
  std::span<const std::string_view> names;  // in order
};
std::span<const RefusedFunctions> refused_functions();
bool is_refused_function(std::string_view name);

}  // namespace polarsim::engine::query
