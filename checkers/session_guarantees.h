// The four session guarantees, each by itself (Terry et al., "Session guarantees for weakly consistent replicated
// data", 1994), of transactions over lists (append, r) or registers (w, r). A session is a process; its order is that
// of its steps, those of one transaction included. What ended as info may be seen or not, what failed is no part of a
// session.
//
// Each guarantee asks for versions of keys to come before others:
//
//     monotonic-reads      what a session read, before what it read of that key later
//     read-your-writes     what it wrote, before whatever else it read of that key later
//     monotonic-writes     what it wrote, before what it wrote later, to any key. And if another session's transaction
//                          sees the later write, then the earlier one, before whatever else that transaction goes on
//                          to read of the earlier one's key
//     writes-follow-reads  the same of what it read, and what it wrote later; what it reads it must not write later
//
// A history keeps a guarantee iff some order of versions agrees with all of these and with what is known of the order:
// the empty list or nil is first; a list shows its versions; who reads a register and then writes it in one transaction
// puts its version after the one read. That is decided exactly, by components.
//
// Bailis et al. ("Highly available transactions", 2013) define the phenomena on whole transactions: of reads in one
// transaction they look at both orders, so that a snapshot per statement counts as a violation; here only what is read
// later counts. A read of a list sees all of its elements; a read of a register sees the one write that it shows.
#pragma once

#include <cstdint>
#include <string_view>

#include "checkers/history.h"
#include "checkers/verdict.h"

namespace polarsim::checkers {

enum class SessionGuarantee : std::uint8_t { monotonic_reads, read_your_writes, monotonic_writes, writes_follow_reads };
// "monotonic-reads", ...: also the names of consistency models.
const char* to_string(SessionGuarantee guarantee);

// Anomalies by the names of Bailis et al.: "N-MR" (non-monotonic reads), "MYR" (missing your writes), "N-MW"
// (non-monotonic writes), "MRWD" (missing read-write dependency). Unknown, with the reason: an operation that is no
// transaction, values that are not unique per key, or reads of a list that contradict each other.
Verdict check_session_guarantee(const History& history, SessionGuarantee guarantee);

}  // namespace polarsim::checkers
