// For tests of rows: what lies below the catalog of a node, on one simulated host, recovered at every boot; and
// sessions whose statements may be left waiting.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/storage/btree.h"
#include "engine/storage/btree_redo.h"
#include "engine/storage/checkpoint.h"
#include "engine/storage/control_file.h"
#include "engine/storage/key_encoding.h"
#include "engine/storage/storage_test_support.h"
#include "engine/txn/heap_access.h"
#include "engine/txn/heap_visibility.h"
#include "engine/txn/pending_test_support.h"
#include "engine/txn/vacuum.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::txn::testing {

inline constexpr HeapTable test_table{20000, 20001};
inline constexpr RelationId test_index = 20002;  // on the first column

// "(0,1)"
inline std::string to_string(Tid tid) { return "(" + std::to_string(tid.block) + "," + std::to_string(tid.item) + ")"; }

inline std::string to_string(RowOutcome outcome) {
  switch (outcome) {
    case RowOutcome::ok:
      return "ok";
    case RowOutcome::invisible:
      return "invisible";
    case RowOutcome::self_modified:
      return "self modified";
    case RowOutcome::updated:
      return "updated";
    case RowOutcome::deleted:
      return "deleted";
    case RowOutcome::not_available:
      return "not available";
  }
  return "?";
}

// "1:a"; long texts as "1:xxx...(5000)".
inline std::string to_string(const Row& row) {
  std::string text;
  for (const Value& value : row) {
    if (!text.empty()) text += ':';
    const std::string whole = value.is_null() ? "null" : plain_text(value);
    text += whole.size() <= 20 ? whole : whole.substr(0, 3) + "...(" + std::to_string(whole.size()) + ")";
  }
  return text;
}

inline Row row_of(std::int64_t id, std::string text) { return {Value::integer(id), Value::text(std::move(text))}; }

class HeapNode : public storage::testing::StorageHost {
 public:
  explicit HeapNode(std::uint64_t seed = 1, NodeConfig config = {},
                    sim::SchedulingPolicy policy = sim::SchedulingPolicy::fifo)
      : StorageHost(seed, policy), config_(config) {
    config_.shared_buffers = storage::buffers_min;
  }

  // Recovers what is there, makes the table if it is not, and runs `body`; see StorageHost::run().
  void run_node(std::function<void(HeapNode&)> body) {
    run([this, body = std::move(body)](sim::Host& host) { serve(host, body); });
  }

  // --- while it runs ---
  Heap& heap() { return parts_->heap; }
  TransactionManager& manager() { return parts_->manager; }
  storage::BufferPool& pool() { return parts_->pool; }
  storage::DataFiles& files() { return parts_->files; }
  storage::Wal& wal() { return *parts_->wal; }
  storage::BTree& index() { return *parts_->index; }
  storage::Checkpointer& checkpointer() { return *parts_->checkpointer; }
  std::uint32_t new_process_id() { return ++last_process_id_; }
  void sleep_ms(std::int64_t milliseconds) { host().scheduler().sleep_for(sim::Duration(milliseconds * 1'000'000)); }
  TupleHeader header_of(Tid tid, RelationId relation = test_table.relation) {
    const storage::PageRef ref = pool().pin({relation, storage::Fork::main, tid.block});
    return ref.page().item_used(tid.item) ? storage::read_tuple_header(ref.page().item(tid.item)) : TupleHeader{};
  }
  // Row versions on the relation's pages, whoever sees them.
  std::size_t versions(RelationId relation = test_table.relation) {
    std::size_t count = 0;
    for (storage::BlockNumber block = 0; block < files().block_count(relation); ++block) {
      const storage::PageRef ref = pool().pin({relation, storage::Fork::main, block});
      if (ref.page().is_new()) continue;
      for (std::uint16_t item = 1; item <= ref.page().item_count(); ++item) count += ref.page().item_used(item) ? 1 : 0;
    }
    return count;
  }
  VacuumResult vacuum() {
    Backend backend(host(), new_process_id());
    return Vacuum(heap()).run(backend, test_table, {index_on(0)});
  }
  // The index as one on a column.
  VacuumIndex index_on(std::size_t column) {
    return {&index(), {column}, [column](const Row& row) {
              return std::optional(storage::encode_key(std::span<const Value>(&row.at(column), 1)));
            }};
  }
  // How many pages it gave back.
  storage::BlockNumber truncate(
      RelationId relation = test_table.relation, const std::function<bool()>& go_on = [] { return true; }) {
    Backend backend(host(), new_process_id());
    return Vacuum(heap()).truncate(backend, relation, go_on);
  }

