#include <array>
#include <utility>

#include "engine/txn/heap_access.h"
#include "engine/txn/toast.h"
#include "engine/types/error.h"
#include "sim/assert.h"

namespace polarsim::engine::txn {

namespace infomask = storage::infomask;
using storage::BlockNumber;
using storage::PageChange;
using storage::PageRef;
using storage::TupleHeader;

namespace {

LockTag speculation_tag(const TupleHeader& header) { return {LockTag::Kind::speculative, header.xmin, header.cmax}; }

}  // namespace

PageRef Heap::page_with_room(RelationId relation, std::size_t tuple_bytes) {
  BlockNumber& last = last_block_.try_emplace(relation, storage::invalid_block).first->second;
  const BlockNumber blocks = files_.block_count(relation);
  BlockNumber block = last;
  if (block >= blocks) block = blocks == 0 ? storage::invalid_block : blocks - 1;
  BlockNumber full = storage::invalid_block;
  while (block != storage::invalid_block && block != full) {
    PageRef ref = pool_.pin({relation, storage::Fork::main, block});
    if (has_room(ref.page(), tuple_bytes)) {
      last = block;
      return ref;
    }
    const std::size_t free = free_bytes(ref.page());
    ref.release();
    free_space_.record(relation, block, free);
    full = block;
    block = free_space_.find(relation, tuple_bytes, block);
  }
  PageRef ref = pool_.extend(relation);
  last = ref.id().block;
  return ref;
}

Tid Heap::place(RelationId relation, TupleRecord& record, const TupleHeader& header) {
  const PageRef ref = page_with_room(relation, record.tuple_bytes());
  const auto kind = ref.page().is_new() ? PageChange::Kind::initialize : PageChange::Kind::change;
  const Tid tid = record.put(ref.page(), ref.id(), header);
  transactions_.log().append(heap_record::insert, {PageChange{ref, kind}}, record.bytes());
  return tid;
}

Tid Heap::insert_version(Transaction& transaction, const HeapTable& table, const Row& row, const TupleHeader& header) {
  TupleRecord record(false, row, Toast(*this, table.toast).store(transaction, row));
  const Tid tid = place(table.relation, record, header);
  ++transaction.level().rows_of(table.relation).inserted;
  return tid;
}

Tid Heap::insert(Transaction& transaction, const HeapTable& table, const Row& row) {
  TupleHeader header;
  header.xmin = transactions_.assign_xid(transaction);
  header.cmin = transaction.command;
  transaction.wrote = true;
  return insert_version(transaction, table, row, header);
}

Tid Heap::insert_speculative(Transaction& transaction, const HeapTable& table, const Row& row) {
  TupleHeader header;
  header.xmin = transactions_.assign_xid(transaction);
  header.cmin = transaction.command;
  header.infomask = infomask::speculative;
  if (++speculations_ == 0) ++speculations_;
  header.cmax = speculations_;
  transaction.wrote = true;
  // Whoever finds the version finds the token locked.
  transactions_.locks().acquire(*transaction.backend, transaction.level().locks, speculation_tag(header),
                                LockMode::exclusive);
  return insert_version(transaction, table, row, header);
}

void Heap::confirm(Transaction& transaction, const HeapTable& table, Tid tid) {
  const Version version = look(table.relation, tid);
  POLARSIM_ASSERT(version && version.header.has(infomask::speculative), "what is confirmed was inserted speculatively");
  TupleHeader header = version.header;
  header.infomask &= static_cast<std::uint16_t>(~infomask::speculative);
  header.cmax = 0;
  change_header(transactions_.log(), heap_record::confirm, version.ref, tid.item, header);
  transactions_.locks().release(*transaction.backend, transaction.level().locks, speculation_tag(version.header),
                                LockMode::exclusive);
}

void Heap::kill(Transaction& transaction, const HeapTable& table, Tid tid) {
  storage::ExternalColumns external;
  LockTag tag;
  {
    const Version version = look(table.relation, tid);
    POLARSIM_ASSERT(version && version.header.has(infomask::speculative), "what is killed was inserted speculatively");
    storage::decode_tuple(version.tuple, external);
    tag = speculation_tag(version.header);
    TupleHeader header = version.header;
    header.xmin = storage::invalid_xid;
    header.cmax = 0;
    header.infomask &= static_cast<std::uint16_t>(~infomask::speculative);
    change_header(transactions_.log(), heap_record::kill, version.ref, tid.item, header);
    ++transaction.level().rows_of(table.relation).deleted;
  }
  transactions_.locks().release(*transaction.backend, transaction.level().locks, tag, LockMode::exclusive);
  Toast(*this, table.toast).remove(transaction, external);
}

}  // namespace polarsim::engine::txn
