// Redo of the transactions' records, and their part in checkpoints.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/storage/bytes.h"
#include "engine/txn/transaction_manager.h"
#include "engine/txn/transaction_state.h"
#include "engine/types/error.h"
#include "sim/assert.h"

namespace polarsim::engine::txn {

using storage::ByteReader;
using storage::CheckpointData;
using storage::DecodedRecord;
using storage::RecordKind;
using storage::RedoContext;

void TransactionManager::load(const CheckpointData& checkpoint) {
  Implementation& impl = *impl_;
  impl.next = impl.reserved = checkpoint.next_xid;
  impl.oldest_xid = checkpoint.oldest_xid;
  impl.next_relation = impl.reserved_relation = std::max(first_relation, checkpoint.next_relation);
  const auto ended = [&impl](Xid xid) {
    return impl.commit_log.outcome(xid) != CommitLog::Outcome::undecided || storage::xid_precedes(xid, impl.oldest_xid);
  };
  for (const Xid xid : impl.commit_log.load()) {
    if (!ended(xid)) impl.prepared_at_checkpoint.insert(xid);
  }
  impl.multixacts.load();
  for (PreparedState& state : impl.two_phase_files.load()) {
    // The end of a transaction is in the commit log before its file goes.
    if (ended(state.xid)) {
      impl.host.reached("recovery/stale-prepared-file");
      continue;
    }
    const Xid xid = state.xid;
    impl.recovered.emplace(xid, std::move(state));
  }
}

void TransactionManager::register_redo(storage::RedoTable& table) {
  Implementation* const impl = impl_.get();
  for (const RecordKind kind :
       {RecordKind::commit, RecordKind::abort, RecordKind::commit_prepared, RecordKind::rollback_prepared}) {
    const bool commit = kind == RecordKind::commit || kind == RecordKind::commit_prepared;
    table.add(kind, [impl, commit](RedoContext& context, const DecodedRecord& record) {
      impl->redo_end(context, decode_end(record.data), commit);
    });
  }
  table.add(RecordKind::prepare, [impl](RedoContext&, const DecodedRecord& record) {
    PreparedState state = decode_prepared(record.data);
    const Xid xid = state.xid;
    impl->recovered.insert_or_assign(xid, std::move(state));
  });
  table.add(RecordKind::multixact_create,
            [impl](RedoContext&, const DecodedRecord& record) { impl->multixacts.redo_create(record.data); });
  table.add(RecordKind::multixact_truncate,
            [impl](RedoContext&, const DecodedRecord& record) { impl->multixacts.redo_truncate(record.data); });
  table.add(RecordKind::commit_log_truncate, [impl](RedoContext&, const DecodedRecord& record) {
    const auto oldest = ByteReader(record.data).number<Xid>();
    if (storage::xid_precedes(impl->oldest_xid, oldest)) impl->oldest_xid = oldest;
  });
  table.add(RecordKind::next_xid, [impl](RedoContext&, const DecodedRecord& record) {
    impl->next = impl->reserved = std::max(impl->next, ByteReader(record.data).number<FullXid>());
  });
  table.add(RecordKind::next_relation_id, [impl](RedoContext&, const DecodedRecord& record) {
    impl->next_relation = impl->reserved_relation =
        std::max(impl->next_relation, ByteReader(record.data).number<RelationId>());
  });
}

void TransactionManager::Implementation::redo_end(RedoContext& context, const EndRecord& record, bool commit) {
  const CommitLog::Outcome outcome = commit ? CommitLog::Outcome::committed : CommitLog::Outcome::aborted;
  commit_log.set(record.xid, outcome);
  for (const Xid xid : record.subtransactions) commit_log.set(xid, outcome);
  recovered.erase(record.xid);
  prepared_at_checkpoint.erase(record.xid);
  for (const RelationId relation : record.remove) context.remove_relation(relation);
}

void TransactionManager::end_recovery() {
  for (const Xid xid : std::exchange(impl_->prepared_at_checkpoint, {})) {
    if (impl_->recovered.contains(xid)) continue;
    throw SqlError(sqlstate::data_corrupted, fmt::format("file \"{}\" is missing", two_phase_path(xid)),
                   "It held the state of a prepared transaction, which cannot be recovered without it.",
                   "Restore this node from a backup or a replica.");
  }
  impl_->commit_log.trim(impl_->oldest_xid, impl_->next_xid());
  const bool forget = impl_->config.planted.on(PlantedBug::prepared_lost_on_restart);
  for (const auto& [xid, state] : std::exchange(impl_->recovered, {})) {
    if (!forget) impl_->restore(state);
  }
}

void TransactionManager::Implementation::restore(const PreparedState& state) {
  auto transaction = std::make_unique<OpenTransaction>();
  transaction->number = next_number++;
  transaction->own_backend = std::make_unique<Backend>(host, 0);
  transaction->backend = transaction->own_backend.get();
  transaction->state = TransactionState::prepared;
  transaction->is_prepared = true;
  transaction->start_us = transaction->prepared_us = state.prepared_us;
  transaction->wrote = true;
  transaction->gid = state.gid;
  TransactionLevel& level = transaction->levels.emplace_back();
  level.xid = state.xid;
  level.released = state.subtransactions;
  level.created = state.created;
  level.dropped = state.dropped;
  // Of which it is a member nobody has kept.
  transaction->first_multixact = multixacts.oldest();
  const std::vector<Xid> xids = xids_of(*transaction);
  for (const Xid xid : xids) {
    running.add(xid, *transaction);
    locks.restore(*transaction->backend, level.locks, LockTag::of_transaction(xid), LockMode::exclusive);
    if (config.planted.on(PlantedBug::locks_released_at_prepare)) without_row_locks.insert(xid);
  }
  for (const LockOwner::Held& held : state.locks) {
    for (std::uint32_t i = 0; i < held.times; ++i) {
      locks.restore(*transaction->backend, level.locks, held.tag, held.mode);
    }
  }
  by_gid.emplace(state.gid, transaction.get());
  open.emplace(transaction->number, std::move(transaction));
  host.reached("recovery/prepared-restored");
}

// --- checkpoints ---

storage::Checkpointer::Keeper TransactionManager::keeper() {
  Implementation* const impl = impl_.get();
  storage::Checkpointer::Keeper keeper;
  keeper.note = [impl](CheckpointData& checkpoint) {
    // What is reserved counts as given out: the records that say so may precede the redo point.
    checkpoint.next_xid = impl->reserved;
    checkpoint.next_relation = impl->reserved_relation;
    checkpoint.next_multixact = impl->multixacts.next();
    checkpoint.oldest_xid = impl->oldest_xid;
    checkpoint.oldest_multixact = impl->multixacts.oldest();
  };
  keeper.flush = [impl](const CheckpointData&) { impl->flush(); };
  keeper.finished = [impl](const CheckpointData&) { impl->finished(); };
  return keeper;
}

void TransactionManager::Implementation::flush() {
  // What may be forgotten is noted first, so that the records that allow it are durable before it is.
  const Xid oldest = oldest_xid;
  const MultiXactId oldest_multixact = multixacts.oldest();
  // All records that precede the redo point are durable afterwards, and what they decide is decided.
  log->wal().flush(log->wal().end());
  const std::vector<Xid> prepared = save_prepared();
  host.fault_point("checkpoint/prepared-written");
  commit_log.write(oldest, next_xid(), prepared);
  host.fault_point("checkpoint/commit-log-written");
  multixacts.write(oldest_multixact);
  host.fault_point("checkpoint/multixacts-written");
}

std::vector<Xid> TransactionManager::Implementation::save_prepared() {
  if (config.planted.on(PlantedBug::checkpoint_drops_prepared)) return {};
  std::vector<Xid> prepared;
  std::vector<PreparedState> states;
  for (const auto& [gid, transaction] : by_gid) {
    if (!transaction->is_prepared) continue;
    prepared.push_back(transaction->top_xid());
    if (!two_phase_files.saved(prepared.back())) states.push_back(prepared_state_of(*transaction));
  }
  two_phase_files.save(states);
  return prepared;
}

void TransactionManager::Implementation::finished() {
  two_phase_files.remove_unless([this](Xid xid) {
    const OpenTransaction* const owner = running.owner(xid);
    return owner != nullptr && owner->is_prepared;
  });
}

}  // namespace polarsim::engine::txn
