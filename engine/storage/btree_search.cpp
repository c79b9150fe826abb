// Descents, scans, and what is read of the meta page.
#include <mutex>

#include "engine/storage/btree.h"
#include "engine/types/error.h"

namespace polarsim::engine::storage {

void BTree::corrupt(BlockNumber block, std::string_view problem) const {
  throw SqlError(sqlstate::index_corrupted, "index \"" + name_ + "\" is corrupt: " + std::string(problem),
                 describe(page_id(block)));
}

void BTree::load_meta() {
  const PageRef ref = pin(meta_block);
  const BTreeMeta meta(ref.page());
  if (!meta.valid()) corrupt(meta_block, "no meta page");
  if (meta.root_level() >= levels_max) corrupt(meta_block, "a root on level " + std::to_string(meta.root_level()));
  root_ = meta.root();
  root_level_ = meta.root_level();
  first_removed_ = meta.first_removed();
}

PageRef BTree::descend(const Position& position, Path* path) {
  // Who holds writer_ already is never disturbed.
  for (unsigned attempt = 0; attempt <= restarts_max; ++attempt) {
    if (PageRef leaf = try_to_descend(position, path)) return leaf;
    host_.reached("btree/search-restarted");
  }
  host_.reached("btree/search-took-its-turn");
  const std::lock_guard lock(writer_);
  return try_to_descend(position, path);
}

PageRef BTree::try_to_descend(const Position& position, Path* path) {
  if (root_ == invalid_block) load_meta();
  BlockNumber block = root_;
  unsigned level = root_level_;
  if (path != nullptr) path->root_level = level;
  const std::uint64_t removals = removals_;
  for (;;) {
    PageRef ref = pin(block);
    // If pages were taken out while this one was read, it may not be the one meant any more.
    if (removals_ != removals) return {};
    const BTreePage page(ref.page());
    if (!page.is_tree_page() || page.removed()) corrupt(block, "a link to a page that is not of the tree");
    if (page.level() != level)
      corrupt(block, "a page of level " + std::to_string(page.level()) + " instead of " + std::to_string(level));
    if (page.ends_before(position)) {
      // It was split after the link to it was read.
      host_.reached("btree/search-moved-right");
      block = page.right();
      continue;
    }
    if (path != nullptr) path->blocks[level] = block;
    if (level == 0) return ref;
    if (page.entry_count() == 0) corrupt(block, "an inner page without children");
    block = page.child(page.child_item(position));
    --level;
  }
}

bool BTree::Scan::next(std::vector<Entry>& into) {
  std::size_t count = 0;
  while (!done_ && count == 0) {
    const PageRef ref = tree_->descend({position_.key, position_.tid});
    const BTreePage leaf(ref.page());
    bool beyond = false;
    for (std::uint16_t item = leaf.lower_bound({position_.key, position_.tid}); item < leaf.end(); ++item) {
      const Position entry = leaf.entry(item);
      beyond = !upper_.empty() && entry.key >= upper_;
      if (beyond) break;
      if (count == into.size()) into.emplace_back();
      into[count].key.assign(entry.key);
      into[count].tid = entry.tid;
      ++count;
    }
    if (beyond || leaf.rightmost() || (!upper_.empty() && leaf.high_key().key >= upper_)) {
      done_ = true;
    } else {
      const Position high = leaf.high_key();
      position_.key.assign(high.key);
      position_.tid = high.tid;
    }
  }
  into.resize(count);
  return count != 0;
}

std::vector<Tid> BTree::find(std::string_view key) {
  std::vector<Tid> found;
  Position from{key, least_tid};
  for (;;) {
    const PageRef ref = descend(from);
    const BTreePage leaf(ref.page());
    for (std::uint16_t item = leaf.lower_bound(from); item < leaf.end(); ++item) {
      const Position entry = leaf.entry(item);
      if (entry.key != key) return found;
      found.push_back(entry.tid);
    }
    // Entries with the key go on at the right only if the bound has it too.
    if (leaf.rightmost() || leaf.high_key().key != key) return found;
    from.tid = leaf.high_key().tid;
  }
}

}  // namespace polarsim::engine::storage
