// The four strengths of row locks, and how a version's xmax tells who holds it (PostgreSQL's heapam.c,
// src/backend/access/heap/README.tuplock). Nothing here blocks.
//
//                     KEY SHARE   SHARE   NO KEY UPDATE   UPDATE
//   KEY SHARE                                               x
//   SHARE                                       x           x
//   NO KEY UPDATE                   x           x           x
//   UPDATE                x         x           x           x
//
// An UPDATE takes NO KEY UPDATE, or UPDATE if it changes a key; a DELETE takes UPDATE.
#pragma once

#include <span>
#include <vector>

#include "engine/syntax/ast.h"
#include "engine/txn/heap_visibility.h"

namespace polarsim::engine::txn {

using syntax::LockStrength;

bool conflicts(LockStrength a, LockStrength b);
LockStrength strength_of(MemberStatus status);
MemberStatus status_for(LockStrength strength, bool updates);
// The mode of the tuple lock that who waits for a row with this strength takes first: conflicts as the strengths do.
LockMode tuple_lock_mode(LockStrength strength);

// Whether the holder is in the way of a lock of this strength: it is another transaction that still runs, or has
// updated the version and committed.
bool in_the_way(const TransactionManager& manager, const Transaction& transaction, const MultiXactMember& holder,
                LockStrength strength);
bool any_in_the_way(const TransactionManager& manager, const Transaction& transaction,
                    std::span<const MultiXactMember> holders, LockStrength strength);

// Whether a holder is to be kept when xmax is written anew: it runs, or has updated the version and committed.
bool still_counts(const TransactionManager& manager, const MultiXactMember& holder);
// Puts `xid` into the version's xmax, beside the holders that still count (compute_new_xmax_infomask). A lock that
// `xid` holds alone is made stronger, never weaker; in a multixact it has both. May make a multixact. The caller sets
// cmax and ctid.
void add_holder(TransactionManager& manager, TupleHeader& header, Xid xid, LockStrength strength, bool updates);
// Sets exactly these holders; one or none needs no multixact.
void set_holders(TransactionManager& manager, TupleHeader& header, std::vector<MultiXactMember> holders);
void clear_xmax(TupleHeader& header);
// The locks of other transactions on a version hold the version that replaces it, too; with them go the transaction's
// own, as in PostgreSQL, where they decide how the version looks to others later. Never by an old multixact:
// vacuum may have seen the place where the new version lies, and not the old one's, so it must not meet there what it
// takes for the oldest.
void carry_locks(TransactionManager& manager, const Transaction& transaction, const TupleHeader& from, TupleHeader& to);

}  // namespace polarsim::engine::txn
