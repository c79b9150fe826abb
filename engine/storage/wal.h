// The write-ahead log: records that survive a crash once they have been flushed.
//
// append() only fills a buffer. One writer task writes the buffer to the segment files and syncs them; all who wait for
// a flush at that moment share the sync. What is appended and never waited for is written after `lazy_flush_delay`, or
// when the buffer has grown to `buffer_bytes`. Records become durable in the order of their LSNs. A write or sync that
// fails is a panic: the host crashes, because after a failed sync nobody knows what the disk holds. wal_format.h
// describes the bytes.
//
// A log that rests vouches for its last batch: once nothing has been appended for `lazy_flush_delay` it appends a mark
// (wal_format.h), one only, so that an idle log is quiet.
//
// Fault points: "wal/append" before a record is made, "wal/flush" before each batch is written, "wal/sync" between
// write and sync. Not here: archiving; records about pages and their images (wal_record.h).
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/storage/wal_format.h"
#include "sim/host.h"
#include "sim/sync.h"

namespace polarsim::engine::storage {

struct WalOptions {
  std::uint64_t segment_bytes = 16 << 20;  // a record that is longer gets a segment of its own
  sim::Duration lazy_flush_delay{200'000'000};
  std::uint64_t buffer_bytes = 1 << 20;  // more than this is written without being waited for
  std::uint32_t recycled_segments = 4;   // kept for later; the others are removed when they are not needed any more
};

struct WalRecord {
  Lsn lsn = 0;
  std::uint8_t kind = 0;
  std::string_view payload;
  Lsn end = 0;  // where the next record begins
  std::uint32_t epoch = 0;
};

// Where reading begins: as the control file says, or the beginning of the log.
struct WalStart {
  std::uint64_t segment = 1;  // that holds the record at `lsn`
  Lsn lsn = wal_first_lsn;
  Lsn minimum_end = 0;  // everything before it had been synced
};

class Wal {
 public:
  using Replay = std::function<void(const WalRecord&)>;

  // Creates the log if there is none, else hands every valid record from `start` on to `replay` in order, cuts off a
  // torn tail and opens a new epoch. What `replay` gets is durable already, and valid until it returns; it may block.
  // Segments before the start may be missing. At most one segment is in memory at a time. Throws SqlError: XX000 if the
  // log is damaged in a way no crash explains (names file and LSN), 58030 if the disk fails, and what `replay` throws.
  // Records of kind wal_epoch_kind mark where the log was opened; the last one is the present opening.
  static std::unique_ptr<Wal> open(sim::Host& host, const WalOptions& options, const WalStart& start,
                                   const Replay& replay);
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
  // Blocks until everything before `lsn` is durable and the completions up to there have run. Throws SqlError XX000 if
  // the log does not reach there: an LSN from a page that is newer than the log has been read (the disk lost synced
  // records).
  void flush(Lsn lsn);
  // Causes a flush without waiting for it. The log reaches `lsn`.
  void request_flush(Lsn lsn);

  // Nobody needs what is before `lsn`, which is durable, any more: segments that end before it are recycled or removed.
  // Does not block. After a power loss they may be there again, which does no harm.
  void release_before(Lsn lsn);
  // Called after each batch that became durable; must not block.
  void set_batch_listener(std::function<void()> listener) { batch_listener_ = std::move(listener); }

  Lsn end() const { return end_; }
  Lsn durable() const { return durable_; }
  // The end of the last record that is not about the log itself.
  Lsn last_change() const { return last_change_; }
  std::uint32_t epoch() const { return epoch_; }
  // That holds the last record appended.
  std::uint64_t segment() const { return segment_; }

 private:
  // Consecutive records of one segment that have not been written yet.
  struct Chunk {
    WalSegmentHeader segment;
    bool create = false;       // the segment is not in use yet
    std::uint64_t offset = 0;  // in the file
    Lsn end = 0;
    std::string bytes;
  };
  struct Completion {
    Lsn lsn;
    std::function<void()> run;
  };
  struct Segment {
    std::uint64_t number;
    Lsn first_lsn;
  };

  Wal(sim::Host& host, const WalOptions& options);
  void recover(const WalStart& start, const Replay& replay);
  void open_epoch(const Replay& replay);
  Chunk& chunk_for(std::uint64_t record_bytes);
  void writer_loop();
  void write_out();
  void write_chunk(const Chunk& chunk);
  void create_segment(const WalSegmentHeader& header);
  void dispose(std::uint64_t segment);
  void advance_durable(Lsn lsn);
  bool owes_mark() const;
  void append_mark() { append(wal_mark_kind, {}); }
  void arm_timer();
  void disarm_timer();
  void on_timer();

  sim::Host& host_;
  WalOptions options_;
  sim::File file_;             // the segment that is being written
  std::uint64_t segment_ = 0;  // number of the segment that append() fills
  Lsn segment_first_lsn_ = 0;
  std::uint32_t last_crc_ = 0;
  std::uint8_t last_kind_ = 0;
  std::uint32_t epoch_ = 0;
  Lsn end_ = wal_first_lsn;
  Lsn requested_ = 0;
  Lsn durable_ = 0;
  Lsn last_change_ = 0;
  std::deque<Chunk> chunks_;
  std::deque<Completion> completions_;
  std::deque<Segment> segments_;         // that are needed still, the one that append() fills included
  std::vector<std::uint64_t> obsolete_;  // found at the opening, from before the start
  std::uint64_t last_spare_ = 0;         // recycled files are those from segment_ + 1 up to here
  sim::Condition work_;
  sim::Condition progress_;
  sim::HostTimerId timer_ = 0;  // for a lazy flush or a mark
  std::function<void()> batch_listener_;
  sim::TaskRef writer_;
};

}  // namespace polarsim::engine::storage
