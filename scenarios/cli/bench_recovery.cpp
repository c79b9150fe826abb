// What a crash costs afterwards, and what keeps that small: redo, and checkpoints.
#include <algorithm>
#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/storage/checkpoint.h"
#include "scenarios/cli/bench_store.h"
#include "scenarios/cli/benchmarks.h"
#include "scenarios/cli/exit_status.h"
#include "scenarios/cli/terminal.h"

namespace polarsim::scenarios::cli {

namespace {

constexpr std::size_t row_count = 400'000;
constexpr std::size_t row_text_bytes = 60;
constexpr std::size_t commit_every = 1000;
constexpr std::size_t recovery_buffers = 16384;

struct Redo {
  double seconds = 0;
  double megabytes = 0;
  double records = 0;
};

// Rows and entries of their index are logged, the power fails before any page is written, and all is redone.
Redo redo_once(const std::vector<std::string>& keys) {
  BenchMachine machine;
  machine.run([&](sim::Host& host) {
    BenchStore store(host, recovery_buffers);
    storage::BTree& tree = store.make_tree();
    store.make_heap();
    store.files().sync_all();
    for (std::size_t i = 0; i < keys.size(); ++i) {
      tree.insert(keys[i], store.append_row(static_cast<std::int64_t>(i), row_text_bytes));
      if (i % commit_every == 0) store.flush_log();
    }
    store.flush_log();
    host.crash();
  });
  Redo result;
  machine.run([&](sim::Host& host) {
    const double start = processor_seconds();
    BenchStore store(host, recovery_buffers);
    result.seconds = processor_seconds() - start;
    result.megabytes = static_cast<double>(store.redone_bytes()) / 1e6;
    result.records = static_cast<double>(store.redone_records());
    if (store.open_tree().find(keys.back()).size() != 1) throw std::logic_error("bench: redo has lost an entry");
  });
  return result;
}

constexpr std::size_t dirty_pages = 1000;

// Processor seconds of a checkpoint while the pool is full and so many of its pages are dirty.
double checkpoint_seconds(std::size_t buffers) {
  double fastest = 1e9;
  BenchMachine().run([&](sim::Host& host) {
    BenchStore store(host, buffers);
    store.make_heap();
    storage::ControlFile control(host);
    const engine::NodeConfig config;
    storage::Checkpointer checkpointer(host, config, store.log(), store.pool(), store.files(), control);
    std::vector<storage::PageId> pages;
    while (pages.size() < buffers - storage::buffers_min) {
      const storage::Tid tid = store.append_row(0, 7000);
      pages.push_back({BenchStore::heap_relation, storage::Fork::main, tid.block});
    }
    checkpointer.run();
    for (int round = 0; round < 10; ++round) {
      // Pages from all over the pool.
      for (std::size_t i = 0; i < dirty_pages; ++i)
        store.pool().pin(pages[i * pages.size() / dirty_pages]).mark_dirty();
      const double start = processor_seconds();
      checkpointer.run();
      fastest = std::min(fastest, processor_seconds() - start);
    }
  });
  return fastest;
}

}  // namespace

std::vector<Measurement> bench_redo() {
  const std::vector<std::string> keys = random_keys(row_count, 1);
  Redo best = redo_once(keys);
  for (int round = 0; round < 2; ++round) {
    if (interrupted()) throw Interrupted{};
    best.seconds = std::min(best.seconds, redo_once(keys).seconds);
  }
  return {{"storage/redo", best.megabytes / best.seconds, "MB/s",
           "of log: rows of 100 bytes and random entries of an index, reading and checking included", ">= 200"},
          {"storage/redo-records", best.records / best.seconds, "records/s", "of the same log"}};
}

std::vector<Measurement> bench_checkpoint() {
  constexpr std::size_t small_pool = 2048;
  constexpr std::size_t large_pool = 16384;
  const double small = checkpoint_seconds(small_pool);
  const double large = checkpoint_seconds(large_pool);
  return {{"storage/checkpoint", small * 1000, "ms", "1,000 dirty pages among 2,048"},
          {"storage/checkpoint-large", large * 1000, "ms", "1,000 dirty pages among 16,384"},
          {"storage/checkpoint-ratio", large / small, "times", "the second over the first", "<= 1.5"}};
}

}  // namespace polarsim::scenarios::cli
