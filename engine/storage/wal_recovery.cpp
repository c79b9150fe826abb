// Reading the log back: where does it end, and may it end there?
#include <fmt/format.h>

#include <map>
#include <utility>

#include "engine/sql/error.h"
#include "engine/storage/bytes.h"
#include "engine/storage/wal.h"

namespace polarsim::engine::storage {

namespace {

[[noreturn]] void refuse(std::uint64_t segment, Lsn lsn, std::string_view why) {
  throw SqlError(
      sqlstate::internal_error,
      fmt::format("write-ahead log is damaged in file \"{}\" at LSN {}: {}", wal_segment_path(segment), lsn, why),
      "Valid records that were written after this position had been synced follow it, so a crash cannot explain the "
      "damage.",
      "Restore this node from a backup or a replica.");
}

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

class Scanner {
 public:
  Scanner(sim::Disk& disk, const Wal::Replay& replay) : disk_(disk), replay_(replay) {}

  Tail run() {
    for (const std::string& path : disk_.list(wal_directory + "/")) {
      if (const auto number = wal_segment_number(path)) segments_[*number] = path;
    }
    for (const auto& [number, path] : segments_) {
      if (!scan_segment(number, path)) break;
    }
    return tail_;
  }

 private:
  // False if the log ends here: the segments after this one, if any, hold nothing.
  bool scan_segment(std::uint64_t number, const std::string& path) {
    const std::string bytes = read(path);
    const auto header = decode_segment_header(bytes);
    if (!header) {
      check_nothing_follows(number, bytes, wal_segment_header_bytes, tail_.lsn);
      tail_.torn = true;
      return false;
    }
    if (number != tail_.segment + 1) refuse(tail_.segment + 1, tail_.lsn, "the file is missing");
    if (header->number != number) refuse(number, header->first_lsn, "the file is another segment");
    if (header->first_lsn != tail_.lsn || header->previous_crc != tail_.crc || header->epoch < tail_.epoch) {
      refuse(tail_.segment == 0 ? number : tail_.segment, tail_.lsn, "invalid record");
    }
    tail_.segment = number;
    tail_.segment_first_lsn = header->first_lsn;
    return scan_records(bytes);
  }

  bool scan_records(std::string_view bytes) {
    for (;;) {
      const std::uint64_t offset = wal_segment_header_bytes + (tail_.lsn - tail_.segment_first_lsn);
      if (offset == bytes.size()) return true;
      const std::string_view rest = bytes.substr(offset);
      const auto header = decode_record(rest, tail_.lsn);
      if (!header || header->previous_crc != tail_.crc || header->epoch < tail_.epoch) {
        check_nothing_follows(tail_.segment, bytes, offset, tail_.lsn);
        tail_.torn = true;
        return false;
      }
      replay_({header->lsn, header->kind, payload_of(rest, *header), header->lsn + header->total_bytes()});
      tail_.lsn += header->total_bytes();
      tail_.crc = header->crc;
      tail_.epoch = header->epoch;
    }
  }

  // Refuses if anything valid proves that the record at `lsn` had been synced.
  void check_nothing_follows(std::uint64_t segment, std::string_view bytes, std::uint64_t offset, Lsn lsn) {
    for (std::uint64_t ahead = 0; offset + ahead + wal_record_header_bytes <= bytes.size(); ahead += wal_alignment) {
      const auto header = decode_record(bytes.substr(offset + ahead), lsn + ahead);
      if (header && header->durable_lsn > lsn) refuse(segment, lsn, "invalid record");
    }
    for (auto later = segments_.upper_bound(segment); later != segments_.end(); ++later) {
      const auto header = decode_segment_header(read(later->second));
      if (header && header->first_lsn > lsn) refuse(segment, lsn, "invalid record");
    }
  }

  std::string read(const std::string& path) {
    const sim::File file = must(disk_.open(path, sim::OpenMode::existing), "open", path);
    std::string bytes;
    must(file.read(0, file.size(), bytes), "read", path);
    return bytes;
  }

  sim::Disk& disk_;
  const Wal::Replay& replay_;
  std::map<std::uint64_t, std::string> segments_;
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
    // Also after a clean stop: what the scan has read may still be in the cache only.
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

void Wal::recover(const Replay& replay) {
  ensure_directory(host_.disk());
  const Tail tail = Scanner(host_.disk(), replay).run();
  if (tail.torn) host_.reached("recovery/torn-tail");
  host_.fault_point("recovery/scanned");
  file_ = cut(host_.disk(), tail);
  segment_ = tail.segment;
  segment_first_lsn_ = tail.segment_first_lsn;
  end_ = tail.lsn;
  durable_ = tail.lsn;
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
  replay({lsn, wal_epoch_kind, payload, end_});
}

}  // namespace polarsim::engine::storage
