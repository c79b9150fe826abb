// PostgreSQL's hash functions, whose results SQL shows (hashtext()) and placement depends on.
//
// Source: PostgreSQL 15 src/common/hashfn.c (hash_bytes, Bob Jenkins' lookup3 with PostgreSQL's constants), hashfunc.c.
#pragma once

#include <cstdint>
#include <string_view>

namespace polarsim::engine {

std::uint32_t hash_bytes(std::string_view bytes);
std::uint32_t hash_uint32(std::uint32_t value);
// Equal numbers hash equally in all integer types: the high half is folded in.
std::uint32_t hash_int64(std::int64_t value);

}  // namespace polarsim::engine