 private:
  // The host's memory: gone after a crash. What is declared later is destroyed first.
  struct Parts {
    Parts(sim::Host& host, const NodeConfig& config)
        : locks(host),
          manager(host, config, locks),
          files(host),
          pool(host, files, config.shared_buffers,
               [this](storage::Lsn lsn) {
                 if (wal) wal->flush(lsn);  // what is redone is durable
               }),
          free_space(pool, files),
          heap(manager, pool, files, free_space),
          control(host) {}
    LockManager locks;
    TransactionManager manager;
    storage::DataFiles files;
    storage::BufferPool pool;
    storage::FreeSpaceMap free_space;
    Heap heap;
    storage::ControlFile control;
    std::unique_ptr<storage::Wal> wal;
    std::unique_ptr<storage::WalLog> log;
    std::unique_ptr<storage::BTree> index;
    std::unique_ptr<storage::Checkpointer> checkpointer;
  };

  void serve(sim::Host& host, const std::function<void(HeapNode&)>& body) {
    Parts parts(host, config_);
    const bool known = recover(host, parts);
    parts.index = std::make_unique<storage::BTree>(host, *parts.log, parts.pool, parts.files, test_index, "test_index");
    parts.checkpointer =
        std::make_unique<storage::Checkpointer>(host, config_, *parts.log, parts.pool, parts.files, parts.control);
    parts.checkpointer->add_keeper(parts.manager.keeper());
    parts_ = &parts;
    if (!known) create();
    parts.checkpointer->run();
    body(*this);
  }

  // False if there was nothing.
  bool recover(sim::Host& host, Parts& parts) {
    storage::RedoTable redo;
    Heap::register_redo(redo);
    storage::register_btree_redo(redo);
    parts.manager.register_redo(redo);
    storage::RedoContext context(host, parts.pool, parts.files, config_.planted);
    const std::optional<storage::ControlData> known = parts.control.read();
    storage::WalStart start;
    if (known) {
      parts.manager.load(known->checkpoint);
      start = {known->checkpoint.segment, known->checkpoint.redo, known->minimum_end};
    }
    storage::WalOptions options;
    options.segment_bytes = 1 << 20;
    parts.wal = storage::Wal::open(
        host, options, start, [&](const storage::WalRecord& record) { redo.apply(context, storage::decode(record)); });
    context.finish();
    parts.log = std::make_unique<storage::WalLog>(*parts.wal, config_.full_page_writes);
    parts.log->set_redo_lsn(start.lsn);
    parts.manager.attach(*parts.log);
    parts.manager.end_recovery();
    return known.has_value();
  }

  void create() {
    for (const RelationId relation : {test_table.relation, test_table.toast, test_index}) {
      files().remove(relation);
      files().create(relation);
      storage::log_create_relation(*parts_->log, relation);
    }
    index().create();
  }

  NodeConfig config_;
  std::uint32_t last_process_id_ = 0;
  Parts* parts_ = nullptr;
};

// Each call is a statement of the open transaction, with a snapshot and a command of its own. Errors come back as
// "SQLSTATE message".
class Session {
 public:
  explicit Session(HeapNode& node) : node_(node), backend_(node.host(), node.new_process_id()) { begin(); }

  Session& begin(IsolationLevel isolation = IsolationLevel::read_committed) {
    transaction_ = &node_.manager().begin(backend_, isolation);
    return *this;
  }
  void commit() { node_.manager().commit(*std::exchange(transaction_, nullptr)); }
  void abort() { node_.manager().abort(*std::exchange(transaction_, nullptr)); }
  void prepare(const std::string& gid) { node_.manager().prepare(*std::exchange(transaction_, nullptr), gid); }
  void savepoint(const std::string& name) { node_.manager().savepoint(transaction(), name); }
  void rollback_to(const std::string& name) { node_.manager().rollback_to(transaction(), name); }
  void release(const std::string& name) { node_.manager().release(transaction(), name); }

