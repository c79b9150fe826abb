#include "engine/catalog/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/catalog/catalog_state.h"
#include "engine/types/error.h"

namespace polarsim::engine::catalog {

using txn::LockResult;
using txn::LockTag;

namespace {

// A changed row or definition was under one of these; VACUUM changes neither.
bool lets_change(LockMode mode) { return mode >= LockMode::row_exclusive && mode != LockMode::share_update_exclusive; }

}  // namespace

Catalog::Catalog(txn::TransactionManager& transactions, txn::Heap& heap, storage::DataFiles& files)
    : impl_(std::make_unique<Implementation>(transactions, heap, files)) {
  transactions.add_end_listener([this](const Transaction& transaction, bool committed) {
    if (committed) impl_->touch_changed_tables(transaction);
    impl_->cache.transaction_ended(transaction, committed);
  });
  transactions.add_rollback_listener([this](const Transaction& transaction, std::size_t first_level) {
    impl_->cache.levels_rolled_back(transaction, first_level);
  });
  for (const TablePtr& table : system_tables()) {
    CachedRelation relation;
    relation.id = table->id;
    RelationVersion version;
    version.file = table->heap.relation;
    version.toast = table->heap.toast;
    version.description = table->description;
    relation.versions.push_back(std::move(version));
    impl_->cache.add(std::move(relation));
  }
}

Catalog::~Catalog() = default;

// Whoever changed a table holds a lock that lets him: so prepared transactions need nothing else to be remembered.
void Catalog::Implementation::touch_changed_tables(const Transaction& transaction) {
  for (const txn::TransactionLevel& level : transaction.levels) {
    for (const txn::LockOwner::Held& held : level.locks.locks) {
      if (held.tag.kind != LockTag::Kind::relation || !lets_change(held.mode)) continue;
      const CachedRelation* const relation = cache.find(static_cast<RelationId>(held.tag.a));
      if (relation != nullptr && relation->kind == RelationKind::table) cache.touch(*relation);
    }
  }
}

// --- lookup ---

const CachedRelation* Catalog::Implementation::resolve(const Transaction* reader, std::string_view schema,
                                                       std::string_view name) const {
  if (!schema.empty()) return cache.find_visible(reader, schema, name);
  const CachedRelation* const found = cache.find_visible(reader, system_schema, name);
  return found != nullptr ? found : cache.find_visible(reader, public_schema, name);
}

TablePtr Catalog::find_table(const Transaction* reader, std::string_view schema, std::string_view name) const {
  const CachedRelation* const relation = impl_->resolve(reader, schema, name);
  if (relation == nullptr || relation->kind != RelationKind::table) return nullptr;
  return impl_->cache.make_table(*relation, reader);
}

TablePtr Catalog::find_table(const Transaction* reader, RelationId id) const {
  const CachedRelation* const relation = std::as_const(impl_->cache).find(id);
  if (relation == nullptr || relation->kind != RelationKind::table) return nullptr;
  return impl_->cache.make_table(*relation, reader);
}

bool Catalog::has_sequence(const Transaction* reader, RelationId id) const {
  const CachedRelation* const relation = std::as_const(impl_->cache).find(id);
  return relation != nullptr && relation->kind == RelationKind::sequence &&
         impl_->cache.visible(*relation, reader) != nullptr;
}

std::optional<RelationKind> Catalog::kind_of(const Transaction* reader, std::string_view schema,
                                             std::string_view name) const {
  const CachedRelation* const relation = impl_->resolve(reader, schema, name);
  if (relation == nullptr) return std::nullopt;
  return relation->kind;
}

std::vector<TablePtr> Catalog::tables(const Transaction* reader) const {
  std::vector<TablePtr> result;
  for (const auto& [id, relation] : impl_->cache.relations()) {
    if (relation.kind != RelationKind::table) continue;
    if (TablePtr table = impl_->cache.make_table(relation, reader)) result.push_back(std::move(table));
  }
  return result;
}

std::string Catalog::name_of(RelationId id) const {
  const CachedRelation* const relation = std::as_const(impl_->cache).find(id);
  return relation == nullptr ? fmt::format("{}", id) : relation->versions.back().description->name;
}

Relation Catalog::Implementation::describe(const CachedRelation& relation, const RelationVersion& version) const {
  return {relation.id, version.file, version.toast, version.description};
}

std::optional<Relation> Catalog::find(const Transaction* reader, std::span<const std::string> path,
                                      std::string_view name) const {
  if (std::find(path.begin(), path.end(), system_schema) == path.end()) {
    if (auto found = find_in_schema(reader, system_schema, name)) return found;
  }
  for (const std::string& schema : path) {
    if (auto found = find_in_schema(reader, schema, name)) return found;
  }
  return std::nullopt;
}

std::optional<Relation> Catalog::find_in_schema(const Transaction* reader, std::string_view schema,
                                                std::string_view name) const {
  const CachedRelation* const found = impl_->cache.find_visible(reader, schema, name);
  if (found == nullptr) return std::nullopt;
  return impl_->describe(*found, *impl_->cache.visible(*found, reader));
}

std::optional<Relation> Catalog::find(const Transaction* reader, RelationId id) const {
  const CachedRelation* const found = std::as_const(impl_->cache).find(id);
  if (found == nullptr) return std::nullopt;
  const RelationVersion* const version = impl_->cache.visible(*found, reader);
  if (version == nullptr) return std::nullopt;
  return impl_->describe(*found, *version);
}

std::vector<Relation> Catalog::relations(const Transaction* reader) const {
  std::vector<Relation> result;
  for (const auto& [id, relation] : impl_->cache.relations()) {
    if (const RelationVersion* const version = impl_->cache.visible(relation, reader))
      result.push_back(impl_->describe(relation, *version));
  }
  return result;
}

RelationId Catalog::schema_id(const Transaction* reader, std::string_view name) const {
  const CachedRelation* const found = impl_->cache.find_visible(reader, "", name);
  return found == nullptr ? 0 : found->id;
}

std::vector<ReferencingKey> Catalog::referencing(const Transaction* reader, RelationId id) const {
  std::vector<ReferencingKey> found;
  RelationId last = 0;
  for (const RelationId table : impl_->cache.referencing(id)) {
    const RelationVersion* const version = impl_->cache.visible(*std::as_const(impl_->cache).find(table), reader);
    if (version == nullptr || table == last) continue;
    last = table;
    for (const ForeignKey& key : version->description->foreign_keys) {
      if (key.checked_table() == id) found.push_back({table, version->description, &key});
    }
  }
  std::sort(found.begin(), found.end(),
            [](const ReferencingKey& a, const ReferencingKey& b) { return a.key->id < b.key->id; });
  return found;
}

std::uint64_t Catalog::definitions_version() const { return impl_->cache.definitions_version(); }

std::uint64_t Catalog::version(std::string_view schema, std::string_view name) const {
  return impl_->cache.version(schema, name);
}

std::vector<RelationId> Catalog::files_in_use() const {
  std::vector<RelationId> files;
  for (const auto& [id, relation] : impl_->cache.relations()) {
    for (const RelationVersion& version : relation.versions) {
      if (version.file != 0) files.push_back(version.file);
      if (version.toast != 0) files.push_back(version.toast);
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

// --- opening ---

namespace {

// The relation and what has to be locked before it.
std::vector<RelationId> locks_of(const Relation& relation) {
  if (relation.description->kind == RelationKind::index) return {relation.description->index.table, relation.id};
  return {relation.id};
}

}  // namespace

std::optional<Relation> Catalog::open(Transaction& transaction, std::span<const std::string> path,
                                      std::string_view schema, std::string_view name, LockMode mode, bool wait) {
  txn::LockManager& locks = impl_->transactions.locks();
  txn::LockOwner& owner = transaction.level().locks;
  const auto look = [&] {
    return schema.empty() ? find(&transaction, path, name) : find_in_schema(&transaction, schema, name);
  };
  for (std::optional<Relation> found = look(); found; found = look()) {
    bool waited = false;
    std::vector<LockTag> taken;
    for (const RelationId id : locks_of(*found)) {
      const LockTag tag = LockTag::of_relation(id);
      const LockResult result = locks.acquire(*transaction.backend, owner, tag, mode, wait);
      if (result == LockResult::not_available)
        throw SqlError(sqlstate::lock_not_available, fmt::format("could not obtain lock on relation \"{}\"", name));
      waited = waited || result == LockResult::granted_after_wait;
      taken.push_back(tag);
    }
    if (!waited) return found;
    // While it waited, the relation may have changed, or gone, and another have taken its name.
    std::optional<Relation> again = look();
    if (again && again->id == found->id) return again;
    for (const LockTag& tag : taken) locks.release(*transaction.backend, owner, tag, mode);
  }
  return std::nullopt;
}

}  // namespace polarsim::engine::catalog
