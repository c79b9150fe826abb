// For tests of B-trees: one tree on a simulated host, with its log, recovered at every boot.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/storage/btree.h"
#include "engine/storage/btree_redo.h"
#include "engine/storage/storage_test_support.h"

namespace polarsim::engine::storage::testing {

using Entries = std::set<BTree::Entry>;

// What a running test works with.
struct OpenTree {
  sim::Host& host;
  DataFiles& files;
  BufferPool& pool;
  WalLog& log;
  BTree& tree;
  Lsn recovered_end = 0;  // of the last record that was redone

  Wal& wal() const { return log.wal(); }
  Entries contents(BTree::Range range = {}) const {
    Entries found;
    std::vector<BTree::Entry> page;
    BTree::Scan scan = tree.scan(std::move(range));
    while (scan.next(page)) {
      EXPECT_FALSE(page.empty());
      for (BTree::Entry& entry : page) {
        EXPECT_TRUE(found.empty() || *found.rbegin() < entry) << "not in order: " << entry.key;
        found.insert(found.end(), std::move(entry));
      }
    }
    return found;
  }
  std::string problem() const { return tree.check().value_or(""); }
};

class TreeHost : public StorageHost {
 public:
  using StorageHost::StorageHost;
  static constexpr RelationId relation = 16384;
  std::size_t buffers = buffers_min;

  // Opens the tree, which is made if no log tells of it, and runs `body`; see StorageHost::run().
  void run_tree(std::function<void(OpenTree&)> body) {
    run([this, body = std::move(body)](sim::Host& host) { serve(host, body); });
  }
  // What a checkpoint does for pages: recovery begins here from now on.
  void checkpoint(OpenTree& open) {
    const Lsn redo = open.wal().end();
    open.log.set_redo_lsn(redo);
    open.pool.flush_dirty();
    open.files.sync_all();
    open.wal().flush(redo);
    redo_lsn_ = redo;
  }

 private:
  void serve(sim::Host& host, const std::function<void(OpenTree&)>& body) {
    DataFiles files(host);
    Wal* wal_of_pool = nullptr;
    BufferPool pool(host, files, buffers, [&wal_of_pool](Lsn lsn) {
      // What is redone is durable.
      if (wal_of_pool != nullptr) wal_of_pool->flush(lsn);
    });
    RedoTable table;
    register_btree_redo(table);
    const PlantedBugs planted;
    RedoContext context(host, pool, files, planted);
    bool created = false;
    Lsn recovered_end = 0;
    const std::unique_ptr<Wal> wal = Wal::open(host, WalOptions{}, WalStart{}, [&](const WalRecord& read) {
      const DecodedRecord record = decode(read);
      created = created || record.kind == btree_record::create;
      if (has_pages(record.kind)) recovered_end = record.end;
      if (record.end > redo_lsn_) table.apply(context, record);
    });
    if (created) context.finish();
    wal_of_pool = wal.get();
    WalLog log(*wal, true);
    log.set_redo_lsn(redo_lsn_);
    BTree tree(host, log, pool, files, relation, "tree_key");
    OpenTree open{host, files, pool, log, tree, recovered_end};
    if (!created) make(open);
    body(open);
  }
  // No log tells of the tree.
  static void make(OpenTree& open) {
    open.pool.forget(relation);
    open.files.remove(relation);
    open.files.create(relation);
    open.files.sync_all();
    log_create_relation(open.log, relation);
    open.tree.create();
    open.wal().flush(open.wal().end());
    open.recovered_end = open.wal().end();
  }

  Lsn redo_lsn_ = 0;
};

// Keys of tests: number by number in the order of the numbers.
enum class KeyStyle : std::uint8_t {
  small,      // many to a page
  large,      // two to a page, and told apart only at their end: high trees
  differing,  // of all lengths
  paired,     // two and two are told apart only at their end, the others at once: bounds are long or short
};
inline std::string key_of(unsigned number, KeyStyle style) {
  std::string digits = std::to_string(number);
  digits.insert(0, 8 - digits.size(), '0');
  switch (style) {
    case KeyStyle::small:
      return digits;
    case KeyStyle::large:
      return std::string(BTree::key_bytes_max - digits.size(), 'k') + digits;
    case KeyStyle::differing:
      return digits + std::string((number * 2654435761U) % (BTree::key_bytes_max - 8), 'd');
    case KeyStyle::paired:
      return std::to_string(10'000'000 + number / 2) + std::string(900, 'p') + std::to_string(number % 2);
  }
  return digits;
}
inline Tid tid_of(unsigned number) { return Tid{number / 7, static_cast<std::uint16_t>(1 + number % 7)}; }
inline BTree::Entry entry_of(unsigned key, unsigned tid, KeyStyle style) { return {key_of(key, style), tid_of(tid)}; }

}  // namespace polarsim::engine::storage::testing
