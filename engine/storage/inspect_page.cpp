#include "engine/storage/inspect_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "engine/storage/btree_page.h"
#include "engine/storage/key_encoding.h"
#include "engine/storage/value_codec.h"
#include "engine/txn/commit_log.h"
#include "engine/types/error.h"

namespace polarsim::engine::storage {

namespace {

// Of bytes that have no meaning here, so many are shown.
constexpr std::size_t raw_bytes_max = 64;
constexpr std::size_t free_space_unit = 32;

template <typename... Arguments>
void add(std::string& text, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  fmt::format_to(std::back_inserter(text), format, std::forward<Arguments>(arguments)...);
}

std::string_view view(std::span<const char> bytes) { return {bytes.data(), bytes.size()}; }

std::string text_of(Tid tid) { return fmt::format("({},{})", tid.block, tid.item); }

std::string block_text(BlockNumber block) { return block == invalid_block ? "none" : fmt::format("{}", block); }

std::string raw(std::span<const char> bytes) {
  std::string text = hexadecimal(view(bytes.first(std::min(bytes.size(), raw_bytes_max))));
  if (bytes.size() > raw_bytes_max) text += "...";
  return text;
}

// Whether header and special area lie where they can be looked at.
bool laid_out(Page page) {
  return page.lower() >= page_header_size && page.lower() <= page.upper() &&
         (page.lower() - page_header_size) % line_pointer_size == 0 && page.upper() <= page.special_start() &&
         page.special_start() <= page_size;
}

bool item_in_page(Page page, std::uint16_t item) {
  const std::span<char> bytes = page.item(item);
  const char* const end = page.bytes() + page.special_start();
  return bytes.data() >= page.bytes() + page_header_size && bytes.data() <= end &&
         bytes.size() <= static_cast<std::size_t>(end - bytes.data());
}

// Hands each maximal range of numbers with the same mark to `each(first, last, mark)`.
template <typename MarkOf, typename Each>
void for_each_range(std::uint32_t count, MarkOf&& mark_of, Each&& each) {
  std::uint32_t first = 0;
  for (std::uint32_t i = 1; i <= count; ++i) {
    if (i < count && mark_of(i) == mark_of(first)) continue;
    each(first, i - 1, mark_of(first));
    first = i;
  }
}

// --- what an item of each kind says ---

std::string heap_item(std::span<const char> item) {
  try {
    return describe_header(read_tuple_header(item)) + "\n      values " + describe_values(item);
  } catch (const SqlError& error) {
    return fmt::format("{} {}", error.fields().message, error.fields().detail);
  }
}

std::string tree_item(Page page, std::uint16_t item) {
  const BTreePage tree(page);
  const std::string_view bytes = tree.item_bytes(item);
  const bool high_key = item < tree.first();
  const bool inner = !tree.is_leaf() && !high_key;
  if (bytes.size() < (inner ? BTreeItem::inner_overhead : BTreeItem::leaf_overhead))
    return "is too short: " + hexadecimal(bytes);
  const Position position = inner ? tree.separator(item) : tree.entry(item);
  const std::string place = fmt::format("{} {}", describe_key(position.key), text_of(position.tid));
  if (high_key) return "high key " + place;
  return inner ? fmt::format("child {} from {}", tree.child(item), place) : place;
}

std::string sequence_item(std::span<const char> item) {
  constexpr std::size_t state_bytes = 9;
  if (item.size() < state_bytes) return "is too short: " + raw(item);
  return fmt::format("last value {}, {}", static_cast<std::int64_t>(load<std::uint64_t>(item.data())),
                     item[8] != 0 ? "given out" : "not given out yet");
}

std::string describe_item(Page page, std::uint16_t item) {
  switch (page.kind()) {
    case PageKind::heap:
      return heap_item(page.item(item));
    case PageKind::btree:
      return tree_item(page, item);
    case PageKind::sequence:
      return sequence_item(page.item(item));
    default:
      return raw(page.item(item));
  }
}

void add_items(std::string& text, Page page) {
  const std::uint16_t count = page.item_count();
  for (std::uint16_t i = 1; i <= count; ++i) {
    if (!page.item_used(i)) {
      add(text, "  item {} unused\n", i);
      continue;
    }
    const auto offset = page.item(i).data() - page.bytes();
    add(text, "  item {} at {}, {} bytes", i, offset, page.item(i).size());
    if (item_in_page(page, i))
      add(text, ": {}\n", describe_item(page, i));
    else
      add(text, " lies outside the page's items\n");
  }
}

// --- what the special area of each kind says ---

void add_tree_links(std::string& text, Page page) {
  if (page.special().size() != BTreePage::special_bytes) return add(text, "  special area of the wrong size\n");
  const BTreePage tree(page);
  if (tree.removed()) return add(text, "  removed, next removed page {}\n", block_text(tree.next_removed()));
  add(text, "  level {}, right {}\n", tree.level(), block_text(tree.right()));
}

void add_tree_meta(std::string& text, Page page) {
  const BTreeMeta meta(page);
  if (!meta.valid()) return add(text, "  not the meta page of a version that is known\n");
  add(text, "  root {} of level {}, first removed page {}\n", block_text(meta.root()), meta.root_level(),
      block_text(meta.first_removed()));
}

void add_free_space(std::string& text, Page page) {
  const std::span<char> marks = page.special();
  const std::uint64_t base = std::uint64_t{page.id().block} * (page_size - page_header_size);
  const auto mark_of = [&](std::uint32_t slot) { return static_cast<std::uint8_t>(marks[slot]); };
  for_each_range(static_cast<std::uint32_t>(marks.size()), mark_of,
                 [&](std::uint32_t first, std::uint32_t last, std::uint8_t mark) {
                   if (mark == 0) return;
                   add(text, "  blocks {} to {}: {} bytes or more\n", base + first, base + last,
                       mark == 255 ? tuple_bytes_max : mark * free_space_unit);
                 });
}

void add_commit_log(std::string& text, Page page) {
  static constexpr std::array<const char*, 4> outcomes{"undecided", "committed", "aborted", "in no known state"};
  const std::span<char> bytes = page.special();
  const std::uint64_t base = std::uint64_t{page.id().block} * txn::CommitLog::xids_per_page;
  const auto outcome_of = [&](std::uint32_t place) {
    return static_cast<unsigned char>(bytes[place / 4]) >> (place % 4 * 2) & 3U;
  };
  for_each_range(static_cast<std::uint32_t>(bytes.size() * 4), outcome_of,
                 [&](std::uint32_t first, std::uint32_t last, unsigned outcome) {
                   if (outcome != 0)
                     add(text, "  transactions {} to {}: {}\n", base + first, base + last, outcomes[outcome]);
                 });
}

void add_special(std::string& text, Page page) {
  switch (page.kind()) {
    case PageKind::btree:
      return add_tree_links(text, page);
    case PageKind::btree_meta:
      return add_tree_meta(text, page);
    case PageKind::free_space:
      return add_free_space(text, page);
    case PageKind::commit_log:
      return add_commit_log(text, page);
    default:
      if (!page.special().empty()) add(text, "  special area {}\n", raw(page.special()));
  }
}

void add_checksum(std::string& text, Page page) {
  const std::uint32_t stored = page.stored_checksum();
  const std::uint32_t computed = page.computed_checksum();
  if (stored == 0)
    add(text, "  no checksum\n");
  else if (stored == computed)
    add(text, "  checksum {:08x}\n", stored);
  else
    add(text, "  checksum {:08x} is wrong: computed {:08x}\n", stored, computed);
}

void add_body(std::string& text, Page page) {
  add_special(text, page);
  // Without its special area, nobody knows what the items of a tree are.
  if (page.kind() == PageKind::btree && page.special().size() != BTreePage::special_bytes) return;
  add_items(text, page);
}

std::string infomask_names(std::uint16_t bits) {
  static constexpr std::array<std::pair<std::uint16_t, const char*>, 11> names{
      {{infomask::xmin_frozen, "xmin_frozen"},
       {infomask::xmax_is_multi, "xmax_is_multi"},
       {infomask::xmax_lock_only, "xmax_lock_only"},
       {infomask::lock_key_share, "lock_key_share"},
       {infomask::lock_share, "lock_share"},
       {infomask::lock_no_key_update, "lock_no_key_update"},
       {infomask::lock_update, "lock_update"},
       {infomask::keys_updated, "keys_updated"},
       {infomask::has_external, "has_external"},
       {infomask::speculative, "speculative"},
       {infomask::updated, "updated"}}};
  std::string text;
  for (const auto& [bit, name] : names) {
    if ((bits & bit) != 0) text += (text.empty() ? "" : ", ") + std::string(name);
  }
  return text;
}

}  // namespace

std::string hexadecimal(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char byte : bytes) add(text, "{:02x}", static_cast<unsigned char>(byte));
  return text;
}

