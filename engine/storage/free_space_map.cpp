#include "engine/storage/free_space_map.h"

#include <algorithm>
#include <optional>

#include "engine/types/error.h"
#include "sim/assert.h"

namespace polarsim::engine::storage {

namespace {

constexpr std::size_t unit_bytes = 32;
constexpr std::size_t slots = page_size - page_header_size;  // heap pages that a page of the map tells of
constexpr std::uint8_t whole_page = 255;
// What an empty heap page has, which is less than 255 units. It gets the mark of its own, so that a row that needs a
// whole page finds it.
constexpr std::size_t free_bytes_max = page_size - page_header_size - line_pointer_size;

std::uint8_t mark_of_free(std::size_t bytes) {
  return bytes >= free_bytes_max ? whole_page : static_cast<std::uint8_t>(bytes / unit_bytes);
}

// The least mark that promises so much room.
std::uint8_t mark_needed(std::size_t bytes) {
  return static_cast<std::uint8_t>(
      std::min<std::size_t>((std::max<std::size_t>(bytes, 1) + unit_bytes - 1) / unit_bytes, whole_page));
}

PageId map_page(RelationId relation, BlockNumber map_block) { return {relation, Fork::free_space, map_block}; }

// The first slot in [from, to) with at least this mark.
std::optional<std::size_t> find_slot(std::span<const char> marks, std::size_t from, std::size_t to, std::uint8_t mark) {
  const auto found =
      std::find_if(marks.begin() + static_cast<std::ptrdiff_t>(from), marks.begin() + static_cast<std::ptrdiff_t>(to),
                   [mark](char slot) { return static_cast<std::uint8_t>(slot) >= mark; });
  const auto slot = static_cast<std::size_t>(found - marks.begin());
  return slot < to ? std::optional(slot) : std::nullopt;
}

}  // namespace

PageRef FreeSpaceMap::pin(PageId id) {
  PageRef ref;
  try {
    ref = pool_.pin(id);
  } catch (const SqlError& error) {
    const std::string& state = error.sqlstate();
    if (state != sqlstate::data_corrupted && state != sqlstate::io_error && state != sqlstate::undefined_file) throw;
  }
  // Outside the handler, because it may block.
  if (!ref) {
    if (!files_.exists(id.relation, id.fork)) return ref;
    ref = pool_.pin_without_reading(id);
  }
  if (ref.page().kind() != PageKind::free_space || ref.page().special().size() != slots) {
    ref.page().initialize(id, PageKind::free_space, slots);
    ref.mark_dirty();
  }
  return ref;
}

BlockNumber FreeSpaceMap::find(RelationId relation, std::size_t bytes, BlockNumber near) {
  POLARSIM_ASSERT(bytes <= free_bytes_max, "no page has that much room");
  const std::uint8_t mark = mark_needed(bytes);
  const BlockNumber map_blocks = files_.block_count(relation, Fork::free_space);
  if (map_blocks == 0) return invalid_block;
  // A place that the map does not know lies behind all that it knows: the search begins anew.
  const bool known = near / slots < map_blocks;
  const auto near_map_block = known ? static_cast<BlockNumber>(near / slots) : 0;
  const std::size_t near_slot = known ? near % slots : 0;
  // Round once, and at the end the part of the first page before `near`.
  for (BlockNumber step = 0; step <= map_blocks; ++step) {
    const BlockNumber map_block = (near_map_block + step) % map_blocks;
    const PageRef ref = pin(map_page(relation, map_block));
    if (!ref) return invalid_block;
    // What lies behind the table's end (a crash made it shorter, or the map's page is of another time) does not count.
    const std::uint64_t first = std::uint64_t{map_block} * slots;
    const std::uint64_t blocks = files_.block_count(relation);
    const std::size_t existing = blocks <= first ? 0 : std::min<std::uint64_t>(blocks - first, slots);
    const std::size_t from = step == 0 ? std::min(near_slot, existing) : 0;
    const std::size_t to = step == map_blocks ? std::min(near_slot, existing) : existing;
    if (const auto slot = find_slot(ref.page().special(), from, to, mark))
      return static_cast<BlockNumber>(first + *slot);
  }
  return invalid_block;
}

void FreeSpaceMap::record(RelationId relation, BlockNumber block, std::size_t bytes) {
  const auto map_block = static_cast<BlockNumber>(block / slots);
  const std::uint8_t mark = mark_of_free(bytes);
  if (files_.block_count(relation, Fork::free_space) <= map_block) {
    // No map is made for a block without room, nor for a table that is gone.
    if (mark == 0 || !files_.exists(relation)) return;
    files_.extend_to(relation, Fork::free_space, map_block + 1);
  }
  const PageRef ref = pin(map_page(relation, map_block));
  if (!ref) return;
  char& slot = ref.page().special()[block % slots];
  if (static_cast<std::uint8_t>(slot) == mark) return;
  slot = static_cast<char>(mark);
  ref.mark_dirty();
}

}  // namespace polarsim::engine::storage
