#include "scenarios/cli/bench_store.h"

#include <array>

#include "engine/storage/key_encoding.h"
#include "engine/txn/heap_redo.h"

namespace polarsim::scenarios::cli {

BenchStore::BenchStore(sim::Host& host, std::size_t buffers)
    : host_(host),
      files_(host, planted_),
      pool_(host, files_, buffers,
            [this](storage::Lsn lsn) {
              // What is redone is durable.
              if (wal_ != nullptr) wal_->flush(lsn);
            }),
      redo_context_(host, pool_, files_, planted_) {
  storage::register_btree_redo(redo_table_);
  engine::txn::register_heap_redo(redo_table_);
  wal_ = storage::Wal::open(host, {}, storage::WalStart{}, [this](const storage::WalRecord& record) { redo(record); });
  redo_context_.finish();
  log_.emplace(*wal_, true);
}

void BenchStore::redo(const storage::WalRecord& record) {
  storage::decode(record, decoded_);
  redo_table_.apply(redo_context_, decoded_);
  redone_bytes_ += record.end - record.lsn;
  ++redone_records_;
}

storage::BTree& BenchStore::open_tree() { return tree_.emplace(host_, *log_, pool_, files_, tree_relation); }

storage::BTree& BenchStore::make_tree() {
  files_.create(tree_relation);
  log_create_relation(*log_, tree_relation);
  open_tree().create();
  return *tree_;
}

void BenchStore::make_heap() {
  files_.create(heap_relation);
  log_create_relation(*log_, heap_relation);
}

storage::Tid BenchStore::append_row(std::int64_t number, std::size_t text_bytes) {
  namespace txn = engine::txn;
  const std::array<engine::Value, 2> row{engine::Value::integer(number),
                                         engine::Value::text(std::string(text_bytes, 'x'))};
  txn::TupleRecord record(false, row, {});
  storage::TupleHeader header;
  header.xmin = storage::first_normal_xid;
  storage::PageRef ref;
  if (heap_block_ != storage::invalid_block) {
    ref = pool_.pin({heap_relation, storage::Fork::main, heap_block_});
    if (!txn::has_room(ref.page(), record.tuple_bytes())) ref.release();
  }
  if (!ref) {
    ref = pool_.extend(heap_relation);
    heap_block_ = ref.id().block;
  }
  const auto kind = ref.page().is_new() ? storage::PageChange::Kind::initialize : storage::PageChange::Kind::change;
  const storage::Tid tid = record.put(ref.page(), ref.id(), header);
  log_->append(txn::heap_record::insert, {{ref, kind}}, record.bytes());
  return tid;
}

// Random numbers that do not repeat, as keys of an index.
std::vector<std::string> random_keys(std::size_t count, std::uint64_t seed) {
  sim::RandomStream random("bench/keys", seed, nullptr);
  std::vector<std::string> keys;
  keys.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto number = static_cast<std::int64_t>((random.next() & ~std::uint64_t{0xFFFFF}) | i);
    const std::array<engine::Value, 1> value{engine::Value::integer(number)};
    keys.push_back(storage::encode_key(value));
  }
  return keys;
}

}  // namespace polarsim::scenarios::cli
