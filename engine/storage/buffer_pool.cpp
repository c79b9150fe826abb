#include "engine/storage/buffer_pool.h"

#include <algorithm>
#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstring>
#include <mutex>

#include "engine/types/error.h"
#include "sim/assert.h"

namespace polarsim::engine::storage {

namespace {

constexpr std::uint8_t usage_max = 5;  // PostgreSQL's BM_MAX_USAGE_COUNT

struct HashPageId {
  using is_avalanching = void;
  std::uint64_t operator()(const PageId& id) const { return hash_page_id(id); }
};

// A read or write of a buffer that is under way. It lies on the stack of the task that does it.
struct Transfer {
  explicit Transfer(sim::Scheduler& scheduler) : over(scheduler, "page transfer") {}
  sim::Condition over;
};

struct Buffer {
  PageId id;
  std::uint32_t pins = 0;
  std::uint8_t usage = 0;
  bool dirty = false;
  bool reading = false;
  bool writing = false;
  bool changed_while_writing = false;
  // Not in the table any more: its relation, or its place there, is gone. Comes free when nobody uses the buffer.
  bool forgotten = false;
  Transfer* transfer = nullptr;     // while reading or writing
  std::uint64_t dirty_since = 0;    // number of the change that made it dirty
  std::uint64_t changed_since = 0;  // the same, of the first change since the write under way began
  bool busy() const { return pins > 0 || reading || writing; }
  bool is_of(RelationId relation) const { return id.block != invalid_block && id.relation == relation && !forgotten; }
};

}  // namespace

struct BufferPool::Implementation {
  using Index = std::uint32_t;

  Implementation(sim::Host& its_host, DataFiles& its_files, std::size_t count, FlushWal flush)
      : scheduler(its_host.scheduler()),
        files(its_files),
        flush_wal(std::move(flush)),
        bytes(std::make_unique_for_overwrite<char[]>(count * page_size)),
        buffers(count),
        loader(scheduler, "loading of several pages"),
        buffer_idle(scheduler, "idle buffer") {
    POLARSIM_ASSERT(count >= buffers_min, "a buffer pool that small cannot serve a task that needs several pages");
    table.reserve(count);
    free.reserve(count);
    for (std::size_t i = count; i > 0; --i) free.push_back(static_cast<Index>(i - 1));
  }

  char* page_bytes(Index index) const { return bytes.get() + std::size_t{index} * page_size; }

  // --- pins ---
  PageRef hand_out(BufferPool* pool, Index index) {
    Buffer& buffer = buffers[index];
    ++buffer.pins;
    ++pins;
    if (buffer.usage < usage_max) ++buffer.usage;
    return PageRef(pool, index);
  }
  void unpin(Index index);
  void assert_no_pins() const {
    POLARSIM_ASSERT(pins == loading_pins, "a task that may block holds a pin (buffer_pool.h, rule 1)");
  }
  void mark_dirty(Index index);

  // --- finding and making room ---
  // Where the page is, if it is in memory and read.
  const Index* find_ready(PageId id) const {
    const auto found = table.find(id);
    return found != table.end() && !buffers[found->second].reading ? &found->second : nullptr;
  }
  // Waits for the end of the read or write.
  static void wait_for(const Buffer& buffer) { buffer.transfer->over.wait("page transfer"); }
  // A buffer that belongs to nobody and is not in `free`. Blocks. The caller uses it or gives it back before it blocks.
  Index acquire_buffer();
  // The next buffer that nobody uses and that has not been used lately; its page may be dirty. Empty if all are in use.
  std::optional<Index> sweep();
  void give_back(Index index) {
    buffers[index] = Buffer{};
    free.push_back(index);
    buffer_idle.notify_all();
  }
  // The end of a read or write, or of the last pin.
  void became_idle(Index index);
  // The buffer's page is nobody's from now on.
  void drop(Index index);

  // --- transfers ---
  // The page in memory, however that comes about. Blocks.
  Index load_page(PageId id);
  void read_into(Index index, PageId id);
  // Writes the buffer's page as it is now, which is dirty. Blocks.
  void write_out(Index index);

  Index install(Index index, PageId id) {
    buffers[index].id = id;
    table.emplace(id, index);
    return index;
  }

