// Checkpoints: how much WAL recovery has to read, and how long the log is kept (PostgreSQL's CreateCheckPoint).
//
// A checkpoint is fuzzy: it notes where the log ends now (the redo point), from where on pages carry images once more,
// writes what is dirty at that moment while everybody goes on, makes the files durable, asks the other keepers of state
// (commit log, multixacts, prepared transactions) to do the same, appends its record, flushes it, and only then tells
// the control file. Segments of the WAL that end before the redo point are then recycled. Its cost follows the number
// of dirty pages.
//
// One starts `checkpoint_timeout` after the last one, if anything but the log's own records was logged since, and when
// `max_wal_size_bytes` were logged. It spreads its writes over `checkpoint_completion_target` of the time until the
// next, or of the WAL until then if that comes faster; one that is asked for does not wait, and hurries on one that is
// under way. While nothing is logged, nothing happens: no timer runs. One that fails, or whose caller is cancelled,
// counts as never begun, but for images that come earlier than they had to.
//
// There is none at the end of a node: a host ends at once (sim/host.h), as PostgreSQL does in its immediate shutdown.
//
// Fault points: "checkpoint/start", "checkpoint/pages-written", "checkpoint/synced", "checkpoint/record-written",
// "checkpoint/control-written". Probe: "checkpoint/completed".
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/config.h"
#include "engine/storage/buffer_pool.h"
#include "engine/storage/control_file.h"
#include "engine/storage/wal_record.h"

namespace polarsim::engine::storage {

class Checkpointer {
 public:
  // State that is not pages of the pool.
  struct Keeper {
    // At the redo point, without blocking: note what the checkpoint will say, e.g. counters. Each may be empty.
    std::function<void(CheckpointData&)> note;
    // Make durable, before the checkpoint's record is written, whatever was true at the redo point. May block.
    std::function<void(const CheckpointData&)> flush;
    // The checkpoint is durable: drop what only an older one needed. May block.
    std::function<void(const CheckpointData&)> finished;
  };

  Checkpointer(sim::Host& host, const NodeConfig& config, WalLog& log, BufferPool& pool, DataFiles& files,
               ControlFile& control);
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;
  void add_keeper(Keeper keeper);

  // Starts the background task. It takes the log's batch listener.
  void start();
  // A whole checkpoint, as fast as it goes; waits for one that is under way first. Blocks.
  void run();
  std::uint64_t completed() const { return completed_; }

 private:
  // What the background task waits for, so that a batch wakes it only if that has come.
  enum class Waiting : std::uint8_t { nothing, change, time, schedule };

  void loop();
  // False if it failed; then the WAL that it would have released stays, and another try does no harm.
  bool perform_if_due();
  void perform();
  CheckpointData begin();
  bool changed() const { return log_.wal().last_change() > redo_; }
  bool grown() const { return log_.wal().end() - redo_ >= config_.max_wal_size_bytes; }
  // Of the time or the WAL until the next checkpoint, which part a checkpoint may have used that has written this part.
  double allowed(std::size_t done, std::size_t total) const;
  bool behind(double allowed) const;
  void throttle(std::size_t done, std::size_t total);
  void on_batch();

  sim::Host& host_;
  const NodeConfig& config_;
  WalLog& log_;
  BufferPool& pool_;
  DataFiles& files_;
  ControlFile& control_;
  std::vector<Keeper> keepers_;
  sim::Mutex running_;
  sim::Condition wanted_;
  sim::TaskRef task_;
  Waiting waiting_ = Waiting::nothing;
  std::uint32_t hurry_ = 0;     // callers of run()
  Lsn redo_ = 0;                // of the last checkpoint that did not fail, also if it is under way
  sim::Time started_;           // the same
  sim::Time due_ = sim::never;  // the next by time
  double allowed_ = 0;          // while it waits for its schedule
  std::uint64_t completed_ = 0;
};

}  // namespace polarsim::engine::storage
