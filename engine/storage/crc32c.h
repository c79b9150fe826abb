// CRC-32C (Castagnoli), the checksum of WAL records and pages.
//
// Polynomial 0x1EDC6F41, reflected, initial value and final exclusive-or all ones, as RFC 3720 (iSCSI) and PostgreSQL
// use it. In software by "slicing-by-8" (Kounavis and Berry, 2005), so that the result and the speed are the same on
// every machine.
#pragma once

#include <cstdint>
#include <string_view>

namespace polarsim::engine::storage {

// The checksum of `bytes`; pass the checksum of what came before as `previous` to continue it.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t previous = 0);

}  // namespace polarsim::engine::storage
