// The files that hold pages: "base/<relation>" and "base/<relation>_fsm", a page of 8 KiB after the other.
//
// Reading verifies the page's checksum and place: bytes that are not the page asked for are never handed out. Writing
// goes to the host's page cache; sync_all() makes durable whatever was written, created or removed before. A write or
// sync that fails is a panic (panic.h): after a failed sync nobody knows what the disk holds ("fsyncgate").
//
// A crash may leave a file shorter than it was, and with a part of a page at its end: that part counts as a block, and
// reads as the damaged page it is. The bytes of a page in memory have no checksum (the field is zero there).
//
// A relation may be removed while others read or write its pages: what is under way then goes to files that are gone.
//
// Fault points: "page/read", "page/write", "page/sync", "page/truncate".
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/planted_bugs.h"
#include "engine/storage/page.h"
#include "sim/host.h"
#include "sim/sync.h"

namespace polarsim::engine::storage {

inline const std::string data_directory = "base";
std::string data_file_path(RelationId relation, Fork fork);

// Mixes all bits of a page's name (the finalizer of MurmurHash3), the same on every machine.
inline std::uint64_t hash_page_id(PageId id) {
  std::uint64_t hash = std::uint64_t{id.relation} << 32 | id.block;
  hash ^= static_cast<std::uint64_t>(id.fork) << 63;
  hash = (hash ^ hash >> 33) * 0xFF51AFD7ED558CCD;
  hash = (hash ^ hash >> 33) * 0xC4CEB9FE1A85EC53;
  return hash ^ hash >> 33;
}

class DataFiles {
 public:
  // Blocks: makes the directory if it is not there.
  explicit DataFiles(sim::Host& host, const PlantedBugs& planted = {});
  DataFiles(const DataFiles&) = delete;
  DataFiles& operator=(const DataFiles&) = delete;

  // Creates an empty main fork if there is none. Blocks.
  void create(RelationId relation);
  // Removes all forks, if there are any. Pages in a buffer pool are its owner's business (forget them first). Blocks.
  void remove(RelationId relation);
  bool exists(RelationId relation, Fork fork = Fork::main) const;
  std::vector<RelationId> list() const;  // relations that have a main fork, sorted

  // Blocks of the fork, those that extend() has handed out and nobody has written yet included; 0 if there is no file.
  // Never blocks.
  BlockNumber block_count(RelationId relation, Fork fork = Fork::main);
  // The number of the next block, which now counts as existing. Never blocks. Throws SqlError 58P01 if the relation has
  // no main fork; another fork is created if there is none.
  BlockNumber extend(RelationId relation, Fork fork = Fork::main);
  // For redo: blocks up to `blocks` exist. Creates the fork if there is none. Never blocks.
  void extend_to(RelationId relation, Fork fork, BlockNumber blocks);
  // Cuts the main fork to so many blocks, if there is one and it has more. `forget` drops what memory has of the blocks
  // that go; it may block before it does, not afterwards. A sync_all() comes before both or after both: no checkpoint
  // finds the pages forgotten and the file uncut. Blocks. Panics if the disk fails.
  void truncate(RelationId relation, BlockNumber blocks, const std::function<void()>& forget);

  // Blocks. A block beyond the end of the file reads as a new page. Throws SqlError: XX001 "invalid page in block 3 of
  // relation base/16384" with the reason and the page's LSN in the detail; 58030 if the disk fails to read; 58P01 if
  // there is no such file. With PlantedBug::torn_page_not_detected, checksums are not looked at.
  void read(PageId id, std::span<char, page_size> into);
  // Seals a copy of the page and writes it. Blocks. Panics if the disk fails.
  void write(PageId id, std::string_view page);
  // Makes everything durable that was written, created and removed before the call. Blocks. Panics if the disk fails.
  void sync_all();

  struct Statistics {
    std::uint64_t pages_read = 0, pages_written = 0, syncs = 0;
  };
  const Statistics& statistics() const { return statistics_; }

 private:
  struct OpenFile {
    sim::File file;
    BlockNumber blocks = 0;
  };
  using ForkId = std::pair<RelationId, Fork>;
  struct HashForkId {
    using is_avalanching = void;
    std::uint64_t operator()(const ForkId& id) const { return hash_page_id({id.first, id.second, 0}); }
  };
  class UnderWay;

  // Null if there is no such file.
  OpenFile* find(RelationId relation, Fork fork);
  OpenFile& find_or_create(RelationId relation, Fork fork);
  [[noreturn]] static void no_such_file(const std::string& path);
  void sync_names();
  void sync_file(const ForkId& fork);

  sim::Host& host_;
  PlantedBugs planted_;
  boost::unordered_flat_map<ForkId, OpenFile, HashForkId> files_;
  // What sync_all() has to do. An entry is taken out before its sync starts, and comes back if that does not end well.
  std::set<ForkId> unsynced_;
  bool names_changed_ = true;  // what a clean stop left in the cache is not durable yet
  sim::Mutex syncing_;
  Statistics statistics_;
};

}  // namespace polarsim::engine::storage
