// For tests of recovery: a simulated host with log, pages and checkpoints but without transactions, and a few kinds of
// records whose redo does harm if it is done twice.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/config.h"
#include "engine/storage/bytes.h"
#include "engine/storage/checkpoint.h"
#include "engine/storage/redo.h"
#include "engine/storage/storage_test_support.h"
#include "engine/types/error.h"

namespace polarsim::engine::storage::testing {

inline constexpr RelationId relation = 7;

// The parts of a node that has been opened and recovered.
struct RecoveryNode {
  // Called in recovery for every time the log was opened: what earlier epochs had written behind it is lost.
  using Opened = std::function<void(std::uint32_t epoch, Lsn begin)>;
  RecoveryNode(
      sim::Host& its_host, const NodeConfig& its_config, Opened its_opened = [](std::uint32_t, Lsn) {});

  sim::Host& host;
  const NodeConfig& config;
  Opened opened;
  ControlFile control;
  DataFiles files;
  std::unique_ptr<Wal> wal;
  BufferPool pool;
  std::unique_ptr<WalLog> log;
  std::unique_ptr<Checkpointer> checkpointer;
  // Up to here the records of the test have come back.
  Lsn recovered_end = 0;
  // Called after each change, before anything can block.
  std::function<void(Lsn end, const PageRef&)> changed = [](Lsn, const PageRef&) {};

  // --- changes to pages, each with its record; they return the record's end ---
  void create_relation(RelationId which) {
    files.create(which);
    log_create_relation(*log, which);
  }
  Lsn remove_relation(RelationId which) {
    const Lsn end = log->append(RecordKind::commit, ByteWriter().number(which).bytes());
    wal->flush(end);
    pool.forget(which);
    files.remove(which);
    return end;
  }
  // A page at the end of the relation, with one item.
  PageId new_page(std::string_view item, RelationId which = relation) {
    const PageRef ref = pool.extend(which);
    initialize(ref.page(), ref.id(), item);
    changed(log->append(new_page_kind, {{ref, PageChange::Kind::initialize}}, item), ref);
    return ref.id();
  }
  // One more item on each of the pages (different ones), in one record. If they are full, they are emptied first.
  Lsn add_items(const std::vector<PageId>& ids, std::string_view item) {
    const std::vector<PageRef> refs = pool.pin_all(ids);
    std::vector<PageChange> changes;
    for (const PageRef& ref : refs) {
      add_item(ref.page(), item);
      changes.push_back({ref});
    }
    const Lsn end = log->append(add_kind, changes, item);
    for (const PageRef& ref : refs) changed(end, ref);
    return end;
  }
  // The page made anew, logged as a whole.
  Lsn rewrite(PageId id, std::string_view item) {
    const PageRef ref = pool.pin(id);
    initialize(ref.page(), id, item);
    const Lsn end = log->append(rewrite_kind, {{ref, PageChange::Kind::image}}, {});
    changed(end, ref);
    return end;
  }
  std::string contents(PageId id) { return std::string(pool.pin(id).page().contents()); }
  std::vector<std::string> items(PageId id) {
    std::vector<std::string> found;
    const PageRef ref = pool.pin(id);
    for (std::uint16_t i = 1; i <= ref.page().item_count(); ++i) {
      const auto item = ref.page().item(i);
      found.emplace_back(item.data(), item.size());
    }
    return found;
  }

 private:
  static constexpr RecordKind add_kind = RecordKind::heap_first;
  static constexpr RecordKind new_page_kind = RecordKind{17};
  static constexpr RecordKind rewrite_kind = RecordKind::btree_first;

  static void initialize(Page page, PageId id, std::string_view item) {
    page.initialize(id, PageKind::heap);
    page.put_item(1, item);
  }
  static void add_item(Page page, std::string_view item) {
    if (page.has_room_for(item.size())) {
      page.put_item(page.unused_item(), item);
    } else {
      while (page.item_count() > 0) page.clear_item(page.item_count());
    }
  }
  static RedoTable redo_table();
  void recover();
};

inline RecoveryNode::RecoveryNode(sim::Host& its_host, const NodeConfig& its_config, Opened its_opened)
    : host(its_host),
      config(its_config),
      opened(std::move(its_opened)),
      control(host),
      files(host, config.planted),
      pool(host, files, config.shared_buffers, [this](Lsn lsn) {
        // What recovery replays is durable already.
        if (wal) wal->flush(lsn);
      }) {
  recover();
}

inline RedoTable RecoveryNode::redo_table() {
  RedoTable table;
  table.add(add_kind, [](RedoContext& context, const DecodedRecord& record) {
    for (std::size_t block = 0; block < record.blocks.size(); ++block) {
      if (const auto ref = context.page(record, block)) {
        add_item(ref->page(), record.data);
        context.applied(record, *ref);
      }
    }
  });
  table.add(new_page_kind, [](RedoContext& context, const DecodedRecord& record) {
    if (const auto ref = context.page(record, 0)) {
      initialize(ref->page(), record.blocks[0].id, record.data);
      context.applied(record, *ref);
    }
  });
  table.add(rewrite_kind, [](RedoContext& context, const DecodedRecord& record) { context.page(record, 0); });
  table.add(RecordKind::commit, [](RedoContext& context, const DecodedRecord& record) {
    context.remove_relation(ByteReader(record.data).number<RelationId>());
  });
  return table;
}

inline void RecoveryNode::recover() {
  const std::optional<ControlData> last = control.read();
  WalStart start;
  if (last) start = {last->checkpoint.segment, last->checkpoint.redo, last->minimum_end};
  recovered_end = start.lsn;
  RedoContext context(host, pool, files, config.planted);
  const RedoTable table = redo_table();
  DecodedRecord decoded;
  WalOptions options;
  options.segment_bytes = config.wal_segment_bytes;
  options.lazy_flush_delay = config.wal_lazy_flush_delay;
  auto recovered = Wal::open(host, options, start, [&](const WalRecord& record) {
    if (record.kind == wal_epoch_kind) opened(record.epoch, record.lsn);
    decode(record, decoded);
    table.apply(context, decoded);
    if (record.kind > wal_own_kind_last) recovered_end = record.end;
  });
  context.finish();
  wal = std::move(recovered);
  log = std::make_unique<WalLog>(*wal, config.full_page_writes);
  if (last) log->set_redo_lsn(last->checkpoint.redo);
  checkpointer = std::make_unique<Checkpointer>(host, config, *log, pool, files, control);
  checkpointer->run();
  checkpointer->start();
}

class RecoveryHost : public StorageHost {
 public:
  explicit RecoveryHost(std::uint64_t seed = 1) : StorageHost(seed) {
    config_.shared_buffers = buffers_min;
    config_.wal_segment_bytes = 32 << 10;
  }
  // Opens the node and runs `body`; returns when nothing happens any more.
  void run_node(
      std::function<void(RecoveryNode&)> body = [](RecoveryNode&) {},
      RecoveryNode::Opened opened = [](std::uint32_t, Lsn) {}) {
    run([this, body = std::move(body), opened = std::move(opened)](sim::Host& host) {
      RecoveryNode node(host, config_, opened);
      body(node);
    });
  }
  NodeConfig& config() { return config_; }

 private:
  NodeConfig config_;
};

}  // namespace polarsim::engine::storage::testing
