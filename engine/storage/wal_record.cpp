#include "engine/storage/wal_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "engine/storage/little_endian.h"
#include "engine/types/error.h"
#include "sim/assert.h"

namespace polarsim::engine::storage {

namespace {

template <std::unsigned_integral T>
void put(std::string& to, T value) {
  const T little = in_little_endian(value);
  to.append(reinterpret_cast<const char*>(&little), sizeof little);
}

struct Hole {
  std::uint16_t lower = 0, upper = 0;
};

bool all_zero(std::string_view bytes) {
  return bytes.empty() || (bytes.front() == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

// Nothing is left out that is not zero, whatever the kind of page says about itself.
Hole hole_of(const Page& page) {
  const Hole hole{page.lower(), page.upper()};
  if (hole.lower < page_header_size || hole.lower > hole.upper || hole.upper > page_size) return {};
  return all_zero(page.contents().substr(hole.lower, hole.upper - hole.lower)) ? hole : Hole{};
}

void put_image(std::string& to, const Page& page) {
  const Hole hole = hole_of(page);
  put(to, hole.lower);
  put(to, hole.upper);
  to.append(page.contents().substr(0, hole.lower)).append(page.contents().substr(hole.upper));
}

[[noreturn]] void contradiction(const WalRecord& record, std::string_view what) {
  throw SqlError(sqlstate::internal_error, fmt::format("invalid WAL record at LSN {} ({}): {}", record.lsn,
                                                       to_string(static_cast<RecordKind>(record.kind)), what));
}

class PayloadReader {
 public:
  explicit PayloadReader(const WalRecord& record) : record_(record), rest_(record.payload) {}
  template <std::unsigned_integral T>
  T number() {
    return load<T>(take(sizeof(T)).data());
  }
  std::string_view take(std::size_t count) {
    if (count > rest_.size()) contradiction(record_, "it is shorter than its contents");
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::string_view rest() const { return rest_; }

 private:
  const WalRecord& record_;
  std::string_view rest_;
};

DecodedRecord::Block decode_block(const WalRecord& record, PayloadReader& reader) {
  DecodedRecord::Block block;
  block.id.relation = reader.number<std::uint32_t>();
  block.id.fork = static_cast<Fork>(reader.number<std::uint8_t>());
  block.id.block = reader.number<std::uint32_t>();
  block.kind = static_cast<PageChange::Kind>(reader.number<std::uint8_t>());
  if (block.id.fork > Fork::free_space) contradiction(record, "it names an unknown fork");
  if (block.kind > PageChange::Kind::image) contradiction(record, "it changes a page in an unknown way");
  if (block.kind != PageChange::Kind::image) return block;
  block.lower = reader.number<std::uint16_t>();
  block.upper = reader.number<std::uint16_t>();
  if (block.lower > block.upper || block.upper > page_size) contradiction(record, "the hole of an image is not in it");
  block.image_bytes = reader.take(page_size - (block.upper - block.lower));
  return block;
}

}  // namespace

std::string to_string(RecordKind kind) {
  const auto number = static_cast<unsigned>(kind);
  const auto within = [&](RecordKind first, RecordKind last) { return kind >= first && kind <= last; };
  if (within(RecordKind::heap_first, RecordKind::heap_last)) return fmt::format("heap {}", number);
  if (within(RecordKind::btree_first, RecordKind::btree_last)) return fmt::format("btree {}", number);
  if (within(RecordKind::sequence_first, RecordKind::sequence_last)) return fmt::format("sequence {}", number);
  switch (kind) {
    case RecordKind::epoch:
      return "epoch";
    case RecordKind::durable_mark:
      return "durable mark";
    case RecordKind::checkpoint_start:
      return "checkpoint start";
    case RecordKind::checkpoint_end:
      return "checkpoint end";
    case RecordKind::create_relation:
      return "create relation";
    case RecordKind::commit:
      return "commit";
    case RecordKind::abort:
      return "abort";
    case RecordKind::prepare:
      return "prepare";
    case RecordKind::commit_prepared:
      return "commit prepared";
    case RecordKind::rollback_prepared:
      return "rollback prepared";
    case RecordKind::multixact_create:
      return "multixact create";
    case RecordKind::commit_log_truncate:
      return "commit log truncate";
    case RecordKind::multixact_truncate:
      return "multixact truncate";
    case RecordKind::next_relation_id:
      return "next relation id";
    case RecordKind::next_xid:
      return "next xid";
    default:
      return fmt::format("kind {}", number);
  }
}

Lsn WalLog::append(RecordKind kind, std::initializer_list<PageChange> pages, std::string_view data) {
  return append(kind, std::span<const PageChange>(pages.begin(), pages.size()), data);
}

Lsn WalLog::append(RecordKind kind, std::span<const PageChange> pages, std::string_view data) {
  POLARSIM_ASSERT(has_pages(kind) && pages.size() <= 255, "a record of this kind cannot name these pages");
  payload_.clear();
  payload_.push_back(static_cast<char>(pages.size()));
  for (const PageChange& change : pages) {
    const PageId id = change.page.id();
    const Page page = change.page.page();
    const bool image_due = change.kind == PageChange::Kind::change && full_page_writes_ && page.lsn() <= redo_lsn_;
    const PageChange::Kind logged = image_due ? PageChange::Kind::image : change.kind;
    put(payload_, id.relation);
    put(payload_, static_cast<std::uint8_t>(id.fork));
    put(payload_, id.block);
    put(payload_, static_cast<std::uint8_t>(logged));
    if (logged == PageChange::Kind::image) put_image(payload_, page);
  }
  payload_.append(data);
  const Lsn end = wal_.append(static_cast<std::uint8_t>(kind), payload_);
  for (const PageChange& change : pages) {
    change.page.page().set_lsn(end);
    change.page.mark_dirty();
  }
  return end;
}

Lsn WalLog::append(RecordKind kind, std::string_view data) {
  if (has_pages(kind)) return append(kind, std::span<const PageChange>{}, data);
  return wal_.append(static_cast<std::uint8_t>(kind), data);
}

void decode(const WalRecord& record, DecodedRecord& into) {
  into.kind = static_cast<RecordKind>(record.kind);
  into.begin = record.lsn;
  into.end = record.end;
  into.blocks.clear();
  if (!has_pages(into.kind)) {
    into.data = record.payload;
    return;
  }
  PayloadReader reader(record);
  const auto count = reader.number<std::uint8_t>();
  for (std::uint8_t i = 0; i < count; ++i) into.blocks.push_back(decode_block(record, reader));
  into.data = reader.rest();
}

DecodedRecord decode(const WalRecord& record) {
  DecodedRecord decoded;
  decode(record, decoded);
  return decoded;
}

void restore_image(const DecodedRecord& record, const DecodedRecord::Block& block, Page page) {
  char* const bytes = page.bytes();
  const std::string_view image = block.image_bytes;
  std::memcpy(bytes, image.data(), block.lower);
  std::memset(bytes + block.lower, 0, static_cast<std::size_t>(block.upper - block.lower));
  std::memcpy(bytes + block.upper, image.data() + block.lower, page_size - block.upper);
  page.set_lsn(record.end);
}

}  // namespace polarsim::engine::storage
