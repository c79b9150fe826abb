// A host's disk: files over 512-byte sectors with a volatile cache.
//
// What a crash (power loss) leaves:
//  - Bytes: for every sector written since the file's last successful sync(), any one of the versions the sector has
//  had since
//    then, the synced one included. So an unsynced write may vanish, survive, or tear between sectors, and of two
//    unsynced writes the later may survive without the earlier. A sector never tears inside.
//  - Size: a file grown or cut since its last sync keeps the synced size or any later one; bytes that were never
//  written read as zero.
//    A cut gives no sector a new version: a cut that survives takes its bytes from the versions older than itself, one
//    that does not survive brings them back.
//  - Names: creations, renames and removals since the last sync_directory() are undone from the newest back to a chosen
//  point (the
//    directory is journalled in order, as ext4 does in its default mode). A rename is atomic.
//    A file's sync() does not make its name durable; sync_directory() does.
//  - What was synced stays, unless the parameters make syncs fail or lie. A failed sync may be tried again: it forgets
//  nothing.
// The choice is made file by file, in four ways of equal chance, so that the clean outcomes stay as likely as the torn
// ones: nothing since the sync survives; everything; the oldest changes up to some point; or each sector, and the size,
// on its own. Each choice is a draw from the stream "disk/<host>/crash". The cache keeps at most 64 MiB of undo
// information for one file, and 10,000 directory changes; beyond that the oldest become durable, as background
// writeback would make them.
//
// A clean stop of the host loses nothing: the machine keeps its power, and the next boot finds the cache as it was.
//
// Device: latencies are true time, not the host's clock. Operations overlap freely, each with the whole bandwidth:
// there is no queue. Operations on names work in the cache and do not block; sync_directory() does. A latency of zero
// does not block either.
//
// Not modelled here: directories as a tree (a path is a flat name; "/" is allowed in it), permissions, links, read
// errors that heal, mmap, syncs that fail or lie.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "sim/distribution.h"
#include "sim/scheduler.h"

namespace polarsim::sim {

class Host;

inline constexpr std::uint64_t sector_bytes = 512;

enum class DiskError : std::uint8_t {
  not_found,
  exists,
  no_space,
  io_error,  // EIO
  offline,   // the host is down
};
const char* to_string(DiskError error);

enum class OpenMode : std::uint8_t {
  existing,    // not_found if absent
  create,      // created if absent
  create_new,  // exists if present
};

struct DiskParameters {
  DurationDistribution read_latency = DurationDistribution::uniform(Duration(60'000), Duration(140'000));
  DurationDistribution write_latency = DurationDistribution::uniform(Duration(10'000), Duration(30'000));
  DurationDistribution sync_latency = DurationDistribution::uniform(Duration(200'000), Duration(800'000));
  std::uint64_t bandwidth_bytes_per_s = 500'000'000;
  std::uint64_t capacity_bytes = 1ULL << 40;
  double sync_failure =
      0;  // probability that a sync of a file or the directory fails with io_error; nothing is durable then
  bool lying_syncs = false;  // syncs take their time and report success, but make nothing durable
  double slowdown = 1;       // every latency times this; a slow disk fault sets it
};

struct DiskStatistics {
  std::uint64_t reads = 0, writes = 0, syncs = 0;
  std::uint64_t bytes_read = 0, bytes_written = 0;
};

class Disk;
namespace detail {
struct Inode;
}

// An open file. Copyable handle; it becomes useless (offline) when its host goes down, and must be reopened after boot.
// Every call that names no other rule blocks for the device's latency and is an instant at which a crash may fall. A
// write and a cut enter the cache when the call begins: a crash during the call may keep or lose them, and other tasks
// see them at once. A read sees the cache when it returns. A file that is removed while open stays usable; its bytes no
// longer count against the capacity.
class File {
 public:
  File() = default;
  // The name the file was last given.
  const std::string& path() const;
  // The cached size; does not block.
  std::uint64_t size() const;
  // Appends to `out` up to `count` bytes from `offset`; fewer only at the end of the file.
  tl::expected<std::size_t, DiskError> read(std::uint64_t offset, std::size_t count, std::string& out) const;
  // All or nothing: with no_space nothing is written. A gap between the old end and `offset` reads as zero.
  tl::expected<void, DiskError> write(std::uint64_t offset, std::string_view bytes);
  // Cuts, or grows by zeros.
  tl::expected<void, DiskError> truncate(std::uint64_t size);
  // All bytes written before the call, and the size of that moment, are durable when it returns without an error. What
  // is written while it runs is not.
  tl::expected<void, DiskError> sync();

 private:
  friend class Disk;
  Disk* disk_ = nullptr;
  std::shared_ptr<detail::Inode> inode_;
  std::uint64_t incarnation_ = 0;
};

class Disk {
 public:
  explicit Disk(Host& host);
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  tl::expected<File, DiskError> open(const std::string& path, OpenMode mode);
  tl::expected<void, DiskError> remove(const std::string& path);
  // Replaces `to` if it exists.
  tl::expected<void, DiskError> rename(const std::string& from, const std::string& to);
  bool exists(const std::string& path) const;
  // Sorted paths that start with `prefix`.
  std::vector<std::string> list(std::string_view prefix = "") const;
  // Every change of a name before the call is durable when it returns without an error.
  tl::expected<void, DiskError> sync_directory();

  const DiskParameters& parameters() const;
  void set_parameters(const DiskParameters& parameters);
  const DiskStatistics& statistics() const;

  // Called by Host. crash(): applies the power-loss model; boot(): lets handles be opened again.
  void crash();
  void boot();

  // For tests and checkers: the contents of the last sync() of the file that `path` names in the directory of the last
  // sync_directory(); empty if it names none there. Sectors rewritten since then may come out of a crash with a later
  // version.
  std::string durable_contents(const std::string& path) const;
  // For fault injection at rest: flips the bits of `mask` in one byte of the cached contents and of every older version
  // that a crash could bring back. Overwriting the byte repairs it. No effect if there is no such file or byte.
  void damage(const std::string& path, std::uint64_t offset, std::uint8_t mask);

  struct Implementation;

 private:
  friend class File;
  std::unique_ptr<Implementation> impl_;
};

}  // namespace polarsim::sim
