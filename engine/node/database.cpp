#include "engine/node/database.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/catalog/sequence.h"
#include "engine/executor/vacuum_keys.h"
#include "engine/types/stack_depth.h"
#include "sim/assert.h"
#include "sim/running_stack.h"

namespace polarsim::engine {

using storage::RelationId;

namespace {

// A statement may be nested as deep as in PostgreSQL, whose frames are smaller, with two megabytes of stack. All tasks
// have as much: whoever is the last to hold what was made of a deep statement destroys it.
constexpr std::size_t stack_bytes = std::size_t{4} * 1024 * 1024;

[[maybe_unused]] const bool has_deep_stacks = [] {
  sim::want_stack_bytes(stack_bytes);
  set_stack_end_finder(&sim::running_stack_end);
  return true;
}();

storage::WalOptions wal_options(const NodeConfig& config) {
  storage::WalOptions options;
  options.segment_bytes = config.wal_segment_bytes;
  options.lazy_flush_delay = config.wal_lazy_flush_delay;
  return options;
}

}  // namespace

Database::Database(sim::Host& host, const NodeConfig& config)
    : host_(host), config_(config), control_(host), locks_(host), transactions_(host, config, locks_) {
  const std::optional<storage::ControlData> control = control_.read();
  if (!control) {
    refuse_lost_control_file();
    remove_leftovers();
  }
  files_ = std::make_unique<storage::DataFiles>(host, config.planted);
  // While the log is still being read, all of it is durable.
  pool_ = std::make_unique<storage::BufferPool>(host, *files_, config.shared_buffers, [this](storage::Lsn lsn) {
    if (wal_) wal_->flush(lsn);
  });
  free_space_ = std::make_unique<storage::FreeSpaceMap>(*pool_, *files_);
  heap_ = std::make_unique<txn::Heap>(transactions_, *pool_, *files_, *free_space_);
  catalog_ = std::make_unique<catalog::Catalog>(transactions_, *heap_, *files_);
  transactions_.set_remove_files([this](const std::vector<RelationId>& files) { remove_files(files); });
  autovacuum_ = std::make_unique<Autovacuum>(*this);
  if (control) {
    recover(*control);
  } else {
    set_up();
  }
  checkpointer_->start();
  autovacuum_->start();
}

Database::~Database() {
  // Tasks in the background first: they use everything else, the log included.
  autovacuum_->stop();
  checkpointer_.reset();
}

// The control file is the last that a set-up writes. If the log holds changes from after the first checkpoint, there
// was one, and only damage can have taken it away: what it belonged to must not be taken for leftovers.
void Database::refuse_lost_control_file() {
  if (host_.disk().list(storage::wal_directory + "/").empty()) return;
  bool set_up = false;
  bool in_use = false;
  storage::Wal::open(host_, wal_options(config_), storage::WalStart{}, [&](const storage::WalRecord& record) {
    in_use = in_use || (set_up && record.kind > storage::wal_own_kind_last);
    set_up = set_up || record.kind == static_cast<std::uint8_t>(storage::RecordKind::checkpoint_end);
  });
  if (!in_use) return;
  throw SqlError(sqlstate::data_corrupted, fmt::format("control file \"{}\" is missing", storage::control_file_path),
                 "The write-ahead log holds changes of a node that had been set up.",
                 "Restore this node from a backup or a replica.");
}

// A set-up that a crash cut off: nothing of it has been told to anybody. The last segment of the log goes first, so
// that what a crash in the middle leaves is the beginning of a log.
void Database::remove_leftovers() {
  std::vector<std::string> paths = host_.disk().list();
  std::reverse(paths.begin(), paths.end());
  for (const std::string& path : paths) {
    if (!host_.disk().remove(path))
      throw SqlError(sqlstate::io_error, fmt::format("could not remove file \"{}\"", path));
  }
}

void Database::open_wal(const storage::WalStart& start, storage::RedoTable& redo) {
  storage::RedoContext context(host_, *pool_, *files_, config_.planted);
  wal_ = storage::Wal::open(host_, wal_options(config_), start,
                            [&](const storage::WalRecord& record) { redo.apply(context, storage::decode(record)); });
  context.finish();
  log_ = std::make_unique<storage::WalLog>(*wal_, config_.full_page_writes);
  transactions_.attach(*log_);
  checkpointer_ = std::make_unique<storage::Checkpointer>(host_, config_, *log_, *pool_, *files_, control_);
  checkpointer_->add_keeper(transactions_.keeper());
}

void Database::set_up() {
  storage::RedoTable nothing;
  open_wal({}, nothing);
  transactions_.end_recovery();
  txn::Backend& backend = connect();
  txn::Transaction& transaction = transactions_.begin(backend);
  catalog_->bootstrap(transaction);
  transactions_.commit(transaction);
  disconnect(backend);
  // Only now is there a control file: the node exists.
  checkpointer_->run();
}

void Database::recover(const storage::ControlData& control) {
  transactions_.load(control.checkpoint);
  storage::RedoTable redo;
  transactions_.register_redo(redo);
  txn::Heap::register_redo(redo);
  storage::register_btree_redo(redo);
  catalog::register_sequence_redo(redo);
  open_wal({control.checkpoint.segment, control.checkpoint.redo, control.minimum_end}, redo);
  log_->set_redo_lsn(control.checkpoint.redo);
  host_.fault_point("recovery/replayed");
  transactions_.end_recovery();
  catalog_->load();
  checkpointer_->run();
  // After the checkpoint: what is replayed from here on is not about them.
  remove_orphan_files();
  host_.fault_point("recovery/finished");
}

void Database::remove_orphan_files() {
  std::vector<RelationId> orphans;
  const std::vector<RelationId> used = catalog_->files_in_use();
  for (const RelationId file : files_->list()) {
    if (!std::binary_search(used.begin(), used.end(), file)) orphans.push_back(file);
  }
  if (orphans.empty()) return;
  remove_files(orphans);
  host_.reached("recovery/orphan-file-removed");
}

void Database::remove_files(const std::vector<RelationId>& files) {
  for (const RelationId file : files) {
    trees_.erase(file);
    heap_->forget(file);
    autovacuum_->forget(file);
    pool_->forget(file);
    files_->remove(file);
  }
}

// --- sessions ---

txn::Backend& Database::connect() {
  const std::uint32_t id = ++last_process_id_;
  return *backends_.emplace(id, std::make_unique<txn::Backend>(host_, id)).first->second;
}

void Database::disconnect(txn::Backend& backend) {
  locks_.release_all(backend, backend.session_locks);
  backends_.erase(backend.process_id());
}

txn::Backend* Database::find_backend(std::uint32_t process_id) const {
  const auto found = backends_.find(process_id);
  return found == backends_.end() ? nullptr : found->second.get();
}

std::vector<const txn::Backend*> Database::backends() const {
  std::vector<const txn::Backend*> result;
  for (const auto& [id, backend] : backends_) result.push_back(backend.get());
  return result;
}

// --- maintenance ---

void Database::checkpoint() { checkpointer_->run(); }

void Database::visit_append_point() { wal_->visit_append_point(); }

storage::BTree& Database::tree(const catalog::Index& index) {
  std::unique_ptr<storage::BTree>& tree = trees_[index.file];
  if (!tree) tree = std::make_unique<storage::BTree>(host_, *log_, *pool_, *files_, index.file);
  // Errors show it; it may have changed since.
  if (tree->name() != index.description->name) tree->rename(index.description->name);
  return *tree;
}

void Database::vacuum(txn::Backend& backend, const std::vector<storage::RelationId>& tables, bool freeze) {
  if (tables.empty()) vacuum_all(backend, true, freeze);
  for (const storage::RelationId table : tables) vacuum_table(backend, table, true, freeze);
}

void Database::vacuum_all(txn::Backend& backend, bool wait, bool freeze,
                          const std::function<void(const SqlError&)>& failed) {
  // What is made meanwhile is not looked at: it is younger than this.
  storage::Xid oldest_xid = transactions_.horizon();
  storage::MultiXactId oldest_multixact = transactions_.multixact_horizon();
  bool complete = true;
  for (const catalog::TablePtr& table : catalog_->tables(nullptr)) {
    std::optional<txn::VacuumResult> result;
    try {
      result = vacuum_table(backend, table->id, wait, freeze);
    } catch (const SqlError& error) {
      if (!failed) throw;
      failed(error);
    }
    if (!result) {
      // A table that has gone meanwhile leaves nothing behind.
      complete = complete && catalog_->find_table(nullptr, table->id) == nullptr;
      continue;
    }
    if (storage::xid_precedes(result->oldest_xid, oldest_xid)) oldest_xid = result->oldest_xid;
    if (storage::multixact_precedes(result->oldest_multixact, oldest_multixact))
      oldest_multixact = result->oldest_multixact;
  }
  if (!complete) return;
  transactions_.advance_oldest(oldest_xid, oldest_multixact);
}

void Database::truncate_end(txn::Transaction& transaction, const catalog::Table& table,
                            const std::vector<RelationId>& relations) {
  // The catalog changes its own tables without a lock on them.
  if (table.is_system()) return;
  const txn::LockTag tag = txn::LockTag::of_relation(table.id);
  txn::Backend& backend = *transaction.backend;
  txn::LockOwner& owner = transaction.level().locks;
  if (locks_.acquire(backend, owner, tag, txn::LockMode::access_exclusive, false) == txn::LockResult::not_available)
    return;
  for (const RelationId relation : relations)
    txn::Vacuum(*heap_).truncate(backend, relation, [&] { return !locks_.has_waiters(tag); });
  locks_.release(backend, owner, tag, txn::LockMode::access_exclusive);
}

std::optional<txn::VacuumResult> Database::vacuum_table(txn::Backend& backend, RelationId id, bool wait, bool freeze) {
  txn::Transaction& transaction = transactions_.begin(backend);
  std::optional<txn::VacuumResult> result;
  try {
    const txn::LockResult locked = locks_.acquire(backend, transaction.level().locks, txn::LockTag::of_relation(id),
                                                  txn::LockMode::share_update_exclusive, wait);
    const catalog::TablePtr table = catalog_->find_table(&transaction, id);
    if (locked != txn::LockResult::not_available && table != nullptr) {
      std::vector<txn::VacuumIndex> indexes;
      for (const catalog::Index& index : table->indexes)
        indexes.push_back(executor::vacuum_index(*this, table, index, tree(index)));
      result = txn::Vacuum(*heap_).run(backend, table->heap, indexes, freeze);
      autovacuum_->vacuumed(table->heap.relation, *result);
      if (!result->to_truncate.empty()) truncate_end(transaction, *table, result->to_truncate);
    }
  } catch (const SqlError&) {
    transactions_.abort(transaction);
    throw;
  }
  transactions_.commit(transaction);
  return result;
}

}  // namespace polarsim::engine
