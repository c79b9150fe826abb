// A host's disk: a tree of directories and files over 512-byte sectors, behind a volatile cache of 4 KiB pages.
//
// What a crash (power loss) leaves:
//  - Bytes: for every sector written since the file's last successful sync(), any one of the versions the sector has
//    had since then, the synced one included. So an unsynced write may vanish, survive, or tear between sectors, inside
//    a page too, and of two unsynced writes the later may survive without the earlier. A sector never tears inside.
//  - Size: a file grown or cut since its last sync keeps the synced size or any later one; bytes that were never
//    written read as zero. A cut gives no sector a new version: a cut that survives takes its bytes from the versions
//    older than itself, one that does not survive brings them back.
//  - Names: creations, renames and removals that are not durable are undone from the newest back to a chosen point: the
//    metadata journal is written in order, as ext4's is in its default mode (data=ordered). With `unordered_names`,
//    changes of different directories survive independently of each other; those of one directory keep their order, a
//    rename counts as a change of both its directories, and the rename of a directory comes after every earlier change.
//    A rename is atomic always. Data and names are independent: a name may survive without the bytes, and the bytes
//    without the name. sync_directory(path) makes durable every change of that directory and what must precede it in
//    the order above, and nothing else; a file's sync() makes no name durable. (ext4 would commit the whole journal in
//    both cases; POSIX promises no more than this, and programs that rely on more break elsewhere: Pillai et al., "All
//    File Systems Are Not Created Equal", OSDI 2014, whose persistence model this follows.)
//  - What was synced stays, unless a fault says otherwise.
// The choice is made for the names and for each file on its own, in four ways of equal chance, so that the clean
// outcomes stay as likely as the torn ones: nothing since the sync survives; everything; the oldest changes up to some
// point; or each sector, and the size, on its own (for unordered names: each directory on its own). Each choice is a
// draw from the stream "disk/<host>/crash". crash_states.h visits all of them. The cache keeps at most 64 MiB of undo
// information for one file, and 10,000 changes of names; beyond that the oldest become durable, as background writeback
// would make them.
//
// A clean stop of the host loses nothing: the machine keeps its power, and the next boot finds the cache as it was.
//
// Faults. Each leaves the contents the file should have (clean_contents) beside what the medium holds, for the damaged
// sectors only, and is listed by damage_report() until the sector is rewritten on the medium:
//  - bit rot: a bit of a sector at rest flips.
//  - latent sector error: the sector cannot be read, and stays so until it is rewritten. A cached read fails with
//    io_error if any sector of a page it touches is bad, a direct read only for the sectors it asks for. A buffered
//    write of a part of such a page has to read it first and fails too.
//  - lost write: the device acknowledges a page (of a sync) or a request (of a direct write) and does not do it.
//  - misdirected write: it does it elsewhere: the bytes land on other sectors of a file of this disk; those which were
//    meant keep what they held.
//  - failed sync, of two kinds. `keeps_dirty`: nothing was made durable, and the next sync tries again. `forgets`, as
//    Linux does: every page of the file is marked clean although some were not written (a random choice of at least
//    one, drawn page by page; the size is kept); cached reads go on showing the new bytes, the next sync succeeds, and
//    the bytes are gone once the pages leave the cache ("fsyncgate": the pgsql-hackers thread "PostgreSQL's handling of
//    fsync() errors is unsafe and risks data loss", 2018; Rebello et al., "Can Applications Recover from fsync
//    Failures?", ATC 2020). A failed sync_directory() keeps its changes in both kinds.
//  - lying sync: takes its time, reports success, makes nothing durable.
//  - no_space although there is room; short writes; slowdown; and, of the device (disk_device.h), stalls and limits.
// A page that already shows damage to its readers is never lost, misdirected or forgotten by a later sync.
// A lost, misdirected or forgotten write stays hidden while the cache holds the page: reads show the clean bytes, until
// a power loss, drop_caches(), or an `eviction`. Direct reads bypass the cache and see the medium. A buffered write
// into a cached page rewrites all of its sectors and so heals the hidden damage of the page; a write into a page that
// is not cached heals only the sectors it covers in full, for the rest is read from the medium and written back as it
// is. Every probability below draws from a stream of its own, "disk/<host>/<fault>", and draws nothing while it is
// zero.
//
// Device time is true time, not the host's clock. Operations on names work in the cache and do not block;
// sync_directory() does. A latency of zero does not block either. Buffered writes do not reach the device: they take
// their write latency only; a sync carries their bytes, one operation for each write that is not durable yet.
//
// Not modelled: permissions, links, symbolic links, time stamps, sparse-file accounting, directories' own space, mmap,
// open directories, O_APPEND, a size limit on the page cache (pages leave it only as said above), read errors that heal
// by themselves, file systems that reorder names against data beyond the above, memory alignment of direct I/O, a
// remount after a failed journal commit. A sync flushes the device's cache for its own file only. lazyfs (dsrhaslab)
// offers the same idea of an application-visible page cache to real programs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "sim/disk_device.h"
#include "sim/distribution.h"
#include "sim/scheduler.h"

