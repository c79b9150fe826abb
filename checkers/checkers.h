// Every checker of this library, by the name that scenario files and `polarsim check --model` use.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "checkers/history.h"
#include "checkers/verdict.h"

namespace polarsim::checkers {

// The isolation level to hold, by Elle's name of the consistency model: "read-uncommitted", "read-committed",
// "snapshot-isolation", "serializable", "strict-serializable" (= "strong-serializable"), ...
struct Level {
  std::string model = "read-committed";
};

// True if `model` names a level that list-append and rw-register can be asked to hold.
bool is_known_level(std::string_view model);
std::vector<std::string> known_levels();

// Transactions of appends to and reads of lists. Anomalies: G0, G1a, G1b, G1c, G-single, G-nonadjacent, G2-item (with -process and
// -realtime variants where implemented), internal, lost-update, dirty-update, duplicate-elements, incompatible-order. Invalid iff an anomaly rules out
// the level; others are exposures. At read-committed the own-write part of `internal` (name: "internal-own-write") counts, the
// non-repeatable-read part does not.
Verdict check_list_append(const History& history, const Level& level);

// Transactions of writes to and reads of registers, written values unique per key; version order from reads that precede writes in a transaction.
Verdict check_rw_register(const History& history, const Level& level);

struct BankOptions {
  std::int64_t accounts = 0;
  std::int64_t initial_balance = 0;  // per account
  bool negative_allowed = false;
};
// Transfers between accounts and reads of all of them. Reads flagged `:final? true` were made at quiescence and must show the
// exact total (anomaly "bank-total") and balances that some subset of the info transfers explains ("bank-lost-transfer"). Any other read whose
// total is wrong is the exposure "fractured-read" (permitted across nodes under Read Committed). A negative balance where none is allowed: "bank-negative".
Verdict check_bank(const History& history, const BankOptions& options);

// The database's own end state after the liveness phase: nothing may remain prepared, and no commit record may refer to
// a prepared transaction that still exists.
struct PreparedResidue {
  std::string node;
  std::string gid;
};
Verdict check_prepared_residue(const std::vector<PreparedResidue>& residue);

struct CheckerInfo {
  std::string name;
  std::string summary;
};
std::vector<CheckerInfo> list_checkers();

}  // namespace polarsim::checkers
