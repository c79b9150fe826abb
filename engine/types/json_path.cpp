#include "engine/types/json_path.h"

#include <cerrno>
#include <cstdlib>
#include <limits>
#include <string>

namespace polarsim::engine {

std::optional<std::int32_t> json_array_position(std::string_view text) {
  const std::string copy(text);
  char* end = nullptr;
  errno = 0;
  const long number = std::strtol(copy.c_str(), &end, 10);
  const bool fits =
      number >= std::numeric_limits<std::int32_t>::min() && number <= std::numeric_limits<std::int32_t>::max();
  if (end == copy.c_str() || *end != '\0' || errno != 0 || !fits) return std::nullopt;
  return static_cast<std::int32_t>(number);
}

}  // namespace polarsim::engine
