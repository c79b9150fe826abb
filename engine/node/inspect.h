// A node's insides as text for people: its relations, a page, a range of its log, its locks (PostgreSQL's pageinspect,
// pg_waldump and pg_locks).
//
// Looks from outside the world: nothing blocks, nothing is drawn, and no page is read into the buffer pool.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "sim/host.h"

namespace polarsim::engine {

struct InspectRequest {
  enum class What : std::uint8_t {
    relations,  // every table, index and sequence with the number of its files and its blocks
    page,       // one block, as it is in memory, or else as a read of the file would show it
    wal,        // records of the log
    locks,      // who holds and who waits for what, row locks of transactions included
  } what = What::relations;
  std::string relation;  // page: "t", "pg_catalog.polar_relation", or the number of its files
  std::uint32_t block = 0;
  bool free_space_map = false;  // page: of the map, not of the relation
  // wal: records that begin in [from, until), of what has been written to the files.
  std::uint64_t from = 0;
  std::uint64_t until = std::numeric_limits<std::uint64_t>::max();
};

class Database;

// Throws SqlError with a line for the user: 42P01 or 22023 if there is no such relation or block.
std::string inspect(Database& database, const InspectRequest& request);
// What can be shown of a host whose node is down or still recovering: its pages and its log on the disk. Relations go
// by number then, and there are no locks (55000).
std::string inspect_disk(sim::Host& host, const InspectRequest& request);

}  // namespace polarsim::engine
