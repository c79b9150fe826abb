// Where a program on a host can be reached.
#pragma once

#include <cstdint>
#include <string>

namespace polarsim::sim {

struct Address {
  std::string host;
  std::uint16_t port = 0;
  friend bool operator==(const Address&, const Address&) = default;
  std::string text() const { return host + ":" + std::to_string(port); }
};

}  // namespace polarsim::sim
