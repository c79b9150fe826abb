#include "engine/storage/page.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "engine/storage/crc32c.h"
#include "sim/assert.h"

namespace polarsim::engine::storage {

namespace {

constexpr std::size_t checksum_bytes = 4;
constexpr std::size_t page_kinds = 8;
constexpr std::array<const char*, page_kinds> kind_names{"new",        "heap",     "B-tree meta", "B-tree",
                                                         "free space", "sequence", "commit log",  "multixact"};

// A whole page that is all zero is common (files grow before their pages are written); others differ early.
bool all_zero(std::string_view bytes) {
  return bytes.front() == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

}  // namespace

const char* to_string(PageKind kind) {
  const auto index = static_cast<std::size_t>(kind);
  return index < kind_names.size() ? kind_names[index] : "unknown";
}

std::string describe(PageId id) {
  return fmt::format("relation {}{}, block {}", id.relation, id.fork == Fork::free_space ? " (free space)" : "",
                     id.block);
}

void Page::initialize(PageId id, PageKind kind, std::size_t special_bytes) {
  POLARSIM_ASSERT(special_bytes <= page_size - page_header_size, "a special area larger than a page");
  POLARSIM_ASSERT(kind != PageKind::none, "a page of no kind");
  std::memset(bytes_, 0, page_size);
  bytes_[kind_at] = static_cast<char>(kind);
  bytes_[fork_at] = static_cast<char>(id.fork);
  set_field(version_at, page_format_version);
  set_field(lower_at, page_header_size);
  set_field(upper_at, page_size - special_bytes);
  set_field(special_at, page_size - special_bytes);
  store(bytes_ + relation_at, id.relation);
  store(bytes_ + block_at, id.block);
}

PageId Page::id() const {
  return {load<std::uint32_t>(bytes_ + relation_at), static_cast<Fork>(bytes_[fork_at]),
          load<std::uint32_t>(bytes_ + block_at)};
}

// --- items ---

void Page::set_line_pointer(std::uint16_t item, std::size_t offset, std::size_t length) {
  store(line_pointer(item), static_cast<std::uint16_t>(offset));
  store(line_pointer(item) + 2, static_cast<std::uint16_t>(length));
}

std::size_t Page::used_bytes() const {
  std::size_t sum = 0;
  const std::uint16_t count = item_count();
  for (std::uint16_t i = 1; i <= count; ++i) sum += item_length(i);
  return sum;
}

std::size_t Page::free_bytes() const {
  if (is_new()) return 0;
  const std::size_t free = field(special_at) - lower() - used_bytes();
  return free < line_pointer_size ? 0 : free - line_pointer_size;
}

std::uint16_t Page::unused_item() const {
  const std::uint16_t count = item_count();
  for (std::uint16_t i = 1; i <= count; ++i) {
    if (!item_used(i)) return i;
  }
  return static_cast<std::uint16_t>(count + 1);
}

bool Page::make_room(std::size_t bytes) {
  const std::size_t hole = upper() - lower();
  if (hole >= bytes) return true;
  const std::size_t free = field(special_at) - lower() - used_bytes();
  if (free < bytes) return false;
  compact();
  return true;
}

std::size_t Page::append_bytes(std::string_view bytes) {
  const std::size_t offset = upper() - bytes.size();
  std::memcpy(bytes_ + offset, bytes.data(), bytes.size());
  set_field(upper_at, offset);
  return offset;
}

void Page::drop_bytes(std::uint16_t item) {
  // The lowest item leaves no gap, so that putting and taking back is free of charge.
  if (item_offset(item) != upper()) return;
  std::memset(bytes_ + upper(), 0, item_length(item));
  set_field(upper_at, std::size_t{upper()} + item_length(item));
}

bool Page::put_item(std::uint16_t at, std::string_view bytes) {
  const std::uint16_t count = item_count();
  POLARSIM_ASSERT(!is_new() && at >= 1 && at <= count + 1, "an item that would leave a gap before it");
  const bool appends = at == count + 1;
  POLARSIM_ASSERT(appends || !item_used(at), "an item is already there");
  if (!make_room(bytes.size() + (appends ? line_pointer_size : 0))) return false;
  if (appends) set_field(lower_at, lower() + line_pointer_size);
  set_line_pointer(at, append_bytes(bytes), bytes.size());
  return true;
}

void Page::clear_item(std::uint16_t item) {
  std::uint16_t count = item_count();
  POLARSIM_ASSERT(item >= 1 && item <= count && item_used(item), "no such item");
  drop_bytes(item);
  set_line_pointer(item, 0, 0);
  while (count > 0 && !item_used(count)) --count;
  set_field(lower_at, page_header_size + count * line_pointer_size);
}

bool Page::insert_item(std::uint16_t at, std::string_view bytes) {
  const std::uint16_t count = item_count();
  POLARSIM_ASSERT(!is_new() && at >= 1 && at <= count + 1, "no such position");
  if (!make_room(bytes.size() + line_pointer_size)) return false;
  char* const place = line_pointer(at);
  std::memmove(place + line_pointer_size, place, (count + std::size_t{1} - at) * line_pointer_size);
  set_field(lower_at, lower() + line_pointer_size);
  set_line_pointer(at, append_bytes(bytes), bytes.size());
  return true;
}

void Page::remove_item(std::uint16_t at) {
  const std::uint16_t count = item_count();
  POLARSIM_ASSERT(at >= 1 && at <= count, "no such item");
  if (item_used(at)) drop_bytes(at);
  char* const place = line_pointer(at);
  std::memmove(place, place + line_pointer_size, (std::size_t{count} - at) * line_pointer_size);
  set_line_pointer(count, 0, 0);
  set_field(lower_at, lower() - line_pointer_size);
}

bool Page::replace_item(std::uint16_t item, std::string_view bytes) {
  POLARSIM_ASSERT(item >= 1 && item <= item_count() && item_used(item), "no such item");
  const std::size_t length = item_length(item);
  if (bytes.size() <= length) {
    // Its end stays where it is, so that the lowest item gives the difference to the hole.
    const std::size_t freed = length - bytes.size();
    const std::size_t offset = item_offset(item) + freed;
    std::memcpy(bytes_ + offset, bytes.data(), bytes.size());
    if (item_offset(item) == upper()) {
      std::memset(bytes_ + upper(), 0, freed);
      set_field(upper_at, offset);
    }
    set_line_pointer(item, offset, bytes.size());
    return true;
  }
  if (static_cast<std::size_t>(field(special_at) - lower()) < used_bytes() - length + bytes.size()) return false;
  drop_bytes(item);
  // Without bytes, compact() lets it take none.
  set_line_pointer(item, 0, 0);
  const bool fits = make_room(bytes.size());
  POLARSIM_ASSERT(fits, "the bytes of a page do not add up");
  set_line_pointer(item, append_bytes(bytes), bytes.size());
  return true;
}

void Page::compact() {
  std::array<char, page_size> before;
  const std::size_t old_upper = upper();
  std::memcpy(before.data() + old_upper, bytes_ + old_upper, page_size - old_upper);
  std::size_t offset = field(special_at);
  const std::uint16_t count = item_count();
  for (std::uint16_t i = 1; i <= count; ++i) {
    if (!item_used(i)) continue;
    const std::size_t length = item_length(i);
    offset -= length;
    std::memcpy(bytes_ + offset, before.data() + item_offset(i), length);
    set_line_pointer(i, offset, length);
  }
  std::memset(bytes_ + old_upper, 0, offset - old_upper);
  set_field(upper_at, offset);
}

// --- checksum ---

std::uint32_t Page::computed_checksum() const {
  const std::string_view page = contents();
  std::uint32_t crc = crc32c(page.substr(0, checksum_at));
  crc = crc32c(std::string_view("\0\0\0\0", checksum_bytes), crc);
  crc = crc32c(page.substr(checksum_at + checksum_bytes), crc);
  return crc != 0 ? crc : 1;  // zero means "not sealed"
}

void Page::seal() { store(bytes_ + checksum_at, computed_checksum()); }

std::string Page::verify(PageId id) const {
  const std::uint32_t stored = stored_checksum();
  if (stored == 0 && all_zero(contents())) return {};
  const std::uint32_t computed = computed_checksum();
  if (stored != computed) return fmt::format("checksum mismatch (stored {:08x}, computed {:08x})", stored, computed);
  return verify_layout(id);
}

std::string Page::verify_layout(PageId id) const {
  if (is_new()) return all_zero(contents()) ? std::string() : "page has no kind";
  if (format_version() != page_format_version) return fmt::format("page has format version {}", format_version());
  const PageId own = this->id();
  if (own != id) return fmt::format("page belongs to {}", describe(own));
  if (static_cast<std::size_t>(kind()) >= page_kinds)
    return fmt::format("page is of unknown kind {}", static_cast<int>(kind()));
  const std::size_t special = field(special_at);
  if (lower() < page_header_size || (lower() - page_header_size) % line_pointer_size != 0 || lower() > upper() ||
      upper() > special || special > page_size)
    return fmt::format("page is laid out wrongly (lower {}, upper {}, special {})", lower(), upper(), special);
  return verify_items();
}

std::string Page::verify_items() const {
  const std::size_t special = field(special_at);
  std::size_t sum = 0;
  const std::uint16_t count = item_count();
  for (std::uint16_t i = 1; i <= count; ++i) {
    const std::size_t offset = item_offset(i);
    const std::size_t length = item_length(i);
    sum += length;
    // An item without bytes may have been left behind by the start of the items.
    if (offset == 0 ? length != 0 : (offset < upper() && length != 0) || offset + length > special)
      return fmt::format("line pointer {} points outside the page", i);
  }
  if (sum > special - upper()) return "items overlap";
  return {};
}

}  // namespace polarsim::engine::storage
