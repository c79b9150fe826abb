#include "engine/exec/index_build.h"

#include <fmt/format.h>

#include <utility>

#include "engine/exec/table_access.h"
#include "engine/sql/error.h"

namespace polarsim::engine::exec {

namespace {

using storage::BTree;
using KeyOwner = txn::Heap::KeyOwner;

// Goes through the finished index: versions with one key lie beside each other.
class UniquenessCheck {
 public:
  UniquenessCheck(ExecutionContext& context, const catalog::Table& table, const catalog::Index& index)
      : context_(context), table_(table), index_(index) {}

  void run() {
    BTree::Scan scan = context_.database.tree(index_).scan({});
    std::string key;
    bool first = true;
    for (std::vector<BTree::Entry> entries; scan.next(entries);) {
      for (const BTree::Entry& entry : entries) {
        context_.backend().check_interrupts();
        if (first || entry.key != key) {
          key = entry.key;
          seen_live_ = false;
          first = false;
        }
        check(entry.tid);
      }
    }
  }

 private:
  void check(Tid tid) {
    Row row;
    const KeyOwner owner =
        context_.database.heap().find_key_owner(context_.transaction, table_.heap, {tid}, [&](const Row& version) {
          row = version;
          return must_be_unique(index_.definition, version);
        });
    if (owner.state == KeyOwner::State::none) return;
    if (!std::exchange(seen_live_, true)) return;
    throw SqlError(sqlstate::unique_violation,
                   fmt::format("could not create unique index \"{}\"", index_.definition.name),
                   fmt::format("Key {} is duplicated.", key_description(*table_.definition, index_.definition, row)));
  }

  ExecutionContext& context_;
  const catalog::Table& table_;
  const catalog::Index& index_;
  bool seen_live_ = false;
};

}  // namespace

void build_index(ExecutionContext& context, const catalog::Table& table, const catalog::Index& index) {
  Database& database = context.database;
  database.visit_append_point();
  BTree& tree = database.tree(index);
  tree.create();
  const txn::ActiveSnapshot keeps_vacuum_away(database.transactions(), context.transaction);
  database.heap().for_each_version(table.heap, [&](Tid tid, const storage::TupleHeader&, const Row& row) {
    context.backend().check_interrupts();
    tree.insert(index_key(index.definition, row), tid);
  });
  if (index.definition.unique) UniquenessCheck(context, table, index).run();
}

}  // namespace polarsim::engine::exec
