// A node's database: all its parts, put together, and how they start (PostgreSQL's postmaster and startup process).
//
// Opening. No control file: the node is set up (system tables, a first checkpoint), unless the log shows that there was
// one before (then it refuses, XX001). Else: the last checkpoint is loaded, the WAL replayed from its redo point, what
// was undecided is aborted, prepared transactions get their locks back, the catalog is read, a checkpoint is taken, and
// files that nobody names are removed.
//
// Fault points, beside those of the parts: "recovery/replayed", "recovery/finished". Probe:
// "recovery/orphan-file-removed".
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog/catalog.h"
#include "engine/config.h"
#include "engine/node/autovacuum.h"
#include "engine/storage/btree.h"
#include "engine/storage/checkpoint.h"
#include "engine/storage/control_file.h"
#include "engine/storage/free_space_map.h"
#include "engine/storage/wal.h"
#include "engine/txn/heap_access.h"
#include "engine/txn/transaction_manager.h"
#include "engine/txn/vacuum.h"
#include "engine/types/error.h"
#include "sim/host.h"

namespace polarsim::engine {

class Database {
 public:
  // Blocks. Throws SqlError: XX001 if pages, log or control file are damaged in a way no crash explains, 58030 if the
  // disk fails. `config` must outlive it.
  Database(sim::Host& host, const NodeConfig& config);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // --- sessions ---
  // One more session's place, with a process id that no other has had since the boot.
  txn::Backend& connect();
  // Gives up its session-level locks. Its transaction has ended before.
  void disconnect(txn::Backend& backend);
  // For pg_cancel_backend() and the like; null if there is no such session.
  txn::Backend* find_backend(std::uint32_t process_id) const;
  std::vector<const txn::Backend*> backends() const;  // by process id

  // --- maintenance ---
  // CHECKPOINT. Blocks.
  void checkpoint();
  // VACUUM, in a transaction of its own for each table: all tables if none is named, which also lets the commit log and
  // the multixacts be cut. The caller has no transaction open. Blocks. Throws 42P01, and what waiting for the tables'
  // locks throws.
  void vacuum(txn::Backend& backend, const std::vector<storage::RelationId>& tables, bool freeze = false);
  // For autovacuum: without `wait`, tables whose lock is not free are left alone. `failed` is told the error of a table
  // that is then left alone, too; null: it is thrown.
  void vacuum_all(txn::Backend& backend, bool wait, bool freeze = false,
                  const std::function<void(const SqlError&)>& failed = nullptr);
  std::optional<txn::VacuumResult> vacuum_table(txn::Backend& backend, storage::RelationId table, bool wait,
                                                bool freeze = false);
  Autovacuum& autovacuum() { return *autovacuum_; }

  // Where "wal/append" strikes: before a statement decides what to change. May block; throws 58030.
  void visit_append_point();
  storage::BTree& tree(const catalog::Index& index);

  // --- parts ---
  sim::Host& host() const { return host_; }
  const NodeConfig& config() const { return config_; }
  std::int64_t started_us() const { return started_us_; }  // by the host's clock, since 1970
  txn::TransactionManager& transactions() { return transactions_; }
  const txn::TransactionManager& transactions() const { return transactions_; }
  txn::LockManager& locks() { return locks_; }
  const txn::LockManager& locks() const { return locks_; }
  txn::Heap& heap() { return *heap_; }
  catalog::Catalog& catalog() { return *catalog_; }
  const catalog::Catalog& catalog() const { return *catalog_; }
  storage::BufferPool& pool() { return *pool_; }
  storage::DataFiles& files() { return *files_; }
  storage::WalLog& log() { return *log_; }

 private:
  void set_up();
  void recover(const storage::ControlData& control);
  void open_wal(const storage::WalStart& start, storage::RedoTable& redo);
  void refuse_lost_control_file();
  void remove_leftovers();
  void remove_orphan_files();
  void remove_files(const std::vector<storage::RelationId>& files);
  // Gives back the empty pages at the end of the table's relations, unless somebody uses the table.
  void truncate_end(txn::Transaction& transaction, const catalog::Table& table,
                    const std::vector<storage::RelationId>& relations);

  sim::Host& host_;
  const NodeConfig& config_;
  const std::int64_t started_us_;
  storage::ControlFile control_;
  txn::LockManager locks_;
  txn::TransactionManager transactions_;
  // In the order in which they are made; each uses those before it.
  std::unique_ptr<storage::DataFiles> files_;
  std::unique_ptr<storage::BufferPool> pool_;
  std::unique_ptr<storage::WalLog> log_;
  std::unique_ptr<storage::FreeSpaceMap> free_space_;
  std::unique_ptr<txn::Heap> heap_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<storage::Checkpointer> checkpointer_;
  std::unique_ptr<Autovacuum> autovacuum_;
  std::map<storage::RelationId, std::unique_ptr<storage::BTree>> trees_;  // by file
  std::map<std::uint32_t, std::unique_ptr<txn::Backend>> backends_;
  std::uint32_t last_process_id_ = 0;
  // Last, so that the log's writer has ended before what its completions touch goes away.
  std::unique_ptr<storage::Wal> wal_;
};

}  // namespace polarsim::engine
