// The bytes of a B-tree's pages: a view of a page with what btree.h needs to know of it. Nothing here blocks or logs.
//
// Every page but the meta page has a special area of 8 bytes: u32 right link (invalid_block: the page is the last of
// its level; on a removed page: the next removed one), u16 level (0: leaf), 2 zeros. Its flags tell whether it was
// removed.
//
//   items: on a page with a right link, item 1 is the high key; then the entries in order.
//     entry of a leaf, and high key of any page: u32 block and u16 item of a Tid, then the key
//     entry of an inner page: u32 child, then the same: the separator, which is the least position that the child may
//     hold. That of the first entry is empty and not looked at: there is nothing less on this page.
//   A page holds positions p with separator <= p < high key.
//
// Meta page (block 0), special area of 24 bytes: u32 magic, u32 version, u32 root, u32 level of the root, u32 the first
// removed page (they are linked), 4 zeros.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "engine/storage/page.h"

namespace polarsim::engine::storage {

// A place in the order of a tree: that of an entry, or a bound.
struct Position {
  std::string_view key;
  Tid tid;
};
// Before every Tid there is.
inline constexpr Tid least_tid{0, 0};

// Negative, zero or positive, as memcmp.
inline int compare(const Position& a, const Position& b) {
  const std::size_t common = a.key.size() < b.key.size() ? a.key.size() : b.key.size();
  if (common != 0) {
    const int order = std::memcmp(a.key.data(), b.key.data(), common);
    if (order != 0) return order;
  }
  if (a.key.size() != b.key.size()) return a.key.size() < b.key.size() ? -1 : 1;
  if (a.tid == b.tid) return 0;
  return a.tid < b.tid ? -1 : 1;
}

// An item that is to be put on a page.
class BTreeItem {
 public:
  static constexpr std::size_t key_bytes_max = 2600;
  static constexpr std::size_t leaf_overhead = 6;
  static constexpr std::size_t inner_overhead = 10;

  // An entry of a leaf, or a high key.
  static BTreeItem leaf(const Position& position);
  static BTreeItem inner(BlockNumber child, const Position& separator);
  std::string_view bytes() const { return {bytes_.data() + number_bytes, size_}; }
  // The data of a WAL record that says where the item was put: u16 item number, the item.
  std::string_view logged_at(std::uint16_t item);

 private:
  static constexpr std::size_t number_bytes = 2;
  BTreeItem() {}  // The bytes stay uninitialised: this is made for every entry that is inserted.
  std::size_t size_ = 0;
  std::array<char, number_bytes + inner_overhead + key_bytes_max> bytes_;
};

class BTreePage {
 public:
  explicit BTreePage(Page page) : page_(page) {}

  // Makes it an empty page of the tree.
  void initialize(PageId id, unsigned level, BlockNumber right);
  // Makes it a removed page.
  void initialize_removed(PageId id, BlockNumber next_removed);

  const char* bytes() const { return page_.bytes(); }
  bool is_tree_page() const { return page_.kind() == PageKind::btree; }
  bool removed() const { return (page_.flags() & removed_flag) != 0; }
  BlockNumber next_removed() const { return right(); }
  unsigned level() const { return load<std::uint16_t>(page_.special().data() + 4); }
  bool is_leaf() const { return level() == 0; }
  BlockNumber right() const { return load<std::uint32_t>(page_.special().data()); }
  void set_right(BlockNumber right);
  bool rightmost() const { return right() == invalid_block; }
  Position high_key() const { return leaf_position(1); }  // only if there is one: not rightmost

  // --- entries: items first() .. end() - 1 ---
  std::uint16_t first() const { return rightmost() ? 1 : 2; }
  std::uint16_t end() const { return static_cast<std::uint16_t>(page_.item_count() + 1); }
  std::uint16_t entry_count() const { return static_cast<std::uint16_t>(end() - first()); }
  std::string_view item_bytes(std::uint16_t item) const {
    const std::span<char> bytes = page_.item(item);
    return {bytes.data(), bytes.size()};
  }
  // On a leaf.
  Position entry(std::uint16_t item) const { return leaf_position(item); }
  // On an inner page.
  Position separator(std::uint16_t item) const { return decode(item_bytes(item).substr(sizeof(BlockNumber))); }
  BlockNumber child(std::uint16_t item) const { return load<BlockNumber>(item_bytes(item).data()); }
  void set_child(std::uint16_t item, BlockNumber child);
  // The first entry that is not less than `position`; end() if there is none. On a leaf.
  std::uint16_t lower_bound(const Position& position) const;
  // The entry whose child may hold `position`. On an inner page.
  std::uint16_t child_item(const Position& position) const;
  // Whether `position` lies to the right of what the page may hold.
  bool ends_before(const Position& position) const { return !rightmost() && compare(position, high_key()) >= 0; }

  // --- changes ---
  // False, and nothing happened, if it does not fit.
  bool insert(std::uint16_t at, std::string_view item) { return page_.insert_item(at, item); }
  void remove(std::uint16_t item) { page_.remove_item(item); }
  // The two of them fill a page that was just initialised; the item fits.
  void append(std::string_view item);
  void set_high_key(const Position& position) { append(BTreeItem::leaf(position).bytes()); }
  // Everything that `source` holds, with its level, right link and high key.
  void take_over(PageId id, BTreePage source);
  // Whether an item of this size could be put here.
  bool has_room(std::size_t item_bytes) const { return page_.has_room_for(item_bytes); }

  static constexpr std::size_t special_bytes = 8;

 private:
  static constexpr std::uint16_t removed_flag = 1;

  static Position decode(std::string_view bytes) {
    return {bytes.substr(BTreeItem::leaf_overhead),
            Tid{load<std::uint32_t>(bytes.data()), load<std::uint16_t>(bytes.data() + 4)}};
  }
  Position leaf_position(std::uint16_t item) const { return decode(item_bytes(item)); }
  Page page_;
};
// However long the keys are, a page takes a high key and two entries.
static_assert(3 * (BTreeItem::inner_overhead + BTreeItem::key_bytes_max + line_pointer_size) <=
              page_size - page_header_size - BTreePage::special_bytes);

// The meta page.
class BTreeMeta {
 public:
  explicit BTreeMeta(Page page) : page_(page) {}
  void initialize(PageId id);
  // Whether it is one, of a version that is known.
  bool valid() const;
  BlockNumber root() const;
  unsigned root_level() const;
  void set_root(BlockNumber root, unsigned level);
  BlockNumber first_removed() const;
  void set_first_removed(BlockNumber block);

 private:
  Page page_;
};

// Where a full page is split: the first item that goes to the new page at its right. Half of the bytes stay; nine
// tenths if entries arrive in ascending order, so that pages which are never inserted into again are left full.
std::uint16_t split_item(BTreePage page, bool ascending);
// The bound between the items before `item` and the rest. On a leaf it is as short as it may be: enough of the key to
// tell the two entries apart (PostgreSQL's suffix truncation, nbtutils.c). Refers to the page's bytes.
Position split_separator(BTreePage page, std::uint16_t item);

}  // namespace polarsim::engine::storage
