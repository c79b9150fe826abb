#include "engine/storage/btree_page.h"

#include "sim/assert.h"

namespace polarsim::engine::storage {

namespace {

constexpr std::uint32_t meta_magic = 0x45525442;  // "BTRE"
constexpr std::uint32_t meta_version = 1;
constexpr std::size_t meta_special_bytes = 24;

void encode_position(char* to, const Position& position) {
  store(to, position.tid.block);
  store(to + 4, position.tid.item);
  if (!position.key.empty()) std::memcpy(to + BTreeItem::leaf_overhead, position.key.data(), position.key.size());
}

}  // namespace

BTreeItem BTreeItem::leaf(const Position& position) {
  POLARSIM_ASSERT(position.key.size() <= key_bytes_max, "a key that is too long");
  BTreeItem item;
  item.size_ = leaf_overhead + position.key.size();
  encode_position(item.bytes_.data() + number_bytes, position);
  return item;
}

BTreeItem BTreeItem::inner(BlockNumber child, const Position& separator) {
  POLARSIM_ASSERT(separator.key.size() <= key_bytes_max, "a key that is too long");
  BTreeItem item;
  item.size_ = inner_overhead + separator.key.size();
  store(item.bytes_.data() + number_bytes, child);
  encode_position(item.bytes_.data() + number_bytes + sizeof(child), separator);
  return item;
}

std::string_view BTreeItem::logged_at(std::uint16_t item) {
  store(bytes_.data(), item);
  return {bytes_.data(), number_bytes + size_};
}

void BTreePage::initialize(PageId id, unsigned level, BlockNumber right) {
  page_.initialize(id, PageKind::btree, special_bytes);
  store(page_.special().data(), right);
  store(page_.special().data() + 4, static_cast<std::uint16_t>(level));
}

void BTreePage::initialize_removed(PageId id, BlockNumber next_removed) {
  initialize(id, 0, next_removed);
  page_.set_flags(removed_flag);
}

void BTreePage::set_right(BlockNumber right) { store(page_.special().data(), right); }

void BTreePage::set_child(std::uint16_t item, BlockNumber child) { store(page_.item(item).data(), child); }

std::uint16_t BTreePage::lower_bound(const Position& position) const {
  std::uint16_t low = first();
  std::uint16_t high = end();
  while (low < high) {
    const auto middle = static_cast<std::uint16_t>((low + high) / 2);
    if (compare(entry(middle), position) < 0)
      low = static_cast<std::uint16_t>(middle + 1);
    else
      high = middle;
  }
  return low;
}

std::uint16_t BTreePage::child_item(const Position& position) const {
  // The last entry whose separator is not greater; the first one's counts as the least of all.
  std::uint16_t low = first();
  std::uint16_t high = end();
  while (high - low > 1) {
    const auto middle = static_cast<std::uint16_t>((low + high) / 2);
    if (compare(separator(middle), position) <= 0)
      low = middle;
    else
      high = middle;
  }
  return low;
}

void BTreePage::append(std::string_view item) {
  const bool fits = page_.insert_item(end(), item);
  POLARSIM_ASSERT(fits, "more items than a page holds");
}

void BTreePage::take_over(PageId id, BTreePage source) {
  initialize(id, source.level(), source.right());
  for (std::uint16_t item = 1; item < source.end(); ++item) append(source.item_bytes(item));
}

void BTreeMeta::initialize(PageId id) {
  page_.initialize(id, PageKind::btree_meta, meta_special_bytes);
  char* special = page_.special().data();
  store(special, meta_magic);
  store(special + 4, meta_version);
  set_root(invalid_block, 0);
  set_first_removed(invalid_block);
}

bool BTreeMeta::valid() const {
  if (page_.kind() != PageKind::btree_meta || page_.special().size() != meta_special_bytes) return false;
  const char* special = page_.special().data();
  return load<std::uint32_t>(special) == meta_magic && load<std::uint32_t>(special + 4) == meta_version;
}

BlockNumber BTreeMeta::root() const { return load<std::uint32_t>(page_.special().data() + 8); }
unsigned BTreeMeta::root_level() const { return load<std::uint32_t>(page_.special().data() + 12); }
BlockNumber BTreeMeta::first_removed() const { return load<std::uint32_t>(page_.special().data() + 16); }

void BTreeMeta::set_root(BlockNumber root, unsigned level) {
  store(page_.special().data() + 8, root);
  store(page_.special().data() + 12, static_cast<std::uint32_t>(level));
}

void BTreeMeta::set_first_removed(BlockNumber block) { store(page_.special().data() + 16, block); }

std::uint16_t split_item(BTreePage page, bool ascending) {
  POLARSIM_ASSERT(page.entry_count() >= 2, "a page with less than two entries cannot be split");
  std::size_t total = 0;
  for (std::uint16_t item = page.first(); item < page.end(); ++item) total += page.item_bytes(item).size();
  const std::size_t wanted = ascending ? total / 10 * 9 : total / 2;
  // Entries go left until what is left comes closest to what is wanted; one at least, and not all.
  std::size_t left = page.item_bytes(page.first()).size();
  auto item = static_cast<std::uint16_t>(page.first() + 1);
  for (; item + 1 < page.end(); ++item) {
    const std::size_t size = page.item_bytes(item).size();
    if (left + size / 2 > wanted) break;
    left += size;
  }
  return item;
}

Position split_separator(BTreePage page, std::uint16_t item) {
  POLARSIM_ASSERT(item > page.first() && item < page.end(), "a split that leaves one side empty");
  if (!page.is_leaf()) return page.separator(item);
  const Position before = page.entry(static_cast<std::uint16_t>(item - 1));
  const Position after = page.entry(item);
  if (before.key == after.key) return after;
  std::size_t common = 0;
  while (common < before.key.size() && before.key[common] == after.key[common]) ++common;
  return {after.key.substr(0, common + 1), least_tid};
}

}  // namespace polarsim::engine::storage
