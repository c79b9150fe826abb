#include "engine/storage/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "engine/types/error.h"

namespace polarsim::engine::storage {

namespace {

// How long the background task rests after a checkpoint that could not be finished.
constexpr sim::Duration retry_delay{1'000'000'000};

class Count {
 public:
  explicit Count(std::uint32_t& count) : count_(count) { ++count_; }
  ~Count() { --count_; }
  Count(const Count&) = delete;
  Count& operator=(const Count&) = delete;

 private:
  std::uint32_t& count_;
};

// Gives a variable its former value back, unless that is no longer wanted.
template <typename T>
class Restore {
 public:
  explicit Restore(T& variable) : variable_(variable), former_(variable) {}
  ~Restore() {
    if (!dismissed_) variable_ = former_;
  }
  Restore(const Restore&) = delete;
  Restore& operator=(const Restore&) = delete;
  void dismiss() { dismissed_ = true; }

 private:
  T& variable_;
  T former_;
  bool dismissed_ = false;
};

sim::Duration part_of(sim::Duration whole, double part) {
  return sim::Duration(static_cast<std::int64_t>(static_cast<double>(whole.count()) * part));
}

}  // namespace

Checkpointer::Checkpointer(sim::Host& host, const NodeConfig& config, WalLog& log, BufferPool& pool, DataFiles& files,
                           ControlFile& control)
    : host_(host),
      config_(config),
      log_(log),
      pool_(pool),
      files_(files),
      control_(control),
      running_(host.scheduler(), "checkpoint"),
      wanted_(host.scheduler(), "checkpointer"),
      redo_(log.redo_lsn()),
      started_(host.scheduler().now()) {}

Checkpointer::~Checkpointer() {
  if (!task_) return;
  log_.wal().set_batch_listener({});
  // When the host goes down its task has ended before the owner is unwound.
  if (!task_.finished()) {
    host_.scheduler().cancel(task_);
    host_.scheduler().join(task_);
  }
}

void Checkpointer::add_keeper(Keeper keeper) { keepers_.push_back(std::move(keeper)); }

void Checkpointer::start() {
  due_ = host_.deadline_in(config_.checkpoint_timeout);
  log_.wal().set_batch_listener([this] { on_batch(); });
  task_ = host_.spawn("checkpointer", [this] { loop(); });
}

void Checkpointer::run() {
  const Count hurry(hurry_);
  wanted_.notify_all();
  const std::lock_guard lock(running_);
  perform();
}

void Checkpointer::loop() {
  const auto wait = [this](Waiting what, const char* reason, sim::Time deadline) {
    waiting_ = what;
    wanted_.wait(reason, deadline);
    waiting_ = Waiting::nothing;
  };
  for (;;) {
    if (!changed()) {
      wait(Waiting::change, "checkpointer idle", sim::never);
      // After a rest the first change is no reason to hurry.
      if (due_ <= host_.scheduler().now()) due_ = host_.deadline_in(config_.checkpoint_timeout);
    } else if (!grown() && host_.scheduler().now() < due_) {
      wait(Waiting::time, "checkpoint timeout", due_);
    } else if (!perform_if_due()) {
      host_.sleep_for(retry_delay);
    }
  }
}

bool Checkpointer::perform_if_due() {
  const std::lock_guard lock(running_);
  // Somebody else may have taken one meanwhile.
  if (!grown() && host_.scheduler().now() < due_) return true;
  try {
    perform();
    return true;
  } catch (const SqlError& error) {
    host_.log(fmt::format("ERROR:  checkpoint failed: {}", error.what()));
    return false;
  }
}

// Nothing in here blocks: what the record says is true of one moment.
CheckpointData Checkpointer::begin() {
  CheckpointData data;
  data.redo = log_.wal().end();
  log_.append(RecordKind::checkpoint_start, {});
  data.segment = log_.wal().segment();
  data.time_us = host_.realtime_us();
  log_.set_redo_lsn(data.redo);
  for (const Keeper& keeper : keepers_) {
    if (keeper.note) keeper.note(data);
  }
  redo_ = data.redo;
  started_ = host_.scheduler().now();
  due_ = host_.deadline_in(config_.checkpoint_timeout);
  return data;
}

void Checkpointer::perform() {
  Wal& wal = log_.wal();
  host_.fault_point("checkpoint/start");
  Restore redo(redo_);
  Restore due(due_);
  const CheckpointData data = begin();
  pool_.flush_dirty([this](std::size_t done, std::size_t total) { throttle(done, total); });
  host_.fault_point("checkpoint/pages-written");
  files_.sync_all();
  for (const Keeper& keeper : keepers_) {
    if (keeper.flush) keeper.flush(data);
  }
  host_.fault_point("checkpoint/synced");
  const Lsn end = log_.append(RecordKind::checkpoint_end, encode(data));
  wal.flush(end);
  host_.fault_point("checkpoint/record-written");
  control_.write({0, data, end});
  redo.dismiss();
  due.dismiss();
  host_.fault_point("checkpoint/control-written");
  for (const Keeper& keeper : keepers_) {
    if (keeper.finished) keeper.finished(data);
  }
  wal.release_before(data.redo);
  ++completed_;
  host_.reached("checkpoint/completed");
}

double Checkpointer::allowed(std::size_t done, std::size_t total) const {
  return config_.checkpoint_completion_target * static_cast<double>(done) / static_cast<double>(total);
}

bool Checkpointer::behind(double allowed) const {
  const auto logged = static_cast<double>(log_.wal().end() - redo_);
  return logged >= allowed * static_cast<double>(config_.max_wal_size_bytes);
}

void Checkpointer::throttle(std::size_t done, std::size_t total) {
  if (done == total) return;
  allowed_ = allowed(done, total);
  const sim::Time until = started_ + part_of(config_.checkpoint_timeout, allowed_);
  while (hurry_ == 0 && !behind(allowed_) && host_.scheduler().now() < until) {
    waiting_ = Waiting::schedule;
    wanted_.wait("checkpoint schedule", until);
    waiting_ = Waiting::nothing;
  }
}

void Checkpointer::on_batch() {
  const bool due = (waiting_ == Waiting::change && changed()) || (waiting_ == Waiting::time && grown()) ||
                   (waiting_ == Waiting::schedule && behind(allowed_));
  if (due) wanted_.notify_all();
}

}  // namespace polarsim::engine::storage
