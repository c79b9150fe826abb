// CRC-32C (Castagnoli), the checksum of WAL records and pages.
//
// Polynomial 0x1EDC6F41, reflected, initial value and final exclusive-or all ones, as RFC 3720 (iSCSI) and PostgreSQL
// use it. Where the processor has an instruction for it (SSE 4.2), that is used; elsewhere software does it by
// "slicing-by-8" (Kounavis and Berry, 2005). The result is the same on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace polarsim::engine::storage {

// The checksum of `bytes`; pass the checksum of what came before as `previous` to continue it.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t previous = 0);

// Which bit of `bytes` bytes, if it is flipped alone, changes their checksum by `difference` (an exclusive-or): bit n
// is bit n % 8 of byte n / 8, the least significant first. No two single bits change it alike within 2^31 bits.
std::optional<std::size_t> crc32c_flipped_bit(std::size_t bytes, std::uint32_t difference);

// The same in software, whatever the processor has: for tests.
std::uint32_t crc32c_in_software(std::string_view bytes, std::uint32_t previous = 0);

}  // namespace polarsim::engine::storage
