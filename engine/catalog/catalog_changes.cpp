// How relations come and go: rows of the system tables, files, and the cache, in one transaction.
#include <fmt/format.h>

#include <utility>

#include "engine/catalog/catalog_state.h"
#include "engine/sql/error.h"
#include "engine/storage/redo.h"
#include "sim/assert.h"

namespace polarsim::engine::catalog {

using txn::LockTag;

namespace {

LockTag name_tag(std::string_view schema, std::string_view name) {
  // FNV-1a, 64 bits. Two names with one hash only wait for each other.
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  const auto add = [&](char c) { hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL; };
  for (const char c : schema) add(c);
  add('\0');
  for (const char c : name) add(c);
  return {LockTag::Kind::name, hash, 0};
}

bool may_hold_long_values(const TableDefinition& definition) {
  for (const sql::ColumnInfo& column : definition.columns) {
    if (column.type == TypeId::text) return true;
  }
  return false;
}

ClassRow class_row_of(const Relation& relation, const RelationVersion& version) {
  return {relation.id, relation.schema, relation.name, relation.kind, version.file, version.toast};
}

[[noreturn]] void throw_taken(const std::string& name) {
  throw SqlError(sqlstate::duplicate_table, fmt::format("relation \"{}\" already exists", name));
}

}  // namespace

bool Catalog::Implementation::claim_name(Transaction& transaction, const std::string& schema, const std::string& name) {
  txn::Backend& backend = *transaction.backend;
  transactions.locks().acquire(backend, transaction.level().locks, name_tag(schema, name), LockMode::exclusive);
  // Who drops it does not hold the name's lock; nor does who created it, once he has been prepared and recovered.
  for (Xid xid = cache.undecided(transaction, schema, name); xid != 0;
       xid = cache.undecided(transaction, schema, name)) {
    transactions.locks().wait_for_end(backend, transactions.top_of(xid));
  }
  return cache.find_visible(&transaction, schema, name) == nullptr;
}

RelationId Catalog::Implementation::make_file(Transaction& transaction, RelationId file) {
  transactions.assign_xid(transaction);
  // First, so that it goes even if the transaction is cut off in the middle of making it.
  transaction.level().created.push_back(file);
  files.create(file);
  storage::log_create_relation(transactions.log(), file);
  transaction.wrote = true;
  return file;
}

Tid Catalog::Implementation::insert_row(Transaction& transaction, RelationId system_table_id, const Row& row) {
  const txn::ActiveSnapshot keeps_vacuum_away(transactions, transaction);
  return heap.insert(transaction, system_table(system_table_id).heap, row);
}

void Catalog::Implementation::remove_row(Transaction& transaction, RelationId system_table_id, Tid tid) {
  const txn::ActiveSnapshot keeps_vacuum_away(transactions, transaction);
  txn::RowFailure failure;
  const txn::RowOutcome outcome = heap.remove(transaction, system_table(system_table_id).heap, tid, failure);
  // The relation's lock keeps everybody else from its rows.
  POLARSIM_ASSERT(outcome == txn::RowOutcome::ok, "a row of the catalog changed under its lock");
}

Relation& Catalog::Implementation::add(Transaction& transaction, Relation relation) {
  relation.versions.at(0).created_by = transactions.assign_xid(transaction);
  const RelationId id = relation.id;
  const RelationVersion version = relation.versions.at(0);
  const Row row = to_row(class_row_of(relation, version));
  cache.add(std::move(relation));
  const Tid tid = insert_row(transaction, pg_class_id, row);
  Relation& added = *cache.find(id);
  added.versions.at(0).tid = tid;
  return added;
}

// --- tables ---

void Catalog::bootstrap(Transaction& transaction) {
  for (const TablePtr& table : system_tables()) {
    impl_->make_file(transaction, table->heap.relation);
    if (table->heap.toast != 0) impl_->make_file(transaction, table->heap.toast);
  }
  for (const TablePtr& table : system_tables()) {
    const ClassRow row{table->id,           table->definition->schema, table->definition->name,
                       RelationKind::table, table->heap.relation,      table->heap.toast};
    impl_->insert_row(transaction, pg_class_id, to_row(row));
    int number = 0;
    for (const sql::ColumnInfo& column : table->definition->columns)
      impl_->insert_row(transaction, pg_attribute_id, attribute_row(table->id, ++number, column));
  }
}

TablePtr Catalog::create_table(Transaction& transaction, TableDefinition definition,
                               std::vector<IndexDefinition> indexes) {
  if (!impl_->claim_name(transaction, definition.schema, definition.name)) return nullptr;
  for (const IndexDefinition& index : indexes) {
    if (!impl_->claim_name(transaction, definition.schema, index.name)) throw_taken(index.name);
  }
  Relation relation;
  relation.id = impl_->transactions.new_relation_id();
  relation.schema = definition.schema;
  relation.name = definition.name;
  relation.table = std::make_shared<const TableDefinition>(std::move(definition));
  const RelationId id = relation.id;
  const std::shared_ptr<const TableDefinition> table = relation.table;
  impl_->transactions.locks().acquire(*transaction.backend, transaction.level().locks, LockTag::of_relation(id),
                                      LockMode::access_exclusive);
  impl_->make_file(transaction, id);
  RelationVersion version;
  version.file = id;
  if (may_hold_long_values(*table))
    version.toast = impl_->make_file(transaction, impl_->transactions.new_relation_id());
  relation.versions.push_back(version);
  impl_->add(transaction, std::move(relation));
  int number = 0;
  for (const sql::ColumnInfo& column : table->columns) {
    const Tid tid = impl_->insert_row(transaction, pg_attribute_id, attribute_row(id, ++number, column));
    impl_->cache.find(id)->detail_rows.emplace_back(pg_attribute_id, tid);
  }
  for (IndexDefinition& index : indexes) impl_->add_index(transaction, id, table->schema, std::move(index));
  impl_->transactions.next_command(transaction);
  return find_table(&transaction, id);
}

std::optional<Index> Catalog::create_index(Transaction& transaction, const Table& table, IndexDefinition definition) {
  const std::string& schema = table.definition->schema;
  if (!impl_->claim_name(transaction, schema, definition.name)) return std::nullopt;
  Index index = impl_->add_index(transaction, table.id, schema, std::move(definition));
  impl_->transactions.next_command(transaction);
  return index;
}

Index Catalog::Implementation::add_index(Transaction& transaction, RelationId table, const std::string& schema,
                                         IndexDefinition definition) {
  Relation relation;
  relation.id = transactions.new_relation_id();
  relation.kind = RelationKind::index;
  relation.schema = schema;
  relation.name = definition.name;
  relation.indexed = table;
  relation.index = definition;
  relation.versions.emplace_back();
  relation.versions[0].file = make_file(transaction, relation.id);
  const RelationId id = relation.id;
  add(transaction, std::move(relation));
  const IndexRow row{id, table, definition.unique, definition.primary, definition.columns};
  const Tid tid = insert_row(transaction, pg_index_id, to_row(row));
  cache.find(id)->detail_rows.emplace_back(pg_index_id, tid);
  return {id, id, std::move(definition)};
}

void Catalog::drop_table(Transaction& transaction, const Table& table) {
  for (const Index& index : table.indexes) impl_->drop(transaction, index.id);
  impl_->drop(transaction, table.id);
  impl_->transactions.next_command(transaction);
}

void Catalog::drop_index(Transaction& transaction, const Table& table, const Index& index) {
  if (index.definition.primary) {
    throw SqlError("2BP01", fmt::format("cannot drop index {0} because constraint {0} on table {1} requires it",
                                        index.definition.name, table.definition->name));
  }
  impl_->drop(transaction, index.id);
  impl_->transactions.next_command(transaction);
}

void Catalog::Implementation::drop(Transaction& transaction, RelationId id) {
  const Xid xid = transactions.assign_xid(transaction);
  const RelationVersion version = *cache.visible(*cache.find(id), &transaction);
  remove_row(transaction, pg_class_id, version.tid);
  const std::vector<std::pair<RelationId, Tid>> details = cache.find(id)->detail_rows;
  for (const auto& [system_table_id, tid] : details) remove_row(transaction, system_table_id, tid);
  transaction.level().dropped.push_back(version.file);
  if (version.toast != 0) transaction.level().dropped.push_back(version.toast);
  Relation& relation = *cache.find(id);
  cache.drop_version(relation, *cache.visible(relation, &transaction), xid);
}

// --- new files ---

TablePtr Catalog::truncate(Transaction& transaction, const Table& table) {
  const RelationId file = impl_->make_file(transaction, impl_->transactions.new_relation_id());
  RelationId toast = 0;
  if (table.heap.toast != 0) toast = impl_->make_file(transaction, impl_->transactions.new_relation_id());
  impl_->move_to(transaction, table.id, file, toast);
  for (const Index& index : table.indexes) {
    impl_->move_to(transaction, index.id, impl_->make_file(transaction, impl_->transactions.new_relation_id()), 0);
  }
  impl_->transactions.next_command(transaction);
  return find_table(&transaction, table.id);
}

void Catalog::Implementation::move_to(Transaction& transaction, RelationId id, RelationId file, RelationId toast) {
  const Xid xid = transactions.assign_xid(transaction);
  const RelationVersion old = *cache.visible(*cache.find(id), &transaction);
  RelationVersion moved;
  moved.file = file;
  moved.toast = toast;
  moved.created_by = xid;
  const txn::ActiveSnapshot keeps_vacuum_away(transactions, transaction);
  txn::RowFailure failure;
  const txn::RowOutcome outcome = heap.update(transaction, system_table(pg_class_id).heap, old.tid,
                                              to_row(class_row_of(*cache.find(id), moved)), false, moved.tid, failure);
  POLARSIM_ASSERT(outcome == txn::RowOutcome::ok, "a row of the catalog changed under its lock");
  transaction.level().dropped.push_back(old.file);
  if (old.toast != 0) transaction.level().dropped.push_back(old.toast);
  Relation& relation = *cache.find(id);
  cache.drop_version(relation, *cache.visible(relation, &transaction), xid);
  cache.add_version(relation, moved);
}

// --- sequences ---

SequencePtr Catalog::create_sequence(Transaction& transaction, SequenceDefinition definition) {
  if (!impl_->claim_name(transaction, definition.schema, definition.name)) return nullptr;
  Relation relation;
  relation.id = impl_->transactions.new_relation_id();
  relation.kind = RelationKind::sequence;
  relation.schema = definition.schema;
  relation.name = definition.name;
  relation.sequence = definition;
  relation.versions.emplace_back();
  relation.versions[0].file = impl_->make_file(transaction, relation.id);
  const RelationId id = relation.id;
  impl_->add(transaction, std::move(relation));
  const Tid tid = impl_->insert_row(transaction, pg_sequence_id, to_row(id, definition));
  impl_->cache.find(id)->detail_rows.emplace_back(pg_sequence_id, tid);
  impl_->transactions.next_command(transaction);
  return std::make_shared<const Sequence>(Sequence{id, id, std::move(definition)});
}

void Catalog::drop_sequence(Transaction& transaction, const Sequence& sequence) {
  impl_->drop(transaction, sequence.id);
  impl_->transactions.next_command(transaction);
}

}  // namespace polarsim::engine::catalog
