// The numbers that name things on disk, and how transaction identifiers compare.
//
// Transaction identifiers are PostgreSQL's: 32 bits that wrap around, compared modulo 2^31, with three special values
// below first_normal_xid (src/include/access/transam.h). Two identifiers compare rightly only while they are less than
// 2^31 apart; freezing (txn/vacuum.h) sees to that.
#pragma once

#include <compare>
#include <cstdint>

namespace polarsim::engine::storage {

using Lsn = std::uint64_t;

using Xid = std::uint32_t;
inline constexpr Xid invalid_xid = 0;
inline constexpr Xid bootstrap_xid = 1;  // wrote what exists from the start; committed, older than every other
inline constexpr Xid frozen_xid = 2;     // committed, older than every normal one
inline constexpr Xid first_normal_xid = 3;

// With the number of wraparounds in the upper half: orders all transactions that ever were.
using FullXid = std::uint64_t;
inline constexpr Xid xid_of(FullXid full) { return static_cast<Xid>(full); }
inline constexpr FullXid next_full_xid(FullXid full) {
  ++full;
  return xid_of(full) < first_normal_xid ? full - xid_of(full) + first_normal_xid : full;
}

inline constexpr bool is_normal(Xid xid) { return xid >= first_normal_xid; }
// Whether `a` is older than `b`. Special identifiers are older than all normal ones.
inline constexpr bool xid_precedes(Xid a, Xid b) {
  if (!is_normal(a) || !is_normal(b)) return a < b;
  return static_cast<std::int32_t>(a - b) < 0;
}
inline constexpr bool xid_precedes_or_equals(Xid a, Xid b) { return a == b || xid_precedes(a, b); }

// Names a set of transactions that hold or held a row together (txn/multixact.h); 0 is none. Wraps as Xid does.
using MultiXactId = std::uint32_t;
inline constexpr bool multixact_precedes(MultiXactId a, MultiXactId b) { return static_cast<std::int32_t>(a - b) < 0; }

// Counts the statements of a transaction, so that a statement does not see its own changes.
using CommandId = std::uint32_t;

// Names the files of a table, an index or a sequence. Never used twice. 0 is none.
using RelationId = std::uint32_t;
using BlockNumber = std::uint32_t;
inline constexpr BlockNumber invalid_block = 0xFFFFFFFF;

// Where a row version is: a block of the heap and a line pointer in it, counted from 1.
struct Tid {
  BlockNumber block = invalid_block;
  std::uint16_t item = 0;
  explicit operator bool() const { return item != 0; }
  friend constexpr auto operator<=>(const Tid&, const Tid&) = default;
};

enum class Fork : std::uint8_t {
  main,
  free_space,  // free_space_map.h
};

struct PageId {
  RelationId relation = 0;
  Fork fork = Fork::main;
  BlockNumber block = invalid_block;
  friend constexpr auto operator<=>(const PageId&, const PageId&) = default;
};

}  // namespace polarsim::engine::storage
