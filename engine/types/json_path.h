// The path of #>, jsonb_set() and the like: keys and array positions as texts. Private to the functions of JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace polarsim::engine {

// The 32-bit integer that the whole text is, as C's strtol() reads it (blanks and a sign before it); none if it is
// none.
std::optional<std::int32_t> json_array_position(std::string_view text);

}  // namespace polarsim::engine
