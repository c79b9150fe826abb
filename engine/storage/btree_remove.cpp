// A leaf is taken out of the tree with its last entry, and with it the ancestors that would have no child left.
//
// Between such a chain of pages, each the only child of the next, and the first ancestor that keeps other children,
// there is a neighbour on every level, below the child of that ancestor next to the chain. If the neighbours are at the
// right, the pages of the chain take over what they hold, and the neighbours are removed: this always fits. If the
// chain is its ancestor's last child, the neighbours at the left take over its right links and bounds.
#include "engine/storage/btree.h"
#include "engine/storage/btree_redo.h"
#include "sim/assert.h"

namespace polarsim::engine::storage {

// What is taken out: the first `length` pages of the path, and the neighbours on these levels.
struct BTree::Chain {
  unsigned length = 0;
  bool neighbours_right = false;
  std::array<BlockNumber, pin_all_max> neighbours;
};

bool BTree::take_out(const Position& entry) {
  bool with_leaf = true;
  for (;;) {
    Path path;
    {
      const PageRef ref = descend(entry, &path);
      BTreePage leaf(ref.page());
      const std::uint16_t item = leaf.lower_bound(entry);
      if (item == leaf.end() || compare(leaf.entry(item), entry) != 0) return false;
      with_leaf = with_leaf && leaf.entry_count() == 1 && path.root_level > 0;
      if (!with_leaf) {
        leaf.remove(item);
        std::array<char, sizeof(item)> data;
        store(data.data(), item);
        log_.append(btree_record::remove, {{ref}}, {data.data(), data.size()});
        return true;
      }
    }
    if (take_out_leaf(path)) return true;
    with_leaf = false;
  }
}

// The leaf with the entry that it has, which is the last one. False if the leaf has to stay, or is now the root; it has
// its entry then.
bool BTree::take_out_leaf(const Path& path) {
  Chain chain;
  for (chain.length = 1; chain.length <= path.root_level; ++chain.length) {
    const PageRef ref = pin(path.blocks[chain.length]);
    if (BTreePage(ref.page()).entry_count() > 1) break;
  }
  if (chain.length > path.root_level) {
    shrink_to_leaf(path);
    return false;
  }
  // Chain, neighbours, the ancestor and the meta page are one record.
  if (2 * chain.length + 2 > pin_all_max || !find_neighbours(path, chain)) {
    host_.reached("btree/empty-leaf-kept");
    return false;
  }
  unlink(path, chain);
  return true;
}

namespace {

// The entry of the child; end() if there is none.
std::uint16_t item_of(BTreePage parent, BlockNumber child) {
  std::uint16_t item = parent.first();
  while (item < parent.end() && parent.child(item) != child) ++item;
  return item;
}

}  // namespace

// False if neighbours at the left have no room for the bounds that they would have to take over. Blocks.
bool BTree::find_neighbours(const Path& path, Chain& chain) {
  {
    const PageRef ref = pin(path.blocks[chain.length]);
    const BTreePage ancestor(ref.page());
    const std::uint16_t item = item_of(ancestor, path.blocks[chain.length - 1]);
    if (item == ancestor.end()) corrupt(ref.id().block, "a parent without its child");
    chain.neighbours_right = item + 1 < ancestor.end();
    chain.neighbours[chain.length - 1] =
        ancestor.child(static_cast<std::uint16_t>(chain.neighbours_right ? item + 1 : item - 1));
  }
  for (unsigned level = chain.length; level-- > 0;) {
    std::size_t bound_bytes = 0;
    if (!chain.neighbours_right) {
      const PageRef ref = pin(path.blocks[level]);
      const BTreePage page(ref.page());
      if (!page.rightmost()) bound_bytes = page.item_bytes(1).size();
    }
    const PageRef ref = pin(chain.neighbours[level]);
    const BTreePage page(ref.page());
    if (page.removed() || page.level() != level || (level > 0 && page.entry_count() == 0))
      corrupt(ref.id().block, "a neighbour that is not of the tree");
    if (!chain.neighbours_right && bound_bytes > page.item_bytes(1).size() &&
        !page.has_room(bound_bytes - page.item_bytes(1).size()))
      return false;
    if (level > 0)
      chain.neighbours[level - 1] =
          page.child(chain.neighbours_right ? page.first() : static_cast<std::uint16_t>(page.end() - 1));
  }
  return true;
}

namespace {

// `left` takes over the bound and the link of `right`, its neighbour.
void take_over_bound(BTreePage left, BTreePage right) {
  left.remove(1);
  left.set_right(right.right());
  if (right.rightmost()) return;
  const bool fits = left.insert(1, right.item_bytes(1));
  POLARSIM_ASSERT(fits, "a page has less room than it had");
}

}  // namespace

void BTree::unlink(const Path& path, const Chain& chain) {
  const unsigned length = chain.length;
  std::vector<PageId> ids;
  for (unsigned level = 0; level < length; ++level) ids.push_back(page_id(path.blocks[level]));
  for (unsigned level = 0; level < length; ++level) ids.push_back(page_id(chain.neighbours[level]));
  ids.push_back(page_id(path.blocks[length]));
  ids.push_back(page_id(meta_block));
  const std::vector<PageRef> pages = pool_.pin_all(ids);

  // From here on nothing blocks. On every level one page is kept and one goes. First whether they are still what they
  // were: nothing is half done if not.
  const std::size_t kept = chain.neighbours_right ? 0 : length;
  const std::size_t gone = chain.neighbours_right ? length : 0;
  BTreePage ancestor(pages[2 * length].page());
  BTreeMeta meta(pages[2 * length + 1].page());
  for (unsigned i = 0; i <= 2 * length; ++i) {
    const BTreePage page(pages[i].page());
    if (!page.is_tree_page() || page.removed() || page.level() != (i < 2 * length ? i % length : length))
      corrupt(ids[i].block, "a page that was to be unlinked is another one now");
  }
  const std::uint16_t item = item_of(ancestor, ids[gone + length - 1].block);
  if (item == ancestor.first() || item == ancestor.end()) corrupt(ids[2 * length].block, "a parent without its child");
  ancestor.remove(item);
  BlockNumber first_removed = meta.first_removed();
  for (unsigned level = 0; level < length; ++level) {
    BTreePage keeper(pages[kept + level].page());
    BTreePage leaver(pages[gone + level].page());
    if (chain.neighbours_right) {
      keeper.take_over(ids[kept + level], leaver);
      if (level > 0) keeper.set_child(keeper.first(), ids[kept + level - 1].block);
    } else {
      take_over_bound(keeper, leaver);
    }
    leaver.initialize_removed(ids[gone + level], first_removed);
    first_removed = ids[gone + level].block;
  }
  // A root with one child is no use.
  if (length == path.root_level && ancestor.entry_count() == 1) {
    unsigned root_level = length;
    BTreePage root = ancestor;
    PageId root_id = ids[2 * length];
    while (root_level > 0 && root.entry_count() == 1) {
      --root_level;
      root.initialize_removed(root_id, first_removed);
      first_removed = root_id.block;
      root = BTreePage(pages[kept + root_level].page());
      root_id = ids[kept + root_level];
    }
    meta.set_root(root_id.block, root_level);
  }
  meta.set_first_removed(first_removed);
  root_ = meta.root();
  root_level_ = meta.root_level();
  first_removed_ = first_removed;
  ++removals_;
  host_.reached("btree/page-removed");
  std::vector<PageChange> changes;
  for (const PageRef& page : pages) changes.push_back({page, PageChange::Kind::image});
  log_.append(btree_record::unlink, changes, {});
}

// The whole tree is one chain down to a leaf: the leaf becomes the root. As unlink(), it does nothing if that
// are too many pages.
void BTree::shrink_to_leaf(const Path& path) {
  if (path.root_level + 2 > pin_all_max) return;
  std::vector<PageId> ids{page_id(meta_block)};
  for (unsigned level = 1; level <= path.root_level; ++level) ids.push_back(page_id(path.blocks[level]));
  const std::vector<PageRef> pages = pool_.pin_all(ids);
  BTreeMeta meta(pages[0].page());
  BlockNumber first_removed = meta.first_removed();
  for (std::size_t i = 1; i < pages.size(); ++i) {
    BTreePage(pages[i].page()).initialize_removed(ids[i], first_removed);
    first_removed = ids[i].block;
  }
  meta.set_root(path.blocks[0], 0);
  meta.set_first_removed(first_removed);
  root_ = path.blocks[0];
  root_level_ = 0;
  first_removed_ = first_removed;
  ++removals_;
  host_.reached("btree/page-removed");
  std::vector<PageChange> changes;
  for (const PageRef& page : pages) changes.push_back({page, PageChange::Kind::image});
  log_.append(btree_record::unlink, changes, {});
}

}  // namespace polarsim::engine::storage
