// How relations come, change and go: their rows, their files, and the cache, in one transaction.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/catalog/catalog_state.h"
#include "engine/storage/redo.h"
#include "engine/types/error.h"
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

bool may_hold_long_values(const Definition& definition) {
  return std::any_of(definition.columns.begin(), definition.columns.end(),
                     [](const Column& column) { return type_info(column.type.id).length < 0; });
}

bool has_rows(RelationKind kind) { return kind != RelationKind::view && kind != RelationKind::schema; }

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

Tid Catalog::Implementation::insert_row(Transaction& transaction, const Row& row) {
  const txn::ActiveSnapshot keeps_vacuum_away(transactions, transaction);
  return heap.insert(transaction, system_table(polar_relation_id).heap, row);
}

RelationId Catalog::Implementation::add(Transaction& transaction, RelationId id, RelationVersion version) {
  version.created_by = transactions.assign_xid(transaction);
  CachedRelation relation;
  relation.id = id;
  relation.kind = version.description->kind;
  if (relation.kind == RelationKind::index) relation.indexed = version.description->index.table;
  const Row row = to_row(Relation{id, version.file, version.toast, version.description});
  relation.versions.push_back(std::move(version));
  cache.add(std::move(relation));
  const Tid tid = insert_row(transaction, row);
  cache.find(id)->versions.at(0).tid = tid;
  return id;
}

RelationId Catalog::Implementation::create(Transaction& transaction, DefinitionPtr description) {
  RelationVersion version;
  version.description = std::move(description);
  const RelationId id = transactions.new_relation_id();
  const RelationKind kind = version.description->kind;
  if (kind == RelationKind::table) {
    transactions.locks().acquire(*transaction.backend, transaction.level().locks, LockTag::of_relation(id),
                                 LockMode::access_exclusive);
  }
  if (has_rows(kind)) version.file = make_file(transaction, id);
  if (kind == RelationKind::table && may_hold_long_values(*version.description))
    version.toast = make_file(transaction, transactions.new_relation_id());
  return add(transaction, id, std::move(version));
}

void Catalog::Implementation::replace(Transaction& transaction, RelationId id, RelationVersion version) {
  const Xid xid = transactions.assign_xid(transaction);
  const Tid old = cache.visible(*cache.find(id), &transaction)->tid;
  version.created_by = xid;
  version.dropped_by = storage::invalid_xid;
  const txn::ActiveSnapshot keeps_vacuum_away(transactions, transaction);
  txn::RowFailure failure;
  const Row row = to_row(Relation{id, version.file, version.toast, version.description});
  const txn::RowOutcome outcome =
      heap.update(transaction, system_table(polar_relation_id).heap, old, row, false, version.tid, failure);
  // The relation's lock keeps everybody else from its row.
  POLARSIM_ASSERT(outcome == txn::RowOutcome::ok, "a row of the catalog changed under its lock");
  CachedRelation& relation = *cache.find(id);
  cache.drop_version(relation, *cache.visible(relation, &transaction), xid);
  cache.add_version(relation, std::move(version));
}

RelationId Catalog::create(Transaction& transaction, Definition definition) {
  if (!impl_->claim_name(transaction, definition.schema, definition.name)) return 0;
  auto description = std::make_shared<const Definition>(std::move(definition));
  const RelationId id = impl_->create(transaction, std::move(description));
  impl_->transactions.next_command(transaction);
  return id;
}

bool Catalog::alter(Transaction& transaction, RelationId id, Definition definition) {
  RelationVersion version = *impl_->cache.visible(*impl_->cache.find(id), &transaction);
  POLARSIM_ASSERT(definition.kind == version.description->kind, "a relation cannot become something else");
  const bool moves = definition.schema != version.description->schema || definition.name != version.description->name;
  if (moves && !impl_->claim_name(transaction, definition.schema, definition.name)) return false;
  version.description = std::make_shared<const Definition>(std::move(definition));
  if (version.description->kind == RelationKind::table && version.toast == 0 &&
      may_hold_long_values(*version.description))
    version.toast = impl_->make_file(transaction, impl_->transactions.new_relation_id());
  impl_->replace(transaction, id, std::move(version));
  impl_->transactions.next_command(transaction);
  return true;
}

void Catalog::drop(Transaction& transaction, RelationId id) {
  const std::vector<RelationId> indexes = impl_->cache.find(id)->indexes;
  for (const RelationId index : indexes) {
    if (impl_->cache.visible(*impl_->cache.find(index), &transaction) != nullptr) impl_->drop(transaction, index);
  }
  impl_->drop(transaction, id);
  impl_->transactions.next_command(transaction);
}

void Catalog::Implementation::drop(Transaction& transaction, RelationId id) {
  const Xid xid = transactions.assign_xid(transaction);
  const RelationVersion version = *cache.visible(*cache.find(id), &transaction);
  {
    const txn::ActiveSnapshot keeps_vacuum_away(transactions, transaction);
    txn::RowFailure failure;
    const txn::RowOutcome outcome =
        heap.remove(transaction, system_table(polar_relation_id).heap, version.tid, failure);
    POLARSIM_ASSERT(outcome == txn::RowOutcome::ok, "a row of the catalog changed under its lock");
  }
  if (version.file != 0) transaction.level().dropped.push_back(version.file);
  if (version.toast != 0) transaction.level().dropped.push_back(version.toast);
  CachedRelation& relation = *cache.find(id);
  cache.drop_version(relation, *cache.visible(relation, &transaction), xid);
}

// --- tables ---

void Catalog::bootstrap(Transaction& transaction) {
  for (const TablePtr& table : system_tables()) {
    impl_->make_file(transaction, table->heap.relation);
    if (table->heap.toast != 0) impl_->make_file(transaction, table->heap.toast);
  }
  for (const TablePtr& table : system_tables())
    impl_->insert_row(transaction,
                      to_row(Relation{table->id, table->heap.relation, table->heap.toast, table->description}));
  // As pg_namespace numbers them.
  for (const auto& [id, name] :
       {std::pair(RelationId{11}, system_schema), std::pair(RelationId{2200}, public_schema)}) {
    Definition schema;
    schema.kind = RelationKind::schema;
    schema.name = name;
    RelationVersion version;
    version.description = std::make_shared<const Definition>(std::move(schema));
    impl_->add(transaction, id, std::move(version));
  }
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
  RelationVersion version = *cache.visible(*cache.find(id), &transaction);
  transaction.level().dropped.push_back(version.file);
  if (version.toast != 0) transaction.level().dropped.push_back(version.toast);
  version.file = file;
  version.toast = toast;
  if (version.description->statistics) {
    Definition uncounted = *version.description;
    uncounted.statistics->pages = 0;
    uncounted.statistics->rows = -1;
    version.description = std::make_shared<const Definition>(std::move(uncounted));
  }
  replace(transaction, id, std::move(version));
}

}  // namespace polarsim::engine::catalog
