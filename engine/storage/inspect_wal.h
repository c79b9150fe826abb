// The log as text, for people, as PostgreSQL's pg_waldump prints it. Reads, changes nothing, and needs no running node.
//
// A record is a line:
//
//   lsn 1040, end 1136, length 56, kind heap insert, epoch 2: item 1 xmin 740 xmax 0 ... values (1, 'a');
//       page relation 16384, block 0 changed; page relation 16384, block 1 image of 312 bytes
//
// "length" is that of the payload. Times are microseconds since 1970. Data that does not decode is shown as bytes, with
// the reason.
#pragma once

#include <limits>
#include <span>
#include <string>
#include <vector>

#include "engine/storage/wal.h"
#include "engine/storage/wal_record.h"
#include "sim/disk.h"

namespace polarsim::engine::storage {

// "heap insert", "btree split", "commit", ...; as to_string() for a kind that is not known.
std::string record_name(RecordKind kind);
// "relation 16384, ...": what the record says, without its position; one line without its end.
std::string describe_record(const WalRecord& record);

struct WalSegmentFile {
  std::uint64_t number = 0;
  std::string bytes;
};
// What the files of the log hold at the moment, as reads show it. Looks from outside the world: does not block.
std::vector<WalSegmentFile> read_wal_files(const sim::Disk& disk);

// The records with from <= lsn < to, a line each, and a line for each segment that begins there. The files are in order
// of their numbers; the first may be any segment. Ends with a line that says where and why the log ends: at the end of
// the files, or at a place where no record follows the last one. That is where the chain of records breaks; whether it
// may break there, wal_recovery.cpp decides.
std::string describe_wal(std::span<const WalSegmentFile> files, Lsn from = 0, Lsn to = std::numeric_limits<Lsn>::max());

}  // namespace polarsim::engine::storage
