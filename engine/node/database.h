// A node's database: all its parts, put together, and how they start (PostgreSQL's postmaster and startup process).
//
// Opening. No control file: the node is set up (system tables, a first checkpoint). Else: the last checkpoint is
// loaded, the WAL replayed from its redo point, what was undecided is aborted, prepared transactions get their locks
// back, the catalog is read, files that nobody names are removed, and a checkpoint is taken.
//
// Fault points: "recovery/scanned", "recovery/replayed", "recovery/finished". Probes: "recovery/replayed",
// "recovery/undone", "recovery/prepared-restored", "recovery/orphan-file-removed".
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog/catalog.h"
#include "engine/config.h"
#include "engine/storage/btree.h"
#include "engine/txn/heap_access.h"
#include "engine/txn/transaction_manager.h"
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
  // VACUUM, in transactions of its own: all tables if none is named. The caller has no transaction open. Blocks.
  // Throws 42P01, and what waiting for the tables' locks throws.
  void vacuum(txn::Backend& backend, const std::vector<sql::TableName>& tables);

  // Where "wal/append" strikes: before a statement decides what to change. May block; throws 58030.
  void visit_append_point();
  storage::BTree& tree(const catalog::Index& index);

  // --- parts ---
  sim::Host& host() const { return host_; }
  const NodeConfig& config() const { return config_; }
  txn::TransactionManager& transactions() { return *transactions_; }
  const txn::TransactionManager& transactions() const { return *transactions_; }
  txn::LockManager& locks() { return *locks_; }
  const txn::LockManager& locks() const { return *locks_; }
  txn::Heap& heap() { return *heap_; }
  catalog::Catalog& catalog() { return *catalog_; }
  const catalog::Catalog& catalog() const { return *catalog_; }
  storage::BufferPool& pool() { return *pool_; }
  storage::DataFiles& files() { return *files_; }
  storage::WalLog& log();

 private:
  sim::Host& host_;
  const NodeConfig& config_;
  std::unique_ptr<txn::LockManager> locks_;
  std::unique_ptr<txn::TransactionManager> transactions_;
  std::unique_ptr<txn::Heap> heap_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<storage::BufferPool> pool_;
  std::unique_ptr<storage::DataFiles> files_;
  std::map<std::uint32_t, std::unique_ptr<txn::Backend>> backends_;
  std::uint32_t last_process_id_ = 0;
};

}  // namespace polarsim::engine
