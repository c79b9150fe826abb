// What the WAL records of a node say. Numbers are part of the format: append, never renumber.
//
//   insert_row         xid, table, row, values
//   update_row         xid, table, row, new values
//   delete_row         xid, table, row
//   create_table       xid, table, definition
//   drop_table         xid, table
//   commit             xid, time in microseconds
//   abort              xid
//   prepare            xid, gid, time, locks held: (table, row, strength)...
//   commit_prepared    xid, gid
//   rollback_prepared  xid, gid
#pragma once

#include <cstdint>

namespace polarsim::engine::legacy {

enum class RecordKind : std::uint8_t {
  // 0 is the WAL's own.
  insert_row = 1,
  update_row = 2,
  delete_row = 3,
  create_table = 4,
  drop_table = 5,
  commit = 6,
  abort = 7,
  prepare = 8,
  commit_prepared = 9,
  rollback_prepared = 10,
};

}  // namespace polarsim::engine::legacy
