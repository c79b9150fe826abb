// Rows and tables of a database: who sees them, and how they change.
#include <algorithm>
#include <utility>

#include "engine/sql/error.h"
#include "engine/legacy/txn/database.h"
#include "sim/assert.h"

namespace polarsim::engine::legacy {


namespace {

bool in_snapshot(const CommitLog& commit_log, const Snapshot& snapshot, Xid xid) {
  return snapshot.had_ended(xid) && commit_log.committed(xid);
}

}  // namespace

const RowVersion* Database::visible_version(const RowChain& chain, const Snapshot& snapshot, Xid own) const {
  // A change of the transaction itself counts if an earlier statement made it.
  const auto seen = [&](Xid xid, CommandId command) {
    return own != 0 && xid == own ? command < snapshot.command : in_snapshot(commit_log_, snapshot, xid);
  };
  for (auto version = chain.versions.rbegin(); version != chain.versions.rend(); ++version) {
    if (!seen(version->created_by, version->created_at)) continue;
    const bool last = version == chain.versions.rbegin();
    const bool deleted = last && chain.deleted_by != 0 && seen(chain.deleted_by, chain.deleted_at);
    return deleted ? nullptr : &*version;
  }
  return nullptr;
}

bool Database::sees_as_done(Xid xid, const Transaction* transaction) const {
  if (transaction != nullptr && transaction->xid != 0 && transaction->xid == xid) return true;
  return commit_log_.committed(xid);
}

const RowVersion* Database::current_version(const RowChain& chain, const Transaction& transaction) const {
  for (auto version = chain.versions.rbegin(); version != chain.versions.rend(); ++version) {
    if (!sees_as_done(version->created_by, &transaction)) continue;
    const bool last = version == chain.versions.rbegin();
    const bool deleted = last && chain.deleted_by != 0 && sees_as_done(chain.deleted_by, &transaction);
    return deleted ? nullptr : &*version;
  }
  return nullptr;
}

KeyConflict Database::find_key_conflict(const Transaction& transaction, const TableEntry& table, const Row& key,
                                        RowId except) const {
  const auto open_to_another = [&](Xid xid) { return xid != 0 && xid != transaction.xid && commit_log_.open(xid); };
  for (const RowChain* chain : table.heap.find_by_key(key)) {
    if (chain->id == except) continue;
    const RowVersion& last = chain->versions.back();
    // Whatever an open transaction does to a row with this key, its end decides whether the key is free.
    if (open_to_another(last.created_by)) return {0, last.created_by};
    if (table.heap.key_of(*last.row) != key) continue;
    if (open_to_another(chain->deleted_by)) return {0, chain->deleted_by};
    if (chain->deleted_by == 0) return {chain->id, 0};
  }
  return {};
}

RowId Database::insert_row(Transaction& transaction, TableEntry& table, RowPointer row) {
  const Xid xid = assign_xid(transaction);
  const RowId id = table.heap.next_row_id();
  append(RecordKind::insert_row, ByteWriter().number(xid).number(table.id).number(id).row(*row));
  table.heap.insert(id, xid, transaction.command, std::move(row));
  transaction.changes.push_back({Change::Kind::row, table.id, id});
  return id;
}

void Database::update_row(Transaction& transaction, TableEntry& table, RowChain& chain, RowPointer row) {
  const Xid xid = assign_xid(transaction);
  append(RecordKind::update_row, ByteWriter().number(xid).number(table.id).number(chain.id).row(*row));
  table.heap.update(chain, xid, transaction.command, std::move(row));
  transaction.changes.push_back({Change::Kind::row, table.id, chain.id});
}

void Database::delete_row(Transaction& transaction, TableEntry& table, RowChain& chain) {
  const Xid xid = assign_xid(transaction);
  append(RecordKind::delete_row, ByteWriter().number(xid).number(table.id).number(chain.id));
  table.heap.mark_deleted(chain, xid, transaction.command);
  transaction.changes.push_back({Change::Kind::row, table.id, chain.id});
}

// --- tables ---

TableEntry* Database::find_table(const Transaction* transaction, std::string_view schema, std::string_view name) const {
  for (TableEntry* entry : catalog_.find(schema, name)) {
    if (!sees_as_done(entry->created_by, transaction)) continue;
    if (entry->dropped_by != 0 && sees_as_done(entry->dropped_by, transaction)) continue;
    return entry;
  }
  return nullptr;
}

TableEntry* Database::open_table(Transaction& transaction, const sql::TableName& name, sql::LockStrength strength,
                                 const WaitLimits& limits) {
  const auto resolve = [&]() -> TableEntry* {
    if (!name.schema.empty()) return find_table(&transaction, name.schema, name.name);
    TableEntry* const found = find_table(&transaction, "pg_catalog", name.name);
    return found != nullptr ? found : find_table(&transaction, "public", name.name);
  };
  TableEntry* entry = resolve();
  while (entry != nullptr) {
    const TableId id = entry->id;
    if (locks_.acquire(transaction, {id, 0}, strength, limits, true) == LockOutcome::granted) return entry;
    // While it waited, the table may have gone and another have taken its name.
    entry = resolve();
    if (entry != nullptr && entry->id == id) return entry;
  }
  return nullptr;
}

TableEntry* Database::create_table(Transaction& transaction, TableDefinition definition, const WaitLimits& limits) {
  visit_append_point();
  const auto undecided = [&]() -> Xid {
    for (const TableEntry* entry : catalog_.find(definition.schema, definition.name)) {
      for (const Xid xid : {entry->created_by, entry->dropped_by}) {
        if (xid != 0 && xid != transaction.xid && commit_log_.open(xid)) return xid;
      }
    }
    return 0;
  };
  for (Xid xid = undecided(); xid != 0; xid = undecided()) locks_.wait_for_end(transaction, xid, limits);
  if (find_table(&transaction, definition.schema, definition.name) != nullptr) return nullptr;
  const Xid xid = assign_xid(transaction);
  const TableId id = catalog_.next_id();
  ByteWriter record;
  record.number(xid).number(id);
  encode(record, definition);
  append(RecordKind::create_table, record);
  transaction.changes.push_back({Change::Kind::create_table, id, 0});
  return &catalog_.create(id, std::move(definition), xid);
}

void Database::drop_table(Transaction& transaction, TableEntry& table) {
  const Xid xid = assign_xid(transaction);
  append(RecordKind::drop_table, ByteWriter().number(xid).number(table.id));
  table.dropped_by = xid;
  transaction.changes.push_back({Change::Kind::drop_table, table.id, 0});
}

}  // namespace polarsim::engine::legacy
