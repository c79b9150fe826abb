// Scans in descending order.
#include <mutex>

#include "engine/storage/btree.h"
#include "engine/types/error.h"

namespace polarsim::engine::storage {

namespace {

bool less(const Position& position, const std::optional<BTree::Entry>& bound) {
  return !bound || compare(position, {bound->key, bound->tid}) < 0;
}

void set(std::optional<BTree::Entry>& to, const Position& position) {
  if (!to) to.emplace();
  to->key.assign(position.key);
  to->tid = position.tid;
}

// The last entry of an inner page whose separator is less; the first one's counts as the least of all.
std::uint16_t child_before(const BTreePage& page, const std::optional<BTree::Entry>& before) {
  std::uint16_t low = page.first();
  std::uint16_t high = page.end();
  while (high - low > 1) {
    const auto middle = static_cast<std::uint16_t>((low + high) / 2);
    if (less(page.separator(middle), before))
      low = middle;
    else
      high = middle;
  }
  return low;
}

}  // namespace

PageRef BTree::descend_before(const std::optional<Entry>& before, std::optional<Entry>& least) {
  for (unsigned attempt = 0; attempt <= restarts_max; ++attempt) {
    if (PageRef leaf = try_to_descend_before(before, least)) return leaf;
    host_.reached("btree/search-restarted");
  }
  host_.reached("btree/search-took-its-turn");
  const std::lock_guard lock(writer_);
  return try_to_descend_before(before, least);
}

PageRef BTree::try_to_descend_before(const std::optional<Entry>& before, std::optional<Entry>& least) {
  if (root_ == invalid_block) load_meta();
  least.reset();
  BlockNumber block = root_;
  unsigned level = root_level_;
  const std::uint64_t removals = removals_;
  for (;;) {
    PageRef ref = pin(block);
    // As in try_to_descend().
    if (removals_ != removals) return {};
    const BTreePage page(ref.page());
    if (!page.is_tree_page() || page.removed()) corrupt(block, "a link to a page that is not of the tree");
    if (page.level() != level)
      corrupt(block, "a page of level " + std::to_string(page.level()) + " instead of " + std::to_string(level));
    if (!page.rightmost() && less(page.high_key(), before)) {
      set(least, page.high_key());
      block = page.right();
      continue;
    }
    if (level == 0) return ref;
    if (page.entry_count() == 0) corrupt(block, "an inner page without children");
    const std::uint16_t item = child_before(page, before);
    if (item != page.first()) set(least, page.separator(item));
    block = page.child(item);
    --level;
  }
}

bool BTree::BackwardScan::next(std::vector<Entry>& into) {
  std::size_t count = 0;
  std::optional<Entry> least;
  while (!done_ && count == 0) {
    const PageRef ref = tree_->descend_before(before_, least);
    const BTreePage leaf(ref.page());
    std::uint16_t item = before_ ? leaf.lower_bound({before_->key, before_->tid}) : leaf.end();
    while (!done_ && item > leaf.first()) {
      const Position entry = leaf.entry(--item);
      done_ = entry.key < lower_;
      if (done_) break;
      if (count == into.size()) into.emplace_back();
      into[count].key.assign(entry.key);
      into[count].tid = entry.tid;
      ++count;
    }
    if (!least || least->key < lower_) done_ = true;
    before_ = least;
  }
  into.resize(count);
  return count != 0;
}

}  // namespace polarsim::engine::storage
