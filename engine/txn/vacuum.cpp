#include "engine/txn/vacuum.h"

#include <algorithm>
#include <set>
#include <utility>

#include "engine/storage/key_encoding.h"
#include "engine/txn/heap_visibility.h"
#include "engine/txn/row_locks.h"
#include "engine/txn/toast.h"

namespace polarsim::engine::txn {

namespace {

namespace infomask = storage::infomask;
using storage::BlockNumber;
using storage::ExternalColumns;
using storage::is_normal;
using storage::multixact_precedes;
using storage::Page;
using storage::PageRef;
using storage::xid_precedes;

// A row version that goes, with what its index entries are made of.
struct DeadRow {
  std::uint16_t item = 0;
  Row row;
  ExternalColumns external;
};

void lower(Xid& oldest, Xid xid) {
  if (is_normal(xid) && xid_precedes(xid, oldest)) oldest = xid;
}

// What is `age` before `next`.
Xid before(Xid next, std::uint32_t age) {
  const Xid limit = next - age;
  return is_normal(limit) ? limit : storage::first_normal_xid;
}

bool in_use(const Page& page) {
  const std::uint16_t items = page.is_new() ? std::uint16_t{0} : page.item_count();
  for (std::uint16_t item = 1; item <= items; ++item) {
    if (page.item_used(item)) return true;
  }
  return false;
}

// PostgreSQL's should_attempt_truncation: cutting takes the table from everybody for a moment.
bool worth_truncating(BlockNumber blocks, BlockNumber used) {
  constexpr BlockNumber empty_pages_min = 1000;
  constexpr BlockNumber part_of_all = 16;
  const BlockNumber empty = blocks - used;
  return empty > 0 && (empty >= empty_pages_min || empty >= blocks / part_of_all);
}

}  // namespace

// The work on one relation.
class Vacuum::Pass {
 public:
  Pass(Heap& heap, Backend& backend, const Cutoffs& cutoffs, VacuumResult& result)
      : heap_(heap), manager_(heap.transactions_), backend_(backend), cutoffs_(cutoffs), result_(result) {}

  void run(RelationId relation, RelationId toast, const std::vector<VacuumIndex>& indexes) {
    const BlockNumber blocks = heap_.files_.block_count(relation);
    BlockNumber used = 0;
    for (BlockNumber block = 0; block < blocks; ++block) {
      backend_.check_interrupts();
      const storage::PageId id{relation, storage::Fork::main, block};
      std::vector<DeadRow> dead = look_at_page(id, !indexes.empty());
      if (!dead.empty()) {
        for (const VacuumIndex& index : indexes) remove_entries(index, Toast(heap_, toast), block, dead);
        manager_.host().fault_point("vacuum/index-entries-removed");
        clear(id, dead);
      }
      std::size_t free = 0;
      {
        const PageRef ref = heap_.pool_.pin(id);
        free = free_bytes(ref.page());
        if (in_use(ref.page())) used = block + 1;
      }
      heap_.free_space_.record(relation, block, free);
      ++result_.pages;
    }
    if (worth_truncating(blocks, used)) result_.to_truncate.push_back(relation);
  }

 private:
  // Freezes what is old, counts what stays, and returns what is to go.
  std::vector<DeadRow> look_at_page(storage::PageId id, bool with_rows) {
    const PageRef ref = heap_.pool_.pin(id);
    const Page page = ref.page();
    std::vector<DeadRow> dead;
    std::vector<HeaderChange> changes;
    const std::uint16_t items = page.is_new() ? std::uint16_t{0} : page.item_count();
    for (std::uint16_t item = 1; item <= items; ++item) {
      if (!page.item_used(item)) continue;
      TupleHeader header = storage::read_tuple_header(page.item(item));
      const VacuumState state = satisfies_vacuum(manager_, header, cutoffs_.dead_before);
      if (state == VacuumState::dead) {
        DeadRow& row = dead.emplace_back();
        row.item = item;
        if (with_rows) row.row = storage::decode_tuple(page.item(item), row.external);
        continue;
      }
      ++(state == VacuumState::recently_dead ? result_.kept : result_.live);
      if (freeze(header, state)) changes.push_back({item, header});
      note_oldest(header);
    }
    if (!changes.empty()) freeze_items(manager_.log(), ref, changes);
    result_.frozen += changes.size();
    return dead;
  }

  // True if the header changed.
  bool freeze(TupleHeader& header, VacuumState state) {
    const TupleHeader before_freezing = header;
    const bool inserter_runs = state == VacuumState::in_progress && manager_.in_progress(header.xmin);
    if (!inserter_runs && is_normal(header.xmin) && xid_precedes(header.xmin, cutoffs_.freeze_before))
      header.infomask |= infomask::xmin_frozen;
    if (header.has(infomask::xmax_is_multi)) {
      freeze_multixact(header);
    } else if (is_normal(header.xmax) && xid_precedes(header.xmax, cutoffs_.freeze_before) &&
               !still_counts(manager_, holders_of(manager_, header).front())) {
      clear_xmax(header);
    }
    return !(header == before_freezing);
  }

