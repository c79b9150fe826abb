// B-trees beside LMDB: the same random keys of 9 bytes (an integer as an index holds it) with 6 bytes of value, put one
// by one and then looked up one by one in another order, all in memory. LMDB does it in one write transaction and one
// read transaction on a map in memory, without syncs. Ours logs every insertion besides, and hands the log to the
// simulated disk each time a client would have committed; LMDB has no log.
#include <lmdb.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "scenarios/cli/bench_store.h"
#include "scenarios/cli/benchmarks.h"
#include "scenarios/cli/exit_status.h"
#include "scenarios/cli/terminal.h"

namespace polarsim::scenarios::cli {

namespace {

constexpr std::size_t tree_entries = 1'000'000;
constexpr std::size_t commit_every = 1000;

struct Speed {
  double insert_seconds = 0;
  double lookup_seconds = 0;
};

Speed tree_speed(const std::vector<std::string>& keys, const std::vector<std::string>& lookups) {
  Speed speed;
  BenchMachine().run([&](sim::Host& host) {
    BenchStore store(host, 16384);
    storage::BTree& tree = store.make_tree();
    double start = processor_seconds();
    for (std::size_t i = 0; i < keys.size(); ++i) {
      tree.insert(keys[i], tid_of(i));
      if (i % commit_every == 0) store.flush_log();
    }
    store.flush_log();
    speed.insert_seconds = processor_seconds() - start;
    start = processor_seconds();
    for (const std::string& key : lookups) {
      if (tree.find(key).size() != 1) throw std::logic_error("bench: a key is not in the tree");
    }
    speed.lookup_seconds = processor_seconds() - start;
  });
  return speed;
}

class Lmdb {
 public:
  Lmdb() : directory_(std::filesystem::temp_directory_path() / ("polarsim-bench-" + std::to_string(getpid()))) {
    // In memory, if the machine has such a directory.
    if (std::filesystem::is_directory("/dev/shm"))
      directory_ = std::filesystem::path("/dev/shm") / directory_.filename();
    std::filesystem::create_directory(directory_);
    check(mdb_env_create(&environment_));
    check(mdb_env_set_mapsize(environment_, std::size_t{1} << 30));
    check(mdb_env_open(environment_, directory_.c_str(), MDB_NOSYNC | MDB_NOMETASYNC | MDB_WRITEMAP, 0600));
  }
  ~Lmdb() {
    mdb_env_close(environment_);
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  Lmdb(const Lmdb&) = delete;
  Lmdb& operator=(const Lmdb&) = delete;

  void insert(const std::vector<std::string>& keys) {
    MDB_txn* transaction = nullptr;
    check(mdb_txn_begin(environment_, nullptr, 0, &transaction));
    check(mdb_dbi_open(transaction, nullptr, 0, &database_));
    std::array<char, 6> bytes{};
    for (std::size_t i = 0; i < keys.size(); ++i) {
      MDB_val key = value_of(keys[i]);
      storage::store(bytes.data(), static_cast<std::uint32_t>(i));
      MDB_val value{bytes.size(), bytes.data()};
      check(mdb_put(transaction, database_, &key, &value, MDB_NOOVERWRITE));
    }
    check(mdb_txn_commit(transaction));
  }
  void lookup(const std::vector<std::string>& keys) {
    MDB_txn* transaction = nullptr;
    check(mdb_txn_begin(environment_, nullptr, MDB_RDONLY, &transaction));
    for (const std::string& sought : keys) {
      MDB_val key = value_of(sought);
      MDB_val value{};
      check(mdb_get(transaction, database_, &key, &value));
    }
    mdb_txn_abort(transaction);
  }

 private:
  static MDB_val value_of(const std::string& text) { return {text.size(), const_cast<char*>(text.data())}; }
  static void check(int status) {
    if (status != MDB_SUCCESS) throw std::runtime_error(std::string("bench: LMDB: ") + mdb_strerror(status));
  }
  std::filesystem::path directory_;
  MDB_env* environment_ = nullptr;
  MDB_dbi database_ = 0;
};

Speed lmdb_speed(const std::vector<std::string>& keys, const std::vector<std::string>& lookups) {
  Lmdb lmdb;
  double start = processor_seconds();
  lmdb.insert(keys);
  Speed speed;
  speed.insert_seconds = processor_seconds() - start;
  start = processor_seconds();
  lmdb.lookup(lookups);
  speed.lookup_seconds = processor_seconds() - start;
  return speed;
}

// The better of two: what other programs disturbed least.
Speed best(Speed a, Speed b) {
  return {std::min(a.insert_seconds, b.insert_seconds), std::min(a.lookup_seconds, b.lookup_seconds)};
}

}  // namespace

std::vector<Measurement> bench_btree() {
  const std::vector<std::string> keys = random_keys(tree_entries, 1);
  std::vector<std::string> lookups = keys;
  sim::RandomStream random("bench/order", 1, nullptr);
  for (std::size_t i = lookups.size(); i > 1; --i) std::swap(lookups[i - 1], lookups[random.below(i)]);
  const Speed ours = best(tree_speed(keys, lookups), tree_speed(keys, lookups));
  if (interrupted()) throw Interrupted{};
  const Speed theirs = best(lmdb_speed(keys, lookups), lmdb_speed(keys, lookups));
  const auto count = static_cast<double>(tree_entries);
  return {{"storage/btree-insert", count / ours.insert_seconds, "entries/s",
           "random integers into a tree in memory, logged, 1,000 to a commit"},
          {"storage/lmdb-insert", count / theirs.insert_seconds, "entries/s",
           "the same into LMDB in one transaction, without log and sync"},
          {"storage/btree-insert-ratio", ours.insert_seconds / theirs.insert_seconds, "times",
           "what ours takes over what LMDB takes", "<= 3"},
          {"storage/btree-lookup", count / ours.lookup_seconds, "lookups/s", "of the same keys in another order"},
          {"storage/lmdb-lookup", count / theirs.lookup_seconds, "lookups/s", "the same in LMDB, one transaction"},
          {"storage/btree-lookup-ratio", ours.lookup_seconds / theirs.lookup_seconds, "times",
           "what ours takes over what LMDB takes", "<= 3"}};
}

}  // namespace polarsim::scenarios::cli
