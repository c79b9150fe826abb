// The multixacts of a node: numbered one after the other, in memory, and on disk as of the last checkpoint.
//
// On disk the members are one stream of bytes, cut into pages (versioned_pages.h); the manifest's text says which
// number the stream begins with and where. A checkpoint writes the pages behind the end of the last one.
//   stream: for each multixact u32 count, and for each member u32 xid, u8 status
//   text: u32 number of the first, u32 of the next to come, u64 place of the first in the stream, u64 end of the stream
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "engine/storage/wal_record.h"
#include "engine/txn/multixact.h"
#include "engine/txn/versioned_pages.h"

namespace polarsim::engine::txn {

class MultiXactStore final : public MultiXacts {
 public:
  explicit MultiXactStore(sim::Host& host);
  void attach(storage::WalLog& log) { log_ = &log; }

  storage::MultiXactId create(std::vector<MultiXactMember> members) override;
  const std::vector<MultiXactMember>& members(storage::MultiXactId id) const override;
  storage::MultiXactId next() const override { return next_; }
  storage::MultiXactId oldest() const { return oldest_; }
  // Those before `oldest` are not needed any more: logged, and forgotten by a later write(). No effect if `oldest` is
  // not newer than before. Never blocks.
  void advance_oldest(storage::MultiXactId oldest);

  // Of the records multixact_create and multixact_truncate. Again is as good as once.
  void redo_create(std::string_view record);
  void redo_truncate(std::string_view record);

  // Forgets those before `oldest`, which oldest() has been; the record that says so has to be durable. Others may be
  // written before their records are: the number of one that a crash takes from the log is then left out. Blocks; see
  // VersionedPages::write.
  void write(storage::MultiXactId oldest);
  // Throws as VersionedPages::load. Blocks.
  void load();
  std::size_t size() const { return kept_.size(); }

 private:
  struct Kept {
    std::uint64_t place = 0;  // in the stream
    std::vector<MultiXactMember> members;
  };
  void append(std::vector<MultiXactMember> members);
  void drop_before(storage::MultiXactId oldest);
  std::string bytes_of_block(storage::BlockNumber block) const;

  VersionedPages files_;
  storage::WalLog* log_ = nullptr;
  std::deque<Kept> kept_;  // from first_ on, without gaps
  storage::MultiXactId first_ = 1;
  storage::MultiXactId next_ = 1;
  storage::MultiXactId oldest_ = 1;
  std::uint64_t end_ = 0;      // of the stream
  std::uint64_t written_ = 0;  // of it
};

}  // namespace polarsim::engine::txn
