#include "engine/txn/heap_redo.h"

#include <optional>
#include <utility>

#include "engine/storage/bytes.h"
#include "engine/types/error.h"
#include "sim/assert.h"

namespace polarsim::engine::txn {

namespace {

using storage::DecodedRecord;
using storage::load;
using storage::Page;
using storage::PageChange;
using storage::PageKind;
using storage::PageRef;
using storage::RedoContext;
using storage::store;
using storage::TupleHeader;

// A flag of the page: some line pointer is unused. A hint that saves looking at all of them; may be set wrongly.
constexpr std::uint16_t has_unused_items = 1;

void put_header_entry(char* to, std::uint16_t item, const TupleHeader& header) {
  store(to, item);
  // The whole header's length is asked for, but only its first part written; the rest belongs to the tuple.
  std::array<char, storage::tuple_header_size> bytes{};
  storage::write_tuple_header(bytes, header);
  std::copy_n(bytes.begin(), header_entry_bytes - item_bytes, to + item_bytes);
}

HeaderChange get_header_entry(std::string_view entry) {
  std::array<char, storage::tuple_header_size> bytes{};
  std::copy_n(entry.begin() + item_bytes, header_entry_bytes - item_bytes, bytes.begin());
  return {load<std::uint16_t>(entry.data()), storage::read_tuple_header(bytes)};
}

[[noreturn]] void contradiction(const DecodedRecord& record) {
  throw SqlError(sqlstate::internal_error, "WAL record at " + std::to_string(record.begin) + " (" +
                                               to_string(record.kind) + ") does not fit the page it changes");
}

std::span<char> item_of(const DecodedRecord& record, Page page, std::uint16_t item) {
  if (item == 0 || item > page.item_count() || !page.item_used(item)) contradiction(record);
  return page.item(item);
}

void apply_header(const DecodedRecord& record, Page page, std::string_view entry) {
  if (entry.size() != header_entry_bytes) contradiction(record);
  const HeaderChange change = get_header_entry(entry);
  storage::write_tuple_header(item_of(record, page, change.item), change.header);
}

// As TupleRecord::put. False if the place is taken, or would leave a gap, or the tuple does not fit.
bool put_tuple(Page page, std::uint16_t item, std::string_view tuple) {
  const std::uint16_t count = page.item_count();
  if (item == 0 || item > count + 1 || (item <= count && page.item_used(item))) return false;
  if ((page.flags() & has_unused_items) != 0 && item > page.item_count())
    page.set_flags(static_cast<std::uint16_t>(page.flags() & ~has_unused_items));
  return page.put_item(item, tuple);
}

void clear(Page page, std::uint16_t item) {
  page.clear_item(item);
  page.set_flags(page.flags() | has_unused_items);
}

void redo_tuple(RedoContext& context, const DecodedRecord& record, std::size_t block, std::string_view tuple) {
  if (tuple.size() < item_bytes) contradiction(record);
  const std::optional<PageRef> ref = context.page(record, block);
  if (!ref) return;
  Page page = ref->page();
  if (record.blocks[block].kind == PageChange::Kind::initialize) page.initialize(ref->id(), PageKind::heap);
  const auto item = load<std::uint16_t>(tuple.data());
  if (!put_tuple(page, item, tuple.substr(item_bytes))) contradiction(record);
  context.applied(record, *ref);
}

void redo_insert(RedoContext& context, const DecodedRecord& record) { redo_tuple(context, record, 0, record.data); }

void redo_update(RedoContext& context, const DecodedRecord& record) {
  if (record.data.size() < header_entry_bytes + item_bytes) contradiction(record);
  const std::string_view header = record.data.substr(0, header_entry_bytes);
  const std::string_view tuple = record.data.substr(header_entry_bytes);
  const bool one_page = record.blocks.size() == 1;
  if (const std::optional<PageRef> ref = context.page(record, 0)) {
    apply_header(record, ref->page(), header);
    if (one_page) {
      const auto item = load<std::uint16_t>(tuple.data());
      if (!put_tuple(ref->page(), item, tuple.substr(item_bytes))) contradiction(record);
    }
    context.applied(record, *ref);
  }
  if (!one_page) redo_tuple(context, record, 1, tuple);
}

// A page and any number of headers.
void redo_headers(RedoContext& context, const DecodedRecord& record) {
  const std::optional<PageRef> ref = context.page(record, 0);
  if (!ref) return;
  for (std::size_t at = 0; at < record.data.size(); at += header_entry_bytes)
    apply_header(record, ref->page(), record.data.substr(at, header_entry_bytes));
  context.applied(record, *ref);
}

void redo_vacuum(RedoContext& context, const DecodedRecord& record) {
  const std::optional<PageRef> ref = context.page(record, 0);
  if (!ref) return;
  for (std::size_t at = 0; at + item_bytes <= record.data.size(); at += item_bytes) {
    const auto item = load<std::uint16_t>(record.data.data() + at);
    item_of(record, ref->page(), item);
    clear(ref->page(), item);
  }
  context.applied(record, *ref);
}

void redo_truncate(RedoContext& context, const DecodedRecord& record) {
  storage::ByteReader reader(record.data);
  const auto relation = reader.number<storage::RelationId>();
  context.truncate_relation(relation, reader.number<storage::BlockNumber>());
}

}  // namespace

TupleRecord::TupleRecord(bool with_header, std::span<const Value> row, const storage::ExternalColumns& external)
    : with_header_(with_header), has_external_(!external.empty()) {
  const std::size_t tuple_length = storage::tuple_bytes(row, external);
  bytes_.reserve(tuple_at() + tuple_length);
  bytes_.resize(tuple_at());
  storage::append_tuple(bytes_, {}, row, external);
}

void TupleRecord::set_old_header(std::uint16_t item, const TupleHeader& header) {
  POLARSIM_ASSERT(with_header_, "only an update changes an old version");
  put_header_entry(bytes_.data(), item, header);
}

storage::Tid TupleRecord::put(Page page, storage::PageId id, TupleHeader header) {
  if (page.is_new()) page.initialize(id, PageKind::heap);
  const std::uint16_t item = next_item(page);
  header.ctid = {id.block, item};
  if (has_external_) header.infomask |= storage::infomask::has_external;
  store(bytes_.data() + tuple_at() - item_bytes, item);
  storage::write_tuple_header({bytes_.data() + tuple_at(), tuple_bytes()}, header);
  const bool fits = put_tuple(page, item, std::string_view(bytes_).substr(tuple_at()));
  POLARSIM_ASSERT(fits, "a tuple is put where it has room");
  return header.ctid;
}

std::uint16_t next_item(Page page) {
  if (page.is_new()) return 1;
  return (page.flags() & has_unused_items) != 0 ? page.unused_item()
                                                : static_cast<std::uint16_t>(page.item_count() + 1);
}

bool has_room(Page page, std::size_t tuple_bytes) {
  return page.is_new() ? tuple_bytes <= storage::tuple_bytes_max : page.has_room_for(tuple_bytes);
}

std::size_t free_bytes(Page page) { return page.is_new() ? storage::tuple_bytes_max : page.free_bytes(); }

void change_header(storage::WalLog& log, storage::RecordKind kind, const PageRef& ref, std::uint16_t item,
                   const TupleHeader& header) {
  std::array<char, header_entry_bytes> entry;
  put_header_entry(entry.data(), item, header);
  storage::write_tuple_header(ref.page().item(item), header);
  log.append(kind, {PageChange{ref}}, std::string_view(entry.data(), entry.size()));
}

void clear_items(storage::WalLog& log, const PageRef& ref, std::span<const std::uint16_t> items) {
  std::string data(items.size() * item_bytes, '\0');
  for (std::size_t i = 0; i < items.size(); ++i) {
    store(data.data() + i * item_bytes, items[i]);
    clear(ref.page(), items[i]);
  }
  log.append(heap_record::vacuum, {PageChange{ref}}, data);
}

void freeze_items(storage::WalLog& log, const PageRef& ref, std::span<const HeaderChange> changes) {
  std::string data(changes.size() * header_entry_bytes, '\0');
  for (std::size_t i = 0; i < changes.size(); ++i) {
    put_header_entry(data.data() + i * header_entry_bytes, changes[i].item, changes[i].header);
    storage::write_tuple_header(ref.page().item(changes[i].item), changes[i].header);
  }
  log.append(heap_record::freeze, {PageChange{ref}}, data);
}

storage::Lsn log_truncate(storage::WalLog& log, storage::RelationId relation, storage::BlockNumber blocks) {
  return log.append(heap_record::truncate, storage::ByteWriter().number(relation).number(blocks).bytes());
}

void register_heap_redo(storage::RedoTable& table) {
  table.add(heap_record::insert, redo_insert);
  table.add(heap_record::update, redo_update);
  for (const auto kind :
       {heap_record::remove, heap_record::lock, heap_record::confirm, heap_record::kill, heap_record::freeze})
    table.add(kind, redo_headers);
  table.add(heap_record::vacuum, redo_vacuum);
  table.add(heap_record::truncate, redo_truncate);
}

}  // namespace polarsim::engine::txn