std::string describe_header(const TupleHeader& header) {
  std::string text = fmt::format("xmin {} xmax {} cmin {} cmax {} ctid {} infomask {:#06x}", header.xmin, header.xmax,
                                 header.cmin, header.cmax, text_of(header.ctid), header.infomask);
  if (header.infomask != 0) text += " (" + infomask_names(header.infomask) + ")";
  return text;
}

std::string describe_values(std::span<const char> tuple) {
  try {
    ExternalColumns external;
    const Row row = decode_tuple(tuple, external);
    std::string text = "(";
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i != 0) text += ", ";
      if (i < external.size() && external[i])
        add(text, "<{} bytes at {}>", external[i]->length, text_of(external[i]->first));
      else
        text += describe_value(row[i]);
    }
    return text + ")";
  } catch (const SqlError& error) {
    return fmt::format("{}: {}", error.fields().message, error.fields().detail);
  }
}

std::string describe_page(Page page) {
  if (page.stored_checksum() == 0 && page.verify_layout({}).empty() && page.is_new()) return "a page of zeros\n";
  std::string text = fmt::format("{}: {}\n", describe(page.id()), to_string(page.kind()));
  const bool sound = laid_out(page);
  add(text, "  LSN {}, flags {:#06x}, version {}, lower {}, upper {}, special {}", page.lsn(), page.flags(),
      page.format_version(), page.lower(), page.upper(), page.special_start());
  if (!sound) {
    add(text, ": this is no layout of a page\n");
    add_checksum(text, page);
    return text;
  }
  // What is free is known only if the items add up.
  const std::string problem = page.verify_layout(page.id());
  text += problem.empty() ? fmt::format(", {} bytes free\n", page.free_bytes()) : fmt::format(": {}\n", problem);
  add_checksum(text, page);
  add_body(text, page);
  return text;
}

}  // namespace polarsim::engine::storage
