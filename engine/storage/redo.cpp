#include "engine/storage/redo.h"

#include <fmt/format.h>

#include "engine/storage/bytes.h"
#include "engine/types/error.h"

namespace polarsim::engine::storage {

namespace {

bool damaged_or_unreadable(const SqlError& error) {
  return error.sqlstate() == sqlstate::data_corrupted || error.sqlstate() == sqlstate::io_error;
}

void redo_create_relation(RedoContext& context, const DecodedRecord& record) {
  context.files().create(ByteReader(record.data).number<RelationId>());
}

}  // namespace

RedoContext::RedoContext(sim::Host& host, BufferPool& pool, DataFiles& files, const PlantedBugs& planted)
    : host_(host), pool_(pool), files_(files), planted_(planted) {}

std::optional<PageRef> RedoContext::page(const DecodedRecord& record, std::size_t block) {
  const DecodedRecord::Block& changed = record.blocks.at(block);
  if (!files_.exists(changed.id.relation)) {
    remember_missing(changed.id, record.begin);
    return std::nullopt;
  }
  if (changed.kind == PageChange::Kind::change) return page_to_change(record, changed.id);
  PageRef page = pin_if_sound(changed.id);
  if (page && page.page().lsn() >= record.end) return std::nullopt;
  if (!page) page = pool_.pin_without_reading(changed.id);
  if (changed.kind == PageChange::Kind::initialize) return page;
  restore_image(record, changed, page.page());
  page.mark_dirty();
  return std::nullopt;
}

std::optional<PageRef> RedoContext::page_to_change(const DecodedRecord& record, PageId id) {
  PageRef page;
  try {
    page = pool_.pin(id);
  } catch (const SqlError& error) {
    if (error.sqlstate() != sqlstate::data_corrupted) throw;
    throw SqlError(error.sqlstate(),
                   fmt::format("{}: redo of the WAL record at LSN {} ({}) needs it", error.fields().message,
                               record.begin, to_string(record.kind)),
                   error.fields().detail + (error.fields().detail.empty() ? "" : " ") +
                       "Every page that a crash may have torn has an image in an earlier record, so a crash cannot "
                       "explain the damage.",
                   "Restore this node from a backup or a replica.");
  }
  if (page.page().is_new()) {
    remember_missing(id, record.begin);
    return std::nullopt;
  }
  if (page.page().lsn() >= record.end && !planted_.on(PlantedBug::redo_not_idempotent)) return std::nullopt;
  return page;
}

PageRef RedoContext::pin_if_sound(PageId id) {
  if (id.block >= files_.block_count(id.relation, id.fork)) return {};
  try {
    PageRef page = pool_.pin(id);
    if (!page.page().is_new()) return page;
  } catch (const SqlError& error) {
    if (!damaged_or_unreadable(error)) throw;
    host_.reached("recovery/torn-page");
  }
  return {};
}

void RedoContext::applied(const DecodedRecord& record, const PageRef& page) {
  page.page().set_lsn(record.end);
  page.mark_dirty();
}

void RedoContext::remember_missing(PageId id, Lsn lsn) {
  if (missing_.try_emplace(id, lsn).second) host_.reached("recovery/missing-page");
}

void RedoContext::remove_relation(RelationId relation) {
  pool_.forget(relation);
  files_.remove(relation);
  forget_missing({relation, Fork::main, 0}, {relation + 1, Fork::main, 0});
}

void RedoContext::truncate_relation(RelationId relation, BlockNumber blocks) {
  pool_.truncate(relation, blocks);
  forget_missing({relation, Fork::main, blocks}, {relation, Fork::main, invalid_block});
}

void RedoContext::forget_missing(PageId first, PageId end) {
  missing_.erase(missing_.lower_bound(first), missing_.lower_bound(end));
}

void RedoContext::finish() const {
  if (missing_.empty()) return;
  const auto& [id, lsn] = *missing_.begin();
  throw SqlError(
      sqlstate::internal_error,
      fmt::format("WAL contains references to invalid pages: {}, changed at LSN {}, does not exist", describe(id), lsn),
      fmt::format("{} pages are missing, and no record removes them.", missing_.size()),
      "Restore this node from a backup or a replica.");
}

RedoTable::RedoTable() {
  add(RecordKind::epoch, RecordKind::checkpoint_end, [](RedoContext&, const DecodedRecord&) {});
  add(RecordKind::create_relation, redo_create_relation);
}

void RedoTable::add(RecordKind kind, Handler handler) {
  handlers_[static_cast<std::size_t>(kind)] = std::move(handler);
}

void RedoTable::add(RecordKind first, RecordKind last, const Handler& handler) {
  for (auto kind = static_cast<std::size_t>(first); kind <= static_cast<std::size_t>(last); ++kind) {
    handlers_[kind] = handler;
  }
}

void RedoTable::apply(RedoContext& context, const DecodedRecord& record) const {
  const Handler& handler = handlers_[static_cast<std::size_t>(record.kind)];
  if (!handler) {
    throw SqlError(sqlstate::internal_error,
                   fmt::format("nobody redoes the WAL record at LSN {} ({})", record.begin, to_string(record.kind)));
  }
  handler(context, record);
}

Lsn log_create_relation(WalLog& log, RelationId relation) {
  return log.append(RecordKind::create_relation, ByteWriter().number(relation).bytes());
}

}  // namespace polarsim::engine::storage
