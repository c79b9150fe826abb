#include "engine/storage/wal.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/storage/panic.h"
#include "engine/types/error.h"
#include "sim/assert.h"

namespace polarsim::engine::storage {

Wal::Wal(sim::Host& host, const WalOptions& options)
    : host_(host), options_(options), work_(host.scheduler()), progress_(host.scheduler()) {}

std::unique_ptr<Wal> Wal::open(sim::Host& host, const WalOptions& options, const WalStart& start,
                               const Replay& replay) {
  std::unique_ptr<Wal> wal(new Wal(host, options));
  wal->recover(start, replay);
  wal->writer_ = host.spawn("wal writer", [raw = wal.get()] { raw->writer_loop(); });
  return wal;
}

Wal::~Wal() {
  disarm_timer();
  // When the host goes down its writer has ended before the owner of the log is unwound.
  if (writer_ && !writer_.finished()) {
    host_.scheduler().cancel(writer_);
    host_.scheduler().join(writer_);
  }
}

void Wal::visit_append_point() {
  if (host_.fault_point("wal/append") == sim::FaultOutcome::fail) {
    throw SqlError(sqlstate::io_error,
                   fmt::format("could not write to file \"{}\": Input/output error", wal_segment_path(segment_)));
  }
}

Lsn Wal::append(std::uint8_t kind, std::string_view payload) {
  WalRecordHeader header;
  header.payload_length = static_cast<std::uint32_t>(payload.size());
  header.lsn = end_;
  header.durable_lsn = durable_;
  header.previous_crc = last_crc_;
  header.epoch = epoch_;
  header.kind = kind;
  Chunk& chunk = chunk_for(header.total_bytes());
  encode(chunk.bytes, header, payload);
  end_ += header.total_bytes();
  chunk.end = end_;
  last_crc_ = header.crc;
  last_kind_ = kind;
  if (kind > wal_own_kind_last) last_change_ = end_;
  arm_timer();
  if (end_ - durable_ > options_.buffer_bytes) request_flush(end_);
  return end_;
}

// Where the next record goes: the last chunk, or a new one if that is being written, or if the segment is full.
Wal::Chunk& Wal::chunk_for(std::uint64_t record_bytes) {
  const bool segment_empty = end_ == segment_first_lsn_;
  const bool full = end_ - segment_first_lsn_ + record_bytes + wal_segment_header_bytes > options_.segment_bytes;
  if (segment_ == 0 || (full && !segment_empty)) {
    ++segment_;
    segment_first_lsn_ = end_;
    segments_.push_back({segment_, end_});
    chunks_.push_back({{segment_, end_, last_crc_, epoch_}, true, wal_segment_header_bytes, end_, {}});
  } else if (chunks_.empty()) {
    const std::uint64_t offset = wal_segment_header_bytes + (end_ - segment_first_lsn_);
    chunks_.push_back({{segment_, segment_first_lsn_, 0, epoch_}, false, offset, end_, {}});
  }
  return chunks_.back();
}

void Wal::when_durable(Lsn lsn, std::function<void()> completion) {
  if (lsn <= durable_) {
    completion();
    return;
  }
  // Almost always at the end: a later LSN is asked for later.
  auto place = completions_.end();
  while (place != completions_.begin() && std::prev(place)->lsn > lsn) --place;
  completions_.insert(place, {lsn, std::move(completion)});
}

void Wal::request_flush(Lsn lsn) {
  POLARSIM_ASSERT(lsn <= end_, "a flush of what has not been appended would never end");
  if (lsn <= requested_ || lsn <= durable_) return;
  requested_ = lsn;
  work_.notify_one();
}

void Wal::flush(Lsn lsn) {
  if (lsn > end_) {
    throw SqlError(sqlstate::internal_error,
                   fmt::format("WAL flush request for LSN {} cannot be satisfied: the log ends at {}", lsn, end_),
                   "A page is newer than the log: the disk has lost records that it had synced.");
  }
  request_flush(lsn);
  while (durable_ < lsn) progress_.wait("wal/flush");
}

void Wal::writer_loop() {
  for (;;) {
    while (requested_ <= durable_) work_.wait("wal/writer idle");
    write_out();
  }
}

void Wal::write_out() {
  disarm_timer();
  const Lsn target = end_;
  while (!chunks_.empty() && durable_ < target) {
    if (host_.fault_point("wal/flush") == sim::FaultOutcome::fail)
      panic(host_, "write", wal_segment_path(chunks_.front().segment.number), sim::DiskError::io_error);
    // Taken out of the queue before the first blocking call: what is appended from now on starts a chunk of its own.
    const Chunk chunk = std::move(chunks_.front());
    chunks_.pop_front();
    write_chunk(chunk);
    advance_durable(chunk.end);
  }
  if (!chunks_.empty() || owes_mark()) arm_timer();
}

void Wal::write_chunk(const Chunk& chunk) {
  if (chunk.create) create_segment(chunk.segment);
  if (const auto written = file_.write_all(chunk.offset, chunk.bytes); !written) {
    panic(host_, "write", file_.path(), written.error());
  }
  if (host_.fault_point("wal/sync") == sim::FaultOutcome::fail)
    panic(host_, "fsync", file_.path(), sim::DiskError::io_error);
  if (const auto synced = file_.sync(); !synced) panic(host_, "fsync", file_.path(), synced.error());
}

// The file may be a recycled one: what lies behind the header then is no part of the log (wal_format.h).
void Wal::create_segment(const WalSegmentHeader& header) {
  const std::string path = wal_segment_path(header.number);
  if (host_.disk().exists(path)) host_.reached("wal/segment-reused");
  auto opened = host_.disk().open(path, sim::OpenMode::create);
  if (!opened) panic(host_, "create", path, opened.error());
  file_ = *opened;
  if (const auto written = file_.write_all(0, encode(header)); !written) panic(host_, "write", path, written.error());
  if (const auto synced = file_.sync(); !synced) panic(host_, "fsync", path, synced.error());
  if (const auto synced = host_.disk().sync_directory(wal_directory); !synced) {
    panic(host_, "fsync directory of", path, synced.error());
  }
  host_.reached("wal/segment-created");
}

void Wal::release_before(Lsn lsn) {
  POLARSIM_ASSERT(lsn <= durable_, "only what is durable can be old");
  for (const std::uint64_t segment : std::exchange(obsolete_, {})) dispose(segment);
  // A segment ends where the next one begins. The one that is written now stays.
  while (segments_.size() > 1 && segments_[1].first_lsn <= lsn) {
    const std::uint64_t segment = segments_.front().number;
    segments_.pop_front();
    dispose(segment);
  }
}

void Wal::dispose(std::uint64_t segment) {
  const std::string path = wal_segment_path(segment);
  const auto status = host_.disk().status(path);
  if (!status) return;
  last_spare_ = std::max(last_spare_, segment_);
  // A file that is longer than others held one long record.
  if (last_spare_ - segment_ < options_.recycled_segments && status->size <= options_.segment_bytes) {
    const auto renamed = host_.disk().rename(path, wal_segment_path(last_spare_ + 1));
    if (!renamed) panic(host_, "rename", path, renamed.error());
    ++last_spare_;
    host_.reached("wal/segment-recycled");
  } else {
    const auto removed = host_.disk().remove(path);
    if (!removed) panic(host_, "remove", path, removed.error());
    host_.reached("wal/segment-removed");
  }
}

void Wal::advance_durable(Lsn lsn) {
  durable_ = lsn;
  while (!completions_.empty() && completions_.front().lsn <= durable_) {
    const Completion completion = std::move(completions_.front());
    completions_.pop_front();
    completion.run();
  }
  progress_.notify_all();
  if (batch_listener_) batch_listener_();
}

// Whether what was synced last has nothing behind it that vouches for it.
bool Wal::owes_mark() const { return end_ == durable_ && last_kind_ != wal_mark_kind; }

void Wal::arm_timer() {
  if (timer_ == 0) timer_ = host_.call_in(options_.lazy_flush_delay, [this] { on_timer(); });
}

void Wal::disarm_timer() {
  if (timer_ != 0) host_.cancel_call(timer_);
  timer_ = 0;
}

void Wal::on_timer() {
  timer_ = 0;
  if (owes_mark()) append_mark();
  request_flush(end_);
}

}  // namespace polarsim::engine::storage