namespace polarsim::sim {

class Host;
struct DiskImage;

inline constexpr std::uint64_t sector_bytes = 512;
inline constexpr std::uint64_t page_bytes = 4096;
// Longer names and paths fail with name_too_long.
inline constexpr std::size_t name_bytes_max = 255;
inline constexpr std::size_t path_bytes_max = 4095;

// Named after the errno that Linux returns for the same operation.
enum class DiskError : std::uint8_t {
  not_found,        // ENOENT
  exists,           // EEXIST
  no_space,         // ENOSPC
  io_error,         // EIO
  offline,          // the host is down, or the disk was replaced since the file was opened
  not_a_directory,  // ENOTDIR
  is_a_directory,   // EISDIR
  not_empty,        // ENOTEMPTY
  invalid,          // EINVAL
  busy,             // EBUSY
  name_too_long,    // ENAMETOOLONG
};
const char* to_string(DiskError error);

enum class OpenMode : std::uint8_t {
  existing,    // not_found if absent
  create,      // created if absent
  create_new,  // exists if present
};

struct OpenFlags {
  // O_DIRECT: offsets and lengths of reads and writes are multiples of a sector, else `invalid`. Reads and writes
  // bypass the cache and are coherent with it. What is written lies in the device's volatile cache: it is durable after
  // a sync, as other writes are.
  bool direct = false;
  // O_TRUNC: cuts the file to nothing.
  bool truncate = false;
};

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
  make_directory,
  remove_directory,
  replace,
  drop_caches,
};
const char* to_string(DiskOperation operation);

// Is told of an operation on the path right before it begins: of reads, writes, cuts, syncs of files and directories,
// creations, removals and renames (by the old name); not of opening what exists, nor of looking at names. May end the
// host's life, or replace the disk, and must not change the disk otherwise.
using DiskObserver = std::function<void(DiskOperation operation, const std::string& path)>;

enum class SyncFailure : std::uint8_t { keeps_dirty, forgets };

struct DiskParameters {
  DurationDistribution read_latency = DurationDistribution::uniform(Duration(60'000), Duration(140'000));
  DurationDistribution write_latency = DurationDistribution::uniform(Duration(10'000), Duration(30'000));
  DurationDistribution sync_latency = DurationDistribution::uniform(Duration(200'000), Duration(800'000));
  std::uint64_t bandwidth_bytes_per_s = 500'000'000;  // of each operation on its own
  // Sum of the sizes of all named files; may be set below what is used: then nothing grows.
  std::uint64_t capacity_bytes = 1ULL << 40;
  bool unordered_names = false;
  double slowdown = 1;  // every latency times this; a slow disk fault sets it

  // Probabilities. Of one sync of a file or a directory:
  double sync_failure = 0;  // fails with io_error
  SyncFailure sync_failure_kind = SyncFailure::keeps_dirty;
  double lying_syncs = 0;
  // Of one page that a sync writes, or of one direct write:
  double lost_write = 0;
  double misdirected_write = 0;
  // Of one read: one of the sectors it asks for gets damaged before.
  double bit_rot = 0;
  double latent_sector_error = 0;
  // Of one read: the pages it touches have left the cache, if they are clean.
  double eviction = 0;
  // Of one write: fewer bytes are written, at least one (a sector if direct).
  double short_write = 0;
  // Of one write or cut that grows the file.
  double no_space = 0;
};

struct DiskStatistics {
  std::uint64_t reads = 0, writes = 0, syncs = 0;
  std::uint64_t bytes_read = 0, bytes_written = 0;
};

enum class DamageKind : std::uint8_t { bit_rot, latent_sector_error, lost_write, misdirected_write, forgotten_write };
const char* to_string(DamageKind kind);

// A sector whose medium does not hold what it should.
struct DamagedSector {
  std::string path;
  std::uint64_t sector = 0;               // of the file
  DamageKind kind = DamageKind::bit_rot;  // misdirected_write: the sector that got bytes not meant for it; the sectors
                                          // that should have got them are lost_write
  bool hidden = false;                    // the cache still shows the clean bytes
  friend bool operator==(const DamagedSector&, const DamagedSector&) = default;
};

struct FileStatus {
  std::uint64_t id = 0;  // as an inode number: never reused within a run
  bool is_directory = false;
  std::uint64_t size = 0;  // 0 for a directory
};

struct DirectoryEntry {
  std::string name;
  bool is_directory = false;
  friend bool operator==(const DirectoryEntry&, const DirectoryEntry&) = default;
};

class Disk;
namespace detail {
struct Inode;
}

