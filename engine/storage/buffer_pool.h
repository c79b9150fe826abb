// Pages in memory: a fixed number of buffers, replaced by clock sweep (PostgreSQL's src/backend/storage/buffer).
//
// Tasks switch only where they block, so a page needs no latch: between two blocking calls a task sees and changes
// pages as if it were alone. What it must not do is rely on a page across a blocking call. Two rules follow, and the
// pool checks the first:
//
//  1. A task that blocks holds no pin. It pins, works, lets go, and only then waits for a lock, a flush, or another
//     page. What needs several pages at once asks for all of them in one pin_all().
//  2. After a call that may have blocked, what was read before is a memory of the past: look again.
//
// So at any moment at most one task that is not running holds pins (the one inside pin_all()), every other buffer can
// be replaced, and a pool of `buffers_min` serves any number of tasks without deadlock.
//
// A page that cannot be read leaves no trace in the pool: the next who asks reads again. A caller that is cancelled
// while it reads or writes leaves the work to the next who needs it.
//
// Dirty pages reach the disk in two ways: to make room, and by flush_dirty() of a checkpoint; never before the WAL up
// to their LSN is durable. A page that is changed while it is written is dirty again afterwards.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "engine/storage/data_files.h"
#include "engine/storage/page.h"
#include "sim/sync.h"

namespace polarsim::engine::storage {

inline constexpr std::size_t buffers_min = 16;
// The most pages that pin_all() takes at once.
inline constexpr std::size_t pin_all_max = 12;

class BufferPool;

// A pin: the page stays in its buffer as long as one lives. Movable. Empty after release() or a move.
class PageRef {
 public:
  PageRef() = default;
  PageRef(PageRef&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)), buffer_(other.buffer_) {}
  PageRef& operator=(PageRef&& other) noexcept;
  ~PageRef() { release(); }
  void release();
  explicit operator bool() const { return pool_ != nullptr; }

  Page page() const;
  PageId id() const;
  // Has to follow every change. Changes that the WAL tells go through WalLog (wal_record.h), which calls it.
  void mark_dirty() const;

 private:
  friend class BufferPool;
  PageRef(BufferPool* pool, std::uint32_t buffer) : pool_(pool), buffer_(buffer) {}
  BufferPool* pool_ = nullptr;
  std::uint32_t buffer_ = 0;
};

class BufferPool {
 public:
  // What has to be durable before a page with this LSN may be written; blocks.
  using FlushWal = std::function<void(Lsn)>;
  BufferPool(sim::Host& host, DataFiles& files, std::size_t buffers, FlushWal flush_wal);
  ~BufferPool();

  // Blocks if the page is not in memory; asserts then that the caller holds no pin. Throws as DataFiles::read. A new
  // page is handed out as it is: all zero.
  PageRef pin(PageId id);
  // Never blocks: empty if the page is not in memory.
  PageRef pin_if_resident(PageId id);
  // All of them at once, in the order given (at most pin_all_max, no page twice). The caller holds no pin. Throws as
  // pin().
  std::vector<PageRef> pin_all(std::span<const PageId> ids);
  // A new page at the end of the fork, all zero; blocks if a buffer has to be made free. The caller holds no pin. The
  // page is clean: it is not written unless it is changed.
  PageRef extend(RelationId relation, Fork fork = Fork::main);
  // For redo of a page that is written whole: the page without reading it, all zero unless it is in memory. Creates
  // what is missing of the fork. Blocks; asserts then that the caller holds no pin.
  PageRef pin_without_reading(PageId id);

  // Whether the page is in memory and dirty. A page that is being written still is.
  bool dirty(PageId id) const;
  // Writes what is dirty now, in the order in which it became dirty; `throttle(done, total)` is called after each page
  // and may sleep. Blocks; the caller holds no pin. When it returns, every change that was made before the call has
  // been handed to DataFiles, by whomever. What is changed after the call need not have been. Does not sync.
  void flush_dirty(const std::function<void(std::size_t done, std::size_t total)>& throttle = {});
  // Drops the relation's pages, dirty ones too. Never blocks: a page that is being read or written at the moment, or is
  // pinned, is nobody's from now on, and its buffer comes free when that is over. To be called before its files are
  // removed.
  void forget(RelationId relation);
  // Cuts the relation's main fork to so many blocks. Their pages are dropped, dirty ones too. Nobody else may use those
  // blocks meanwhile, and the log has to say durably that they go. Blocks; the caller holds no pin.
  void truncate(RelationId relation, BlockNumber blocks);
  // Asserts that the running task holds no pin: for places that may block.
  void assert_no_pins() const;

  std::size_t buffers() const;
  std::size_t dirty_count() const;
  struct Statistics {
    std::uint64_t hits = 0, misses = 0, evictions = 0, dirty_evictions = 0;
  };
  const Statistics& statistics() const;

 private:
  friend class PageRef;
  struct Implementation;
  std::unique_ptr<Implementation> impl_;
};

}  // namespace polarsim::engine::storage
