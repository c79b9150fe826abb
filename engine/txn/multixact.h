// Rows that several transactions hold: a number on the row stands for a set of transactions, each with what it does to
// the row (PostgreSQL's src/backend/access/transam/multixact.c).
//
// Made once, never changed; in memory, made durable by the WAL and by checkpoints (pages in "pg_multixact",
// multixact_store.h). Kept until vacuum has found no row that names them.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/storage/types.h"

namespace polarsim::engine::txn {

enum class MemberStatus : std::uint8_t {
  key_share,
  share,
  no_key_update_lock,
  update_lock,
  no_key_update,  // an UPDATE that keeps the key
  update,         // an UPDATE of the key, or a DELETE
};

struct MultiXactMember {
  storage::Xid xid = 0;
  MemberStatus status = MemberStatus::key_share;
  friend bool operator==(const MultiXactMember&, const MultiXactMember&) = default;
};

class MultiXacts {
 public:
  virtual ~MultiXacts() = default;
  // Logs and remembers the set; never blocks. Throws SqlError 54000 if vacuum has left too many old ones.
  virtual storage::MultiXactId create(std::vector<MultiXactMember> members) = 0;
  // Throws SqlError XX001 if it has not been made yet, or has been given up: vacuum left no row that names it. The
  // reference is good until something blocks.
  virtual const std::vector<MultiXactMember>& members(storage::MultiXactId id) const = 0;
  // The one that create() will return next.
  virtual storage::MultiXactId next() const = 0;
};

}  // namespace polarsim::engine::txn
