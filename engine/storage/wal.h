// The write-ahead log: records that survive a crash once they have been flushed.
//
// append() only fills a buffer. One writer task writes the buffer to the segment files and syncs them; all who wait for
// a flush at that moment share the sync. What is appended and never waited for is written after `lazy_flush_delay`.
// Records become durable in the order of their LSNs. A write or sync that fails is a panic: the host crashes, because
// after a failed sync nobody knows what the disk holds. wal_format.h describes the bytes.
//
// Fault points: "wal/append" before a record is made, "wal/flush" before each batch is written, "wal/sync" between
// write and sync. Not here: archiving, removal of old segments (recovery replays the log from its beginning), full-page
// images.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/storage/wal_format.h"
#include "sim/host.h"
#include "sim/sync.h"

namespace polarsim::engine::storage {

struct WalOptions {
  std::uint64_t segment_bytes = 16 << 20;  // a record that is longer gets a segment of its own
  sim::Duration lazy_flush_delay{200'000'000};
};

struct WalRecord {
  Lsn lsn = 0;
  std::uint8_t kind = 0;
  std::string_view payload;
  Lsn end = 0;  // where the next record begins
};

class Wal {
 public:
  using Replay = std::function<void(const WalRecord&)>;

  // Creates the log if there is none, else hands every valid record to `replay` in order, cuts off a torn tail and
  // opens a new epoch. Throws SqlError: XX000 if the log is damaged in a way no crash explains (names file and LSN),
  // 58030 if the disk fails. `replay` must not block. Records of kind wal_epoch_kind mark where the log was opened; the
  // last one is the present opening.
  static std::unique_ptr<Wal> open(sim::Host& host, const WalOptions& options, const Replay& replay);
  ~Wal();
  Wal(const Wal&) = delete;
  Wal& operator=(const Wal&) = delete;

  // Where "wal/append" strikes: call it before deciding what to append, because it may block. Throws SqlError 58030 if
  // it is to fail.
  void visit_append_point();
  // Never blocks. Returns the LSN after the record: flush(that) makes the record durable.
  Lsn append(std::uint8_t kind, std::string_view payload);
  // Runs `completion` as soon as everything before `lsn` is durable, in the order of the LSNs, from the writer task (or
  // at once); it must not block. It is dropped if the host goes down first. Does not by itself cause a flush.
  void when_durable(Lsn lsn, std::function<void()> completion);
  // Blocks until everything before `lsn` is durable and the completions up to there have run.
  void flush(Lsn lsn);
  // Causes a flush without waiting for it.
  void request_flush(Lsn lsn);

  Lsn end() const { return end_; }
  Lsn durable() const { return durable_; }
  std::uint32_t epoch() const { return epoch_; }
  std::uint64_t segment() const { return segment_; }

 private:
  // Consecutive records of one segment that have not been written yet.
  struct Chunk {
    WalSegmentHeader segment;
    bool create = false;       // the segment's file does not exist yet
    std::uint64_t offset = 0;  // in the file
    Lsn end = 0;
    std::string bytes;
  };
  struct Completion {
    Lsn lsn;
    std::function<void()> run;
  };

  Wal(sim::Host& host, const WalOptions& options);
  void recover(const Replay& replay);
  void open_epoch(const Replay& replay);
  void writer_loop();
  void write_out();
  void write_chunk(const Chunk& chunk);
  void create_segment(const WalSegmentHeader& header);
  [[noreturn]] void panic(std::string_view what, sim::DiskError error);
  void advance_durable(Lsn lsn);
  void arm_lazy_flush();
  void disarm_lazy_flush();

  sim::Host& host_;
  WalOptions options_;
  sim::File file_;             // the segment that is being written
  std::uint64_t segment_ = 0;  // number of the segment that append() fills
  Lsn segment_first_lsn_ = 0;
  std::uint32_t last_crc_ = 0;
  std::uint32_t epoch_ = 0;
  Lsn end_ = wal_first_lsn;
  Lsn requested_ = 0;
  Lsn durable_ = 0;
  std::deque<Chunk> chunks_;
  std::deque<Completion> completions_;
  sim::Condition work_;
  sim::Condition progress_;
  sim::TimerId lazy_timer_ = 0;
  sim::TaskRef writer_;
};

}  // namespace polarsim::engine::storage
