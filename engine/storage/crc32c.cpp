#include "engine/storage/crc32c.h"

#include <array>
#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace polarsim::engine::storage {

namespace {

constexpr std::uint32_t reflected_polynomial = 0x82F63B78;
constexpr std::size_t slices = 8;
using Tables = std::array<std::array<std::uint32_t, 256>, slices>;

constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? reflected_polynomial : 0);
    tables[0][byte] = value;
  }
  for (std::size_t slice = 1; slice < slices; ++slice) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t shorter = tables[slice - 1][byte];
      tables[slice][byte] = (shorter >> 8) ^ tables[0][shorter & 0xFF];
    }
  }
  return tables;
}

constexpr Tables tables = make_tables();

std::uint32_t byte_at(std::string_view bytes, std::size_t index) { return static_cast<unsigned char>(bytes[index]); }

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_instruction(std::string_view bytes, std::uint32_t previous) {
  std::uint64_t crc = ~previous;
  const char* at = bytes.data();
  std::size_t rest = bytes.size();
  for (; rest >= sizeof(std::uint64_t); rest -= sizeof(std::uint64_t), at += sizeof(std::uint64_t)) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    crc = _mm_crc32_u64(crc, word);
  }
  auto narrow = static_cast<std::uint32_t>(crc);
  for (; rest > 0; --rest, ++at) narrow = _mm_crc32_u8(narrow, static_cast<unsigned char>(*at));
  return ~narrow;
}
#endif

}  // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t previous) {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  if (has_instruction) return crc32c_by_instruction(bytes, previous);
#endif
  return crc32c_in_software(bytes, previous);
}

std::uint32_t crc32c_in_software(std::string_view bytes, std::uint32_t previous) {
  std::uint32_t crc = ~previous;
  std::size_t i = 0;
  for (; i + slices <= bytes.size(); i += slices) {
    crc = tables[7][(crc ^ byte_at(bytes, i)) & 0xFF] ^ tables[6][((crc >> 8) ^ byte_at(bytes, i + 1)) & 0xFF] ^
          tables[5][((crc >> 16) ^ byte_at(bytes, i + 2)) & 0xFF] ^
          tables[4][((crc >> 24) ^ byte_at(bytes, i + 3)) & 0xFF] ^ tables[3][byte_at(bytes, i + 4)] ^
          tables[2][byte_at(bytes, i + 5)] ^ tables[1][byte_at(bytes, i + 6)] ^ tables[0][byte_at(bytes, i + 7)];
  }
  for (; i < bytes.size(); ++i) crc = (crc >> 8) ^ tables[0][(crc ^ byte_at(bytes, i)) & 0xFF];
  return ~crc;
}

// The register shifts once a bit, so a flipped bit comes out as a one that has been shifted once for it and for each
// bit after it.
std::optional<std::size_t> crc32c_flipped_bit(std::size_t bytes, std::uint32_t difference) {
  std::uint32_t shifted = 1;
  for (std::size_t bit = 8 * bytes; bit-- > 0;) {
    shifted = (shifted >> 1) ^ ((shifted & 1) != 0 ? reflected_polynomial : 0);
    if (shifted == difference) return bit;
  }
  return std::nullopt;
}

}  // namespace polarsim::engine::storage
