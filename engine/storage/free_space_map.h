// Where a table has room: one byte a heap page, in the fork `free_space`, as PostgreSQL's free space map, without its
// tree (a table of the sizes simulated here has a handful of map pages). A byte is the free space in units of 32 bytes,
// rounded down, at most 255.
//
// The map is a hint. It is not in the WAL, a page of it that is damaged or cannot be read is begun anew as an empty
// one, and whoever finds a heap page fuller than the map said corrects the map. Nothing is lost by that but space,
// until vacuum looks again. So the map throws no errors; of a table that is gone it knows nothing.
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
  // The page of the map, made anew if it is damaged or was never written; empty if the table is gone.
  PageRef pin(PageId id);
  BufferPool& pool_;
  DataFiles& files_;
};

}  // namespace polarsim::engine::storage
