// Checkpoints: how much WAL recovery has to read, and how long the log is kept (PostgreSQL's CreateCheckPoint).
//
// A checkpoint is fuzzy: it notes where the log ends now (the redo point), from where on pages carry images once more,
// writes what is dirty at that moment while everybody goes on, makes the files durable, asks the other keepers of state
// (commit log, multixacts, prepared transactions) to do the same, appends its record, flushes it, and only then tells
// the control file. Segments of the WAL that end before the redo point are then recycled. Its cost follows the number
// of dirty pages. One that is started by time or by the amount of WAL spreads its writes over
// `checkpoint_completion_target` of the time until the next; one that is asked for does not wait.
//
// Fault points: "checkpoint/start", "checkpoint/pages-written", "checkpoint/synced", "checkpoint/record-written",
// "checkpoint/control-written".
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
    // At the redo point, without blocking: note what the checkpoint will say, e.g. counters.
    std::function<void(CheckpointData&)> note;
    // Make durable, before the checkpoint's record is written, whatever was true at the redo point. May block.
    std::function<void(const CheckpointData&)> flush;
    // The checkpoint is durable: drop what only an older one needed. May block.
    std::function<void(const CheckpointData&)> finished;
  };

  Checkpointer(sim::Host& host, const NodeConfig& config, WalLog& log, BufferPool& pool, DataFiles& files,
               ControlFile& control);
  void add_keeper(Keeper keeper);

  // Starts the background task.
  void start();
  // A whole checkpoint, as fast as it goes; waits for one that is under way first. Blocks.
  void run(bool shutdown = false);
  std::uint64_t completed() const { return completed_; }

 private:
  void loop();
  void perform(bool fast, bool shutdown);

  sim::Host& host_;
  const NodeConfig& config_;
  WalLog& log_;
  BufferPool& pool_;
  DataFiles& files_;
  ControlFile& control_;
  std::vector<Keeper> keepers_;
  sim::Mutex running_;
  sim::Condition wanted_;
  bool hurry_ = false;
  std::uint64_t completed_ = 0;
};

}  // namespace polarsim::engine::storage
