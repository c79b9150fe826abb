#include "engine/txn/multixact_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "engine/storage/bytes.h"
#include "engine/types/error.h"
#include "sim/assert.h"

namespace polarsim::engine::txn {

using storage::BlockNumber;
using storage::ByteReader;
using storage::ByteWriter;
using storage::multixact_precedes;
using storage::MultiXactId;
using storage::Xid;

namespace {

constexpr std::uint64_t page_payload = VersionedPages::page_payload;
constexpr std::uint64_t count_bytes = 4;
constexpr std::uint64_t member_bytes = 5;
// As for transactions: beyond this distance old and new cannot be told apart safely.
constexpr std::uint32_t distance_max = (1U << 31) - 3'000'000;

// 0 is no multixact.
MultiXactId following(MultiXactId id) { return id + 1 == 0 ? 1 : id + 1; }
// How many there are from `from` up to `to`, without 0.
std::uint32_t distance(MultiXactId from, MultiXactId to) { return to - from - (to < from ? 1 : 0); }

void encode(const std::vector<MultiXactMember>& members, ByteWriter& into) {
  into.number(static_cast<std::uint32_t>(members.size()));
  for (const MultiXactMember& member : members)
    into.number(member.xid).number(static_cast<std::uint8_t>(member.status));
}

std::vector<MultiXactMember> decode_members(ByteReader& reader) {
  std::vector<MultiXactMember> members(reader.number<std::uint32_t>());
  for (MultiXactMember& member : members) {
    member.xid = reader.number<Xid>();
    member.status = static_cast<MemberStatus>(reader.number<std::uint8_t>());
  }
  return members;
}

}  // namespace

MultiXactStore::MultiXactStore(sim::Host& host) : files_(host, "pg_multixact", storage::PageKind::multixact) {}

MultiXactId MultiXactStore::create(std::vector<MultiXactMember> members) {
  POLARSIM_ASSERT(log_ != nullptr, "a multixact before there is a log");
  if (distance(oldest_, next_) >= distance_max) {
    throw SqlError(sqlstate::program_limit_exceeded,
                   "database is not accepting commands that generate new MultiXactIds to avoid wraparound data loss in "
                   "database \"postgres\"",
                   "", "Execute a database-wide VACUUM in that database.");
  }
  const MultiXactId id = next_;
  ByteWriter record;
  record.number(id);
  encode(members, record);
  log_->append(storage::RecordKind::multixact_create, record.bytes());
  append(std::move(members));
  return id;
}

void MultiXactStore::append(std::vector<MultiXactMember> members) {
  const std::uint64_t place = end_;
  end_ += count_bytes + member_bytes * members.size();
  kept_.push_back({place, std::move(members)});
  next_ = following(next_);
}

const std::vector<MultiXactMember>& MultiXactStore::members(MultiXactId id) const {
  if (id == 0 || multixact_precedes(id, oldest_)) {
    throw SqlError(sqlstate::data_corrupted,
                   fmt::format("MultiXactId {} does no longer exist -- apparent wraparound", id));
  }
  if (!multixact_precedes(id, next_)) {
    throw SqlError(sqlstate::data_corrupted,
                   fmt::format("MultiXactId {} has not been created yet -- apparent wraparound", id));
  }
  return kept_[distance(first_, id)].members;
}

void MultiXactStore::advance_oldest(MultiXactId oldest) {
  if (!multixact_precedes(oldest_, oldest)) return;
  POLARSIM_ASSERT(!multixact_precedes(next_, oldest), "multixacts that do not exist yet are not needed");
  log_->append(storage::RecordKind::multixact_truncate, ByteWriter().number(oldest).bytes());
  oldest_ = oldest;
}

void MultiXactStore::redo_create(std::string_view record) {
  ByteReader reader(record);
  const auto id = reader.number<MultiXactId>();
  if (multixact_precedes(id, next_)) return;
  if (id != next_) {
    throw SqlError(sqlstate::internal_error,
                   fmt::format("WAL record makes multixact {}, but {} should come next", id, next_));
  }
  append(decode_members(reader));
}

void MultiXactStore::redo_truncate(std::string_view record) {
  const auto oldest = ByteReader(record).number<MultiXactId>();
  if (multixact_precedes(oldest_, oldest)) oldest_ = oldest;
}

void MultiXactStore::drop_before(MultiXactId oldest) {
  while (!kept_.empty() && multixact_precedes(first_, oldest)) {
    kept_.pop_front();
    first_ = following(first_);
  }
}

std::string MultiXactStore::bytes_of_block(BlockNumber block) const {
  const std::uint64_t begin = block * page_payload;
  // The last one that begins before the block may reach into it.
  auto next = std::upper_bound(kept_.begin(), kept_.end(), begin,
                               [](std::uint64_t place, const Kept& kept) { return place < kept.place; });
  if (next != kept_.begin()) --next;
  const std::uint64_t place = next == kept_.end() ? begin : next->place;
  ByteWriter writer;
  for (; next != kept_.end() && next->place < begin + page_payload; ++next) encode(next->members, writer);
  std::string bytes = writer.bytes();
  // Either the first one begins before the block, or what is before it in the block has been forgotten.
  if (place < begin) {
    bytes.erase(0, begin - place);
  } else {
    bytes.insert(0, place - begin, '\0');
  }
  bytes.resize(page_payload, '\0');
  return bytes;
}

void MultiXactStore::write(MultiXactId oldest) {
  drop_before(oldest);
  const std::uint64_t first_place = kept_.empty() ? end_ : kept_.front().place;
  std::map<BlockNumber, std::string> changed;
  std::set<BlockNumber> kept;
  if (!kept_.empty()) {
    const auto last = static_cast<BlockNumber>((end_ - 1) / page_payload);
    const auto changed_from = static_cast<BlockNumber>(written_ / page_payload);
    for (auto block = static_cast<BlockNumber>(first_place / page_payload); block <= last; ++block) {
      kept.insert(block);
      if (block >= changed_from && end_ > written_) changed.emplace(block, bytes_of_block(block));
    }
  }
  const std::uint64_t end = end_;
  ByteWriter note;
  note.number(kept_.empty() ? next_ : first_).number(next_).number(first_place).number(end);
  files_.write(changed, kept, note.bytes());
  written_ = end;
}

void MultiXactStore::load() {
  const VersionedPages::Contents contents = files_.load();
  ByteReader note(contents.note);
  first_ = oldest_ = note.number<MultiXactId>();
  const auto next = note.number<MultiXactId>();
  const auto first_place = note.number<std::uint64_t>();
  const auto end = note.number<std::uint64_t>();
  std::string stream;
  for (const auto& [block, bytes] : contents.pages) stream += bytes;
  const std::uint64_t begin = contents.pages.empty() ? first_place : contents.pages.begin()->first * page_payload;
  kept_.clear();
  next_ = first_;
  end_ = first_place;
  ByteReader reader(std::string_view(stream).substr(first_place - begin));
  while (end_ < end) append(decode_members(reader));
  if (next_ != next || end_ != end) {
    throw SqlError(sqlstate::data_corrupted, fmt::format("file \"{}\" is damaged", files_.manifest_path()),
                   fmt::format("it promises multixacts up to {}, the pages end at {}", next, next_));
  }
  written_ = end;
}

}  // namespace polarsim::engine::txn
