// Every invariant of a tree's structure, level by level from the root.
#include <algorithm>
#include <string>
#include <vector>

#include "engine/storage/btree.h"
#include "engine/storage/data_files.h"

namespace polarsim::engine::storage {

namespace {

// A page as its parent announces it.
struct Announced {
  BlockNumber block = invalid_block;
  BTree::Entry low{{}, least_tid};
  std::optional<BTree::Entry> high;  // none: nothing bounds it at the right
};

Position position_of(const BTree::Entry& entry) { return {entry.key, entry.tid}; }
BTree::Entry entry_of(const Position& position) { return {std::string(position.key), position.tid}; }

// Looks at the pages of a tree, each once, and remembers which.
class Inspection {
 public:
  explicit Inspection(BlockNumber blocks) : seen_(blocks, false) {}

  // The first thing that is wrong with the page; empty if nothing is. What it announces is added to `children`.
  std::string look_at(BTreePage page, const Announced& announced, unsigned level, BlockNumber right,
                      std::vector<Announced>& children) {
    if (std::string problem = mark(announced.block); !problem.empty()) return problem;
    if (!page.is_tree_page()) return "is not a page of a tree";
    if (page.removed()) return "is in use although it was removed";
    if (page.level() != level)
      return "is on level " + std::to_string(page.level()) + " instead of " + std::to_string(level);
    if (page.right() != right) return "has another page at its right than its parent has";
    if (std::string problem = check_items(page); !problem.empty()) return problem;
    if (page.rightmost() != !announced.high) return "is bounded unlike its parent says";
    if (announced.high && compare(page.high_key(), position_of(*announced.high)) != 0)
      return "has another bound than its parent says";
    if (level == 0) return check_leaf(page, announced);
    return check_inner(page, announced, children);
  }
  // Marks the block; empty, or why it cannot be.
  std::string mark(BlockNumber block) {
    if (block >= seen_.size()) return "lies beyond the end of the file";
    if (seen_[block]) return "is linked to more than once";
    seen_[block] = true;
    return {};
  }
  bool seen(BlockNumber block) const { return seen_[block]; }

 private:
  static std::string check_items(BTreePage page) {
    for (std::uint16_t item = 1; item < page.end(); ++item) {
      const std::size_t size = page.item_bytes(item).size();
      const bool inner = item >= page.first() && !page.is_leaf();
      if (size < (inner ? BTreeItem::inner_overhead : BTreeItem::leaf_overhead))
        return "has a short item " + std::to_string(item);
    }
    if (!page.rightmost() && page.end() == 1) return "has no bound";
    return {};
  }
  static std::string check_leaf(BTreePage page, const Announced& announced) {
    for (std::uint16_t item = page.first(); item < page.end(); ++item) {
      const Position entry = page.entry(item);
      if (compare(entry, position_of(announced.low)) < 0) return "holds less than its parent says, " + number(item);
      if (page.ends_before(entry)) return "holds more than its bound, " + number(item);
      if (item > page.first() && compare(page.entry(static_cast<std::uint16_t>(item - 1)), entry) >= 0)
        return "is not in order, " + number(item);
    }
    return {};
  }
  static std::string check_inner(BTreePage page, const Announced& announced, std::vector<Announced>& children) {
    if (page.entry_count() == 0) return "is an inner page without children";
    for (std::uint16_t item = page.first(); item < page.end(); ++item) {
      Announced child{page.child(item), announced.low, announced.high};
      if (item > page.first()) {
        const Position separator = page.separator(item);
        if (compare(separator, position_of(children.back().low)) <= 0) return "is not in order, " + number(item);
        if (page.ends_before(separator)) return "holds more than its bound, " + number(item);
        child.low = entry_of(separator);
        children.back().high = child.low;
      }
      children.push_back(std::move(child));
    }
    return {};
  }
  static std::string number(std::uint16_t item) { return "item " + std::to_string(item); }
  std::vector<bool> seen_;
};

std::string complaint(BlockNumber block, const std::string& problem) {
  return "block " + std::to_string(block) + " " + problem;
}

}  // namespace

std::optional<std::string> BTree::check() {
  Inspection inspection(files_.block_count(relation_));
  if (std::string problem = inspection.mark(meta_block); !problem.empty()) return complaint(meta_block, problem);
  BlockNumber removed = invalid_block;
  std::vector<Announced> pages(1);
  unsigned level = 0;
  {
    const PageRef ref = pin(meta_block);
    const BTreeMeta meta(ref.page());
    if (!meta.valid()) return complaint(meta_block, "is not a meta page");
    if (root_ != invalid_block &&
        (root_ != meta.root() || root_level_ != meta.root_level() || first_removed_ != meta.first_removed()))
      return complaint(meta_block, "was changed by somebody else");
    removed = meta.first_removed();
    pages[0].block = meta.root();
    level = meta.root_level();
    if (level >= levels_max) return complaint(meta_block, "has a root that is too high");
  }
  for (;; --level) {
    std::vector<Announced> children;
    for (std::size_t i = 0; i < pages.size(); ++i) {
      const BlockNumber right = i + 1 < pages.size() ? pages[i + 1].block : invalid_block;
      const PageRef ref = pin(pages[i].block);
      const std::string problem = inspection.look_at(BTreePage(ref.page()), pages[i], level, right, children);
      if (!problem.empty()) return complaint(pages[i].block, problem);
    }
    if (level == 0) break;
    pages = std::move(children);
  }
  while (removed != invalid_block) {
    if (std::string problem = inspection.mark(removed); !problem.empty()) return complaint(removed, problem);
    const PageRef ref = pin(removed);
    const BTreePage page(ref.page());
    if (!page.is_tree_page() || !page.removed()) return complaint(removed, "is listed as removed but is not");
    removed = page.next_removed();
  }
  for (BlockNumber block = 0; block < files_.block_count(relation_); ++block) {
    if (inspection.seen(block)) continue;
    if (std::find(spare_.begin(), spare_.end(), block) == spare_.end()) return complaint(block, "belongs to nothing");
  }
  return std::nullopt;
}

}  // namespace polarsim::engine::storage
