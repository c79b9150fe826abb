// "control": where recovery begins, and what counts on from there (PostgreSQL's pg_control).
//
// Two slots of one sector each, written in turn with a rising number and a CRC: a sector never tears, so at any moment
// at least one slot is whole. A file with no whole slot is damage, and the node refuses to start (XX001).
#pragma once

#include <cstdint>
#include <optional>

#include "engine/storage/types.h"
#include "sim/host.h"

namespace polarsim::engine::storage {

// What a checkpoint says; also the payload of RecordKind::checkpoint_end.
struct CheckpointData {
  Lsn redo = 0;                // recovery begins here
  std::uint64_t segment = 0;   // of the WAL, that holds the record at `redo`
  FullXid next_xid = first_normal_xid;
  MultiXactId next_multixact = 1;
  RelationId next_relation = 0;
  Xid oldest_xid = first_normal_xid;      // the commit log goes back to here
  MultiXactId oldest_multixact = 1;
  std::int64_t time_us = 0;
};

struct ControlData {
  std::uint64_t number = 0;  // of the writing; the larger one counts
  CheckpointData checkpoint;
  // The WAL reaches at least to here: what ends before is damaged, not torn.
  Lsn minimum_end = 0;
  bool clean_shutdown = false;
};

class ControlFile {
 public:
  explicit ControlFile(sim::Host& host) : host_(host) {}
  // Empty if the node has never been set up. Throws SqlError XX001 if both slots are damaged. Blocks.
  std::optional<ControlData> read();
  // Durable when it returns. Blocks. Panics if the disk fails.
  void write(ControlData data);

 private:
  sim::Host& host_;
  std::uint64_t number_ = 0;
};

}  // namespace polarsim::engine::storage