// An open file. Copyable handle; it becomes useless (offline) when its host goes down or its disk is replaced, and must
// be reopened after boot. Every call that names no other rule blocks for the device's latency and is an instant at
// which a crash may fall. A write and a cut enter the cache when the call begins: a crash during the call may keep or
// lose them, and other tasks see them at once. A read sees the cache when it returns. A file that is removed while open
// stays usable; its bytes no longer count against the capacity, but it cannot grow beyond that on its own.
class File {
 public:
  File() = default;
  // The path the file was last given.
  std::string path() const;
  // The cached size; does not block.
  std::uint64_t size() const;
  // Appends to `out` up to `count` bytes from `offset`; fewer only at the end of the file. With an error, none.
  tl::expected<std::size_t, DiskError> read(std::uint64_t offset, std::size_t count, std::string& out) const;
  // Returns the number of bytes written: all of them, unless the parameters make writes short. With no_space nothing is
  // written. A gap between the old end and `offset` reads as zero.
  tl::expected<std::size_t, DiskError> write(std::uint64_t offset, std::string_view bytes);
  // Writes until all bytes are written or an error comes; then a part may have been written.
  tl::expected<void, DiskError> write_all(std::uint64_t offset, std::string_view bytes);
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
  std::uint64_t medium_ = 0;
  bool direct_ = false;
};

// Paths are relative to the disk's root; leading and repeated slashes are ignored, "." and ".." mean what they mean
// elsewhere, and a trailing slash asks for a directory. Errors and their precedence are those of Linux.
class Disk {
 public:
  explicit Disk(Host& host);
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  tl::expected<File, DiskError> open(const std::string& path, OpenMode mode, OpenFlags flags = {});
  tl::expected<void, DiskError> make_directory(const std::string& path);
  // An empty one.
  tl::expected<void, DiskError> remove_directory(const std::string& path);
  // A file.
  tl::expected<void, DiskError> remove(const std::string& path);
  // A file replaces a file, a directory an empty directory.
  tl::expected<void, DiskError> rename(const std::string& from, const std::string& to);
  tl::expected<FileStatus, DiskError> status(const std::string& path) const;
  bool exists(const std::string& path) const;
  // Sorted by name.
  tl::expected<std::vector<DirectoryEntry>, DiskError> list_directory(const std::string& path) const;
  // Sorted paths of the files, in all directories, that start with `prefix`.
  std::vector<std::string> list(std::string_view prefix = "") const;
  // Every change of a name in this directory before the call is durable when it returns without an error.
  tl::expected<void, DiskError> sync_directory(const std::string& path = "/");

  const DiskParameters& parameters() const;
  void set_parameters(const DiskParameters& parameters);
  const DiskStatistics& statistics() const;
  // Every disk starts with a device of its own, named after its host.
  BlockDevice& device() const;
  // Requests that are under way end on the former device.
  void set_device(std::shared_ptr<BlockDevice> device);

  // Called by Host. crash(): applies the power-loss model; boot(): lets handles be opened again. Loss of the disk: an
  // empty one takes its place, every handle goes offline; it may come while the host runs.
  void crash();
  void boot();
  void replace_with_blank();

  // --- for fault injection; paths that name no file, and bytes past its end, have no effect ---
  // Flips the bits of `mask` in one byte of the cached contents and of every older version that a crash could bring
  // back. Overwriting the byte repairs it.
  void damage(const std::string& path, std::uint64_t offset, std::uint8_t mask);
  // A latent error in this sector of the file. If the sector waits to be written, it shows only if a power loss
  // prevents that.
  void make_unreadable(const std::string& path, std::uint64_t sector);
  // The next `count` syncs, of files or directories, fail in this way.
  void fail_next_syncs(std::uint32_t count, SyncFailure kind);
  // Clean pages leave the cache, so that reads show the medium.
  void drop_caches();

  // --- for tests and checkers ---
  // What the medium holds of the contents of the last sync() of the file that `path` names in the tree of the last
  // syncs of directories; empty if it names none there. Unreadable sectors come out as they should be. Sectors
  // rewritten since then may come out of a crash with a later version.
  std::string durable_contents(const std::string& path) const;
  // The cached contents as they were if no fault had done damage; empty if there is no such file.
  std::string clean_contents(const std::string& path) const;
  // What cached reads show now, damage included; unreadable sectors come out as they should be. Empty if there is no
  // such file.
  std::string cached_contents(const std::string& path) const;
  // By path, then sector.
  std::vector<DamagedSector> damage_report() const;
  // Stays until the next call, which must not come from itself, over crashes and boots; empty for none. To crash before
  // the n-th operation of a run, count in the observer: what a power loss finds on the disk changes only with these
  // operations (of a sync: when it ends).
  void set_observer(DiskObserver observer);
  // Takes the place of everything on the disk, and is durable. Handles go offline, as when the disk is replaced.
  void load(const DiskImage& image);

  struct Implementation;
  // For the disk's own sources.
  Implementation& implementation() const { return *impl_; }

 private:
  friend class File;
  tl::expected<std::shared_ptr<detail::Inode>, DiskError> open_inode(const std::string& path, OpenMode mode);
  std::unique_ptr<Implementation> impl_;
};

}  // namespace polarsim::sim
