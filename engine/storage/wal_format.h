// The bytes of the write-ahead log: segment files "wal/00000001", "wal/00000002", ... that hold records.
//
// An LSN is a byte position in the stream of records: the first record has first_lsn, a record starts where the last
// one ended, and segment headers do not count. All numbers are little-endian; records are padded with zeros to 8 bytes
// and never span segments.
//
//   segment header, 48 bytes
//     0  u64 magic                  24  u64 first LSN
//     8  u32 format version         32  u32 CRC of the record before
//    12  u32 CRC-32C of the rest    36  u32 epoch
//    16  u64 segment number         40  8 zeros
//
//   record header, 40 bytes, then the payload, then padding
//     0  u32 CRC-32C of everything after it, padding included
//     4  u32 length of the payload
//     8  u64 LSN of this record
//    16  u64 durable LSN: everything before it was synced when this record was made
//    24  u32 CRC of the record before (0 for the very first)
//    28  u32 epoch: how often the log had been opened for writing
//    32  u8 kind, then 7 zeros
//
// What the fields are for. A record is accepted only if it names its own position and the checksum of its predecessor:
// bytes of an earlier life of the file cannot pass for its continuation. Each opening starts with a record that holds a
// random number, so that not even the same records written again make the chain of an earlier epoch valid.
//
// Recycled segments. A segment that is not needed any more gets the name of a future one and keeps its bytes, until the
// log comes there and writes a header. So a file whose header begins before the end of the log so far is not in use
// yet, and behind the log's end may lie records of an earlier life: their LSNs are smaller than any that could stand
// there.
//
// Torn or damaged? The durable LSN tells: a power loss can only harm what was not synced, so an invalid record that
// lies before the durable LSN of a later valid one was damaged by something else. So was one that lies before the first
// LSN of a later segment, because a segment is created only when the one before it has been synced, or before the end
// that the control file vouches for. When the log has been idle for a while, a record that is nothing but its header
// (wal_mark_kind) vouches for what was synced last. Until then the last batch has to speak for itself: a sector never
// tears inside, so a record that would be whole but for one bit is damaged if that bit's sector was written with it,
// which the sector shows if it holds this record's header or that of the next one; and a segment's header that is
// invalid before a valid record is damaged, because it was synced before. What else happens to the last batch in this
// time (more bits, sectors in the middle of a long record) looks like a torn tail and is cut off; and a damaged mark is
// always cut off, which loses nothing but itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/storage/types.h"

namespace polarsim::engine::storage {

inline constexpr std::uint64_t wal_magic = 0x314C41574C4F50;  // "POLWAL1"
inline constexpr std::uint32_t wal_format_version = 1;
inline constexpr std::uint64_t wal_segment_header_bytes = 48;
inline constexpr std::uint64_t wal_record_header_bytes = 40;
inline constexpr std::uint64_t wal_alignment = 8;
inline constexpr Lsn wal_first_lsn = 8;  // zero means "nowhere"
// Kinds up to wal_own_kind_last are about the log, the others belong to its user (wal_record.h).
inline constexpr std::uint8_t wal_epoch_kind = 0;  // opens an epoch
inline constexpr std::uint8_t wal_mark_kind = 1;   // its header says what had been synced
inline constexpr std::uint8_t wal_own_kind_last = 3;

struct WalSegmentHeader {
  std::uint64_t number = 0;
  Lsn first_lsn = 0;
  std::uint32_t previous_crc = 0;
  std::uint32_t epoch = 0;
};

struct WalRecordHeader {
  std::uint32_t crc = 0;
  std::uint32_t payload_length = 0;
  Lsn lsn = 0;
  Lsn durable_lsn = 0;
  std::uint32_t previous_crc = 0;
  std::uint32_t epoch = 0;
  std::uint8_t kind = 0;
  // With header and padding.
  std::uint64_t total_bytes() const;
};

// The directory that holds the segments.
inline const std::string wal_directory = "wal";

std::string wal_segment_path(std::uint64_t number);
// Empty if the name is not a segment's.
std::optional<std::uint64_t> wal_segment_number(std::string_view path);

std::string encode(const WalSegmentHeader& header);
// Empty unless the first bytes of `file` are a header with the right magic, version and checksum.
std::optional<WalSegmentHeader> decode_segment_header(std::string_view file);

// Appends the whole record to `to`; sets header.crc and header.payload_length.
void encode(std::string& to, WalRecordHeader& header, std::string_view payload);
// Empty unless a whole record with the right checksum that calls itself `lsn` starts at `bytes`.
std::optional<WalRecordHeader> decode_record(std::string_view bytes, Lsn lsn);
// If the bytes are a record at `lsn` after `previous_crc` but for one bit: that bit (bit n % 8 of byte n / 8), and the
// header as it was before.
struct WalFlippedBit {
  std::uint64_t bit = 0;
  WalRecordHeader header;
};
std::optional<WalFlippedBit> find_flipped_bit(std::string_view bytes, Lsn lsn, std::uint32_t previous_crc);
// Bytes at the beginning of a record that no bytes of an earlier life of the file agree with but by chance: checksums,
// position, epoch.
inline constexpr std::uint64_t wal_record_identity_bytes = 32;
inline std::string_view payload_of(std::string_view record, const WalRecordHeader& header) {
  return record.substr(wal_record_header_bytes, header.payload_length);
}

}  // namespace polarsim::engine::storage