  Tid insert(std::int64_t id, const std::string& text) {
    Tid tid;
    statement([&](const Snapshot&) {
      const Row row = row_of(id, text);
      tid = node_.heap().insert(transaction(), test_table, row);
      node_.index().insert(storage::encode_key({row.data(), 1}), tid);
      return std::string();
    });
    return tid;
  }
  // "ok (0,2)", or why not: "updated (0,2)".
  std::string update(Tid tid, std::int64_t id, const std::string& text, bool key_changed = false) {
    return statement([&](const Snapshot&) {
      const Row row = row_of(id, text);
      Tid next;
      failure = {};
      const RowOutcome outcome = node_.heap().update(transaction(), test_table, tid, row, key_changed, next, failure);
      if (outcome != RowOutcome::ok) return describe(outcome);
      node_.index().insert(storage::encode_key({row.data(), 1}), next);
      newest = next;
      return "ok " + to_string(next);
    });
  }
  std::string remove(Tid tid) {
    return statement([&](const Snapshot&) {
      failure = {};
      return describe(node_.heap().remove(transaction(), test_table, tid, failure));
    });
  }
  // "ok 1:a (0,1)"
  std::string lock(Tid tid, syntax::LockStrength strength, syntax::LockWait wait = syntax::LockWait::block,
                   bool follow = true) {
    return statement([&](const Snapshot&) {
      VisibleRow locked;
      failure = {};
      const RowOutcome outcome =
          node_.heap().lock(transaction(), test_table, tid, strength, wait, follow, locked, failure);
      if (outcome != RowOutcome::ok) return describe(outcome);
      newest = locked.tid;
      return "ok " + to_string(locked.row) + " " + to_string(locked.tid);
    });
  }
  // All rows that a new snapshot (or the transaction's) shows, in order of their Tids: "1:a 2:b".
  std::string scan() {
    return statement([&](const Snapshot& snapshot) {
      std::string all;
      Heap::Scan scan(node_.heap(), test_table, transaction(), snapshot);
      std::vector<VisibleRow> rows;
      while (scan.next(rows))
        for (const VisibleRow& row : rows) all += (all.empty() ? "" : " ") + to_string(row.row);
      return all;
    });
  }
  std::string statement(const std::function<std::string(const Snapshot&)>& body) {
    try {
      const ActiveSnapshot snapshot(node_.manager(), transaction());
      std::string result = body(*snapshot);
      node_.manager().next_command(transaction());
      return result;
    } catch (const SqlError& error) {
      return error.sqlstate() + " " + error.fields().message;
    }
  }
  // Starts a statement and gives it ten milliseconds.
  Pending start(std::function<std::string(Session&)> body) {
    return {node_.host(), [this, body = std::move(body)] { return body(*this); }, sim::Duration(10'000'000)};
  }

  Transaction& transaction() { return *transaction_; }
  bool open() const { return transaction_ != nullptr; }
  Backend& backend() { return backend_; }
  RowFailure failure;
  Tid newest;  // that the last update or lock led to

 private:
  std::string describe(RowOutcome outcome) const {
    return to_string(outcome) + (outcome == RowOutcome::updated ? " " + to_string(failure.next) : "");
  }
  HeapNode& node_;
  Backend backend_;
  Transaction* transaction_ = nullptr;
};

// Runs `body` on a new node; it has to come to its end.
inline void with_node(const std::function<void(HeapNode&)>& body, const NodeConfig& config = {}) {
  HeapNode node(1, config);
  node.run_node(body);
  EXPECT_EQ(node.error(), "");
  EXPECT_TRUE(node.finished());
}

// A committed row.
inline Tid given(HeapNode& node, std::int64_t id, const std::string& text) {
  Session session(node);
  const Tid tid = session.insert(id, text);
  session.commit();
  return tid;
}

// All committed rows, as Session::scan().
inline std::string contents(HeapNode& node) {
  Session session(node);
  std::string all = session.scan();
  session.commit();
  return all;
}

}  // namespace polarsim::engine::txn::testing
