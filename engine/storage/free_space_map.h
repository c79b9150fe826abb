// Where a table has room: one byte a heap page, in the fork `free_space`, as PostgreSQL's free space map, without its
// tree (a table of the sizes simulated here has a handful of map pages). A byte is the free space in units of 32 bytes,
// rounded down, at most 255.
//
// The map is a hint. It is not in the WAL, a page of it that is damaged is taken for empty, and whoever finds a heap
// page fuller than the map said corrects the map. Nothing is lost by that but space, until vacuum looks again.
//
// Errors: 58030 if the disk fails to read a page of the map and 58P01 if the table is gone are thrown; damage never is.
#pragma once

#include "engine/storage/buffer_pool.h"

namespace polarsim::engine::storage {

class FreeSpaceMap {
 public:
  explicit FreeSpaceMap(BufferPool& pool, DataFiles& files) : pool_(pool), files_(files) {}
  // A block that should have `bytes` free, searching from `near` round; invalid_block if the map knows none. `bytes` is
  // at most a page's. The block exists. Blocks; the caller holds no pin.
  BlockNumber find(RelationId relation, std::size_t bytes, BlockNumber near);
  // What the block has free now. Blocks; the caller holds no pin.
  void record(RelationId relation, BlockNumber block, std::size_t bytes);

 private:
  // The page of the map, made anew if it is damaged or was never written.
  PageRef pin(PageId id);
  BufferPool& pool_;
  DataFiles& files_;
};

}  // namespace polarsim::engine::storage
