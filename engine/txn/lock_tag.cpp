#include "engine/txn/lock_tag.h"

#include <fmt/format.h>

#include <array>

#include "sim/assert.h"

namespace polarsim::engine::txn {

namespace {

constexpr ModeMask bit(LockMode mode) { return mode_bit(mode); }

// PostgreSQL's LockConflicts (src/backend/storage/lmgr/lock.c), which is table 13.2 of its documentation.
constexpr std::array<ModeMask, lock_modes> conflict_masks{
    0,
    bit(LockMode::access_exclusive),
    bit(LockMode::exclusive) | bit(LockMode::access_exclusive),
    bit(LockMode::share) | bit(LockMode::share_row_exclusive) | bit(LockMode::exclusive) |
        bit(LockMode::access_exclusive),
    bit(LockMode::share_update_exclusive) | bit(LockMode::share) | bit(LockMode::share_row_exclusive) |
        bit(LockMode::exclusive) | bit(LockMode::access_exclusive),
    bit(LockMode::row_exclusive) | bit(LockMode::share_update_exclusive) | bit(LockMode::share_row_exclusive) |
        bit(LockMode::exclusive) | bit(LockMode::access_exclusive),
    bit(LockMode::row_exclusive) | bit(LockMode::share_update_exclusive) | bit(LockMode::share) |
        bit(LockMode::share_row_exclusive) | bit(LockMode::exclusive) | bit(LockMode::access_exclusive),
    bit(LockMode::row_share) | bit(LockMode::row_exclusive) | bit(LockMode::share_update_exclusive) |
        bit(LockMode::share) | bit(LockMode::share_row_exclusive) | bit(LockMode::exclusive) |
        bit(LockMode::access_exclusive),
    bit(LockMode::access_share) | bit(LockMode::row_share) | bit(LockMode::row_exclusive) |
        bit(LockMode::share_update_exclusive) | bit(LockMode::share) | bit(LockMode::share_row_exclusive) |
        bit(LockMode::exclusive) | bit(LockMode::access_exclusive),
};

constexpr std::array<const char*, lock_modes> mode_names{
    "NoLock",    "AccessShareLock",       "RowShareLock",  "RowExclusiveLock",   "ShareUpdateExclusiveLock",
    "ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"};

// The database's number in PostgreSQL's advisory lock tags: that of "postgres".
constexpr std::uint32_t database_oid = 5;

}  // namespace

ModeMask conflict_mask(LockMode mode) { return conflict_masks.at(static_cast<std::size_t>(mode)); }

bool conflicts(LockMode a, LockMode b) { return (conflict_mask(a) & mode_bit(b)) != 0; }

const char* to_string(LockMode mode) { return mode_names.at(static_cast<std::size_t>(mode)); }

std::string describe(const LockTag& tag) {
  switch (tag.kind) {
    case LockTag::Kind::relation:
      return fmt::format("relation {}", tag.a);
    case LockTag::Kind::tuple:
      return fmt::format("tuple ({},{}) of relation {}", tag.b >> 16, tag.b & 0xFFFF, tag.a);
    case LockTag::Kind::transaction:
      return fmt::format("transaction {}", tag.a);
    case LockTag::Kind::speculative:
      return fmt::format("speculative token {} of transaction {}", tag.b, tag.a);
    case LockTag::Kind::advisory:
      return fmt::format("advisory lock [{},{},{},{}]", database_oid, tag.a >> 32, tag.a & 0xFFFFFFFF, tag.b);
    case LockTag::Kind::name:
      return fmt::format("relation name {:016x}", tag.a);
  }
  POLARSIM_ASSERT(false, "a lock tag of no kind");
  return {};
}

std::string describe_in_report(const LockTag& tag) {
  const bool of_relation = tag.kind == LockTag::Kind::relation || tag.kind == LockTag::Kind::tuple;
  return of_relation ? fmt::format("{} of database {}", describe(tag), database_oid) : describe(tag);
}

}  // namespace polarsim::engine::txn
