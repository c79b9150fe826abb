#include "engine/storage/btree.h"

#include <mutex>

#include "engine/storage/btree_redo.h"
#include "engine/types/error.h"
#include "sim/assert.h"

namespace polarsim::engine::storage {

BTree::BTree(sim::Host& host, WalLog& log, BufferPool& pool, DataFiles& files, RelationId relation, std::string name)
    : host_(host),
      log_(log),
      pool_(pool),
      files_(files),
      relation_(relation),
      name_(name.empty() ? std::to_string(relation) : std::move(name)),
      writer_(host.scheduler(), "btree writer") {}

void BTree::create() {
  constexpr BlockNumber root = meta_block + 1;
  for (const BlockNumber block : {meta_block, root}) {
    const PageRef ref = pool_.extend(relation_);
    POLARSIM_ASSERT(ref.id() == page_id(block), "a new tree in a file that is not empty");
  }
  const std::array<PageId, 2> ids{page_id(meta_block), page_id(root)};
  const std::vector<PageRef> pages = pool_.pin_all(ids);
  BTreeMeta meta(pages[0].page());
  meta.initialize(ids[0]);
  meta.set_root(root, 0);
  BTreePage(pages[1].page()).initialize(ids[1], 0, invalid_block);
  log_.append(btree_record::create, {{pages[0], PageChange::Kind::image}, {pages[1], PageChange::Kind::image}}, {});
}

void BTree::check_length(std::string_view key) const {
  if (key.size() <= key_bytes_max) return;
  throw SqlError(sqlstate::program_limit_exceeded,
                 "index row size " + std::to_string(key.size()) + " exceeds btree version 4 maximum " +
                     std::to_string(key_bytes_max) + " for index \"" + name_ + "\"",
                 "",
                 "Values larger than 1/3 of a buffer page cannot be indexed.\n"
                 "Consider a function index of an MD5 hash of the value, or use full text indexing.");
}

void BTree::insert(std::string_view key, Tid tid) {
  check_length(key);
  const std::lock_guard lock(writer_);
  put({key, tid});
}

bool BTree::insert_if(std::string_view key, Tid tid,
                      const std::function<bool(const std::vector<Tid>& equal)>& may_insert) {
  return insert_if(key, tid,
                   MayInsert([&](const std::vector<Tid>& equal, std::vector<Tid>&) { return may_insert(equal); }));
}

bool BTree::insert_if(std::string_view key, Tid tid, const MayInsert& may_insert) {
  check_length(key);
  const std::lock_guard lock(writer_);
  std::vector<Tid> obsolete;
  if (!may_insert(find(key), obsolete)) return false;
  put({key, tid});
  for (const Tid old : obsolete) take_out({key, old});
  return true;
}

bool BTree::remove(std::string_view key, Tid tid) {
  if (key.size() > key_bytes_max) return false;
  const std::lock_guard lock(writer_);
  return take_out({key, tid});
}

}  // namespace polarsim::engine::storage
