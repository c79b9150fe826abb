// A transaction of one node and its savepoints.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/txn/backend.h"
#include "engine/txn/snapshot.h"

namespace polarsim::engine::txn {

enum class IsolationLevel : std::uint8_t {
  read_committed,   // a snapshot per statement
  repeatable_read,  // one snapshot, taken by the first statement; 40001 when it meets a newer change
};

enum class TransactionState : std::uint8_t {
  active,
  deciding,  // its commit, prepare or rollback-prepared record is written but not yet durable
  prepared,
};

// How many row versions of a table were made and ended: for autovacuum.
struct RowCounts {
  RelationId relation = 0;
  std::uint64_t inserted = 0, updated = 0, deleted = 0;
};

// The transaction itself (the first of its levels), or what was done since a savepoint that has not been released.
struct TransactionLevel {
  std::string savepoint;           // empty for the transaction itself
  Xid xid = storage::invalid_xid;  // given when the level first writes or locks a row
  LockOwner locks;
  std::vector<RelationId> created;  // files to remove if it aborts
  std::vector<RelationId> dropped;  // files to remove when the transaction commits
  // Subtransactions of it that were released: they commit and abort with it.
  std::vector<Xid> released;
  std::vector<RowCounts> rows;  // one entry a relation

  RowCounts& rows_of(RelationId relation) {
    const auto found = std::find_if(rows.rbegin(), rows.rend(),
                                    [relation](const RowCounts& counts) { return counts.relation == relation; });
    return found != rows.rend() ? *found : rows.emplace_back(RowCounts{relation, 0, 0, 0});
  }
};

struct Transaction;
// What is to be looked at before a transaction commits or is prepared: constraints that are checked at its end. May
// block and throw SqlError.
class CommitCheck {
 public:
  virtual ~CommitCheck() = default;
  virtual void run(Transaction& transaction) = 0;
};

struct Transaction {
  std::uint64_t number = 0;    // unlike the xid, every transaction has one; never reused within a boot
  Backend* backend = nullptr;  // of its session; of its own once it is prepared
  IsolationLevel isolation = IsolationLevel::read_committed;
  TransactionState state = TransactionState::active;
  CommandId command = 0;
  // While a statement is run here in parts that must not see each other's changes: what they see, by one command.
  std::shared_ptr<const Snapshot> statement_snapshot;
  CommandId last_command = 0;  // the highest there has been: keys that a part has checked needed more than one
  std::int64_t start_us = 0;
  std::vector<TransactionLevel> levels;  // never empty
  std::optional<Snapshot> snapshot;      // of repeatable read, once taken
  std::shared_ptr<CommitCheck> commit_check;
  bool wrote = false;  // something its commit has to make durable
  // It changed pg_dist_transaction: its commit decides about a transaction on other nodes. For PlantedBug only.
  bool decides_distributed = false;

  std::string gid;  // of a prepared transaction
  std::int64_t prepared_us = 0;

  Xid top_xid() const { return levels.front().xid; }
  TransactionLevel& level() { return levels.back(); }
};

}  // namespace polarsim::engine::txn
