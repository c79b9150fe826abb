// What can be locked, and PostgreSQL's eight modes (src/include/storage/lockdefs.h, locktag in lock.h).
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/storage/types.h"

namespace polarsim::engine::txn {

using storage::CommandId;
using storage::FullXid;
using storage::MultiXactId;
using storage::RelationId;
using storage::Tid;
using storage::Xid;

enum class LockMode : std::uint8_t {
  none,
  access_share,            // SELECT
  row_share,               // SELECT FOR ...
  row_exclusive,           // INSERT, UPDATE, DELETE
  share_update_exclusive,  // VACUUM
  share,                   // CREATE INDEX
  share_row_exclusive,
  exclusive,
  access_exclusive,  // DROP TABLE, TRUNCATE
};
inline constexpr std::size_t lock_modes = 9;  // `none` included
using ModeMask = std::uint16_t;
constexpr ModeMask mode_bit(LockMode mode) { return static_cast<ModeMask>(1U << static_cast<unsigned>(mode)); }
// The modes that conflict with `mode`.
ModeMask conflict_mask(LockMode mode);
// Table 13.2 of PostgreSQL's documentation.
bool conflicts(LockMode a, LockMode b);
// "AccessShareLock", ...: as pg_locks and deadlock reports name them.
const char* to_string(LockMode mode);

struct LockTag {
  enum class Kind : std::uint8_t {
    relation,     // a: relation
    tuple,        // a: relation, b: block << 16 | item. Held while queueing for a row, as in PostgreSQL
    transaction,  // a: xid. Its owner holds it exclusive as long as it runs; waiting for share is waiting for its end
    speculative,  // a: xid, b: token of an insertion that has not been confirmed
    advisory,  // a: key, b: 1 for one key of 64 bits, 2 for two of 32, 5: the key is the number of a cluster's shard,
               // 14: the cluster's definitions
    name,      // a: hash of a relation's name: while it is created
  } kind = Kind::relation;
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  friend auto operator<=>(const LockTag&, const LockTag&) = default;

  static LockTag of_relation(RelationId relation) { return {Kind::relation, relation, 0}; }
  static LockTag of_tuple(RelationId relation, Tid tid) {
    return {Kind::tuple, relation, (std::uint64_t{tid.block} << 16) | tid.item};
  }
  static LockTag of_transaction(Xid xid) { return {Kind::transaction, xid, 0}; }
};
// "relation 16384", "tuple (0,1) of relation 16384", "transaction 748", "advisory lock [5,0,1,1]" (database, upper and
// lower half of the key, kind of key).
std::string describe(const LockTag& tag);
// As PostgreSQL's reports have it: a relation is one of a database, "relation 16384 of database 5".
std::string describe_in_report(const LockTag& tag);

}  // namespace polarsim::engine::txn
