// The checkers of transactions and of this system's own promises, and the list of all. Checkers of other objects and
// workloads: linearizability.h, session_guarantees.h, workload_checkers.h; by name: named_checkers.h.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "checkers/history.h"
#include "checkers/verdict.h"

namespace polarsim::checkers {

class Operations;  // compact_history.h: what long histories are read into

// The isolation level to hold: an exact one ("PL-2", "MAV", "BE-RC", "RA", "CC", "RR", "SI", "SER", ...; levels.h), or
// Elle's name of a consistency model: "read-uncommitted", "read-committed", "snapshot-isolation", "serializable",
// "strict-serializable" (= "strong-serializable"), ...
struct Level {
  std::string model = "read-committed";
  // Also decide each of the exact levels, into Verdict::levels.
  bool every_level = false;
};

// True if `model` names a level that list-append and rw-register can be asked to hold.
bool is_known_level(std::string_view model);
std::vector<std::string> known_levels();

// Both checkers of transactions below report, by Elle's names, the cycles G0, G1c, G-single-item, G-nonadjacent-item
// and G2-item (with "-process" or "-realtime" where such an edge is needed; at most one cycle per kind and component,
// and kinds that one found implies are left out), "<model>-cycle-exists" where only that is known, and G1a, G1b,
// internal, future-read, lost-update. Beyond Elle: thin-air-read (a value that nobody wrote) and internal-own-write (a
// transaction that misses its own write). Invalid iff an anomaly rules out the level; others are exposures. From
// read-committed upwards internal-own-write counts; where `internal` as a whole is forbidden, that name alone is
// reported. `not_models` and `also_not` come from everything found and are empty for a valid history. Unknown, with the
// reason: a level or an operation that is not understood, values that are not unique, or, as Elle has it, a history
// without a single dependency (its name, "empty-transaction-graph", is then among the anomalies). Never for want of
// time. Operations that never completed count as info. Predicates are not checked.

// Reads flagged `:final? true` assert that the system was at rest when they were invoked. They must show all of every
// acknowledged transaction that ended before, and all or nothing of one of unknown outcome; what they prove lost is
// forbidden at every level. Histories without such reads are judged as Elle judges them.

// Transactions of appends to and reads of lists. Also dirty-update, duplicate-elements, incompatible-order. By final
// reads: lost-append (an acknowledged append is missing), partial-commit (some appends of a transaction are there, and
// others are missing).
Verdict check_list_append(const History& history, const Level& level);
Verdict check_list_append(const Operations& operations, const Level& level);

// What the order of a register's versions may be inferred from, beyond nil coming first, by Elle's names. A source that
// contradicts those before it is left out, and reported as cyclic-versions.
struct RegisterOptions {
  // A transaction that reads a version and writes the key puts its own after it. True of every level from
  // read-uncommitted upwards.
  bool wfr_keys = true;
  // Each process sees each key go forward: true if every key by itself is sequentially consistent.
  bool sequential_keys = false;
  // What was acknowledged before a transaction was asked for comes before what it sees: true if every key by itself is
  // linearizable, as on one node with a lock or a latch per row.
  bool linearizable_keys = false;
};

// Transactions of writes to and reads of registers, initially nil, written values unique per key. The version order is
// what the options allow to infer; also cyclic-versions. Writes of
// transactions of unknown outcome take part in no cycle. By final reads: lost-write (nil, or the value of a transaction
// that had ended when another acknowledged one was asked to write the key; assumes that the system keeps the real-time
// order of the writes of a key), partial-commit (a transaction's write is the final value of one key, and that of
// another key, which nobody else wrote, is not).
Verdict check_rw_register(const History& history, const Level& level, const RegisterOptions& options = {});
Verdict check_rw_register(const Operations& operations, const Level& level, const RegisterOptions& options = {});

// What a statement may miss of a transaction that was acknowledged before the statement's own was asked for.
enum class ReadYourWrites : std::uint8_t {
  unless_pending,  // nothing but what is still prepared on the node that it reads: an acknowledgement that does not
                   // wait for a second phase that fails, as the closest relative has it
  always,          // nothing: acknowledgements wait until every node has committed
};
struct ClusterOptions {
  // The node that holds each key, beside what the history's :placement says (cluster_log.h); keys that nobody places
  // are on one further node.
  std::map<std::int64_t, std::string> node_of_key = {};
  ReadYourWrites read_your_writes = ReadYourWrites::unless_pending;
};
// What a cluster promises whose nodes are each PostgreSQL at Read Committed and whose transactions commit in two
// phases. Histories of lists in which every step is a statement of its own. Invalid by: what PL-2 forbids over the
// whole cluster, own writes missed included; "half-commit", "lost-commit", "resurrected-abort", "stuck-prepared" (the
// end of a transaction, by final reads and by what the history tells of the nodes); "node-read-committed": no order of
// the commits on one node lets each statement see what a prefix of it left (node_read_committed.h), or a statement has
// not seen what was committed before its snapshot; "unexcused-fractured-read", "read-your-writes", "stale-read"
// (cluster_statements.h). Exposures are "fractured-read", "pending-own-write", "pending-write". Which of these two
// kinds a read is depends on what was pending when; if the history does not tell that, the verdict is unknown. So it
// is, with the reason, if what the history tells of nodes is malformed, or a key moves. Appends that nobody read
// constrain nothing.
Verdict check_read_committed_cluster(const History& history, const ClusterOptions& options = {});

struct MeterOptions {
  std::int64_t total = 0;
  // Cases in which one snapshot shows all rows, by the field :case.
  std::set<std::string> whole_cases = {};
};
// Single statements that add up rows between which transactions move amounts (exposure.h). A sum that is not the total
// is the exposure "fractured-read" if a transaction was being committed while the statement's snapshots were taken, and
// else "unexcused-fractured-read"; so it is in a whole case, and in reads flagged `:final? true`. Unknown: the history
// has no sums, or does not tell a fractured read's snapshots.
Verdict check_anomaly_meter(const History& history, const MeterOptions& options);

struct BankOptions {
  std::int64_t accounts = 0;
  std::int64_t initial_balance = 0;  // per account
  bool negative_allowed = false;
};
// Transfers between accounts and reads of all of them. Every read must show each account once ("bank-missing-account",
// "bank-duplicate-account", "bank-unknown-account"; which accounts there are follows from a read that shows as many as
// `accounts` says). Reads flagged `:final? true` were made at rest and must show the exact total (anomaly "bank-total")
// and balances that some subset of the info transfers explains ("bank-lost-transfer"). Any other read whose total is
// wrong is the exposure "fractured-read" (permitted across nodes under Read Committed), but each of its balances must
// be the initial one plus some of the transfers invoked before the read completed, failed ones left out
// ("bank-phantom-balance"; among thousands of possible balances only the least and the greatest are held to). A
// negative balance where none is allowed: "bank-negative". If nothing is wrong, but the search for a subset ended at
// its fixed limit or there is no final read, the verdict is unknown and `reason` says what was not decided.
Verdict check_bank(const History& history, const BankOptions& options);

// The database's own end state, asked of every node when all is at rest: what is listed is still prepared on a node, or
// is a commit record that a last round of recovery has not removed. Anything listed is an anomaly.
struct PreparedResidue {
  std::string node;
  std::string gid;
};
Verdict check_prepared_residue(const std::vector<PreparedResidue>& residue);

struct CheckerInfo {
  std::string name;
  std::string summary;
};
// Every checker of this library, sorted by the name that `polarsim check --model` uses; scenario files know some of
// them.
std::vector<CheckerInfo> list_checkers();

}  // namespace polarsim::checkers