  // A multixact of which an old transaction is a member, or that nobody needs any more, gives way to those who count.
  void freeze_multixact(TupleHeader& header) {
    std::vector<MultiXactMember> members = holders_of(manager_, header);
    bool due = multixact_precedes(header.xmax, cutoffs_.freeze_multixacts_before), runs = false;
    for (const MultiXactMember& member : members) {
      due |= xid_precedes(member.xid, cutoffs_.freeze_before);
      runs |= manager_.in_progress(member.xid);
    }
    if (!due && runs) return;
    std::erase_if(members, [&](const MultiXactMember& member) { return !still_counts(manager_, member); });
    if (due) clear_xmax(header);  // the same set gets a new name
    set_holders(manager_, header, std::move(members));
  }

  void note_oldest(const TupleHeader& header) {
    if (!header.has(infomask::xmin_frozen)) lower(result_.oldest_xid, header.xmin);
    if (!header.has(infomask::xmax_is_multi)) {
      lower(result_.oldest_xid, header.xmax);
      return;
    }
    for (const MultiXactMember& member : holders_of(manager_, header)) lower(result_.oldest_xid, member.xid);
    if (multixact_precedes(header.xmax, result_.oldest_multixact)) result_.oldest_multixact = header.xmax;
  }

  void remove_entries(const VacuumIndex& index, Toast toast, BlockNumber block, std::vector<DeadRow>& dead) {
    std::set<Tid> without_key;
    for (DeadRow& row : dead) {
      backend_.check_interrupts();
      const Tid tid{block, row.item};
      const bool whole = std::none_of(index.columns.begin(), index.columns.end(), [&](std::size_t column) {
        return column < row.external.size() && row.external[column].has_value();
      });
      std::optional<std::string> key;
      if (whole || toast.try_fetch(row.row, row.external)) key = index.key(row.row);
      if (key) {
        index.tree->remove(*key, tid);
      } else {
        without_key.insert(tid);
      }
    }
    if (without_key.empty()) return;
    // A part of the key lay out of line and is gone already, or the key cannot be computed: these entries have to be
    // searched for.
    storage::BTree::Scan scan = index.tree->scan({});
    std::vector<storage::BTree::Entry> entries;
    while (scan.next(entries)) {
      backend_.check_interrupts();
      for (const storage::BTree::Entry& entry : entries)
        if (without_key.contains(entry.tid)) index.tree->remove(entry.key, entry.tid);
    }
  }

  // Nobody but vacuum takes row versions away, and the dead do not come back: they are still there.
  void clear(storage::PageId id, const std::vector<DeadRow>& dead) {
    std::vector<std::uint16_t> items;
    items.reserve(dead.size());
    for (const DeadRow& row : dead) items.push_back(row.item);
    const PageRef ref = heap_.pool_.pin(id);
    clear_items(manager_.log(), ref, items);
    result_.removed += items.size();
  }

  Heap& heap_;
  TransactionManager& manager_;
  Backend& backend_;
  const Cutoffs& cutoffs_;
  VacuumResult& result_;
};

VacuumResult Vacuum::run(Backend& backend, const HeapTable& table, const std::vector<VacuumIndex>& indexes,
                         bool freeze) {
  TransactionManager& manager = heap_.transactions_;
  const Xid next = storage::xid_of(manager.next_xid());
  const Xid horizon = manager.horizon();
  const std::uint32_t age = freeze ? 0 : manager.config().vacuum_freeze_min_age;
  Cutoffs cutoffs;
  cutoffs.dead_before = manager.config().planted.on(PlantedBug::vacuum_removes_visible_row) ? next : horizon;
  cutoffs.freeze_before = before(next, age);
  if (xid_precedes(horizon, cutoffs.freeze_before)) cutoffs.freeze_before = horizon;
  const MultiXactId next_multixact = manager.multixacts().next();
  cutoffs.freeze_multixacts_before = next_multixact - age;

  VacuumResult result;
  result.oldest_xid = horizon;
  result.oldest_multixact = next_multixact;
  Pass(heap_, backend, cutoffs, result).run(table.relation, table.toast, indexes);
  if (table.toast != 0) {
    // Chunks are not rows: only their age counts.
    VacuumResult chunks = result;
    Pass(heap_, backend, cutoffs, chunks).run(table.toast, 0, {});
    result.pages = chunks.pages;
    result.oldest_xid = chunks.oldest_xid;
    result.oldest_multixact = chunks.oldest_multixact;
    result.to_truncate = std::move(chunks.to_truncate);
  }
  return result;
}

BlockNumber Vacuum::truncate(Backend& backend, RelationId relation, const std::function<bool()>& go_on) {
  const BlockNumber blocks = heap_.files_.block_count(relation);
  BlockNumber used = blocks;
  while (used > 0 && go_on()) {
    backend.check_interrupts();
    if (in_use(heap_.pool_.pin({relation, storage::Fork::main, used - 1}).page())) break;
    --used;
  }
  if (used == blocks) return 0;
  // From here on nothing may fail: what comes to lie in the pages that go would be lost by a redo of the record.
  const storage::Lsn lsn = log_truncate(heap_.transactions_.log(), relation, used);
  heap_.transactions_.log().wal().flush(lsn);
  heap_.transactions_.host().fault_point("vacuum/truncation-logged");
  heap_.pool_.truncate(relation, used);
  heap_.transactions_.host().reached("vacuum/truncated");
  return blocks - used;
}

}  // namespace polarsim::engine::txn
