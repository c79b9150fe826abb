// The life of a transaction: begin, commit, abort, two phases.
#include "engine/txn/transaction_manager.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/txn/transaction_state.h"
#include "engine/types/error.h"
#include "sim/assert.h"

namespace polarsim::engine::txn {

using storage::Lsn;
using storage::RecordKind;

namespace {

constexpr std::size_t gid_bytes_max = 199;

OpenTransaction& opened(Transaction& transaction) { return static_cast<OpenTransaction&>(transaction); }

std::vector<RelationId> relations_of(const Transaction& transaction, std::vector<RelationId> TransactionLevel::*which) {
  std::vector<RelationId> relations;
  for (const TransactionLevel& level : transaction.levels) {
    relations.insert(relations.end(), (level.*which).begin(), (level.*which).end());
  }
  return relations;
}

EndRecord end_record(const sim::Host& host, const Transaction& transaction, bool commit) {
  EndRecord record;
  record.xid = transaction.top_xid();
  record.time_us = host.realtime_us();
  record.subtransactions = xids_of(transaction);
  if (!record.subtransactions.empty()) record.subtransactions.erase(record.subtransactions.begin());
  record.remove = relations_of(transaction, commit ? &TransactionLevel::dropped : &TransactionLevel::created);
  record.gid = transaction.gid;
  return record;
}

// PostgreSQL's rule: the lock could not be told to go to the prepared transaction and to stay with the session.
void check_no_lock_of_both(const Transaction& transaction) {
  const std::vector<LockOwner::Held>& of_session = transaction.backend->session_locks.locks;
  for (const TransactionLevel& level : transaction.levels) {
    for (const LockOwner::Held& held : level.locks.locks) {
      if (std::none_of(of_session.begin(), of_session.end(),
                       [&](const LockOwner::Held& other) { return other.tag == held.tag; })) {
        continue;
      }
      throw SqlError(sqlstate::feature_not_supported,
                     "cannot PREPARE while holding both session-level and transaction-level locks on the same object");
    }
  }
}

}  // namespace

std::vector<Xid> xids_of(const Transaction& transaction, std::size_t first) {
  std::vector<Xid> xids;
  for (std::size_t i = first; i < transaction.levels.size(); ++i) {
    const TransactionLevel& level = transaction.levels[i];
    if (level.xid != storage::invalid_xid) xids.push_back(level.xid);
    xids.insert(xids.end(), level.released.begin(), level.released.end());
  }
  return xids;
}

TransactionManager::TransactionManager(sim::Host& host, const NodeConfig& config, LockManager& locks)
    : impl_(std::make_unique<Implementation>(host, config, locks)) {}
TransactionManager::~TransactionManager() = default;

TransactionManager::Implementation::Implementation(sim::Host& its_host, const NodeConfig& its_config,
                                                   LockManager& its_locks)
    : host(its_host),
      config(its_config),
      locks(its_locks),
      commit_log(its_host),
      multixacts(its_host),
      two_phase_files(its_host),
      next(std::max<FullXid>(its_config.initial_xid, storage::first_normal_xid)),
      reserved(next),
      oldest_xid(next_xid()),
      next_relation(first_relation),
      reserved_relation(next_relation) {}

void TransactionManager::attach(storage::WalLog& log) {
  impl_->log = &log;
  impl_->multixacts.attach(log);
}

Transaction& TransactionManager::begin(Backend& backend, IsolationLevel isolation) {
  auto transaction = std::make_unique<OpenTransaction>();
  transaction->number = impl_->next_number++;
  transaction->backend = &backend;
  transaction->isolation = isolation;
  transaction->start_us = impl_->host.realtime_us();
  transaction->levels.emplace_back();
  Transaction& result = *transaction;
  impl_->open.emplace(result.number, std::move(transaction));
  return result;
}

OpenTransaction* TransactionManager::Implementation::find(std::uint64_t number) const {
  const auto found = open.find(number);
  return found == open.end() ? nullptr : found->second.get();
}

// --- the end ---

bool TransactionManager::Implementation::commits_without_flush(const Transaction& transaction) const {
  if (config.planted.on(PlantedBug::wal_flush_skipped_at_commit)) return true;
  return transaction.decides_distributed && config.planted.on(PlantedBug::two_pc_skip_commit_record_flush);
}

void TransactionManager::check_before_end(Transaction& transaction) {
  while (const std::shared_ptr<CommitCheck> check = std::exchange(transaction.commit_check, nullptr)) {
    try {
      check->run(transaction);
    } catch (...) {
      abort(transaction);
      throw;
    }
  }
}

void TransactionManager::commit(Transaction& transaction) {
  POLARSIM_ASSERT(transaction.state == TransactionState::active, "a transaction ends twice");
  check_before_end(transaction);
  OpenTransaction& ending = opened(transaction);
  if (xids_of(transaction).empty()) {
    impl_->complete(ending, true, 0);
    return;
  }
  const std::uint64_t number = transaction.number;
  try {
    impl_->log->wal().visit_append_point();
  } catch (...) {
    abort(transaction);
    throw;
  }
  const EndRecord record = end_record(impl_->host, transaction, true);
  const Lsn lsn = impl_->log->append(RecordKind::commit, encode(record));
  const bool has_effect = transaction.wrote || !record.remove.empty();
  if (!has_effect || impl_->commits_without_flush(transaction)) {
    impl_->join(impl_->complete(ending, true, lsn));
    return;
  }
  transaction.state = TransactionState::deciding;
  const auto removal = std::make_shared<sim::TaskRef>();
  impl_->log->wal().when_durable(
      lsn, [impl = impl_.get(), number, lsn, removal] { *removal = impl->complete(*impl->find(number), true, lsn); });
  impl_->await(number, lsn);
  impl_->join(*removal);
}

void TransactionManager::abort(Transaction& transaction) {
  POLARSIM_ASSERT(transaction.state == TransactionState::active, "a transaction ends twice");
  const EndRecord record = end_record(impl_->host, transaction, false);
  Lsn lsn = 0;
  if ((transaction.wrote || !record.remove.empty()) && record.xid != storage::invalid_xid && impl_->host.up()) {
    lsn = impl_->log->append(RecordKind::abort, encode(record));
  }
  impl_->join(impl_->complete(opened(transaction), false, lsn));
}

sim::TaskRef TransactionManager::Implementation::complete(OpenTransaction& transaction, bool commit, Lsn lsn) {
  const std::vector<Xid> xids = xids_of(transaction);
  for (const Xid xid : xids) {
    commit_log.set(xid, commit ? CommitLog::Outcome::committed : CommitLog::Outcome::aborted);
    if (!without_row_locks.empty()) without_row_locks.erase(xid);
  }
  running.remove(xids);
  if (observer != nullptr && transaction.top_xid() != storage::invalid_xid) {
    observer->ended(transaction.top_xid(), commit);
  }
  for (const EndListener& listener : end_listeners) listener(transaction, commit);
  for (TransactionLevel& level : transaction.levels) locks.release_all(*transaction.backend, level.locks);
  if (!transaction.gid.empty()) by_gid.erase(transaction.gid);
  release_snapshot(transaction);
  const std::vector<RelationId> files =
      relations_of(transaction, commit ? &TransactionLevel::dropped : &TransactionLevel::created);
  open.erase(transaction.number);
  return remove_files_beside(files, lsn);
}

void TransactionManager::Implementation::release_snapshot(OpenTransaction& transaction) {
  if (const auto place = std::exchange(transaction.snapshot_place, std::nullopt)) snapshots.remove(*place);
}

sim::TaskRef TransactionManager::Implementation::remove_files_beside(const std::vector<RelationId>& relations,
                                                                     Lsn lsn) {
  if (relations.empty() || !remove_files || !host.up()) return {};
  return host.spawn("remove-files", [this, relations, lsn] {
    try {
      // If a crash took the record and not the removal, redo would miss the files and find nothing that explains it.
      log->wal().flush(lsn);
      remove_files(relations);
    } catch (const SqlError& error) {
      host.log(fmt::format("WARNING:  {}", error.what()));
    }
  });
}

void TransactionManager::Implementation::join(const sim::TaskRef& task) {
  if (task && host.scheduler().in_task() && !host.scheduler().unwinding()) host.scheduler().join(task);
}

void TransactionManager::Implementation::await(std::uint64_t number, Lsn lsn) {
  try {
    log->wal().flush(lsn);
  } catch (...) {
    if (OpenTransaction* const transaction = find(number)) detach(*transaction);
    throw;
  }
}

void TransactionManager::Implementation::detach(OpenTransaction& transaction) {
  if (transaction.own_backend != nullptr) return;
  transaction.own_backend = std::make_unique<Backend>(host, 0);
  for (TransactionLevel& level : transaction.levels) {
    LockOwner held;
    locks.transfer(*transaction.backend, level.locks, *transaction.own_backend, held);
    level.locks = std::move(held);
  }
  transaction.backend = transaction.own_backend.get();
}

// --- two phases ---

PreparedState prepared_state_of(const Transaction& transaction) {
  PreparedState state;
  state.xid = transaction.top_xid();
  state.gid = transaction.gid;
  state.prepared_us = transaction.prepared_us;
  const TransactionLevel& level = transaction.levels.front();
  state.subtransactions = level.released;
  state.created = level.created;
  state.dropped = level.dropped;
  std::copy_if(level.locks.locks.begin(), level.locks.locks.end(), std::back_inserter(state.locks),
               [](const LockOwner::Held& held) { return held.tag.kind != LockTag::Kind::transaction; });
  return state;
}

void TransactionManager::prepare(Transaction& transaction, const std::string& gid) {
  POLARSIM_ASSERT(transaction.state == TransactionState::active, "a transaction ends twice");
  check_before_end(transaction);
  try {
    if (gid.size() > gid_bytes_max) {
      throw SqlError(sqlstate::invalid_parameter_value, fmt::format("transaction identifier \"{}\" is too long", gid));
    }
    check_no_lock_of_both(transaction);
    impl_->log->wal().visit_append_point();
    if (impl_->by_gid.contains(gid)) {
      throw SqlError(sqlstate::duplicate_object, fmt::format("transaction identifier \"{}\" is already in use", gid));
    }
    fold_levels(transaction, 1);
    assign_xid(transaction);
  } catch (...) {
    abort(transaction);
    throw;
  }
  OpenTransaction& preparing = opened(transaction);
  const std::uint64_t number = transaction.number;
  transaction.gid = gid;
  transaction.prepared_us = impl_->host.realtime_us();
  transaction.state = TransactionState::deciding;
  impl_->by_gid.emplace(gid, &preparing);
  const Lsn lsn = impl_->log->append(RecordKind::prepare, encode(prepared_state_of(transaction)));
  impl_->detach(preparing);
  impl_->log->wal().when_durable(lsn, [impl = impl_.get(), number] { impl->complete_prepare(*impl->find(number)); });
  impl_->await(number, lsn);
}

void TransactionManager::Implementation::complete_prepare(OpenTransaction& transaction) {
  transaction.state = TransactionState::prepared;
  transaction.is_prepared = true;
  release_snapshot(transaction);  // it runs no statement any more
  host.reached("2pc/prepared");
  if (observer != nullptr) observer->prepared(transaction.top_xid(), transaction.gid);
  if (config.planted.on(PlantedBug::locks_released_at_prepare)) {
    for (const Xid xid : xids_of(transaction)) without_row_locks.insert(xid);
  }
}

void TransactionManager::finish_prepared(const std::string& gid, bool commit) {
  impl_->log->wal().visit_append_point();
  const auto found = impl_->by_gid.find(gid);
  const bool exists = found != impl_->by_gid.end() && found->second->is_prepared;
  if (!exists) {
    throw SqlError(sqlstate::undefined_object,
                   fmt::format("prepared transaction with identifier \"{}\" does not exist", gid));
  }
  OpenTransaction& transaction = *found->second;
  if (transaction.state == TransactionState::deciding) {
    throw SqlError(sqlstate::object_not_in_prerequisite_state,
                   fmt::format("prepared transaction with identifier \"{}\" is busy", gid));
  }
  const std::uint64_t number = transaction.number;
  transaction.state = TransactionState::deciding;
  const Lsn lsn = impl_->log->append(commit ? RecordKind::commit_prepared : RecordKind::rollback_prepared,
                                     encode(end_record(impl_->host, transaction, commit)));
  const auto removal = std::make_shared<sim::TaskRef>();
  impl_->log->wal().when_durable(lsn, [impl = impl_.get(), number, commit, lsn, removal] {
    *removal = impl->complete(*impl->find(number), commit, lsn);
  });
  impl_->await(number, lsn);
  impl_->join(*removal);
}

std::vector<PreparedInfo> TransactionManager::prepared() const {
  std::vector<PreparedInfo> result;
  for (const auto& [gid, transaction] : impl_->by_gid) {
    // One that is not durably prepared nobody may know of.
    if (transaction->is_prepared) result.push_back({transaction->top_xid(), gid, transaction->prepared_us});
  }
  return result;
}

// --- parts ---

LockManager& TransactionManager::locks() { return impl_->locks; }
MultiXacts& TransactionManager::multixacts() { return impl_->multixacts; }
const MultiXacts& TransactionManager::multixacts() const { return impl_->multixacts; }
storage::WalLog& TransactionManager::log() { return *impl_->log; }
sim::Host& TransactionManager::host() const { return impl_->host; }
const NodeConfig& TransactionManager::config() const { return impl_->config; }
std::size_t TransactionManager::open_transactions() const { return impl_->open.size(); }
void TransactionManager::add_end_listener(EndListener listener) { impl_->end_listeners.push_back(std::move(listener)); }
void TransactionManager::add_rollback_listener(RollbackListener listener) {
  impl_->rollback_listeners.push_back(std::move(listener));
}
void TransactionManager::set_observer(TransactionObserver* observer) { impl_->observer = observer; }
void TransactionManager::set_remove_files(RemoveFiles remove) { impl_->remove_files = std::move(remove); }

}  // namespace polarsim::engine::txn
