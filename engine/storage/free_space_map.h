// Where a table has room: one byte a heap page, in the fork `free_space`, as PostgreSQL's free space map, without its
// tree (a table of the sizes simulated here has a handful of map pages).
//
// The map is a hint. It is not in the WAL, a page of it that is damaged is taken for empty, and whoever finds a heap
// page fuller than the map said corrects the map. Nothing is lost by that but space, until vacuum looks again.
#pragma once

#include "engine/storage/buffer_pool.h"

namespace polarsim::engine::storage {

class FreeSpaceMap {
 public:
  explicit FreeSpaceMap(BufferPool& pool, DataFiles& files) : pool_(pool), files_(files) {}
  // A block that should have `bytes` free, searching from `near` round; invalid_block if the map knows none. Blocks.
  BlockNumber find(RelationId relation, std::size_t bytes, BlockNumber near);
  // What the block has free now. Blocks.
  void record(RelationId relation, BlockNumber block, std::size_t bytes);

 private:
  BufferPool& pool_;
  DataFiles& files_;
};

}  // namespace polarsim::engine::storage
