#include "engine/legacy/txn/database.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/sql/error.h"
#include "sim/assert.h"

namespace polarsim::engine::legacy {

using storage::Lsn;

namespace {

constexpr std::size_t gid_bytes_max = 199;
constexpr const char* object_not_in_prerequisite_state = "55000";

}  // namespace

ActiveSnapshot::ActiveSnapshot(Database& database, const Transaction& transaction)
    : database_(database), snapshot_(database.make_snapshot(transaction)) {
  place_ = database_.snapshots_.insert(database_.snapshots_.end(), &snapshot_);
}

ActiveSnapshot::~ActiveSnapshot() {
  database_.snapshots_.erase(place_);
  database_.collect_garbage();
}

Database::Database(sim::Host& host, const NodeConfig& config, const storage::WalOptions& wal_options)
    : host_(host), config_(config), locks_(host, [this](Xid xid) { return find_by_xid(xid); }) {
  wal_ = storage::Wal::open(host, wal_options, [this](const storage::WalRecord& record) { replay(record); });
  restore_prepared();
}

Database::~Database() = default;

Transaction* Database::find_by_xid(Xid xid) const {
  const auto found = by_xid_.find(xid);
  return found == by_xid_.end() ? nullptr : found->second;
}

Transaction& Database::begin(std::uint32_t process_id) {
  auto transaction = std::make_unique<Transaction>();
  transaction->number = next_number_++;
  transaction->process_id = process_id;
  transaction->start_us = host_.realtime_us();
  Transaction& result = *transaction;
  transactions_.emplace(result.number, std::move(transaction));
  return result;
}

Xid Database::assign_xid(Transaction& transaction) {
  if (transaction.xid == 0) {
    transaction.xid = next_xid_++;
    commit_log_.set(transaction.xid, XidStatus::in_progress);
    by_xid_.emplace(transaction.xid, &transaction);
  }
  return transaction.xid;
}

Snapshot Database::make_snapshot(const Transaction& transaction) const {
  Snapshot snapshot;
  snapshot.xmax = next_xid_;
  snapshot.own = transaction.xid;
  snapshot.command = transaction.command;
  snapshot.in_progress.reserve(by_xid_.size());
  for (const auto& [xid, open] : by_xid_) snapshot.in_progress.push_back(xid);
  snapshot.xmin = snapshot.in_progress.empty() ? snapshot.xmax : snapshot.in_progress.front();
  return snapshot;
}

Lsn Database::append(RecordKind kind, const ByteWriter& payload) {
  return wal_->append(static_cast<std::uint8_t>(kind), payload.bytes());
}

// --- the end of a transaction ---

bool Database::commits_without_flush(const Transaction& transaction) const {
  if (!config_.planted.on(PlantedBug::two_pc_skip_commit_record_flush)) return false;
  return std::any_of(transaction.changes.begin(), transaction.changes.end(), [&](const Change& change) {
    const TableEntry* table = catalog_.find(change.table);
    return table != nullptr && table->definition.schema == "pg_catalog" &&
           table->definition.name == "pg_dist_transaction";
  });
}

void Database::commit(Transaction& transaction) {
  POLARSIM_ASSERT(transaction.state == TransactionState::active, "a transaction ends twice");
  const std::uint64_t number = transaction.number;
  if (transaction.changes.empty()) {
    complete(number, true);
    return;
  }
  try {
    visit_append_point();
  } catch (...) {
    abort(transaction);
    throw;
  }
  const auto time = static_cast<std::uint64_t>(host_.realtime_us());
  const Lsn lsn = append(RecordKind::commit, ByteWriter().number(transaction.xid).number(time));
  transaction.state = TransactionState::deciding;
  if (commits_without_flush(transaction)) {
    complete(number, true);
    return;
  }
  wal_->when_durable(lsn, [this, number] { complete(number, true); });
  wal_->flush(lsn);
}

void Database::abort(Transaction& transaction) {
  POLARSIM_ASSERT(transaction.state == TransactionState::active, "a transaction ends twice");
  if (!transaction.changes.empty() && host_.up()) append(RecordKind::abort, ByteWriter().number(transaction.xid));
  complete(transaction.number, false);
}

void Database::complete(std::uint64_t number, bool commit) {
  Transaction& transaction = *transactions_.at(number);
  if (transaction.xid != 0) {
    if (!commit) undo(transaction);
    commit_log_.set(transaction.xid, commit ? XidStatus::committed : XidStatus::aborted);
    by_xid_.erase(transaction.xid);
    if (commit) settle(transaction);
  }
  if (!transaction.gid.empty()) by_gid_.erase(transaction.gid);
  locks_.release_all(transaction);
  locks_.wake_end_waiters(transaction);
  forget(transaction);
}

void Database::forget(Transaction& transaction) { transactions_.erase(transaction.number); }

void Database::undo(Transaction& transaction) {
  for (auto change = transaction.changes.rbegin(); change != transaction.changes.rend(); ++change) {
    TableEntry* const table = catalog_.find(change->table);
    if (table == nullptr) continue;
    switch (change->kind) {
      case Change::Kind::row:
        table->heap.undo(change->row, transaction.xid);
        break;
      case Change::Kind::create_table:
        catalog_.erase(change->table);
        break;
      case Change::Kind::drop_table:
        table->dropped_by = 0;
        break;
    }
  }
}

void Database::settle(const Transaction& transaction) {
  const auto settled = [this](Xid xid) { return settled_for_all(xid); };
  std::vector<TableId> touched;
  for (const Change& change : transaction.changes) {
    TableEntry* const table = catalog_.find(change.table);
    if (table == nullptr) continue;
    if (std::find(touched.begin(), touched.end(), change.table) == touched.end()) {
      touched.push_back(change.table);
      catalog_.touch(table->definition);
    }
    if (change.kind == Change::Kind::drop_table) {
      catalog_.erase(change.table);
    } else if (change.kind == Change::Kind::row && !table->heap.prune(change.row, settled)) {
      garbage_.push_back({transaction.xid, change.table, change.row});
    }
  }
}

bool Database::settled_for_all(Xid xid) const {
  if (!commit_log_.committed(xid)) return false;
  return std::all_of(snapshots_.begin(), snapshots_.end(),
                     [&](const Snapshot* snapshot) { return snapshot->had_ended(xid); });
}

void Database::collect_garbage() {
  // A snapshot that does not see one commit sees none of the later ones: the first entry that must stay ends the work.
  while (!garbage_.empty() && settled_for_all(garbage_.front().xid)) {
    const Garbage entry = garbage_.front();
    garbage_.pop_front();
    if (TableEntry* const table = catalog_.find(entry.table)) {
      table->heap.prune(entry.row, [this](Xid xid) { return settled_for_all(xid); });
    }
  }
}

// --- two phases ---

void Database::prepare(Transaction& transaction, const std::string& gid) {
  POLARSIM_ASSERT(transaction.state == TransactionState::active, "a transaction ends twice");
  const std::uint64_t number = transaction.number;
  try {
    if (gid.size() > gid_bytes_max) {
      throw SqlError(sqlstate::invalid_parameter_value, fmt::format("transaction identifier \"{}\" is too long", gid));
    }
    visit_append_point();
    if (by_gid_.contains(gid)) {
      throw SqlError(sqlstate::duplicate_object, fmt::format("transaction identifier \"{}\" is already in use", gid));
    }
  } catch (...) {
    abort(transaction);
    throw;
  }
  assign_xid(transaction);
  transaction.gid = gid;
  transaction.prepared_us = host_.realtime_us();
  transaction.state = TransactionState::deciding;
  by_gid_.emplace(gid, &transaction);
  ByteWriter record;
  record.number(transaction.xid).text(gid).number(static_cast<std::uint64_t>(transaction.prepared_us));
  record.number(static_cast<std::uint32_t>(transaction.locks.size()));
  for (const HeldLock& lock : transaction.locks) {
    record.number(lock.tag.table).number(lock.tag.row).number(static_cast<std::uint8_t>(lock.strength));
  }
  const Lsn lsn = append(RecordKind::prepare, record);
  wal_->when_durable(lsn, [this, number] { complete_prepare(number); });
  wal_->flush(lsn);
}

void Database::complete_prepare(std::uint64_t number) {
  Transaction& transaction = *transactions_.at(number);
  transaction.state = TransactionState::prepared;
  commit_log_.set(transaction.xid, XidStatus::prepared);
  host_.reached("2pc/prepared");
  if (config_.planted.on(PlantedBug::locks_released_at_prepare)) release_locks_at_prepare(transaction);
}

void Database::release_locks_at_prepare(Transaction& transaction) {
  // Row locks only: a table must not go away under a statement that uses it, whatever is planted.
  std::vector<HeldLock> tables;
  for (const HeldLock& lock : transaction.locks) {
    if (lock.tag.row == 0) tables.push_back(lock);
  }
  locks_.release_all(transaction);
  for (const HeldLock& lock : tables) locks_.restore(transaction, lock);
}

void Database::finish_prepared(const std::string& gid, bool commit) {
  visit_append_point();
  const auto found = by_gid_.find(gid);
  const bool known = found != by_gid_.end();
  const bool by_another = known && found->second->state == TransactionState::deciding;
  if (by_another && commit_log_.status(found->second->xid) == XidStatus::prepared) {
    throw SqlError(object_not_in_prerequisite_state,
                   fmt::format("prepared transaction with identifier \"{}\" is busy", gid));
  }
  if (!known || by_another) {
    throw SqlError(sqlstate::undefined_object,
                   fmt::format("prepared transaction with identifier \"{}\" does not exist", gid));
  }
  Transaction& transaction = *found->second;
  const std::uint64_t number = transaction.number;
  transaction.state = TransactionState::deciding;
  const RecordKind kind = commit ? RecordKind::commit_prepared : RecordKind::rollback_prepared;
  const Lsn lsn = append(kind, ByteWriter().number(transaction.xid).text(gid));
  wal_->when_durable(lsn, [this, number, commit] { complete(number, commit); });
  wal_->flush(lsn);
}

std::vector<PreparedInfo> Database::prepared() const {
  std::vector<PreparedInfo> result;
  for (const auto& [gid, transaction] : by_gid_) {
    // Not yet durable: nobody may know of it.
    if (commit_log_.status(transaction->xid) != XidStatus::prepared) continue;
    result.push_back({transaction->xid, gid, transaction->prepared_us});
  }
  return result;
}

}  // namespace polarsim::engine::legacy
