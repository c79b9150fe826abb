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
// Relation, fork and block are under the checksum: a page that a disk wrote elsewhere does not pass for the page that
// should be there. A page of zeros only is a page that was never written (a file grows before its pages are written);
// it is valid and empty. What the checksum cannot tell is a page that is old but whole (a lost write): redo after a
// crash would, a running node does not.
//
// Items are addressed from 1. Heap pages never move a line pointer (a Tid names it); B-tree pages keep theirs sorted.
// A Page is a view: it does not own the 8192 bytes, and nothing in it blocks.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/storage/types.h"

namespace polarsim::engine::storage {

inline constexpr std::size_t page_size = 8192;
inline constexpr std::size_t page_header_size = 32;
inline constexpr std::size_t line_pointer_size = 4;

// Part of the format: append, never renumber.
enum class PageKind : std::uint8_t { none, heap, btree_meta, btree, free_space, sequence, commit_log, multixact };
const char* to_string(PageKind kind);

class Page {
 public:
  explicit Page(char* bytes) : bytes_(bytes) {}

  // Makes it an empty page of `kind` with `special_bytes` zero bytes at its end. The LSN becomes 0.
  void initialize(PageId id, PageKind kind, std::size_t special_bytes = 0);
  bool is_new() const;  // never written: kind none
  Lsn lsn() const;
  void set_lsn(Lsn lsn);
  PageKind kind() const;
  PageId id() const;
  std::uint16_t flags() const;
  void set_flags(std::uint16_t flags);
  std::span<char> special() const;
  char* bytes() const { return bytes_; }
  std::string_view contents() const { return {bytes_, page_size}; }

  // --- items ---
  std::uint16_t item_count() const;  // line pointers, unused ones included
  bool item_used(std::uint16_t item) const;
  std::span<char> item(std::uint16_t item) const;  // empty if unused
  // Bytes that one more item, with its line pointer, could have.
  std::size_t free_bytes() const;
  // Puts the item at `at`, which is an unused line pointer or one past the last. False if it does not fit.
  bool put_item(std::uint16_t at, std::string_view bytes);
  // The first unused line pointer, or one past the last.
  std::uint16_t unused_item() const;
  // Frees the item's bytes; its line pointer stays, unused (and goes if it was among the last).
  void clear_item(std::uint16_t item);
  // For sorted pages: make room at a position, or close the gap, by moving the line pointers after it.
  bool insert_item(std::uint16_t at, std::string_view bytes);
  void remove_item(std::uint16_t at);
  // Replaces the item's bytes; false if they do not fit.
  bool replace_item(std::uint16_t item, std::string_view bytes);
  // Closes the gaps between items. put_item() and insert_item() do it by themselves when they need to.
  void compact();

  // --- checksum ---
  void seal();  // computes and stores the checksum
  // Empty if the bytes are a sound page `id` (or all zero), else what is wrong with them: "checksum mismatch (stored
  // 1234abcd, computed ...)", "page belongs to relation 7 block 3", "line pointer 4 points outside the page".
  std::string verify(PageId id) const;

 private:
  char* bytes_;
};

// "relation 16384, block 3" and the file that holds it: for messages.
std::string describe(PageId id);

}  // namespace polarsim::engine::storage
