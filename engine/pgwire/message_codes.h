// What encoding and decoding share. Private to them.
#pragma once

#include <cstdint>

#include "engine/types/error.h"

namespace polarsim::engine::pgwire::codes {

// What stands in the place of the protocol's version in the other messages a connection may begin with.
inline constexpr std::int32_t cancel_request = 80877102;
inline constexpr std::int32_t ssl_request = 80877103;
inline constexpr std::int32_t gss_request = 80877104;

[[noreturn]] inline void refuse(const char* message) { throw SqlError(sqlstate::protocol_violation, message); }

}  // namespace polarsim::engine::pgwire::codes
