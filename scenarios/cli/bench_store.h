// What lies under a node's tables, for the benchmarks of storage.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/config.h"
#include "engine/storage/btree.h"
#include "engine/storage/data_files.h"
#include "engine/storage/redo.h"
#include "sim/simulation.h"

namespace polarsim::scenarios::cli {

namespace storage = engine::storage;

// A simulated machine of one host.
class BenchMachine {
 public:
  BenchMachine() : simulation_(sim::SimulationOptions{}), host_(simulation_.add_host("node")) {}
  // Boots the host with this program and returns when nothing happens any more. An exception comes out.
  void run(std::function<void(sim::Host&)> program) {
    host_.set_program(std::move(program));
    host_.boot();
    simulation_.run();
  }

 private:
  sim::Simulation simulation_;
  sim::Host& host_;
};

// Files, buffers and log of a node, with one tree and one table that a benchmark may make. What the log holds from
// before is redone.
class BenchStore {
 public:
  static constexpr storage::RelationId tree_relation = 1;
  static constexpr storage::RelationId heap_relation = 2;

  BenchStore(sim::Host& host, std::size_t buffers);
  storage::BTree& make_tree();
  // That an earlier life of the host made.
  storage::BTree& open_tree();
  void make_heap();
  // Another row of an integer and a text of so many bytes, as an insertion logs it.
  storage::Tid append_row(std::int64_t number, std::size_t text_bytes);
  void flush_log() { wal_->flush(wal_->end()); }

  sim::Host& host() { return host_; }
  storage::DataFiles& files() { return files_; }
  storage::BufferPool& pool() { return pool_; }
  storage::WalLog& log() { return *log_; }
  std::uint64_t redone_bytes() const { return redone_bytes_; }
  std::uint64_t redone_records() const { return redone_records_; }

 private:
  void redo(const storage::WalRecord& record);

  sim::Host& host_;
  engine::PlantedBugs planted_;
  storage::DataFiles files_;
  std::unique_ptr<storage::Wal> wal_;
  storage::BufferPool pool_;
  storage::RedoTable redo_table_;
  storage::RedoContext redo_context_;
  storage::DecodedRecord decoded_;
  std::uint64_t redone_bytes_ = 0;
  std::uint64_t redone_records_ = 0;
  std::optional<storage::WalLog> log_;
  std::optional<storage::BTree> tree_;
  storage::BlockNumber heap_block_ = storage::invalid_block;
};

// Random integers that do not repeat, as keys of an index. At most 2^20.
std::vector<std::string> random_keys(std::size_t count, std::uint64_t seed);
// Of the row with this number, if there are a hundred to a page.
inline storage::Tid tid_of(std::size_t number) {
  return {static_cast<storage::BlockNumber>(number / 100), static_cast<std::uint16_t>(1 + number % 100)};
}

}  // namespace polarsim::scenarios::cli
