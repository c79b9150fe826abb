#include <utility>

#include "engine/txn/heap_access.h"
#include "engine/txn/heap_visibility.h"
#include "engine/txn/toast.h"
#include "engine/types/error.h"

namespace polarsim::engine::txn {

using storage::ExternalColumns;
using storage::Page;
using storage::PageRef;

Heap::Heap(TransactionManager& transactions, storage::BufferPool& pool, storage::DataFiles& files,
           storage::FreeSpaceMap& free_space)
    : transactions_(transactions), pool_(pool), files_(files), free_space_(free_space) {}

Heap::Version Heap::look(RelationId relation, Tid tid) {
  // A Tid may come from a damaged chunk or a link to what vacuum took away.
  if (!tid || tid.block >= files_.block_count(relation)) return {};
  return look_on(pool_.pin({relation, storage::Fork::main, tid.block}), tid);
}

Heap::Version Heap::look_on(PageRef ref, Tid tid) {
  Version version;
  version.tid = tid;
  const Page page = ref.page();
  if (page.kind() == storage::PageKind::heap && tid.item <= page.item_count() && page.item_used(tid.item)) {
    version.tuple = page.item(tid.item);
    version.header = storage::read_tuple_header(version.tuple);
  }
  version.ref = std::move(ref);
  return version;
}

Heap::Scan::Scan(Heap& heap, const HeapTable& table, const Transaction& reader, const Snapshot& snapshot,
                 const storage::WantedColumns* wanted)
    : heap_(heap),
      table_(table),
      reader_(reader),
      snapshot_(snapshot),
      wanted_(wanted),
      blocks_(heap.files_.block_count(table.relation)) {}

bool Heap::Scan::next(std::vector<VisibleRow>& rows) {
  // Rows are read into the place of former ones.
  std::size_t count = 0;
  SnapshotView view(heap_.transactions_, reader_, snapshot_);
  std::vector<std::pair<std::size_t, ExternalColumns>> to_fetch;
  ExternalColumns external;
  while (block_ < blocks_ && count == 0) {
    if (reader_.backend != nullptr) reader_.backend->check_interrupts();
    const PageRef ref = heap_.pool_.pin({table_.relation, storage::Fork::main, block_});
    const Page page = ref.page();
    const std::uint16_t items = page.is_new() ? std::uint16_t{0} : page.item_count();
    for (std::uint16_t item = 1; item <= items; ++item) {
      if (!page.item_used(item)) continue;
      const std::span<const char> tuple = page.item(item);
      if (!view.shows(storage::read_tuple_header(tuple))) continue;
      if (count == rows.size()) rows.emplace_back();
      rows[count].tid = {block_, item};
      storage::decode_tuple(tuple, rows[count].row, external, wanted_);
      if (!external.empty()) to_fetch.emplace_back(count, std::move(external));
      ++count;
    }
    ++block_;
  }
  rows.resize(count);
  for (const auto& [index, columns] : to_fetch) Toast(heap_, table_.toast).fetch(rows[index].row, columns);
  return !rows.empty();
}

std::optional<Row> Heap::fetch(const HeapTable& table, Tid tid, const Transaction& reader, const Snapshot& snapshot,
                               const storage::WantedColumns* wanted) {
  Version version = look(table.relation, tid);
  if (!version || !SnapshotView(transactions_, reader, snapshot).shows(version.header)) return std::nullopt;
  ExternalColumns external;
  Row row;
  storage::decode_tuple(version.tuple, row, external, wanted);
  version.ref.release();
  if (!external.empty()) Toast(*this, table.toast).fetch(row, external);
  return row;
}

std::optional<storage::TupleHeader> Heap::header(const HeapTable& table, Tid tid) {
  const Version version = look(table.relation, tid);
  if (!version) return std::nullopt;
  return version.header;
}

void Heap::for_each_version(const HeapTable& table, const VisitVersion& visit) {
  struct Place {
    storage::TupleHeader header;
    Row row;
    ExternalColumns external;
  };
  std::vector<std::pair<Tid, Place>> places;
  const Xid horizon = transactions_.horizon();
  for (storage::BlockNumber block = 0; block < files_.block_count(table.relation); ++block) {
    places.clear();
    {
      const PageRef ref = pool_.pin({table.relation, storage::Fork::main, block});
      const Page page = ref.page();
      const std::uint16_t items = page.is_new() ? std::uint16_t{0} : page.item_count();
      for (std::uint16_t item = 1; item <= items; ++item) {
        if (!page.item_used(item)) continue;
        Place place;
        place.header = storage::read_tuple_header(page.item(item));
        if (satisfies_vacuum(transactions_, place.header, horizon) == VacuumState::dead) continue;
        place.row = storage::decode_tuple(page.item(item), place.external);
        places.emplace_back(Tid{block, item}, std::move(place));
      }
    }
    for (auto& [tid, place] : places) {
      if (!place.external.empty()) Toast(*this, table.toast).fetch(place.row, place.external);
      visit(tid, place.header, place.row);
    }
  }
}

Heap::KeyOwner Heap::find_key_owner(const Transaction& transaction, const HeapTable& table,
                                    const std::vector<Tid>& tids, const std::function<bool(const Row&)>& has_key) {
  for (const Tid tid : tids) {
    Version version = look(table.relation, tid);
    if (!version) continue;
    DirtyState state = satisfies_dirty(transactions_, version.header, transaction);
    if (!state.visible) continue;
    ExternalColumns external;
    Row row = storage::decode_tuple(version.tuple, external);
    const storage::TupleHeader header = version.header;
    version.ref.release();
    const bool whole = external.empty() || Toast(*this, table.toast).try_fetch(row, external);
    if (whole && !has_key(row)) continue;
    if (!external.empty()) {
      // Time has passed: it may have been decided meanwhile, and even be gone.
      version = look(table.relation, tid);
      if (!version || version.header.xmin != header.xmin || version.header.cmin != header.cmin) continue;
      state = satisfies_dirty(transactions_, version.header, transaction);
      version.ref.release();
      if (!state.visible) continue;
      if (!whole) Toast(*this, table.toast).fetch(row, external);  // says what is wrong
    }
    KeyOwner owner;
    owner.tid = tid;
    owner.wait_for = state.inserter != storage::invalid_xid ? state.inserter : state.ender;
    owner.speculation = state.speculation;
    owner.state = owner.wait_for == storage::invalid_xid ? KeyOwner::State::live : KeyOwner::State::undecided;
    if (owner.state == KeyOwner::State::undecided &&
        (transactions_.config().planted.on(PlantedBug::unique_check_without_wait) ||
         !transactions_.row_locks_count(owner.wait_for)))
      continue;
    owner.own = is_own(transactions_, transaction, header.xmin);
    return owner;
  }
  return {};
}

std::vector<Tid> Heap::dead_places(const HeapTable& table, const std::vector<Tid>& tids) {
  std::vector<Tid> dead;
  const Xid horizon = transactions_.horizon();
  for (const Tid tid : tids) {
    const Version version = look(table.relation, tid);
    if (!version || satisfies_vacuum(transactions_, version.header, horizon) == VacuumState::dead) dead.push_back(tid);
  }
  return dead;
}

void Heap::wait_for(Transaction& transaction, const KeyOwner& owner) {
  if (owner.speculation == 0) {
    transactions_.wait_for_end(*transaction.backend, owner.wait_for);
    return;
  }
  LockManager& locks = transactions_.locks();
  LockOwner here;
  const LockTag tag{LockTag::Kind::speculative, owner.wait_for, owner.speculation};
  locks.acquire(*transaction.backend, here, tag, LockMode::share);
  locks.release_all(*transaction.backend, here);
}

}  // namespace polarsim::engine::txn
