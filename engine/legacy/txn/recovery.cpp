// Redo: the WAL, applied in order, leaves the database as it was.
//
// Record by record the same functions run as when the change was made. A transaction that had not ended when the log
// was opened again was aborted by that, so the record of an opening ends all that are neither decided nor prepared.
#include <utility>
#include <vector>

#include "engine/legacy/txn/database.h"
#include "sim/assert.h"

namespace polarsim::engine::legacy {


Transaction& Database::replayed_transaction(Xid xid) {
  if (Transaction* const found = find_by_xid(xid)) return *found;
  Transaction& transaction = begin(0);
  transaction.xid = xid;
  next_xid_ = std::max(next_xid_, xid + 1);
  commit_log_.set(xid, XidStatus::in_progress);
  by_xid_.emplace(xid, &transaction);
  return transaction;
}

void Database::replay(const storage::WalRecord& record) {
  if (record.kind == storage::wal_epoch_kind) {
    replay_opening();
    return;
  }
  ByteReader reader(record.payload);
  const auto xid = reader.number<std::uint64_t>();
  const auto kind = static_cast<RecordKind>(record.kind);
  switch (kind) {
    case RecordKind::insert_row:
    case RecordKind::update_row:
    case RecordKind::delete_row:
      replay_row(kind, xid, reader);
      break;
    case RecordKind::create_table: {
      const auto id = reader.number<TableId>();
      TableDefinition definition;
      host_.scheduler().on_scheduler_stack([&] { definition = decode_table_definition(reader); });
      replayed_transaction(xid).changes.push_back({Change::Kind::create_table, id, 0});
      catalog_.create(id, std::move(definition), xid);
      break;
    }
    case RecordKind::drop_table: {
      const auto id = reader.number<TableId>();
      replayed_transaction(xid).changes.push_back({Change::Kind::drop_table, id, 0});
      catalog_.find(id)->dropped_by = xid;
      break;
    }
    case RecordKind::commit:
    case RecordKind::commit_prepared:
      replay_end(replayed_transaction(xid), true);
      break;
    case RecordKind::abort:
    case RecordKind::rollback_prepared:
      replay_end(replayed_transaction(xid), false);
      break;
    case RecordKind::prepare:
      replay_prepare(replayed_transaction(xid), reader);
      break;
    default:
      throw SqlError(sqlstate::internal_error, "WAL record is of an unknown kind");
  }
}

void Database::replay_row(RecordKind kind, Xid xid, ByteReader& reader) {
  const auto table_id = reader.number<TableId>();
  const auto row_id = reader.number<std::uint64_t>();
  TableEntry* const table = catalog_.find(table_id);
  if (table == nullptr) throw SqlError(sqlstate::internal_error, "WAL record changes a table that does not exist");
  replayed_transaction(xid).changes.push_back({Change::Kind::row, table_id, row_id});
  if (kind == RecordKind::insert_row) {
    table->heap.insert(row_id, xid, 0, std::make_shared<const Row>(reader.row()));
    return;
  }
  RowChain* const chain = table->heap.find(row_id);
  if (chain == nullptr) throw SqlError(sqlstate::internal_error, "WAL record changes a row that does not exist");
  if (kind == RecordKind::update_row) {
    table->heap.update(*chain, xid, 0, std::make_shared<const Row>(reader.row()));
  } else {
    table->heap.mark_deleted(*chain, xid, 0);
  }
}

void Database::replay_prepare(Transaction& transaction, ByteReader& reader) {
  transaction.gid = reader.text();
  transaction.prepared_us = static_cast<std::int64_t>(reader.number<std::uint64_t>());
  const auto count = reader.number<std::uint32_t>();
  for (std::uint32_t i = 0; i < count; ++i) {
    HeldLock lock;
    lock.tag.table = reader.number<TableId>();
    lock.tag.row = reader.number<std::uint64_t>();
    lock.strength = static_cast<sql::LockStrength>(reader.number<std::uint8_t>());
    // Only remembered: restore_prepared() takes the locks of those that are still prepared at the end of the log.
    transaction.locks.push_back(lock);
  }
  transaction.state = TransactionState::prepared;
  commit_log_.set(transaction.xid, XidStatus::prepared);
  by_gid_[transaction.gid] = &transaction;
}

void Database::replay_end(Transaction& transaction, bool commit) {
  transaction.locks.clear();
  complete(transaction.number, commit);
}

void Database::replay_opening() {
  const bool forget_prepared = config_.planted.on(PlantedBug::prepared_lost_on_restart);
  std::vector<Transaction*> undecided;
  for (const auto& [xid, transaction] : by_xid_) {
    if (transaction->state == TransactionState::active || forget_prepared) undecided.push_back(transaction);
  }
  for (Transaction* transaction : undecided) replay_end(*transaction, false);
  if (!undecided.empty()) host_.reached("recovery/undone");
}

void Database::restore_prepared() {
  const bool locks_were_released = config_.planted.on(PlantedBug::locks_released_at_prepare);
  for (const auto& [gid, transaction] : by_gid_) {
    const std::vector<HeldLock> held = std::exchange(transaction->locks, {});
    for (const HeldLock& lock : held) {
      if (!locks_were_released || lock.tag.row == 0) locks_.restore(*transaction, lock);
    }
    host_.reached("recovery/prepared-restored");
  }
}

}  // namespace polarsim::engine::legacy