  sim::Scheduler& scheduler;
  DataFiles& files;
  FlushWal flush_wal;
  std::unique_ptr<char[]> bytes;
  std::vector<Buffer> buffers;
  boost::unordered_flat_map<PageId, Index, HashPageId> table;
  std::vector<Index> free;
  Index hand = 0;  // of the clock
  std::uint64_t pins = 0;
  std::uint64_t loading_pins = 0;  // those of the task inside pin_all(), while it loads
  std::uint64_t changes = 0;       // counts how often a clean page became dirty
  std::size_t dirty = 0;
  sim::Mutex loader;
  sim::Condition buffer_idle;
  Statistics statistics;
};

namespace {

// Says that a buffer is being read or written, and that it is over.
class TransferScope {
 public:
  TransferScope(sim::Scheduler& scheduler, std::vector<Buffer>& buffers, std::uint32_t index, bool Buffer::*direction)
      : transfer_(scheduler), buffer_(buffers[index]), direction_(direction) {
    buffer_.*direction_ = true;
    buffer_.transfer = &transfer_;
  }
  ~TransferScope() {
    buffer_.*direction_ = false;
    buffer_.transfer = nullptr;
    transfer_.over.notify_all();
  }
  TransferScope(const TransferScope&) = delete;
  TransferScope& operator=(const TransferScope&) = delete;

