// What became of each transaction: two bits each, in memory (PostgreSQL's src/backend/access/transam/clog.c).
//
// Reading and setting never block. The WAL makes single outcomes durable; a checkpoint writes the pages that have
// changed since the last one (versioned_pages.h, in "pg_xact"). Undecided is what nobody has set: of such a transaction
// only the list of running ones tells whether it runs or was cut off by a crash.
//
// An outcome is set when its record is durable, or if it does not matter that the record may be lost. So a checkpoint
// may write outcomes of identifiers that a crash then takes out of the log, and which will be given out again: trim().
//
// With the pages go the identifiers of those that are prepared, for which two_phase.h has to have a file each.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <vector>

#include "engine/txn/versioned_pages.h"

namespace polarsim::engine::txn {

class CommitLog {
 public:
  enum class Outcome : std::uint8_t { undecided, committed, aborted };
  static constexpr std::uint32_t xids_per_page = VersionedPages::page_payload * 4;

  explicit CommitLog(sim::Host& host);

  Outcome outcome(storage::Xid xid) const {
    const std::uint32_t block = xid / xids_per_page;
    if (block >= pages_.size() || pages_[block] == nullptr) return Outcome::undecided;
    const std::uint32_t place = xid % xids_per_page;
    return static_cast<Outcome>(((*pages_[block])[place / 4] >> (place % 4 * 2)) & 3U);
  }
  void set(storage::Xid xid, Outcome outcome);

  // Forgets pages that hold only transactions older than `oldest`; the record that allows it has to be durable. Blocks;
  // see VersionedPages::write.
  void write(storage::Xid oldest, storage::Xid next, std::span<const storage::Xid> prepared);
  // Returns whom the last write() called prepared. Throws as VersionedPages::load. Blocks.
  std::vector<storage::Xid> load();
  // After recovery: nobody has had `next` yet, nor any later identifier (PostgreSQL's TrimCLOG).
  void trim(storage::Xid oldest, storage::Xid next);
  std::size_t pages() const;

 private:
  using PageBytes = std::array<std::uint8_t, VersionedPages::page_payload>;
  void drop_outside(storage::Xid oldest, storage::Xid next);

  VersionedPages files_;
  std::vector<std::unique_ptr<PageBytes>> pages_;  // by block; null where nothing has been set
  std::set<storage::BlockNumber> changed_;         // since the last write()
};

}  // namespace polarsim::engine::txn
