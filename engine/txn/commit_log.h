// What became of each transaction: two bits each, in memory (PostgreSQL's src/backend/access/transam/clog.c).
//
// Reading and setting never block. The WAL makes single outcomes durable; a checkpoint writes the pages that have
// changed since the last one (versioned_pages.h, in "pg_xact"). Undecided is what nobody has set: of such a transaction
// only the list of running ones tells whether it runs or was cut off by a crash.
//
// An outcome is set when its record is durable, or if it does not matter that the record may be lost.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <set>
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
  void write(storage::Xid oldest, storage::Xid next);
  // Throws as VersionedPages::load. Blocks.
  void load();
  std::size_t pages() const;

 private:
  using PageBytes = std::array<std::uint8_t, VersionedPages::page_payload>;
  void drop_before(storage::Xid oldest, storage::Xid next);

  VersionedPages files_;
  std::vector<std::unique_ptr<PageBytes>> pages_;  // by block; null where nothing has been set
  std::set<storage::BlockNumber> changed_;         // since the last write()
};

}  // namespace polarsim::engine::txn
