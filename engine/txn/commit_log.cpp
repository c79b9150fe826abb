#include "engine/txn/commit_log.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "engine/storage/bytes.h"

namespace polarsim::engine::txn {

using storage::BlockNumber;
using storage::Xid;

CommitLog::CommitLog(sim::Host& host) : files_(host, "pg_xact", storage::PageKind::commit_log) {}

void CommitLog::set(Xid xid, Outcome outcome) {
  const std::uint32_t block = xid / xids_per_page;
  if (block >= pages_.size()) pages_.resize(block + 1);
  if (pages_[block] == nullptr) pages_[block] = std::make_unique<PageBytes>();
  const std::uint32_t place = xid % xids_per_page;
  std::uint8_t& byte = (*pages_[block])[place / 4];
  const unsigned shift = place % 4 * 2;
  byte = static_cast<std::uint8_t>((byte & ~(3U << shift)) | (static_cast<unsigned>(outcome) << shift));
  changed_.insert(block);
}

// Keeps the blocks from that of `oldest` round to that of `next`: what lies outside is about transactions 2^32 ago.
void CommitLog::drop_outside(Xid oldest, Xid next) {
  const BlockNumber first = oldest / xids_per_page;
  const BlockNumber last = next / xids_per_page;
  for (BlockNumber block = 0; block < pages_.size(); ++block) {
    const bool in_use = first <= last ? block >= first && block <= last : block >= first || block <= last;
    if (in_use) continue;
    pages_[block].reset();
    changed_.erase(block);
  }
}

void CommitLog::trim(Xid oldest, Xid next) {
  drop_outside(oldest, next);
  const BlockNumber block = next / xids_per_page;
  if (block >= pages_.size() || pages_[block] == nullptr) return;
  for (std::uint32_t place = next % xids_per_page; place < xids_per_page; ++place) {
    const Xid xid = block * xids_per_page + place;
    if (outcome(xid) != Outcome::undecided) set(xid, Outcome::undecided);
  }
}

void CommitLog::write(Xid oldest, Xid next, std::span<const Xid> prepared) {
  drop_outside(oldest, next);
  std::map<BlockNumber, std::string> copies;
  std::set<BlockNumber> kept;
  for (BlockNumber block = 0; block < pages_.size(); ++block) {
    if (pages_[block] == nullptr) continue;
    kept.insert(block);
    if (!changed_.contains(block)) continue;
    std::string& copy = copies[block];
    copy.resize(VersionedPages::page_payload);
    std::copy(pages_[block]->begin(), pages_[block]->end(), copy.begin());
  }
  storage::ByteWriter note;
  for (const Xid xid : prepared) note.number(xid);
  std::set<BlockNumber> writing = std::exchange(changed_, {});
  try {
    files_.write(copies, kept, note.bytes());
  } catch (...) {
    changed_.merge(writing);
    throw;
  }
}

std::vector<Xid> CommitLog::load() {
  pages_.clear();
  changed_.clear();
  const VersionedPages::Contents contents = files_.load();
  for (const auto& [block, bytes] : contents.pages) {
    if (block >= pages_.size()) pages_.resize(block + 1);
    pages_[block] = std::make_unique<PageBytes>();
    std::copy(bytes.begin(), bytes.end(), pages_[block]->begin());
  }
  std::vector<Xid> prepared;
  for (storage::ByteReader note(contents.note); !note.at_end();) prepared.push_back(note.number<Xid>());
  return prepared;
}

std::size_t CommitLog::pages() const {
  return static_cast<std::size_t>(
      std::count_if(pages_.begin(), pages_.end(), [](const auto& page) { return page != nullptr; }));
}

}  // namespace polarsim::engine::txn
