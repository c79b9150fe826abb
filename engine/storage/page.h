// The bytes of a page: 8 KiB with a header, an array of line pointers that grows up, and items that grow down, as
// PostgreSQL's (src/include/storage/bufpage.h), with fields of its own so that a page knows where it belongs.
//
//   header, 32 bytes, little-endian
//     0  u64 LSN: the end of the last WAL record that changed the page
//     8  u32 CRC-32C of the page with this field zero; 0 is stored only by pages in memory
//    12  u8  kind (PageKind)     13  u8  fork     14  u16 format version
//    16  u16 lower: end of the line pointers       18  u16 upper: start of the items
//    20  u16 special: start of the kind's own area 22  u16 flags of the kind
//    24  u32 relation                              28  u32 block
//
//   line pointer, 4 bytes: u16 offset of the item (0: unused), u16 length
//
// The hole between lower and upper is always zero, so a page can be logged without it.
//
// Relation, fork and block are under the checksum: a page that a disk wrote elsewhere does not pass for the page that
// should be there. A page of zeros only is a page that was never written (a file grows before its pages are written);
// it is valid and empty. What the checksum cannot tell is a page that is old but whole, or zeros in place of a page (a
// lost write).
//
// Items are addressed from 1. Heap pages never move a line pointer (a Tid names it); B-tree pages keep theirs sorted.
// A Page is a view: it does not own the 8192 bytes, and nothing in it blocks. Bytes handed to put, insert or replace
// must not lie in the page itself.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/storage/little_endian.h"
#include "engine/storage/types.h"

namespace polarsim::engine::storage {

inline constexpr std::size_t page_size = 8192;
inline constexpr std::size_t page_header_size = 32;
inline constexpr std::size_t line_pointer_size = 4;
inline constexpr std::uint16_t page_format_version = 1;

// Part of the format: append, never renumber.
enum class PageKind : std::uint8_t { none, heap, btree_meta, btree, free_space, sequence, commit_log, multixact };
const char* to_string(PageKind kind);

class Page {
 public:
  explicit Page(char* bytes) : bytes_(bytes) {}

  // Makes it an empty page of `kind` with `special_bytes` zero bytes at its end. The LSN becomes 0.
  void initialize(PageId id, PageKind kind, std::size_t special_bytes = 0);
  bool is_new() const { return kind() == PageKind::none; }  // never written
  Lsn lsn() const { return load<std::uint64_t>(bytes_ + lsn_at); }
  void set_lsn(Lsn lsn) { store(bytes_ + lsn_at, lsn); }
  PageKind kind() const { return static_cast<PageKind>(bytes_[kind_at]); }
  PageId id() const;
  std::uint16_t flags() const { return field(flags_at); }
  void set_flags(std::uint16_t flags) { set_field(flags_at, flags); }
  std::uint16_t lower() const { return field(lower_at); }
  std::uint16_t upper() const { return field(upper_at); }
  std::uint16_t special_start() const { return field(special_at); }
  std::span<char> special() const { return {bytes_ + field(special_at), page_size - field(special_at)}; }
  char* bytes() const { return bytes_; }
  std::string_view contents() const { return {bytes_, page_size}; }

  // --- items ---
  // Line pointers, unused ones included.
  std::uint16_t item_count() const {
    return lower() <= page_header_size ? std::uint16_t{0}
                                       : static_cast<std::uint16_t>((lower() - page_header_size) / line_pointer_size);
  }
  bool item_used(std::uint16_t item) const { return item_offset(item) != 0; }
  // Empty if unused.
  std::span<char> item(std::uint16_t item) const { return {bytes_ + item_offset(item), item_length(item)}; }
  // Bytes that one more item, with its line pointer, could have. Looks at every line pointer.
  std::size_t free_bytes() const;
  // Whether that is at least `bytes`; at once if no gap has to be counted.
  bool has_room_for(std::size_t bytes) const {
    return static_cast<std::size_t>(upper() - lower()) >= bytes + line_pointer_size || free_bytes() >= bytes;
  }
  // Puts the item at `at`, which is an unused line pointer or one past the last. False if it does not fit.
  bool put_item(std::uint16_t at, std::string_view bytes);
  // The first unused line pointer, or one past the last.
  std::uint16_t unused_item() const;
  // Frees the item's bytes; its line pointer stays, unused (and goes if it was among the last).
  void clear_item(std::uint16_t item);
  // For sorted pages: make room at a position, or close the gap, by moving the line pointers after it. False if it does
  // not fit.
  bool insert_item(std::uint16_t at, std::string_view bytes);
  void remove_item(std::uint16_t at);
  // Replaces the item's bytes; false if they do not fit, and then nothing has changed.
  bool replace_item(std::uint16_t item, std::string_view bytes);
  // Closes the gaps between items. put_item(), insert_item() and replace_item() do it by themselves when they need to.
  void compact();

  // --- checksum ---
  void seal();                                                            // computes and stores the checksum
  void unseal() const { store(bytes_ + checksum_at, std::uint32_t{0}); }  // as pages in memory are
  // Empty if the bytes are a sound page `id` (or all zero), else what is wrong with them: "checksum mismatch (stored
  // 1234abcd, computed ...)", "page belongs to relation 7, block 3", "line pointer 4 points outside the page".
  std::string verify(PageId id) const;
  // The same without the checksum.
  std::string verify_layout(PageId id) const;
  // For people.
  std::uint32_t stored_checksum() const { return load<std::uint32_t>(bytes_ + checksum_at); }
  std::uint32_t computed_checksum() const;
  std::uint16_t format_version() const { return field(version_at); }

 private:
  static constexpr std::size_t lsn_at = 0, checksum_at = 8, kind_at = 12, fork_at = 13, version_at = 14, lower_at = 16,
                               upper_at = 18, special_at = 20, flags_at = 22, relation_at = 24, block_at = 28;

  std::uint16_t field(std::size_t at) const { return load<std::uint16_t>(bytes_ + at); }
  void set_field(std::size_t at, std::size_t value) { store(bytes_ + at, static_cast<std::uint16_t>(value)); }
  char* line_pointer(std::uint16_t item) const {
    return bytes_ + page_header_size + (item - std::size_t{1}) * line_pointer_size;
  }
  std::uint16_t item_offset(std::uint16_t item) const { return load<std::uint16_t>(line_pointer(item)); }
  std::uint16_t item_length(std::uint16_t item) const { return load<std::uint16_t>(line_pointer(item) + 2); }
  void set_line_pointer(std::uint16_t item, std::size_t offset, std::size_t length);
  // Sum of the lengths of all items.
  std::size_t used_bytes() const;
  // Compacts if that makes `bytes` fit between lower and upper; false if it does not.
  bool make_room(std::size_t bytes);
  // Where the bytes of a new item are, now below all others. They fit.
  std::size_t append_bytes(std::string_view bytes);
  // The item's bytes are nobody's any more.
  void drop_bytes(std::uint16_t item);
  std::string verify_items() const;

  char* bytes_;
};

// "relation 16384, block 3", with the fork if it is not the main one: for messages.
std::string describe(PageId id);

}  // namespace polarsim::engine::storage
