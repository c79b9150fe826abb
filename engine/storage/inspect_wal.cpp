#include "engine/storage/inspect_wal.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <utility>

#include "engine/storage/btree_page.h"
#include "engine/storage/btree_redo.h"
#include "engine/storage/bytes.h"
#include "engine/storage/control_file.h"
#include "engine/storage/inspect_page.h"
#include "engine/storage/key_encoding.h"
#include "engine/txn/heap_redo.h"
#include "engine/txn/lock_tag.h"
#include "engine/txn/multixact.h"
#include "engine/txn/two_phase.h"
#include "engine/types/error.h"
#include "engine/types/quote.h"

namespace polarsim::engine::storage {

namespace {

using txn::heap_record::confirm;
using txn::heap_record::freeze;
using txn::heap_record::insert;
using txn::heap_record::kill;
using txn::heap_record::lock;
using txn::heap_record::remove;
using txn::heap_record::truncate;
using txn::heap_record::update;
using txn::heap_record::vacuum;

constexpr std::size_t raw_bytes_max = 64;

[[noreturn]] void does_not_decode(const char* why) { throw SqlError(sqlstate::internal_error, why); }

std::string list_of(std::string_view name, const std::vector<std::uint32_t>& numbers) {
  return numbers.empty() ? std::string() : fmt::format(" {} {}", name, fmt::join(numbers, " "));
}

// --- data by kind ---

std::string tuple_text(std::string_view data) {
  if (data.size() < txn::item_bytes + tuple_header_size) does_not_decode("shorter than a row version");
  const std::string_view tuple = data.substr(txn::item_bytes);
  const std::span<const char> bytes(tuple.data(), tuple.size());
  return fmt::format("item {} {} values {}", load<std::uint16_t>(data.data()),
                     describe_header(read_tuple_header(bytes)), describe_values(bytes));
}

std::string header_text(std::string_view entry) {
  std::array<char, tuple_header_size> bytes{};
  std::copy(entry.begin() + txn::item_bytes, entry.end(), bytes.begin());
  return fmt::format("item {} {}", load<std::uint16_t>(entry.data()), describe_header(read_tuple_header(bytes)));
}

std::string headers_text(std::string_view data) {
  if (data.empty() || data.size() % txn::header_entry_bytes != 0) does_not_decode("not a list of headers");
  std::string text;
  for (; !data.empty(); data.remove_prefix(txn::header_entry_bytes))
    text += (text.empty() ? "" : "; ") + header_text(data.substr(0, txn::header_entry_bytes));
  return text;
}

std::string items_text(std::string_view data) {
  std::string text = "items";
  for (; data.size() >= txn::item_bytes; data.remove_prefix(txn::item_bytes))
    text += fmt::format(" {}", load<std::uint16_t>(data.data()));
  return text;
}

std::string truncation_text(std::string_view data) {
  if (data.size() != sizeof(RelationId) + sizeof(BlockNumber)) does_not_decode("not a relation and its length");
  return fmt::format("relation {} to {} blocks", load<RelationId>(data.data()),
                     load<BlockNumber>(data.data() + sizeof(RelationId)));
}

std::string heap_text(RecordKind kind, std::string_view data) {
  if (kind == insert) return tuple_text(data);
  if (kind == vacuum) return items_text(data);
  if (kind == truncate) return truncation_text(data);
  if (kind != update) return headers_text(data);
  if (data.size() < txn::header_entry_bytes) does_not_decode("shorter than a header");
  return fmt::format("old {}; new {}", header_text(data.substr(0, txn::header_entry_bytes)),
                     tuple_text(data.substr(txn::header_entry_bytes)));
}

std::string tree_text(RecordKind kind, std::string_view data) {
  if (kind != btree_record::insert && kind != btree_record::remove) return {};
  if (data.size() < sizeof(std::uint16_t)) does_not_decode("shorter than the number of an item");
  const std::string item = fmt::format("item {}", load<std::uint16_t>(data.data()));
  if (kind == btree_record::remove) return item;
  data.remove_prefix(sizeof(std::uint16_t));
  if (data.size() < BTreeItem::leaf_overhead) does_not_decode("shorter than an entry");
  return fmt::format("{} key {} tid ({},{})", item, describe_key(data.substr(BTreeItem::leaf_overhead)),
                     load<std::uint32_t>(data.data()), load<std::uint16_t>(data.data() + 4));
}

std::string checkpoint_text(std::string_view data) {
  const CheckpointData checkpoint = decode_checkpoint(data);
  return fmt::format(
      "redo {} segment {} next xid {} next multixact {} next relation {} oldest xid {} oldest multixact {} time {}",
      checkpoint.redo, checkpoint.segment, checkpoint.next_xid, checkpoint.next_multixact, checkpoint.next_relation,
      checkpoint.oldest_xid, checkpoint.oldest_multixact, checkpoint.time_us);
}

std::string end_text(std::string_view data) {
  const txn::EndRecord end = txn::decode_end(data);
  return fmt::format("xid {} time {}{}{}{}", end.xid, end.time_us, list_of("subtransactions", end.subtransactions),
                     list_of("removes relations", end.remove),
                     end.gid.empty() ? "" : fmt::format(" gid {}", quote_literal(end.gid)));
}

std::string prepare_text(std::string_view data) {
  const txn::PreparedState state = txn::decode_prepared(data);
  std::string text =
      fmt::format("xid {} gid {} time {}{}{}{}", state.xid, quote_literal(state.gid), state.prepared_us,
                  list_of("subtransactions", state.subtransactions), list_of("created relations", state.created),
                  list_of("dropped relations", state.dropped));
  for (const auto& held : state.locks) text += fmt::format(", {} on {}", to_string(held.mode), describe(held.tag));
  return text;
}

std::string multixact_text(std::string_view data) {
  static constexpr std::array<const char*, 6> statuses{"key share",   "share",         "no key update lock",
                                                       "update lock", "no key update", "update"};
  ByteReader reader(data);
  std::string text = fmt::format("multixact {}:", reader.number<MultiXactId>());
  for (auto count = reader.number<std::uint32_t>(); count > 0; --count) {
    const Xid xid = reader.number<Xid>();
    const std::size_t status = reader.number<std::uint8_t>();
    text += fmt::format(" {} ({})", xid, status < statuses.size() ? statuses[status] : "unknown");
  }
  return text;
}

std::string sequence_text(std::string_view data) {
  ByteReader reader(data);
  const auto value = static_cast<std::int64_t>(reader.number<std::uint64_t>());
  return fmt::format("last value {}, {}", value,
                     reader.number<std::uint8_t>() != 0 ? "given out" : "not given out yet");
}

std::string data_text(RecordKind kind, std::string_view data) {
  if (kind >= RecordKind::heap_first && kind <= RecordKind::heap_last) return heap_text(kind, data);
  if (kind >= RecordKind::btree_first && kind <= RecordKind::btree_last) return tree_text(kind, data);
  ByteReader reader(data);
  switch (kind) {
    case RecordKind::epoch: {
      reader.number<std::uint64_t>();
      return fmt::format("time {}", reader.number<std::uint64_t>());
    }
    case RecordKind::checkpoint_end:
      return checkpoint_text(data);
    case RecordKind::create_relation:
      return fmt::format("relation {}", reader.number<RelationId>());
    case RecordKind::sequence_first:
      return sequence_text(data);
    case RecordKind::commit:
    case RecordKind::abort:
    case RecordKind::commit_prepared:
    case RecordKind::rollback_prepared:
      return end_text(data);
    case RecordKind::prepare:
      return prepare_text(data);
    case RecordKind::multixact_create:
      return multixact_text(data);
    case RecordKind::commit_log_truncate:
      return fmt::format("oldest xid {}", reader.number<Xid>());
    case RecordKind::multixact_truncate:
      return fmt::format("oldest multixact {}", reader.number<MultiXactId>());
    case RecordKind::next_relation_id:
      return fmt::format("relation {}", reader.number<RelationId>());
    case RecordKind::next_xid:
      return fmt::format("xid {}", reader.number<FullXid>());
    default:
      return data.empty() ? std::string() : hexadecimal(data.substr(0, raw_bytes_max));
  }
}

std::string block_text(const DecodedRecord::Block& block) {
  const std::string page = "page " + describe(block.id);
  switch (block.kind) {
    case PageChange::Kind::change:
      return page + " changed";
    case PageChange::Kind::initialize:
      return page + " made anew";
    case PageChange::Kind::image:
      return fmt::format("{} image of {} bytes", page, block.image_bytes.size());
  }
  return page;
}

}  // namespace

std::string record_name(RecordKind kind) {
  static constexpr std::array<std::pair<RecordKind, const char*>, 15> names{{{insert, "heap insert"},
                                                                             {update, "heap update"},
                                                                             {remove, "heap remove"},
                                                                             {lock, "heap lock"},
                                                                             {confirm, "heap confirm"},
                                                                             {kill, "heap kill"},
                                                                             {vacuum, "heap vacuum"},
                                                                             {freeze, "heap freeze"},
                                                                             {truncate, "heap truncate"},
                                                                             {btree_record::insert, "btree insert"},
                                                                             {btree_record::remove, "btree remove"},
                                                                             {btree_record::create, "btree create"},
                                                                             {btree_record::split, "btree split"},
                                                                             {btree_record::unlink, "btree unlink"},
                                                                             {RecordKind::sequence_first, "sequence"}}};
  const auto found = std::find_if(names.begin(), names.end(), [kind](const auto& name) { return name.first == kind; });
  return found != names.end() ? found->second : to_string(kind);
}

std::string describe_record(const WalRecord& record) {
  std::vector<std::string> parts;
  std::string_view undecoded = record.payload;
  try {
    const DecodedRecord decoded = decode(record);
    undecoded = decoded.data;
    for (const DecodedRecord::Block& block : decoded.blocks) parts.push_back(block_text(block));
    if (std::string data = data_text(decoded.kind, decoded.data); !data.empty()) parts.insert(parts.begin(), data);
  } catch (const SqlError& error) {
    parts.insert(parts.begin(), fmt::format("does not decode ({}): {}", error.fields().message,
                                            hexadecimal(undecoded.substr(0, raw_bytes_max))));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

std::vector<WalSegmentFile> read_wal_files(const sim::Disk& disk) {
  std::vector<WalSegmentFile> files;
  for (const std::string& path : disk.list(wal_directory + "/")) {
    if (const auto number = wal_segment_number(path)) files.push_back({*number, disk.cached_contents(path)});
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
  return files;
}

namespace {

// Follows the chain of records through the files.
class Dump {
 public:
  Dump(Lsn from, Lsn to) : from_(from), to_(to) {}

  std::string run(std::span<const WalSegmentFile> files) {
    for (const WalSegmentFile& file : files) {
      if (!follow(file)) break;
    }
    if (!stopped_) line("end of the log at LSN {}: {}", lsn_, reason_.empty() ? "the files end" : reason_);
    return std::move(text_);
  }

 private:
  template <typename... Arguments>
  void line(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Arguments>(arguments)...);
    text_ += '\n';
  }

  // Why the log ends, if it does: what was found first.
  void note(std::string reason) {
    if (reason_.empty()) reason_ = std::move(reason);
  }

  // False if nothing after this file is of interest.
  bool follow(const WalSegmentFile& file) {
    const std::string path = wal_segment_path(file.number);
    const auto header = decode_segment_header(file.bytes);
    if (!header || header->number != file.number) {
      note(fmt::format("file \"{}\" {}", path, header ? "is recycled and not in use yet" : "has no valid header"));
      // The log may begin behind it.
      return lsn_ == 0;
    }
    if (lsn_ != 0 && (header->first_lsn != lsn_ || header->previous_crc != crc_)) {
      note(fmt::format("file \"{}\" begins at LSN {} and does not continue it", path, header->first_lsn));
      return false;
    }
    lsn_ = header->first_lsn;
    crc_ = header->previous_crc;
    reason_.clear();
    if (lsn_ >= from_ && lsn_ < to_) line("segment {} at LSN {}, epoch {}", path, lsn_, header->epoch);
    return records(std::string_view(file.bytes).substr(wal_segment_header_bytes), path);
  }

  bool records(std::string_view rest, const std::string& path) {
    while (!rest.empty()) {
      if (lsn_ >= to_) {
        stopped_ = true;
        return false;
      }
      const auto header = decode_record(rest, lsn_);
      if (!header || header->previous_crc != crc_) {
        note(fmt::format("no record follows the last one in file \"{}\"", path));
        // A recycled file may hold bytes of its former life behind its last record.
        return true;
      }
      const Lsn end = lsn_ + header->total_bytes();
      if (lsn_ >= from_) {
        const std::string said = describe_record({lsn_, header->kind, payload_of(rest, *header), end});
        line("lsn {}, end {}, length {}, kind {}, epoch {}{}{}", lsn_, end, header->payload_length,
             record_name(static_cast<RecordKind>(header->kind)), header->epoch, said.empty() ? "" : ": ", said);
      }
      lsn_ = end;
      crc_ = header->crc;
      rest.remove_prefix(header->total_bytes());
    }
    return true;
  }

  Lsn from_;
  Lsn to_;
  Lsn lsn_ = 0;
  std::uint32_t crc_ = 0;
  bool stopped_ = false;
  std::string reason_;
  std::string text_;
};

}  // namespace

std::string describe_wal(std::span<const WalSegmentFile> files, Lsn from, Lsn to) { return Dump(from, to).run(files); }

}  // namespace polarsim::engine::storage
