// Crash recovery: from the redo point of the last checkpoint on, every record is applied to whatever of its pages is not
// as new as the record. Doing it again changes nothing, so recovery may be cut off anywhere and started again.
//
// Order of a start: read the control file; scan the WAL from the redo point (wal.h says what is a torn tail and what is
// damage); apply the records; take a checkpoint. Pages are brought up to date one record at a time, page by page.
//
// Records may be about files that a later record removed, and which are therefore gone already: such changes are
// skipped, and remembered until a removal explains them. What is left unexplained at the end is damage, and the node
// refuses to start (PostgreSQL's invalid-page table, src/backend/access/transam/xlogutils.c).
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
  // image, is as new as the record, or its file is gone. Blocks; at most one page may be pinned at a time.
  std::optional<PageRef> page(const DecodedRecord& record, std::size_t block);
  // After the change: the page is as new as the record.
  void applied(const DecodedRecord& record, const PageRef& page);
  // The relation's files are to go, and nothing that was missing in them matters.
  void remove_relation(RelationId relation);
  // Throws SqlError XX000 if a change was skipped and nothing explains it.
  void finish() const;

  sim::Host& host() { return host_; }
  DataFiles& files() { return files_; }
  BufferPool& pool() { return pool_; }

 private:
  sim::Host& host_;
  BufferPool& pool_;
  DataFiles& files_;
  const PlantedBugs& planted_;
  std::map<PageId, Lsn> missing_;  // changed by a record at this LSN, but not there
};

// Which part of the engine redoes which kind. Handlers may block.
class RedoTable {
 public:
  using Handler = std::function<void(RedoContext&, const DecodedRecord&)>;
  void add(RecordKind kind, Handler handler);
  void add(RecordKind first, RecordKind last, const Handler& handler);
  // Throws SqlError XX000 for a kind that nobody claims.
  void apply(RedoContext& context, const DecodedRecord& record) const;

 private:
  std::array<Handler, 256> handlers_;
};

}  // namespace polarsim::engine::storage
