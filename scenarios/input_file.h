// Reading files that a user names.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <tl/expected.hpp>

#include "scenarios/scenario.h"

namespace polarsim::scenarios {

// No scenario, schedule or run.json comes near this; what does was named by mistake.
inline constexpr std::uint64_t largest_input_bytes = 16 * 1024 * 1024;

// The whole file. Anything but a regular file is refused, since a device or a pipe may never end. The error is one
// line: "x.toml: cannot read: No such file or directory".
tl::expected<std::string, InputError> read_file(const std::string& path,
                                                std::uint64_t limit = std::numeric_limits<std::uint64_t>::max());

// Whether a file may be written at this path by giving another its name: a device, a pipe or a folder that is there
// already would be replaced, and whatever else uses it with it.
tl::expected<void, InputError> check_replaceable(const std::string& path);

}  // namespace polarsim::scenarios
