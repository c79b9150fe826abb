// Numbers in fixed places of pages: little-endian whatever the machine is, without alignment.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace polarsim::engine::storage {

template <std::unsigned_integral T>
inline T in_little_endian(T value) {
  if constexpr (std::endian::native == std::endian::little) {
    return value;
  } else {
    auto bytes = std::bit_cast<std::array<std::byte, sizeof(T)>>(value);
    std::reverse(bytes.begin(), bytes.end());
    return std::bit_cast<T>(bytes);
  }
}

template <std::unsigned_integral T>
inline T load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return in_little_endian(value);
}

template <std::unsigned_integral T>
inline void store(char* to, T value) {
  value = in_little_endian(value);
  std::memcpy(to, &value, sizeof value);
}

}  // namespace polarsim::engine::storage
