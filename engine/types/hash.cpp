#include "engine/types/hash.h"

#include <bit>

namespace polarsim::engine {
namespace {

// The three words of lookup3's internal state.
struct HashState {
  std::uint32_t a;
  std::uint32_t b;
  std::uint32_t c;

  explicit HashState(std::uint32_t length) : a(0x9e3779b9U + length + 3923095U), b(a), c(a) {}

  void mix() {
    a = (a - c) ^ std::rotl(c, 4);
    c += b;
    b = (b - a) ^ std::rotl(a, 6);
    a += c;
    c = (c - b) ^ std::rotl(b, 8);
    b += a;
    a = (a - c) ^ std::rotl(c, 16);
    c += b;
    b = (b - a) ^ std::rotl(a, 19);
    a += c;
    c = (c - b) ^ std::rotl(b, 4);
    b += a;
  }

  std::uint32_t finish() {
    c = (c ^ b) - std::rotl(b, 14);
    a = (a ^ c) - std::rotl(c, 11);
    b = (b ^ a) - std::rotl(a, 25);
    c = (c ^ b) - std::rotl(b, 16);
    a = (a ^ c) - std::rotl(c, 4);
    b = (b ^ a) - std::rotl(a, 14);
    c = (c ^ b) - std::rotl(b, 24);
    return c;
  }
};

// Up to four bytes as a little-endian number; missing bytes count as zero.
std::uint32_t word(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < bytes.size() && i < 4; ++i) {
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  return value;
}

std::string_view tail_from(std::string_view bytes, std::size_t start) {
  return start < bytes.size() ? bytes.substr(start) : std::string_view();
}

}  // namespace

std::uint32_t hash_bytes(std::string_view bytes) {
  HashState state(static_cast<std::uint32_t>(bytes.size()));
  while (bytes.size() >= 12) {
    state.a += word(bytes);
    state.b += word(bytes.substr(4));
    state.c += word(bytes.substr(8));
    state.mix();
    bytes.remove_prefix(12);
  }
  state.a += word(bytes);
  state.b += word(tail_from(bytes, 4));
  // The lowest byte of c is left to the length, so the last three bytes move up by one.
  state.c += word(tail_from(bytes, 8)) << 8;
  return state.finish();
}

std::uint32_t hash_uint32(std::uint32_t value) {
  HashState state(4);
  state.a += value;
  return state.finish();
}

std::uint32_t hash_int64(std::int64_t value) {
  const auto low = static_cast<std::uint32_t>(value);
  const auto high = static_cast<std::uint32_t>(value >> 32);
  return hash_uint32(low ^ (value >= 0 ? high : ~high));
}

}  // namespace polarsim::engine
