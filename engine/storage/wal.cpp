#include "engine/storage/wal.h"

#include <fmt/format.h>

#include <utility>

#include "engine/sql/error.h"
#include "engine/storage/bytes.h"

namespace polarsim::engine::storage {

Wal::Wal(sim::Host& host, const WalOptions& options)
    : host_(host), options_(options), work_(host.scheduler()), progress_(host.scheduler()) {}

std::unique_ptr<Wal> Wal::open(sim::Host& host, const WalOptions& options, const Replay& replay) {
  std::unique_ptr<Wal> wal(new Wal(host, options));
  wal->recover(replay);
  wal->writer_ = host.spawn("wal writer", [raw = wal.get()] { raw->writer_loop(); });
  return wal;
}

Wal::~Wal() {
  disarm_lazy_flush();
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
  header.lsn = end_;
  header.durable_lsn = durable_;
  header.previous_crc = last_crc_;
  header.epoch = epoch_;
  header.kind = kind;
  const std::string record = encode(header, payload);
  const bool segment_empty = end_ == segment_first_lsn_;
  const bool full = end_ - segment_first_lsn_ + record.size() + wal_segment_header_bytes > options_.segment_bytes;
  if (segment_ == 0 || (full && !segment_empty)) {
    ++segment_;
    segment_first_lsn_ = end_;
    chunks_.push_back({{segment_, end_, last_crc_, epoch_}, true, wal_segment_header_bytes, end_, {}});
  } else if (chunks_.empty()) {
    const std::uint64_t offset = wal_segment_header_bytes + (end_ - segment_first_lsn_);
    chunks_.push_back({{segment_, segment_first_lsn_, 0, epoch_}, false, offset, end_, {}});
  }
  Chunk& chunk = chunks_.back();
  chunk.bytes += record;
  end_ += record.size();
  chunk.end = end_;
  last_crc_ = header.crc;
  arm_lazy_flush();
  return end_;
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
  if (lsn <= requested_ || lsn <= durable_) return;
  requested_ = lsn;
  work_.notify_one();
}

void Wal::flush(Lsn lsn) {
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
  disarm_lazy_flush();
  const Lsn target = end_;
  while (!chunks_.empty() && durable_ < target) {
    if (host_.fault_point("wal/flush") == sim::FaultOutcome::fail) panic("write", sim::DiskError::io_error);
    // Taken out of the queue before the first blocking call: what is appended from now on starts a chunk of its own.
    const Chunk chunk = std::move(chunks_.front());
    chunks_.pop_front();
    write_chunk(chunk);
    advance_durable(chunk.end);
  }
  if (!chunks_.empty()) arm_lazy_flush();
}

void Wal::write_chunk(const Chunk& chunk) {
  if (chunk.create) create_segment(chunk.segment);
  if (const auto written = file_.write_all(chunk.offset, chunk.bytes); !written) panic("write", written.error());
  if (host_.fault_point("wal/sync") == sim::FaultOutcome::fail) panic("fsync", sim::DiskError::io_error);
  if (const auto synced = file_.sync(); !synced) panic("fsync", synced.error());
}

void Wal::create_segment(const WalSegmentHeader& header) {
  auto opened = host_.disk().open(wal_segment_path(header.number), sim::OpenMode::create);
  if (!opened) panic("create", opened.error());
  file_ = *opened;
  if (const auto written = file_.write_all(0, encode(header)); !written) panic("write", written.error());
  if (const auto synced = file_.sync(); !synced) panic("fsync", synced.error());
  if (const auto synced = host_.disk().sync_directory(wal_directory); !synced) panic("fsync directory of", synced.error());
  host_.reached("wal/segment-created");
}

void Wal::panic(std::string_view what, sim::DiskError error) {
  host_.log(fmt::format("PANIC: could not {} file \"{}\": {}", what, file_.path(), sim::to_string(error)));
  if (error != sim::DiskError::offline) host_.reached("wal/panic");
  host_.crash();
  // Only reached when the host was already going down and this task is next to be unwound.
  throw sim::TaskCancelled{};
}

void Wal::advance_durable(Lsn lsn) {
  durable_ = lsn;
  while (!completions_.empty() && completions_.front().lsn <= durable_) {
    const Completion completion = std::move(completions_.front());
    completions_.pop_front();
    completion.run();
  }
  progress_.notify_all();
}

void Wal::arm_lazy_flush() {
  if (lazy_timer_ != 0) return;
  lazy_timer_ = host_.scheduler().call_at(host_.deadline_in(options_.lazy_flush_delay), [this] {
    lazy_timer_ = 0;
    request_flush(end_);
  });
}

void Wal::disarm_lazy_flush() {
  if (lazy_timer_ == 0) return;
  host_.scheduler().cancel_timer(lazy_timer_);
  lazy_timer_ = 0;
}

}  // namespace polarsim::engine::storage
