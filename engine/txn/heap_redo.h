// The WAL records of heap pages: how they are made and redone. Doing and redoing a change use the same functions here,
// so a page comes out the same.
//
// Numbers are little-endian. "header" is a u16 item and the 24 bytes that a tuple's header begins with (tuple.h: xmin,
// xmax, cmin, cmax, ctid, infomask); redo writes them over what is there. "tuple" is a u16 item and the whole tuple, to
// the end of the record.
//
//   insert   page                    tuple
//   update   page                    header of the old version, tuple (both on one page)
//            old page, new page      header of the old version, tuple on the new page
//   remove, lock, confirm, kill      page; header
//   vacuum   page                    u16 items whose line pointers become free
//   freeze   page                    headers
//   truncate                         u32 relation, u32 blocks: its main fork ends there
//
// The page that gets a tuple may be PageChange::Kind::initialize: it was new.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "engine/storage/redo.h"
#include "engine/storage/tuple.h"
#include "engine/storage/wal_record.h"

namespace polarsim::engine::txn {

namespace heap_record {
// Part of the format: append, never renumber.
inline constexpr auto kind = [](int number) { return static_cast<storage::RecordKind>(number); };
inline constexpr storage::RecordKind insert = kind(16), update = kind(17), remove = kind(18), lock = kind(19),
                                     confirm = kind(20), kill = kind(21), vacuum = kind(22), freeze = kind(23),
                                     truncate = kind(24);
}  // namespace heap_record

inline constexpr std::size_t header_entry_bytes = 26;
inline constexpr std::size_t item_bytes = 2;

// A record whose last part is a tuple: made once, before it is known where the tuple will lie.
class TupleRecord {
 public:
  // `with_header`: of an update, which says what becomes of the old version.
  TupleRecord(bool with_header, std::span<const Value> row, const storage::ExternalColumns& external);
  std::size_t tuple_bytes() const { return bytes_.size() - tuple_at(); }
  void set_old_header(std::uint16_t item, const storage::TupleHeader& header);
  // Puts the tuple on the page, which must have room, at the item that next_item() names, and makes it a heap page if
  // it is new. The header's ctid is where the tuple lies. What refers to other items of the page is void afterwards.
  storage::Tid put(storage::Page page, storage::PageId id, storage::TupleHeader header);
  std::string_view bytes() const { return bytes_; }

 private:
  std::size_t tuple_at() const { return (with_header_ ? header_entry_bytes : 0) + item_bytes; }
  bool with_header_;
  bool has_external_;
  std::string bytes_;
};

// Where the next tuple on this page goes.
std::uint16_t next_item(storage::Page page);
// Whether a heap page, or one that is to become one, takes a tuple of so many bytes.
bool has_room(storage::Page page, std::size_t tuple_bytes);
// What a heap page has free, for the free space map.
std::size_t free_bytes(storage::Page page);

// Changes the header of a version and logs that. Never blocks.
void change_header(storage::WalLog& log, storage::RecordKind kind, const storage::PageRef& ref, std::uint16_t item,
                   const storage::TupleHeader& header);
// Frees line pointers, and logs that. Never blocks.
void clear_items(storage::WalLog& log, const storage::PageRef& ref, std::span<const std::uint16_t> items);
struct HeaderChange {
  std::uint16_t item = 0;
  storage::TupleHeader header;
};
void freeze_items(storage::WalLog& log, const storage::PageRef& ref, std::span<const HeaderChange> changes);
// To be made durable before the file is cut. Never blocks.
storage::Lsn log_truncate(storage::WalLog& log, storage::RelationId relation, storage::BlockNumber blocks);

void register_heap_redo(storage::RedoTable& table);

}  // namespace polarsim::engine::txn
