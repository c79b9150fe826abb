// Reading the log back: where does it end, and may it end there?
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "engine/storage/bytes.h"
#include "engine/storage/little_endian.h"
#include "engine/storage/wal.h"
#include "engine/types/error.h"

namespace polarsim::engine::storage {

namespace {

[[noreturn]] void refuse(std::uint64_t segment, Lsn lsn, std::string_view why, std::string_view proof) {
  throw SqlError(
      sqlstate::internal_error,
      fmt::format("write-ahead log is damaged in file \"{}\" at LSN {}: {}", wal_segment_path(segment), lsn, why),
      fmt::format("{}, so a crash cannot explain the damage.", proof), "Restore this node from a backup or a replica.");
}

constexpr std::string_view valid_records_follow =
    "Valid records that were written after this position had been synced follow it";
constexpr std::string_view one_bit_is_wrong =
    "But for one bit the record is whole, and it was written in one piece with what stands beside that bit";
constexpr std::string_view header_comes_first =
    "The header of a segment is synced before the records that follow this one are written";
constexpr std::string_view control_file_says = "The control file says that the log had been synced beyond";

[[noreturn]] void disk_failed(std::string_view what, const std::string& path, sim::DiskError error) {
  throw SqlError(sqlstate::io_error, fmt::format("could not {} file \"{}\": {}", what, path, sim::to_string(error)));
}

template <typename T>
T must(tl::expected<T, sim::DiskError> result, std::string_view what, const std::string& path) {
  if (!result) disk_failed(what, path, result.error());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// The position from which on the log may be cut: where the scan stands.
struct Tail {
  std::uint64_t segment = 0;
  Lsn segment_first_lsn = wal_first_lsn;
  Lsn lsn = wal_first_lsn;
  std::uint32_t crc = 0;
  std::uint32_t epoch = 0;
  bool torn = false;  // bytes follow that are no record
};

// What a record header at the beginning of the bytes would say; 0 if they are too short for one.
Lsn lsn_field(std::string_view bytes) {
  if (bytes.size() < wal_record_header_bytes) return 0;
  return load<Lsn>(bytes.data() + 8);
}

// Reads one segment after the other.
class Scanner {
 public:
  Scanner(sim::Disk& disk, const WalStart& start, const Wal::Replay& replay)
      : disk_(disk), start_(start), replay_(replay) {}

  Tail run() {
    for (const std::string& path : disk_.list(wal_directory + "/")) {
      const auto number = wal_segment_number(path);
      if (number && *number < start_.segment) obsolete_.push_back(*number);
      if (number && *number >= start_.segment) files_.insert(*number);
    }
    std::uint64_t number = start_.segment;
    while (scan_segment(number)) ++number;
    const std::uint64_t last = std::max(tail_.segment, start_.segment);
    if (tail_.lsn < std::max(start_.minimum_end, start_.lsn)) {
      refuse(last, tail_.lsn, "the log ends here", control_file_says);
    }
    return tail_;
  }
  // Segments that hold records, from the start on, with their first LSNs.
  const std::vector<std::pair<std::uint64_t, Lsn>>& segments() const { return segments_; }
  // Files of segments before the start.
  const std::vector<std::uint64_t>& obsolete() const { return obsolete_; }

 private:
  bool from_beginning() const { return start_.lsn == wal_first_lsn; }

  // False if the log ends here: the files after this one, if any, hold nothing that belongs to it.
  bool scan_segment(std::uint64_t number) {
    if (!files_.contains(number)) {
      if (number == start_.segment && !from_beginning()) {
        refuse(number, start_.lsn, "the file is missing", control_file_says);
      }
      check_no_later_segment(number, "the file is missing");
      return false;
    }
    sim::File file = open(number);
    const std::string bytes = read(file, file.size());
    const auto header = decode_segment_header(bytes);
    if (number == start_.segment && !from_beginning()) {
      enter_start(header);
    } else if (!header || !in_use(number, *header)) {
      check_first_record(number, bytes);
      check_nothing_follows(number, bytes, wal_segment_header_bytes);
      tail_.torn |= !header;
      return false;
    }
    // What may be in the cache only, because the node was stopped, must not be lost any more once it has been replayed.
    must(file.sync(), "fsync", wal_segment_path(number));
    tail_.segment = number;
    tail_.segment_first_lsn = header->first_lsn;
    segments_.emplace_back(number, header->first_lsn);
    return scan_records(bytes);
  }

  // The control file vouches for the segment of the start.
  void enter_start(const std::optional<WalSegmentHeader>& header) {
    if (!header) refuse(start_.segment, start_.lsn, "the header is invalid", control_file_says);
    if (header->number != start_.segment || header->first_lsn > start_.lsn) {
      refuse(start_.segment, start_.lsn, "the file is another segment", control_file_says);
    }
    tail_.lsn = header->first_lsn;
    tail_.crc = header->previous_crc;
    tail_.epoch = header->epoch;
  }

  // Whether the log goes on in this segment. A file that was recycled has the header of its former use, with whatever
  // number: a power loss may undo a rename, but not what was written in the meantime. Such a header is older than the
  // end of the log; one that is not says that everything before it had been synced.
  bool in_use(std::uint64_t number, const WalSegmentHeader& header) const {
    if (header.number != number || header.first_lsn < tail_.lsn) return false;
    if (header.first_lsn > tail_.lsn)
      refuse(std::max(tail_.segment, start_.segment), tail_.lsn, "invalid record", valid_records_follow);
    return header.previous_crc == tail_.crc && header.epoch >= tail_.epoch;
  }

  bool scan_records(std::string_view bytes) {
    for (;;) {
      const std::uint64_t offset = wal_segment_header_bytes + (tail_.lsn - tail_.segment_first_lsn);
      if (offset == bytes.size()) return true;
      const std::string_view rest = bytes.substr(offset);
      const auto header = decode_record(rest, tail_.lsn);
      if (!header || header->previous_crc != tail_.crc || header->epoch < tail_.epoch) {
        // The next segment may have begun before the end of this file, if it is a recycled one.
        if (next_segment_continues()) return true;
        check_nothing_follows(tail_.segment, bytes, offset);
        check_single_bit(bytes, offset);
        tail_.torn |= !stale(rest);
        return false;
      }
      const Lsn end = tail_.lsn + header->total_bytes();
      if (tail_.lsn < start_.lsn && end > start_.lsn) {
        refuse(tail_.segment, start_.lsn, "no record begins here", control_file_says);
      }
      if (tail_.lsn >= start_.lsn) replay_({header->lsn, header->kind, payload_of(rest, *header), end, header->epoch});
      tail_.lsn = end;
      tail_.crc = header->crc;
      tail_.epoch = header->epoch;
    }
  }

  bool next_segment_continues() {
    const auto header = header_of(tail_.segment + 1);
    return header && in_use(tail_.segment + 1, *header);
  }

  // Whether what stands here was written before the file was recycled.
  bool stale(std::string_view bytes) const {
    const Lsn lsn = lsn_field(bytes);
    return lsn >= wal_first_lsn && lsn < tail_.segment_first_lsn;
  }

  // Refuses if anything valid proves that the record at the end of the scan, in this segment, had been synced.
  void check_nothing_follows(std::uint64_t segment, std::string_view bytes, std::uint64_t offset) {
    check_no_later_record(segment, bytes, offset);
    check_headless_segment(segment + 1);
    check_no_later_segment(segment, "invalid record");
  }

  void check_no_later_record(std::uint64_t segment, std::string_view bytes, std::uint64_t offset) {
    const Lsn lsn = tail_.lsn;
    for (std::uint64_t ahead = 0; offset + ahead + wal_record_header_bytes <= bytes.size(); ahead += wal_alignment) {
      const auto header = decode_record(bytes.substr(offset + ahead), lsn + ahead);
      if (header && header->durable_lsn > lsn) refuse(segment, lsn, "invalid record", valid_records_follow);
    }
  }

  // Refuses if the record that should stand here is there but for one bit, and no crash can have left it so.
  void check_single_bit(std::string_view bytes, std::uint64_t offset) {
    const auto flipped = find_flipped_bit(bytes.substr(offset), tail_.lsn, tail_.crc);
    if (!flipped || flipped->header.epoch < tail_.epoch || flipped->header.kind == wal_mark_kind) return;
    const std::uint64_t sector = (offset + flipped->bit / 8) / sim::sector_bytes;
    const auto identifies = [sector](std::uint64_t record) {
      return record / sim::sector_bytes <= sector &&
             sector <= (record + wal_record_identity_bytes - 1) / sim::sector_bytes;
    };
    const std::uint64_t next = offset + flipped->header.total_bytes();
    const auto follows = decode_record(bytes.substr(next), tail_.lsn + flipped->header.total_bytes());
    const bool next_identifies = follows && follows->previous_crc == flipped->header.crc && identifies(next);
    if (identifies(offset) || next_identifies) refuse(tail_.segment, tail_.lsn, "invalid record", one_bit_is_wrong);
  }

  // Refuses if the next record of the log is the first one of this file, although its header does not say so.
  void check_first_record(std::uint64_t segment, std::string_view bytes) {
    if (bytes.size() < wal_segment_header_bytes) return;
    const auto header = decode_record(bytes.substr(wal_segment_header_bytes), tail_.lsn);
    if (!header || header->previous_crc != tail_.crc) return;
    refuse(segment, tail_.lsn, "the header is invalid", header_comes_first);
  }

  // The log may go on in the next file although nothing says so any more but its records.
  void check_headless_segment(std::uint64_t number) {
    if (!files_.contains(number)) return;
    const sim::File file = open(number);
    const std::string begin = read(file, wal_segment_header_bytes + wal_record_header_bytes);
    if (begin.size() < wal_segment_header_bytes + wal_record_header_bytes) return;
    const bool goes_on = lsn_field(std::string_view(begin).substr(wal_segment_header_bytes)) == tail_.lsn;
    if (decode_segment_header(begin) && !goes_on) return;
    const std::string bytes = read(file, file.size());
    check_first_record(number, bytes);
    check_no_later_record(number, bytes, wal_segment_header_bytes);
  }

  // A segment is created only when everything before it has been synced.
  void check_no_later_segment(std::uint64_t segment, std::string_view why) {
    for (auto later = files_.upper_bound(segment); later != files_.end(); ++later) {
      const auto header = header_of(*later);
      if (header && header->number == *later && header->first_lsn > tail_.lsn) {
        refuse(segment, tail_.lsn, why, valid_records_follow);
      }
    }
  }

  std::optional<WalSegmentHeader> header_of(std::uint64_t number) {
    if (!files_.contains(number)) return std::nullopt;
    return decode_segment_header(read(open(number), wal_segment_header_bytes));
  }

  sim::File open(std::uint64_t number) {
    const std::string path = wal_segment_path(number);
    return must(disk_.open(path, sim::OpenMode::existing), "open", path);
  }
  static std::string read(const sim::File& file, std::uint64_t count) {
    std::string bytes;
    must(file.read(0, count, bytes), "read", file.path());
    return bytes;
  }

  sim::Disk& disk_;
  const WalStart& start_;
  const Wal::Replay& replay_;
  std::set<std::uint64_t> files_;  // from the start on
  std::vector<std::uint64_t> obsolete_;
  std::vector<std::pair<std::uint64_t, Lsn>> segments_;
  Tail tail_;
};

// Cuts the segment after the last valid record and removes what comes after it; returns the file to go on with.
sim::File cut(sim::Disk& disk, const Tail& tail) {
  for (const std::string& path : disk.list(wal_directory + "/")) {
    const auto number = wal_segment_number(path);
    if (number && *number > tail.segment) must(disk.remove(path), "remove", path);
  }
  sim::File file;
  if (tail.segment != 0) {
    const std::string path = wal_segment_path(tail.segment);
    file = must(disk.open(path, sim::OpenMode::existing), "open", path);
    const std::uint64_t size = wal_segment_header_bytes + (tail.lsn - tail.segment_first_lsn);
    if (file.size() != size) must(file.truncate(size), "truncate", path);
    must(file.sync(), "fsync", path);
  }
  must(disk.sync_directory(wal_directory), "fsync directory", wal_directory);
  return file;
}

void ensure_directory(sim::Disk& disk) {
  if (!disk.exists(wal_directory)) must(disk.make_directory(wal_directory), "create directory", wal_directory);
  // Also if it was there: a clean stop may have left its name in the cache only.
  must(disk.sync_directory(), "fsync directory", "/");
}

}  // namespace

void Wal::recover(const WalStart& start, const Replay& replay) {
  ensure_directory(host_.disk());
  Scanner scanner(host_.disk(), start, replay);
  const Tail tail = scanner.run();
  if (tail.torn) host_.reached("recovery/torn-tail");
  host_.fault_point("recovery/scanned");
  file_ = cut(host_.disk(), tail);
  segment_ = tail.segment;
  segment_first_lsn_ = tail.segment_first_lsn;
  for (const auto& [number, first_lsn] : scanner.segments()) segments_.push_back({number, first_lsn});
  obsolete_ = scanner.obsolete();
  end_ = tail.lsn;
  durable_ = tail.lsn;
  last_change_ = tail.lsn;
  last_crc_ = tail.crc;
  epoch_ = tail.epoch + 1;
  if (tail.segment != 0) host_.reached("recovery/replayed");
  host_.fault_point("recovery/truncated");
  open_epoch(replay);
}

void Wal::open_epoch(const Replay& replay) {
  const std::uint64_t nonce = host_.random("wal/epoch").next();
  const std::string payload =
      ByteWriter().number(nonce).number(static_cast<std::uint64_t>(host_.realtime_us())).bytes();
  const Lsn lsn = end_;
  append(wal_epoch_kind, payload);
  write_out();
  replay({lsn, wal_epoch_kind, payload, end_, epoch_});
}

}  // namespace polarsim::engine::storage
