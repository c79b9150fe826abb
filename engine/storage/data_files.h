// The files that hold pages: "base/<relation>" and "base/<relation>_fsm", a page of 8 KiB after the other.
//
// Reading verifies the page's checksum and place: bytes that are not the page asked for are never handed out. Writing
// goes to the host's page cache; sync_all() makes durable whatever was written, created or removed before. A write or
// sync that fails is a panic (panic.h): after a failed sync nobody knows what the disk holds ("fsyncgate").
//
// Fault points: "page/read", "page/write", "page/sync".
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "engine/storage/page.h"
#include "sim/host.h"

namespace polarsim::engine::storage {

inline const std::string data_directory = "base";
std::string data_file_path(RelationId relation, Fork fork);

class DataFiles {
 public:
  // Blocks: makes the directory if it is not there.
  explicit DataFiles(sim::Host& host);

  // Creates an empty main fork if there is none. Blocks.
  void create(RelationId relation);
  // Removes all forks, if there are any. Pages in a buffer pool are its owner's business. Blocks.
  void remove(RelationId relation);
  bool exists(RelationId relation, Fork fork = Fork::main) const;
  std::vector<RelationId> list() const;  // relations that have a main fork, sorted

  // Blocks of the fork, those that extend() has handed out and nobody has written yet included; 0 if there is no file.
  BlockNumber block_count(RelationId relation, Fork fork = Fork::main);
  // The number of the next block, which now counts as existing. Never blocks.
  BlockNumber extend(RelationId relation, Fork fork = Fork::main);
  // For redo: blocks up to `blocks` exist.
  void extend_to(RelationId relation, Fork fork, BlockNumber blocks);

  // Blocks. A block beyond the end of the file reads as a new page. Throws SqlError: XX001 "invalid page in block 3 of
  // relation base/16384" with the reason and the page's LSN in the detail; 58030 if the disk fails to read.
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

  sim::Host& host_;
  std::map<ForkId, OpenFile> files_;
  std::set<ForkId> unsynced_;
  bool names_changed_ = false;
  Statistics statistics_;
};

}  // namespace polarsim::engine::storage
