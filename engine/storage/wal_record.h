// What a WAL record says: which pages it changes, their images where torn pages must be survived, and the data that
// redo needs ("physiological": physical to a page, logical within it; PostgreSQL's src/backend/access/transam/README).
//
// Full-page images. The first record that changes a page after the start of a checkpoint carries the page as it is
// after the change, without the hole between its line pointers and its items: whatever a crash leaves of the page on
// disk, redo finds it whole. (The vendor's volumes write 8 KiB atomically and need none; NodeConfig::full_page_writes
// turns them off, which is only safe on such a disk.) Redo skips an image if the page on disk is sound and as new.
//
//   payload of a record of relations (kinds 8 to 63; append() without pages writes their number as 0)
//     u8  number of pages; for each:
//       u32 relation, u8 fork, u32 block, u8 PageChange::Kind
//       if it is an image: u16 lower, u16 upper (the bytes between them are left out and were zero), the bytes
//     the data, to the end
//   payload of any other record: the data
//
// The LSN of a page is the end of the record that changed it. So a page needs an image if its LSN is not beyond the
// redo point, and redo has nothing to do if its LSN is not before the record's end.
//
// Kinds are part of the format: append within a range, never renumber. How a kind's data looks is said where its redo
// is (heap_redo.h, btree_redo.h, ...).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/storage/buffer_pool.h"
#include "engine/storage/wal.h"

namespace polarsim::engine::storage {

enum class RecordKind : std::uint8_t {
  // The log's own.
  epoch = 0,
  durable_mark = 1,  // nothing but its header, which says what had been synced
  checkpoint_start = 2,
  checkpoint_end = 3,  // CheckpointData
  // Relations.
  create_relation = 8,
  // Heap pages (heap_redo.h).
  heap_first = 16,
  heap_last = 31,
  // B-trees.
  btree_first = 32,
  btree_last = 47,
  // Sequences.
  sequence_first = 48,
  sequence_last = 51,
  // Transactions.
  commit = 64,
  abort = 65,
  prepare = 66,
  commit_prepared = 67,
  rollback_prepared = 68,
  multixact_create = 69,
  commit_log_truncate = 70,
  multixact_truncate = 71,
  next_relation_id = 72,
  next_xid = 73,
};
// "heap 16", "btree 33" (numbers of their range's format), "commit", ...; "kind 99" for one that is not known.
std::string to_string(RecordKind kind);
// Whether its payload begins with pages. The log's own records and those of transactions have none.
inline constexpr bool has_pages(RecordKind kind) {
  return kind >= RecordKind::create_relation && kind < RecordKind::commit;
}

// A page that a record is about.
struct PageChange {
  enum class Kind : std::uint8_t {
    change,      // redo applies the data to the page as it was
    initialize,  // redo makes the page anew from the data, whatever it was
    image,       // the record holds the whole page: always (whole), or because of the rule above (change)
  };
  const PageRef& page;
  Kind kind = Kind::change;
};

// Writes records about pages: the second half of every change to pages. The caller changes pages it has pinned and
// calls append() before it does anything that blocks, so no page is ever seen changed and unlogged.
class WalLog {
 public:
  WalLog(Wal& wal, bool full_page_writes) : wal_(wal), full_page_writes_(full_page_writes) {}

  // Adds images where they are due, appends the record, gives every page its LSN and marks it dirty. Never blocks.
  Lsn append(RecordKind kind, std::initializer_list<PageChange> pages, std::string_view data);
  Lsn append(RecordKind kind, std::span<const PageChange> pages, std::string_view data);
  // A record that is about no page.
  Lsn append(RecordKind kind, std::string_view data);

  // A checkpoint has started: what changes from here on carries an image once. After recovery: the redo point it began
  // at, because the next recovery begins there too until a checkpoint has ended.
  void set_redo_lsn(Lsn redo_lsn) { redo_lsn_ = redo_lsn; }
  Lsn redo_lsn() const { return redo_lsn_; }
  Wal& wal() { return wal_; }

 private:
  Wal& wal_;
  bool full_page_writes_;
  Lsn redo_lsn_ = 0;
  std::string payload_;  // of the record being made: kept for its memory
};

// A record as redo and people read it.
struct DecodedRecord {
  struct Block {
    PageId id;
    PageChange::Kind kind = PageChange::Kind::change;
    std::string_view image_bytes;  // without the hole
    std::uint16_t lower = 0, upper = 0;
  };
  RecordKind kind = RecordKind::epoch;
  Lsn begin = 0;
  Lsn end = 0;
  std::vector<Block> blocks;
  std::string_view data;
};
// Throws SqlError XX000 if the payload contradicts itself. The result refers to the record's bytes.
DecodedRecord decode(const WalRecord& record);
// The same into a record that was used before, whose memory serves again.
void decode(const WalRecord& record, DecodedRecord& into);

// The page of a block that is an image, with zeros where the hole was, into the 8192 bytes at `page`. Its LSN is the
// record's end.
void restore_image(const DecodedRecord& record, const DecodedRecord::Block& block, Page page);

}  // namespace polarsim::engine::storage
