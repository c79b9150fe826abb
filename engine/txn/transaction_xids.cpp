// Identifiers of transactions, their status, snapshots, savepoints.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/storage/bytes.h"
#include "engine/txn/transaction_manager.h"
#include "engine/txn/transaction_state.h"
#include "engine/types/error.h"
#include "sim/assert.h"

namespace polarsim::engine::txn {

using storage::ByteWriter;
using storage::multixact_precedes;
using storage::RecordKind;

namespace {

constexpr int xid_batch = 256;
constexpr RelationId relation_batch = 32;
// PostgreSQL's SetTransactionIdLimit: no new identifier once fewer than this are left before old ones look new.
constexpr std::uint32_t xids_in_reserve = 3'000'000;
constexpr std::uint32_t xid_distance_max = (1U << 31) - xids_in_reserve;

OpenTransaction& opened(Transaction& transaction) { return static_cast<OpenTransaction&>(transaction); }

// Of the innermost savepoint of that name. Throws 3B001.
std::size_t level_of(const Transaction& transaction, const std::string& name) {
  for (std::size_t i = transaction.levels.size(); i-- > 1;) {
    if (transaction.levels[i].savepoint == name) return i;
  }
  throw SqlError(sqlstate::invalid_savepoint_specification, fmt::format("savepoint \"{}\" does not exist", name));
}

template <typename T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

// --- identifiers ---

Xid TransactionManager::Implementation::new_xid() {
  const Xid xid = next_xid();
  if (xid - oldest_xid >= xid_distance_max) {
    throw SqlError(
        sqlstate::program_limit_exceeded,
        "database is not accepting commands to avoid wraparound data loss in database \"postgres\"", "",
        "Stop the postmaster and vacuum that database in single-user mode.\nYou might also need to commit or roll back "
        "old prepared transactions, or drop stale replication slots.");
  }
  if (next >= reserved) {
    POLARSIM_ASSERT(log != nullptr, "an identifier before there is a log");
    for (int i = 0; i < xid_batch; ++i) reserved = storage::next_full_xid(reserved);
    log->append(RecordKind::next_xid, ByteWriter().number(reserved).bytes());
  }
  next = storage::next_full_xid(next);
  return xid;
}

Xid TransactionManager::assign_xid(Transaction& transaction) {
  POLARSIM_ASSERT(transaction.state == TransactionState::active, "an identifier for a transaction that has ended");
  for (TransactionLevel& level : transaction.levels) {
    if (level.xid != storage::invalid_xid) continue;
    level.xid = impl_->new_xid();
    if (&level == &transaction.levels.front()) opened(transaction).first_multixact = impl_->multixacts.next();
    impl_->running.add(level.xid, opened(transaction));
    if (impl_->observer != nullptr && &level == &transaction.levels.front()) {
      impl_->observer->identified(level.xid, transaction.backend->process_id());
    }
    const LockResult locked = impl_->locks.acquire(*transaction.backend, level.locks,
                                                   LockTag::of_transaction(level.xid), LockMode::exclusive, false);
    POLARSIM_ASSERT(locked == LockResult::granted, "somebody has the lock of a new identifier");
  }
  return transaction.level().xid;
}

FullXid TransactionManager::next_xid() const { return impl_->next; }
Xid TransactionManager::oldest_xid() const { return impl_->oldest_xid; }

RelationId TransactionManager::new_relation_id() {
  if (impl_->next_relation >= impl_->reserved_relation) {
    POLARSIM_ASSERT(impl_->log != nullptr, "a relation before there is a log");
    impl_->reserved_relation = impl_->next_relation + relation_batch;
    impl_->log->append(RecordKind::next_relation_id, ByteWriter().number(impl_->reserved_relation).bytes());
  }
  return impl_->next_relation++;
}

void TransactionManager::advance_oldest(Xid oldest_xid, MultiXactId oldest_multixact) {
  const Xid limit = impl_->horizon();
  if (storage::xid_precedes(limit, oldest_xid)) oldest_xid = limit;
  const MultiXactId multixact_limit = impl_->multixact_horizon();
  if (multixact_precedes(multixact_limit, oldest_multixact)) oldest_multixact = multixact_limit;
  if (storage::xid_precedes(impl_->oldest_xid, oldest_xid)) {
    impl_->log->append(RecordKind::commit_log_truncate, ByteWriter().number(oldest_xid).bytes());
    impl_->oldest_xid = oldest_xid;
  }
  impl_->multixacts.advance_oldest(oldest_multixact);
}

// --- status ---

XidStatus TransactionManager::Implementation::status(Xid xid) const {
  if (!storage::is_normal(xid)) return xid == storage::invalid_xid ? XidStatus::aborted : XidStatus::committed;
  switch (commit_log.outcome(xid)) {
    case CommitLog::Outcome::committed:
      return XidStatus::committed;
    case CommitLog::Outcome::aborted:
      return XidStatus::aborted;
    case CommitLog::Outcome::undecided:
      break;
  }
  if (running.owner(xid) != nullptr) return XidStatus::in_progress;
  if (storage::xid_precedes(xid, oldest_xid)) {
    throw SqlError(sqlstate::data_corrupted, fmt::format("could not access status of transaction {}", xid),
                   fmt::format("The commit log goes back to transaction {}.", oldest_xid));
  }
  return XidStatus::aborted;  // cut off by a crash
}

XidStatus TransactionManager::status(Xid xid) const { return impl_->status(xid); }

bool TransactionManager::is_own(const Transaction& transaction, Xid xid) const {
  // A subtransaction that was rolled back does not run any more.
  return transaction.top_xid() != storage::invalid_xid && impl_->running.owner(xid) == &transaction;
}

Xid TransactionManager::top_of(Xid xid) const {
  const OpenTransaction* const owner = impl_->running.owner(xid);
  return owner == nullptr ? xid : owner->top_xid();
}

void TransactionManager::wait_for_end(Backend& backend, Xid xid) {
  impl_->locks.wait_for_end(backend, xid);
  // To which of the savepoints around it a released one belongs is not known to those who wait, as in PostgreSQL
  // (XactLockTableWait).
  while (in_progress(xid)) impl_->locks.wait_for_end(backend, top_of(xid));
}

bool TransactionManager::is_prepared(Xid xid) const {
  const OpenTransaction* const owner = impl_->running.owner(xid);
  return owner != nullptr && owner->is_prepared;
}

bool TransactionManager::row_locks_count(Xid xid) const {
  return impl_->without_row_locks.empty() || !impl_->without_row_locks.contains(xid);
}

bool TransactionManager::settled_for_all(Xid xid) const {
  if (!storage::is_normal(xid)) return xid != storage::invalid_xid;
  return committed(xid) && !impl_->snapshots.any_in_progress_then(xid);
}

Xid TransactionManager::Implementation::horizon() const { return snapshots.oldest_xmin(running.oldest(next_xid())); }
Xid TransactionManager::horizon() const { return impl_->horizon(); }

MultiXactId TransactionManager::Implementation::multixact_horizon() const {
  MultiXactId oldest = multixacts.next();
  for (const auto& [number, transaction] : open) {
    if (transaction->top_xid() != storage::invalid_xid && multixact_precedes(transaction->first_multixact, oldest))
      oldest = transaction->first_multixact;
  }
  return oldest;
}
MultiXactId TransactionManager::multixact_horizon() const { return impl_->multixact_horizon(); }

// --- snapshots ---

Snapshot TransactionManager::Implementation::take_snapshot() const {
  Snapshot snapshot;
  snapshot.xmax = next_xid();
  snapshot.xmin = running.oldest(snapshot.xmax);
  snapshot.in_progress = running.values();
  return snapshot;
}

Snapshot TransactionManager::Implementation::take_snapshot_for(const Transaction& transaction) const {
  if (observer != nullptr) observer->snapshot_taken(transaction.backend->process_id());
  return take_snapshot();
}

ActiveSnapshot::ActiveSnapshot(TransactionManager& manager, Transaction& transaction) : manager_(manager) {
  TransactionManager::Implementation& impl = *manager.impl_;
  if (transaction.isolation == IsolationLevel::read_committed) {
    snapshot_ = impl.take_snapshot_for(transaction);
  } else {
    if (!transaction.snapshot) {
      transaction.snapshot = impl.take_snapshot_for(transaction);
      opened(transaction).snapshot_place = impl.snapshots.add(*transaction.snapshot);
    }
    snapshot_ = *transaction.snapshot;
  }
  snapshot_.command = transaction.command;
  place_ = impl.snapshots.add(snapshot_);
}

ActiveSnapshot::ActiveSnapshot(TransactionManager& manager, Transaction& transaction, Latest /*latest*/)
    : manager_(manager), snapshot_(manager.impl_->take_snapshot()) {
  snapshot_.command = transaction.command;
  place_ = manager.impl_->snapshots.add(snapshot_);
}

ActiveSnapshot::~ActiveSnapshot() { manager_.impl_->snapshots.remove(place_); }

// --- savepoints ---

void fold_levels(Transaction& transaction, std::size_t first) {
  TransactionLevel& parent = transaction.levels[first - 1];
  for (std::size_t i = first; i < transaction.levels.size(); ++i) {
    TransactionLevel& child = transaction.levels[i];
    if (child.xid != storage::invalid_xid) parent.released.push_back(child.xid);
    append(parent.released, child.released);
    append(parent.created, child.created);
    append(parent.dropped, child.dropped);
    for (const RowCounts& counts : child.rows) {
      RowCounts& sum = parent.rows_of(counts.relation);
      sum.inserted += counts.inserted;
      sum.updated += counts.updated;
      sum.deleted += counts.deleted;
    }
    LockManager::merge(child.locks, parent.locks);
  }
  transaction.levels.erase(transaction.levels.begin() + static_cast<std::ptrdiff_t>(first), transaction.levels.end());
}

void TransactionManager::savepoint(Transaction& transaction, const std::string& name) {
  transaction.levels.emplace_back().savepoint = name;
}

void TransactionManager::release(Transaction& transaction, const std::string& name) {
  const std::size_t first = level_of(transaction, name);
  // From now on nobody can wait for these by themselves.
  for (std::size_t i = first; i < transaction.levels.size(); ++i) {
    TransactionLevel& level = transaction.levels[i];
    if (level.xid != storage::invalid_xid)
      impl_->locks.release(*transaction.backend, level.locks, LockTag::of_transaction(level.xid), LockMode::exclusive);
  }
  fold_levels(transaction, first);
}

void TransactionManager::rollback_to(Transaction& transaction, const std::string& name) {
  const std::size_t first = level_of(transaction, name);
  const std::vector<Xid> xids = xids_of(transaction, first);
  EndRecord record;
  storage::Lsn lsn = 0;
  for (std::size_t i = first; i < transaction.levels.size(); ++i) append(record.remove, transaction.levels[i].created);
  if (!record.remove.empty()) {
    record.xid = xids.front();
    record.subtransactions.assign(xids.begin() + 1, xids.end());
    record.time_us = impl_->host.realtime_us();
    lsn = impl_->log->append(RecordKind::abort, encode(record));
  }
  for (const Xid xid : xids) {
    impl_->commit_log.set(xid, CommitLog::Outcome::aborted);
    if (!impl_->without_row_locks.empty()) impl_->without_row_locks.erase(xid);
  }
  impl_->running.remove(xids);
  for (const RollbackListener& listener : impl_->rollback_listeners) listener(transaction, first);
  while (transaction.levels.size() > first) {
    impl_->locks.release_all(*transaction.backend, transaction.levels.back().locks);
    transaction.levels.pop_back();
  }
  if (impl_->config.planted.on(PlantedBug::savepoint_rollback_releases_locks_early)) {
    for (const Xid xid : xids_of(transaction)) impl_->without_row_locks.insert(xid);
  }
  transaction.levels.emplace_back().savepoint = name;
  impl_->join(impl_->remove_files_beside(record.remove, lsn));
}

}  // namespace polarsim::engine::txn
