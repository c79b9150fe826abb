// "control": where recovery begins, and what counts on from there (PostgreSQL's pg_control).
//
// Two slots of one sector each, at the beginnings of two pages of the disk, with a rising number and a CRC. A write
// fills both, one after the other, each synced: a sector never tears, so whatever instant the power fails, at least one
// slot is whole; and once the write is over, either slot may be damaged or become unreadable without any loss. The file
// gets its name when both slots are durable, so a file with no whole slot is damage, and the node refuses to start
// (XX001).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/storage/types.h"
#include "sim/host.h"

namespace polarsim::engine::storage {

inline const std::string control_file_path = "control";

// What a checkpoint says; also the payload of RecordKind::checkpoint_end.
struct CheckpointData {
  Lsn redo = 0;               // recovery begins here
  std::uint64_t segment = 0;  // of the WAL, that holds the record at `redo`
  FullXid next_xid = first_normal_xid;
  MultiXactId next_multixact = 1;
  RelationId next_relation = 0;
  Xid oldest_xid = first_normal_xid;  // the commit log goes back to here
  MultiXactId oldest_multixact = 1;
  std::int64_t time_us = 0;
  friend bool operator==(const CheckpointData&, const CheckpointData&) = default;
};
std::string encode(const CheckpointData& data);
// Throws SqlError XX000 if the bytes are too few.
CheckpointData decode_checkpoint(std::string_view bytes);

struct ControlData {
  std::uint64_t number = 0;  // of the writing; the larger one counts
  CheckpointData checkpoint;
  // The WAL reaches at least to here: what ends before is damaged, not torn.
  Lsn minimum_end = 0;
};

class ControlFile {
 public:
  explicit ControlFile(sim::Host& host) : host_(host) {}
  // Empty if there is no such file: the node has never been set up. Throws SqlError XX001 if both slots are damaged,
  // 58030 if the disk fails to open the file. Blocks.
  std::optional<ControlData> read();
  // Gives the data the next number. Durable when it returns, in both slots. Blocks. Panics if the disk fails.
  void write(ControlData data);

 private:
  std::optional<ControlData> read_slot(const sim::File& file, std::uint64_t slot);
  void write_slots(const std::string& path, ControlData data);

  sim::Host& host_;
  std::uint64_t number_ = 0;
};

}  // namespace polarsim::engine::storage