 private:
  Transfer transfer_;
  Buffer& buffer_;
  bool Buffer::*direction_;
};

}  // namespace

void BufferPool::Implementation::became_idle(Index index) {
  Buffer& buffer = buffers[index];
  if (buffer.busy()) return;
  if (buffer.forgotten) {
    give_back(index);
  } else {
    buffer_idle.notify_all();
  }
}

void BufferPool::Implementation::drop(Index index) {
  Buffer& buffer = buffers[index];
  table.erase(buffer.id);
  if (std::exchange(buffer.dirty, false)) --dirty;
  buffer.changed_while_writing = false;
  buffer.forgotten = true;
  became_idle(index);
}

void BufferPool::Implementation::unpin(Index index) {
  Buffer& buffer = buffers[index];
  POLARSIM_ASSERT(buffer.pins > 0 && pins > 0, "a pin that nobody holds");
  --buffer.pins;
  --pins;
  if (buffer.pins == 0) became_idle(index);
}

void BufferPool::Implementation::mark_dirty(Index index) {
  Buffer& buffer = buffers[index];
  POLARSIM_ASSERT(buffer.pins > 0, "a change to a page that is not pinned");
  if (buffer.forgotten) return;
  if (buffer.writing) {
    if (buffer.changed_while_writing) return;
    buffer.changed_while_writing = true;
    buffer.changed_since = ++changes;
  } else if (!buffer.dirty) {
    buffer.dirty = true;
    buffer.dirty_since = ++changes;
    ++dirty;
  }
}

std::optional<BufferPool::Implementation::Index> BufferPool::Implementation::sweep() {
  std::size_t fruitless = 0;
  while (fruitless < buffers.size()) {
    const Index index = hand;
    hand = hand + 1 < buffers.size() ? hand + 1 : 0;
    Buffer& buffer = buffers[index];
    // What is in `free` was taken from there before the sweep began; forgotten ones come free by themselves.
    if (buffer.busy() || buffer.forgotten || buffer.id.block == invalid_block) {
      ++fruitless;
      continue;
    }
    if (buffer.usage == 0) return index;
    --buffer.usage;
    fruitless = 0;
  }
  return std::nullopt;
}

BufferPool::Implementation::Index BufferPool::Implementation::acquire_buffer() {
  for (;;) {
    if (!free.empty()) {
      const Index index = free.back();
      free.pop_back();
      return index;
    }
    const std::optional<Index> victim = sweep();
    if (!victim) {
      buffer_idle.wait("idle buffer");
      continue;
    }
    Buffer& buffer = buffers[*victim];
    if (buffer.dirty) {
      ++statistics.dirty_evictions;
      write_out(*victim);
      // Meanwhile anything may have happened to it. It is taken only if it still is what nobody wants; otherwise the
      // sweep goes on.
      if (buffer.busy() || buffer.dirty || buffer.forgotten || buffer.id.block == invalid_block) continue;
    }
    table.erase(buffer.id);
    buffer = Buffer{};
    ++statistics.evictions;
    return *victim;
  }
}

void BufferPool::Implementation::read_into(Index index, PageId id) {
  install(index, id);
  try {
    const TransferScope scope(scheduler, buffers, index, &Buffer::reading);
    files.read(id, std::span<char, page_size>(page_bytes(index), page_size));
  } catch (...) {
    if (!buffers[index].forgotten) table.erase(id);
    give_back(index);
    throw;
  }
}

void BufferPool::Implementation::write_out(Index index) {
  Buffer& buffer = buffers[index];
  // A copy, so that the page may be changed while it is written: what goes to the disk must not be newer than the LSN
  // up to which the log has been flushed for it.
  std::array<char, page_size> copy;
  std::memcpy(copy.data(), page_bytes(index), page_size);
  bool written = false;
  try {
    const TransferScope scope(scheduler, buffers, index, &Buffer::writing);
    flush_wal(Page(copy.data()).lsn());
    if (!buffer.forgotten) files.write(buffer.id, {copy.data(), page_size});
    written = true;
  } catch (...) {
    // Dirty as before, since the time it was.
    buffer.changed_while_writing = false;
    became_idle(index);
    throw;
  }
  if (written && !buffer.forgotten) {
    buffer.dirty = std::exchange(buffer.changed_while_writing, false);
    buffer.dirty_since = buffer.changed_since;
    if (!buffer.dirty) --dirty;
  }
  became_idle(index);
}

BufferPool::Implementation::Index BufferPool::Implementation::load_page(PageId id) {
  for (;;) {
    assert_no_pins();
    if (const auto found = table.find(id); found != table.end()) {
      if (!buffers[found->second].reading) return found->second;
      wait_for(buffers[found->second]);
      continue;
    }
    const Index index = acquire_buffer();
    if (table.contains(id)) {
      give_back(index);
      continue;
    }
    ++statistics.misses;
    read_into(index, id);
    if (!buffers[index].forgotten) return index;
    // Its relation is gone: reading again says so.
    became_idle(index);
  }
}

// --- PageRef ---

PageRef& PageRef::operator=(PageRef&& other) noexcept {
  if (this == &other) return *this;
  release();
  pool_ = std::exchange(other.pool_, nullptr);
  buffer_ = other.buffer_;
  return *this;
}

void PageRef::release() {
  if (pool_ == nullptr) return;
  std::exchange(pool_, nullptr)->impl_->unpin(buffer_);
}

Page PageRef::page() const { return Page(pool_->impl_->page_bytes(buffer_)); }
PageId PageRef::id() const { return pool_->impl_->buffers[buffer_].id; }
void PageRef::mark_dirty() const { pool_->impl_->mark_dirty(buffer_); }

// --- BufferPool ---

BufferPool::BufferPool(sim::Host& host, DataFiles& files, std::size_t buffers, FlushWal flush_wal)
    : impl_(std::make_unique<Implementation>(host, files, buffers, std::move(flush_wal))) {}

BufferPool::~BufferPool() { POLARSIM_ASSERT(impl_->pins == 0, "a pin outlives its buffer pool"); }

PageRef BufferPool::pin(PageId id) {
  if (const auto* const index = impl_->find_ready(id)) {
    ++impl_->statistics.hits;
    return impl_->hand_out(this, *index);
  }
  return impl_->hand_out(this, impl_->load_page(id));
}

PageRef BufferPool::pin_if_resident(PageId id) {
  const auto* const index = impl_->find_ready(id);
  if (index == nullptr) return {};
  ++impl_->statistics.hits;
  return impl_->hand_out(this, *index);
}

std::vector<PageRef> BufferPool::pin_all(std::span<const PageId> ids) {
  POLARSIM_ASSERT(ids.size() <= pin_all_max, "more pages at once than pin_all() takes");
  impl_->assert_no_pins();
  std::vector<PageRef> refs;
  refs.reserve(ids.size());
  for (const PageId id : ids) {
    PageRef ref = pin_if_resident(id);
    if (!ref) break;
    refs.push_back(std::move(ref));
  }
  if (refs.size() == ids.size()) return refs;
  refs.clear();

  // While one loads, his pins stay. So that they are the only ones, the others wait their turn.
  const std::lock_guard lock(impl_->loader);
  struct Loading {
    Implementation& pool;
    ~Loading() { pool.loading_pins = 0; }
  } const loading{*impl_};
  for (;;) {
    for (const PageId id : ids) {
      refs.push_back(pin(id));
      ++impl_->loading_pins;
    }
    const bool complete = std::none_of(refs.begin(), refs.end(),
                                       [this](const PageRef& ref) { return impl_->buffers[ref.buffer_].forgotten; });
    if (complete) return refs;
    // A relation was dropped meanwhile: reading again says so.
    refs.clear();
    impl_->loading_pins = 0;
  }
}

PageRef BufferPool::extend(RelationId relation, Fork fork) {
  impl_->assert_no_pins();
  const auto index = impl_->acquire_buffer();
  BlockNumber block = invalid_block;
  try {
    block = impl_->files.extend(relation, fork);
  } catch (...) {
    impl_->give_back(index);
    throw;
  }
  const PageId id{relation, fork, block};
  // Somebody may have looked beyond the end.
  if (impl_->table.contains(id)) {
    impl_->give_back(index);
    return pin(id);
  }
  std::memset(impl_->page_bytes(index), 0, page_size);
  return impl_->hand_out(this, impl_->install(index, id));
}

PageRef BufferPool::pin_without_reading(PageId id) {
  impl_->files.extend_to(id.relation, id.fork, id.block + 1);
  for (;;) {
    if (PageRef ref = pin_if_resident(id)) return ref;
    impl_->assert_no_pins();
    if (const auto found = impl_->table.find(id); found != impl_->table.end()) {
      Implementation::wait_for(impl_->buffers[found->second]);
      continue;
    }
    const auto index = impl_->acquire_buffer();
    if (impl_->table.contains(id)) {
      impl_->give_back(index);
      continue;
    }
    std::memset(impl_->page_bytes(index), 0, page_size);
    return impl_->hand_out(this, impl_->install(index, id));
  }
}

bool BufferPool::dirty(PageId id) const {
  const auto* const index = impl_->find_ready(id);
  return index != nullptr && impl_->buffers[*index].dirty;
}

void BufferPool::flush_dirty(const std::function<void(std::size_t done, std::size_t total)>& throttle) {
  impl_->assert_no_pins();
  struct Entry {
    std::uint64_t since;
    Implementation::Index index;
    PageId id;
  };
  const std::uint64_t start = impl_->changes;
  std::vector<Entry> entries;
  entries.reserve(impl_->dirty);
  for (Implementation::Index i = 0; i < impl_->buffers.size(); ++i) {
    const Buffer& buffer = impl_->buffers[i];
    if (buffer.dirty) entries.push_back({buffer.dirty_since, i, buffer.id});
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.since < b.since; });
  for (std::size_t done = 0; done < entries.size(); ++done) {
    const Entry& entry = entries[done];
    const Buffer& buffer = impl_->buffers[entry.index];
    // Until the change, and those that others made before the start while they wrote the page, are written. If the page
    // has left the buffer, it was.
    while (buffer.id == entry.id && buffer.dirty && !buffer.forgotten && buffer.dirty_since <= start) {
      if (buffer.writing) {
        Implementation::wait_for(buffer);
      } else {
        impl_->write_out(entry.index);
      }
    }
    if (throttle) throttle(done + 1, entries.size());
  }
}

