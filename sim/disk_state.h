// The state behind disk.h; private to the disk's own sources.
//
// A file keeps its cached contents once, and a journal of undo records for what is not durable yet. The durable
// contents are what remains when every record is undone, and the versions a sector has had are what undoing shows on
// the way. So a sync only forgets records, and appending to a log with a sync after each append costs the bytes
// written, not the file.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/disk.h"
#include "sim/trace.h"

namespace polarsim::sim {

namespace detail {

// Bytes with holes that read as zero and take no memory.
class SparseBytes {
 public:
  std::uint64_t size() const { return size_; }
  // Appends [offset, offset + count) to `out`; the range must lie within the size.
  void read(std::uint64_t offset, std::uint64_t count, std::string& out) const;
  // As read(), but bytes past the size read as zero.
  std::string read_padded(std::uint64_t offset, std::uint64_t count) const;
  // Grows if the range ends past the size.
  void write(std::uint64_t offset, std::string_view bytes);
  // Cuts, or grows by zeros.
  void resize(std::uint64_t size);

 private:
  static constexpr std::uint64_t block_bytes = 8192;
  using Block = std::array<char, block_bytes>;

  std::vector<std::unique_ptr<Block>> blocks_;  // null is a hole
  std::uint64_t size_ = 0;
};

// Undoes one write or resize: `size` is the size before, `old` the bytes before from `offset` on. Of `length` bytes
// that changed, those past the end of `old` did not exist and read as zero.
struct Undo {
  bool cut = false;  // a truncation: it gives no sector a new version, it ends the older ones
  std::uint64_t size = 0;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::string old;
};

struct Inode {
  std::uint64_t id = 0;
  std::string path;    // the name it was last given
  bool linked = true;  // it has a name in the cached directory
  SparseBytes contents;
  std::deque<Undo> journal;  // oldest first
  std::uint64_t journal_start =
      0;  // the number of records forgotten: record i of the journal has the number journal_start + i
  std::uint64_t journal_bytes = 0;

  std::uint64_t durable_size() const { return journal.empty() ? contents.size() : journal.front().size; }
  // Forgets the records below number `end`: what they would undo has become durable.
  void make_durable(std::uint64_t end);
  void append(Undo undo);
};

// One change of the directory, with what undoes it.
struct DirectoryChange {
  enum class Kind : std::uint8_t { create, remove, rename } kind;
  std::string name;                  // created, removed, or renamed from
  std::string target;                // renamed to
  std::shared_ptr<Inode> inode;      // that had or got the name
  std::shared_ptr<Inode> displaced;  // that a rename took `target` from; may be null
};

using Directory = std::map<std::string, std::shared_ptr<Inode>, std::less<>>;

// Applies the power-loss model to one file: draws what survives, and leaves it as contents without a journal.
void lose_power(Inode& inode, RandomStream& choices);
// Takes back one change; to be called for the newest first.
void undo_change(Directory& directory, const DirectoryChange& change);
// The contents with the whole journal undone.
std::string durable_bytes(const Inode& inode);

}  // namespace detail

// Numbers are part of recorded digests: append, never renumber.
enum class DiskOperation : std::uint8_t {
  open = 1,
  create,
  remove,
  rename,
  read,
  write,
  truncate,
  sync,
  sync_directory,
  crash,
  damage,
};

struct Disk::Implementation {
  using Inode = detail::Inode;

  explicit Implementation(Host& owner);

  bool online(std::uint64_t incarnation) const;
  // Sleeps for the device's time; false if the host went down meanwhile.
  bool spend(const DurationDistribution& latency, RandomStream& stream, std::uint64_t bytes, std::uint64_t incarnation);
  // Sleeps for a sync and says whether it makes anything durable.
  tl::expected<bool, DiskError> spend_sync(std::uint64_t incarnation);
  // Applies the power-loss model to the names.
  void lose_names();
  bool reserve(const Inode& inode, std::uint64_t new_size);
  void record(detail::DirectoryChange change);
  void note(DiskOperation operation, const Inode* inode, std::uint64_t offset, std::uint64_t size, std::uint64_t hash);

  Host& host;
  Scheduler& scheduler;
  DiskParameters parameters;
  DiskStatistics statistics;
  bool powered = true;
  detail::Directory directory;
  std::deque<detail::DirectoryChange> changes;  // not durable yet, oldest first
  std::uint64_t changes_start = 0;              // the number of changes forgotten, as Inode::journal_start
  std::uint64_t next_inode = 1;
  // The operation noted last, for the event that ends it.
  TraceId noted = 0;
  TraceName noted_name = 0;
  std::uint64_t used_bytes = 0;  // sizes of linked files
  RandomStream* read_stream;
  RandomStream* write_stream;
  RandomStream* sync_stream;
  RandomStream* crash_stream;
};

}  // namespace polarsim::sim
