#include "engine/catalog/row_versions.h"

#include <utility>
#include <vector>

namespace polarsim::engine::catalog {

using storage::BlockNumber;
using storage::Fork;
using storage::Tid;
using storage::TupleHeader;

namespace {

using Place = std::pair<Tid, TupleHeader>;

void read_page(storage::BufferPool& pool, storage::PageId id, std::vector<Place>& places) {
  const storage::PageRef pin = pool.pin(id);
  const storage::Page page = pin.page();
  if (page.is_new()) return;
  const std::uint16_t count = page.item_count();
  for (std::uint16_t item = 1; item <= count; ++item) {
    if (!page.item_used(item)) continue;
    const TupleHeader header = storage::read_tuple_header(page.item(item));
    if (header.xmin != storage::invalid_xid) places.emplace_back(Tid{id.block, item}, header);
  }
}

}  // namespace

void for_each_version(storage::BufferPool& pool, storage::DataFiles& files, txn::Heap& heap,
                      const txn::HeapTable& table, const VisitVersion& visit) {
  std::vector<Place> places;
  for (BlockNumber block = 0; block < files.block_count(table.relation); ++block) {
    places.clear();
    read_page(pool, {table.relation, Fork::main, block}, places);
    for (const auto& [tid, header] : places) {
      if (const std::optional<Row> row = heap.fetch_any(table, tid)) visit(tid, header, *row);
    }
  }
}

}  // namespace polarsim::engine::catalog
