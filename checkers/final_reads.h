// What the database holds in the end against what was acknowledged. Reads flagged `:final? true` assert that the system
// was at rest when they were invoked: nothing that ended before may still be on its way. So they must show what was
// acknowledged, and of every transaction that ended all or nothing. Without such reads nothing is found here.
//
// Only transactions that completed (ok or info) before a final read was invoked are held against it; those still open,
// as other systems' histories may have them, are not. A transaction that writes is no final read, whatever its flag.
#pragma once

#include "checkers/operations.h"
#include "checkers/register_index.h"

namespace polarsim::checkers {

// "lost-append": an append of an ok transaction is missing from a final read of its key. "partial-commit": a
// transaction has some appends in the last final reads of their keys, and others are missing from those of theirs.
void check_final_lists(const Operations& operations, Findings& findings);

// "lost-write": a final read shows nil though an ok transaction wrote the key, or the value of a transaction that was
// over before another ok one, which wrote the key too, was invoked. This takes for granted that the system keeps the
// real-time order of the writes of one key. "partial-commit": the last final read of one key shows a transaction's
// write, and that of another key, which no other transaction can have written, does not.
void check_final_registers(const Operations& operations, const RegisterIndex& index, Findings& findings);

}  // namespace polarsim::checkers
