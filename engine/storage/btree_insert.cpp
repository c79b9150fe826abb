// Entries come, and pages are split for them.
#include <algorithm>
#include <cstring>

#include "engine/storage/btree.h"
#include "engine/storage/btree_redo.h"
#include "engine/types/error.h"
#include "sim/assert.h"

namespace polarsim::engine::storage {

namespace {

// Whether entries arrive in ascending order, as far as this page can tell: the next one goes to the very end.
bool ascending(BTreePage page, const Position& entry) {
  if (!page.rightmost()) return false;
  const auto last = static_cast<std::uint16_t>(page.end() - 1);
  return compare(page.is_leaf() ? page.entry(last) : page.separator(last), entry) <= 0;
}

// The entries from `item` on go to `right`, with the bound and the link of `left`.
void move_upper_part(BTreePage left, PageId left_id, BTreePage right, PageId right_id, std::uint16_t item,
                     const Position& separator, BTreePage old) {
  right.initialize(right_id, old.level(), old.right());
  if (!old.rightmost()) right.set_high_key(old.high_key());
  left.initialize(left_id, old.level(), right_id.block);
  left.set_high_key(separator);
  for (std::uint16_t from = old.first(); from < item; ++from) left.append(old.item_bytes(from));
  for (std::uint16_t from = item; from < old.end(); ++from) {
    if (from == item && !old.is_leaf())
      right.append(BTreeItem::inner(old.child(from), {{}, least_tid}).bytes());
    else
      right.append(old.item_bytes(from));
  }
}

}  // namespace

void BTree::put(const Position& entry) {
  BTreeItem new_item = BTreeItem::leaf(entry);
  for (;;) {
    Path path;
    {
      const PageRef ref = descend(entry, &path);
      BTreePage leaf(ref.page());
      const std::uint16_t item = leaf.lower_bound(entry);
      if (item != leaf.end() && compare(leaf.entry(item), entry) == 0)
        corrupt(ref.id().block, "it has an entry for this row version already");
      if (leaf.insert(item, new_item.bytes())) {
        log_.append(btree_record::insert, {{ref}}, new_item.logged_at(item));
        return;
      }
    }
    make_room(path, entry);
  }
}

// One step: splits the uppermost page of those that have no room for what is to come from below.
void BTree::make_room(const Path& path, const Position& entry) {
  for (unsigned level = 0;; ++level) {
    std::uint16_t at = 0;
    std::size_t separator_bytes = 0;
    {
      const PageRef ref = pin(path.blocks[level]);
      const BTreePage page(ref.page());
      if (page.entry_count() < 2) corrupt(path.blocks[level], "a full page with less than two entries");
      at = split_item(page, ascending(page, entry));
      separator_bytes = BTreeItem::inner_overhead + split_separator(page, at).key.size();
    }
    if (level == path.root_level || BTreePage(pin(path.blocks[level + 1]).page()).has_room(separator_bytes)) {
      split(path, level, at);
      return;
    }
  }
}

void BTree::split(const Path& path, unsigned level, std::uint16_t at) {
  const bool is_root = level == path.root_level;
  const NewBlocks taken = take_blocks(is_root ? 2 : 1);
  const BlockNumber parent_block = is_root ? taken.blocks[1] : path.blocks[level + 1];
  const bool meta_changes = is_root || taken.from_list;
  const std::array<PageId, 4> ids{page_id(path.blocks[level]), page_id(taken.blocks[0]), page_id(parent_block),
                                  page_id(meta_block)};
  const std::vector<PageRef> pages = pool_.pin_all(std::span(ids).first(meta_changes ? 4 : 3));

  // From here on nothing blocks. First whether the pages are still what they were: nothing is half done if not.
  BTreePage left(pages[0].page());
  BTreePage parent(pages[2].page());
  if (!left.is_tree_page() || left.removed() || at <= left.first() || at >= left.end())
    corrupt(ids[0].block, "a page that was to be split is another one now");
  if (!is_root) {
    if (!parent.is_tree_page() || parent.removed() || parent.entry_count() == 0)
      corrupt(ids[2].block, "a parent that is not of the tree");
    const Position bound = split_separator(left, at);
    if (parent.child(parent.child_item(bound)) != ids[0].block) corrupt(ids[2].block, "a parent without its child");
    if (!parent.has_room(BTreeItem::inner_overhead + bound.key.size()))
      corrupt(ids[2].block, "a parent has less room than it had");
  }
  std::array<char, page_size> copy;
  std::memcpy(copy.data(), left.bytes(), page_size);
  const BTreePage old{Page(copy.data())};
  const Position separator = split_separator(old, at);
  move_upper_part(left, ids[0], BTreePage(pages[1].page()), ids[1], at, separator, old);
  if (is_root) {
    parent.initialize(ids[2], level + 1, invalid_block);
    parent.append(BTreeItem::inner(ids[0].block, {{}, least_tid}).bytes());
  }
  const auto place = static_cast<std::uint16_t>(parent.child_item(separator) + 1);
  const bool fits = parent.insert(place, BTreeItem::inner(ids[1].block, separator).bytes());
  POLARSIM_ASSERT(fits, "a parent that had room has none");
  if (meta_changes) {
    BTreeMeta meta(pages[3].page());
    if (is_root) meta.set_root(ids[2].block, level + 1);
    meta.set_first_removed(taken.first_removed_after);
    root_ = meta.root();
    root_level_ = meta.root_level();
    first_removed_ = meta.first_removed();
  }
  forget_spare(taken.blocks[0]);
  if (is_root) forget_spare(taken.blocks[1]);
  std::vector<PageChange> changes;
  for (const PageRef& page : pages) changes.push_back({page, PageChange::Kind::image});
  log_.append(btree_record::split, changes, {});
}

// Removed pages first, then new ones. They are free until a record says otherwise. Blocks.
BTree::NewBlocks BTree::take_blocks(std::size_t count) {
  NewBlocks taken;
  POLARSIM_ASSERT(count <= taken.blocks.size(), "a split takes two pages at most");
  std::size_t found = 0;
  BlockNumber removed = first_removed_;
  for (; found < count && removed != invalid_block; ++found) {
    taken.blocks[found] = removed;
    taken.from_list = true;
    host_.reached("btree/page-reused");
    const PageRef ref = pin(removed);
    const BTreePage page(ref.page());
    if (!page.is_tree_page() || !page.removed()) corrupt(removed, "a page in use is listed as removed");
    removed = page.next_removed();
  }
  taken.first_removed_after = removed;
  for (std::size_t spare = 0; found < count; ++found, ++spare) {
    while (spare >= spare_.size()) spare_.push_back(pool_.extend(relation_).id().block);
    taken.blocks[found] = spare_[spare];
  }
  return taken;
}

void BTree::forget_spare(BlockNumber block) { std::erase(spare_, block); }

}  // namespace polarsim::engine::storage
