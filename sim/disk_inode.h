// A file or a directory, and what a power loss makes of a file; private to the disk's own sources.
//
// A file keeps its cached contents once, and a journal of undo records for what is not durable yet. The durable
// contents are what remains when every record is undone, and the versions a sector has had are what undoing shows on
// the way. So a sync only forgets records, and appending to a log with a sync after each append costs the bytes
// written, not the file.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/disk_bytes.h"
#include "sim/disk_faults.h"

namespace polarsim::sim::detail {

// Undoes one write or resize: `size` is the size before, `old` the bytes before from `offset` on. Of `length` bytes
// that changed, those past the end of `old` did not exist and read as zero.
struct Undo {
  bool cut = false;     // a truncation: it gives no sector a new version, it ends the older ones
  bool direct = false;  // a direct write: its sectors went to the device without the rest of their pages
  std::uint64_t size = 0;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::string old;
};

// One sector of a state that a power loss may leave.
struct SectorState {
  std::string clean;  // the whole sector
  bool damaged = false;
  std::string medium;  // if damaged: the whole sector, or nothing if it cannot be read
};

struct Inode;
using Entries = std::map<std::string, std::shared_ptr<Inode>, std::less<>>;

struct Inode {
  std::uint64_t id = 0;
  bool is_directory = false;
  bool linked = true;           // it has a name in the cached tree
  std::weak_ptr<Inode> parent;  // the directory it was last given a name in
  std::string name;
  Entries entries;  // of a directory

  SparseBytes contents;
  std::deque<Undo> journal;  // oldest first
  // Record i of the journal has the number journal_start + i; it begins at 1, so that 0 is before every record.
  std::uint64_t journal_start = 1;
  std::uint64_t journal_bytes = 0;
  DamageMap damage;

  std::uint64_t journal_end() const { return journal_start + journal.size(); }
  std::uint64_t size_at(std::uint64_t end) const {
    return end < journal_end() ? journal[end - journal_start].size : contents.size();
  }
  std::string path() const;
  // What a sync has to write: bytes, and operations.
  struct Requests {
    std::uint64_t bytes = 0;
    std::uint64_t operations = 0;
  };
  Requests pending_requests() const;

  // Changes of the cached contents; they note the damage they do away with.
  void write(std::uint64_t offset, std::string_view bytes, bool direct);
  void resize(std::uint64_t size);
  // Forgets the records below number `end`: what they would undo has become durable.
  void make_durable(std::uint64_t end);
  void append(Undo undo);
  void undo_newest();
};

// The records that touch each sector, by sector, as numbers.
using TouchedSectors = std::map<std::uint64_t, std::vector<std::uint64_t>>;
TouchedSectors touched_sectors(const Inode& inode);
// The versions a power loss may leave of a sector: the durable one, and those before the records of the list (each
// version is named by the first record it does not have). `records`: those that touch the sector.
std::vector<std::uint64_t> sector_versions(const Inode& inode, std::uint64_t sector,
                                           const std::vector<std::uint64_t>& records);
// Such a version, with the cuts among the records below `surviving` taken into account.
SectorState sector_state(const Inode& inode, std::uint64_t sector, const std::vector<std::uint64_t>& records,
                         std::uint64_t version, std::uint64_t surviving);
// What the medium holds of a sector before record `end`; nothing if that cannot be read.
std::string medium_sector(const Inode& inode, std::uint64_t sector, std::uint64_t end);
// The contents before record `end`, without damage.
SparseBytes contents_at(const Inode& inode, std::uint64_t end);

// Puts `image` (nothing: unreadable) where the sector lies on the medium now. What waits to be written will heal it.
void place_damage(Inode& inode, std::uint64_t sector, DamageKind kind, bool hidden, std::string image);
// As Disk::damage.
void flip(Inode& inode, std::uint64_t offset, std::uint8_t mask);

// A power loss leaves the first records up to `surviving` as they are, for the whole file.
void keep_prefix(Inode& inode, std::uint64_t surviving);
// Applies the power-loss model to one file: draws what survives, and leaves it as contents without a journal.
void lose_power(Inode& inode, RandomStream& choices);

}  // namespace polarsim::sim::detail