void BufferPool::forget(RelationId relation) {
  for (Implementation::Index i = 0; i < impl_->buffers.size(); ++i) {
    const Buffer& buffer = impl_->buffers[i];
    if (buffer.is_of(relation)) impl_->drop(i);
  }
}

void BufferPool::truncate(RelationId relation, BlockNumber blocks) {
  impl_->assert_no_pins();
  const auto goes = [&](const Buffer& buffer) {
    return buffer.is_of(relation) && buffer.id.fork == Fork::main && buffer.id.block >= blocks;
  };
  impl_->files.truncate(relation, blocks, [&] {
    // A page that is being written must not land behind the cut.
    for (;;) {
      const auto busy = std::find_if(impl_->buffers.begin(), impl_->buffers.end(),
                                     [&](const Buffer& buffer) { return goes(buffer) && buffer.transfer != nullptr; });
      if (busy == impl_->buffers.end()) break;
      Implementation::wait_for(*busy);
    }
    for (Implementation::Index i = 0; i < impl_->buffers.size(); ++i) {
      if (goes(impl_->buffers[i])) impl_->drop(i);
    }
  });
}

void BufferPool::assert_no_pins() const { impl_->assert_no_pins(); }
std::size_t BufferPool::buffers() const { return impl_->buffers.size(); }
std::size_t BufferPool::dirty_count() const { return impl_->dirty; }
const BufferPool::Statistics& BufferPool::statistics() const { return impl_->statistics; }

}  // namespace polarsim::engine::storage
