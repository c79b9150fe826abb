// Crash recovery: from the redo point of the last checkpoint on, every record is applied to whatever of its pages is
// not as new as the record. Doing it again changes nothing, so recovery may be cut off anywhere and started again.
//
// Order of a start: read the control file; scan the WAL from the redo point (wal.h says what is a torn tail and what is
// damage); apply the records; take a checkpoint. Pages are brought up to date one record at a time, page by page.
//
// Records may be about files that a later record removed or cut, and which are therefore gone already: such changes are
// skipped, and remembered until a removal or a cut explains them. What is left unexplained at the end is damage, and
// the node refuses to start (PostgreSQL's invalid-page table, src/backend/access/transam/xlogutils.c). So whoever
// removes or cuts files makes the record that says so durable first, also when a transaction aborts.
//
// A page whose checksum fails is restored by the first record that holds it whole (an image, or the data of
// PageChange::initialize). If a record changes it before, no crash explains the damage: every page that may have been
// torn since the redo point has its image there.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "engine/planted_bugs.h"
#include "engine/storage/wal_record.h"

namespace polarsim::engine::storage {

class RedoContext {
 public:
  RedoContext(sim::Host& host, BufferPool& pool, DataFiles& files, const PlantedBugs& planted);

  // The page `block` of the record, if its handler has to apply the change; empty if the page was restored from an
  // image, is as new as the record, or is gone with its file. Of PageChange::initialize: whatever bytes, to be made
  // anew. Blocks; the caller holds no pin. Throws SqlError XX001 if the page is damaged, with its file, its block and
  // the record's LSN.
  std::optional<PageRef> page(const DecodedRecord& record, std::size_t block);
  // After the change: the page is as new as the record.
  void applied(const DecodedRecord& record, const PageRef& page);
  // The relation's files are to go, and nothing that was missing in them matters. Blocks.
  void remove_relation(RelationId relation);
  // The relation's main fork ends before this block from here on: what was missing behind it does not matter. Blocks.
  void truncate_relation(RelationId relation, BlockNumber blocks);
  // Throws SqlError XX000 if a change was skipped and nothing explains it.
  void finish() const;

  sim::Host& host() { return host_; }
  DataFiles& files() { return files_; }
  BufferPool& pool() { return pool_; }

 private:
  std::optional<PageRef> page_to_change(const DecodedRecord& record, PageId id);
  // Empty if what is on disk is damaged, or was never written.
  PageRef pin_if_sound(PageId id);
  void remember_missing(PageId id, Lsn lsn);
  void forget_missing(PageId first, PageId end);

  sim::Host& host_;
  BufferPool& pool_;
  DataFiles& files_;
  const PlantedBugs& planted_;
  std::map<PageId, Lsn> missing_;  // changed by a record at this LSN, but not there
};

// Which part of the engine redoes which kind. Handlers may block. The log's own records need nothing, and
// create_relation is claimed from the start.
class RedoTable {
 public:
  RedoTable();
  using Handler = std::function<void(RedoContext&, const DecodedRecord&)>;
  void add(RecordKind kind, Handler handler);
  void add(RecordKind first, RecordKind last, const Handler& handler);
  // Throws SqlError XX000 for a kind that nobody claims. A second claim replaces the first.
  void apply(RedoContext& context, const DecodedRecord& record) const;

 private:
  std::array<Handler, 256> handlers_;
};

// Logs that the relation's files exist from here on: redo makes them if they are not there. Never blocks.
Lsn log_create_relation(WalLog& log, RelationId relation);

}  // namespace polarsim::engine::storage
