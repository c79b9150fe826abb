// For tests of transactions: the transaction manager of a simulated host, over a real log with real checkpoints,
// recovered at every boot. Rows there are none.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/storage/checkpoint.h"
#include "engine/storage/storage_test_support.h"
#include "engine/txn/transaction_manager.h"

namespace polarsim::engine::txn::testing {

using storage::testing::outcome;

// What a running test works with.
struct OpenTransactions {
  sim::Host& host;
  LockManager& locks;
  TransactionManager& manager;
  storage::Checkpointer& checkpointer;
  storage::DataFiles& files;

  // A transaction with an identifier that has written something.
  Transaction& writer(Backend& backend) const {
    Transaction& transaction = manager.begin(backend);
    manager.assign_xid(transaction);
    transaction.wrote = true;
    return transaction;
  }
  std::string status(Xid xid) const {
    switch (manager.status(xid)) {
      case XidStatus::in_progress:
        return "in progress";
      case XidStatus::committed:
        return "committed";
      case XidStatus::aborted:
        return "aborted";
    }
    return "?";
  }
  // "gid/xid", by gid.
  std::string prepared() const {
    std::string text;
    for (const PreparedInfo& info : manager.prepared()) {
      text += (text.empty() ? "" : " ") + info.gid + "/" + std::to_string(info.xid);
    }
    return text;
  }
  sim::TaskRef spawn(std::function<void()> body) const { return host.spawn("client", std::move(body)); }
  void join(const sim::TaskRef& task) const { host.scheduler().join(task); }
  void sleep_us(std::int64_t microseconds) const { host.scheduler().sleep_for(sim::Duration(microseconds * 1000)); }
};

class TransactionHost : public storage::testing::StorageHost {
 public:
  using StorageHost::StorageHost;
  NodeConfig config;

  // Recovers what there is and runs `body`; see StorageHost::run().
  void run_transactions(std::function<void(OpenTransactions&)> body) {
    run([this, body = std::move(body)](sim::Host& host) { serve(host, body); });
  }
  // Crashes the host `after` from now (true time).
  void crash_after(sim::Duration after) {
    simulation().scheduler().call_at(simulation().now() + after, [this] { host().crash(); });
  }

 private:
  void serve(sim::Host& host, const std::function<void(OpenTransactions&)>& body) {
    storage::DataFiles files(host);
    LockManager locks(host);
    TransactionManager manager(host, config, locks);
    manager.set_remove_files([&](const std::vector<RelationId>& relations) {
      for (const RelationId relation : relations) files.remove(relation);
    });
    storage::Wal* wal_of_pool = nullptr;
    storage::BufferPool pool(host, files, storage::buffers_min, [&](storage::Lsn lsn) {
      if (wal_of_pool != nullptr) wal_of_pool->flush(lsn);
    });
    storage::ControlFile control(host);
    const std::optional<storage::ControlData> last = control.read();
    storage::WalStart start;
    if (last) {
      start = {last->checkpoint.segment, last->checkpoint.redo, last->minimum_end};
      manager.load(last->checkpoint);
    }
    storage::RedoTable table;
    manager.register_redo(table);
    storage::RedoContext context(host, pool, files, config.planted);
    storage::WalOptions options;
    options.segment_bytes = 4096;
    const std::unique_ptr<storage::Wal> wal = storage::Wal::open(
        host, options, start, [&](const storage::WalRecord& record) { table.apply(context, storage::decode(record)); });
    wal_of_pool = wal.get();
    storage::WalLog log(*wal, true);
    manager.attach(log);
    manager.end_recovery();
    storage::Checkpointer checkpointer(host, config, log, pool, files, control);
    checkpointer.add_keeper(manager.keeper());
    checkpointer.run();
    OpenTransactions open{host, locks, manager, checkpointer, files};
    body(open);
  }
};

}  // namespace polarsim::engine::txn::testing
