#include "engine/storage/btree_redo.h"

#include "engine/storage/btree.h"
#include "engine/storage/bytes.h"
#include "engine/types/error.h"

namespace polarsim::engine::storage {

namespace {

[[noreturn]] void contradiction(const DecodedRecord& record, const char* what) {
  throw SqlError(sqlstate::internal_error,
                 "WAL record at " + std::to_string(record.begin) + " contradicts its B-tree page: " + what);
}

// What precedes the item in the data.
std::uint16_t item_number(const DecodedRecord& record) {
  ByteReader reader(record.data);
  return reader.number<std::uint16_t>();
}

void redo_insert(RedoContext& context, const DecodedRecord& record) {
  const std::optional<PageRef> ref = context.page(record, 0);
  if (!ref) return;
  const std::uint16_t item = item_number(record);
  if (item < 1 || item > ref->page().item_count() + 1) contradiction(record, "no place for the entry");
  if (!ref->page().insert_item(item, record.data.substr(sizeof(item)))) contradiction(record, "no room for the entry");
  context.applied(record, *ref);
}

void redo_remove(RedoContext& context, const DecodedRecord& record) {
  const std::optional<PageRef> ref = context.page(record, 0);
  if (!ref) return;
  const std::uint16_t item = item_number(record);
  if (item < 1 || item > ref->page().item_count()) contradiction(record, "no such entry");
  ref->page().remove_item(item);
  context.applied(record, *ref);
}

void redo_images(RedoContext& context, const DecodedRecord& record) {
  for (std::size_t block = 0; block < record.blocks.size(); ++block) {
    if (context.page(record, block)) contradiction(record, "a page of a structure change has no image");
  }
}

}  // namespace

void register_btree_redo(RedoTable& table) {
  table.add(btree_record::insert, redo_insert);
  table.add(btree_record::remove, redo_remove);
  table.add(btree_record::create, redo_images);
  table.add(btree_record::split, redo_images);
  table.add(btree_record::unlink, redo_images);
}

}  // namespace polarsim::engine::storage
