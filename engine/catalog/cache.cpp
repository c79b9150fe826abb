#include "engine/catalog/cache.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "engine/types/text_form.h"
#include "sim/assert.h"

namespace polarsim::engine::catalog {

using storage::frozen_xid;
using storage::invalid_xid;

CachedRelation* Cache::find(RelationId id) {
  const auto found = relations_.find(id);
  return found == relations_.end() ? nullptr : &found->second;
}

const CachedRelation* Cache::find(RelationId id) const {
  const auto found = relations_.find(id);
  return found == relations_.end() ? nullptr : &found->second;
}

const std::vector<RelationId>& Cache::named(std::string_view schema, std::string_view name) const {
  static const std::vector<RelationId> none;
  const auto found = names_.find(Name(schema, name));
  return found == names_.end() ? none : found->second;
}

const std::vector<RelationId>& Cache::referencing(RelationId id) const {
  static const std::vector<RelationId> none;
  const auto found = referencing_.find(id);
  return found == referencing_.end() ? none : found->second;
}

namespace {

// The tables whose rows its foreign keys lead to, each once.
std::set<RelationId> referenced_by(const Definition& definition) {
  std::set<RelationId> referenced;
  for (const ForeignKey& key : definition.foreign_keys) referenced.insert(key.checked_table());
  return referenced;
}

void insert_sorted(std::vector<RelationId>& ids, RelationId id) {
  ids.insert(std::upper_bound(ids.begin(), ids.end(), id), id);
}

template <typename Lists, typename Key>
void erase_sorted(Lists& lists, const Key& key, RelationId id) {
  const auto found = lists.find(key);
  POLARSIM_ASSERT(found != lists.end(), "a version of a relation was never listed");
  found->second.erase(std::lower_bound(found->second.begin(), found->second.end(), id));
  if (found->second.empty()) lists.erase(found);
}

}  // namespace

// A relation is listed once for each of its versions.
void Cache::list(const CachedRelation& relation, const RelationVersion& version) {
  insert_sorted(names_[OwnedName(version.description->schema, version.description->name)], relation.id);
  for (const RelationId id : referenced_by(*version.description)) insert_sorted(referencing_[id], relation.id);
}

void Cache::unlist(const CachedRelation& relation, const RelationVersion& version) {
  erase_sorted(names_, Name(version.description->schema, version.description->name), relation.id);
  for (const RelationId id : referenced_by(*version.description)) erase_sorted(referencing_, id, relation.id);
}

bool Cache::seen(Xid xid, const Transaction* reader) const {
  if (!storage::is_normal(xid)) return xid != invalid_xid;
  return (reader != nullptr && transactions_.is_own(*reader, xid)) || transactions_.committed(xid);
}

const RelationVersion* Cache::visible(const CachedRelation& relation, const Transaction* reader) const {
  for (const RelationVersion& version : relation.versions) {
    if (seen(version.created_by, reader) && !seen(version.dropped_by, reader)) return &version;
  }
  return nullptr;
}

RelationVersion* Cache::visible(CachedRelation& relation, const Transaction* reader) {
  return const_cast<RelationVersion*>(std::as_const(*this).visible(std::as_const(relation), reader));
}

const CachedRelation* Cache::find_visible(const Transaction* reader, std::string_view schema,
                                          std::string_view name) const {
  for (const RelationId id : named(schema, name)) {
    const CachedRelation& relation = relations_.at(id);
    const RelationVersion* const version = visible(relation, reader);
    // It may have had the name before, or be about to get it.
    if (version != nullptr && version->description->name == name && version->description->schema == schema)
      return &relation;
  }
  return nullptr;
}

namespace {

Row missing_values(const Definition& definition) {
  Row values;
  const CallContext nowhere;
  for (std::size_t i = 0; i < definition.columns.size(); ++i) {
    const Column& column = definition.columns[i];
    if (!column.missing) continue;
    values.resize(i + 1);
    values[i] = input_value(*column.missing, column.type, nowhere);
  }
  return values;
}

}  // namespace

TablePtr Cache::make_table(const CachedRelation& relation, const Transaction* reader) const {
  if (relation.settled) return relation.settled;
  const RelationVersion* const own = visible(relation, reader);
  if (own == nullptr) return nullptr;
  const auto agreed = [](const CachedRelation& other) {
    return other.versions.size() == 1 && other.versions[0].created_by == frozen_xid &&
           other.versions[0].dropped_by == invalid_xid;
  };
  bool settled = agreed(relation);
  auto table = std::make_shared<Table>();
  table->id = relation.id;
  table->heap = {own->file, own->toast};
  table->description = own->description;
  table->missing = missing_values(*own->description);
  for (const RelationId id : relation.indexes) {
    const CachedRelation& index = relations_.at(id);
    settled = settled && agreed(index);
    const RelationVersion* const version = visible(index, reader);
    if (version != nullptr) table->indexes.push_back({id, version->file, version->description});
  }
  const auto primary = std::find_if(table->indexes.begin(), table->indexes.end(),
                                    [](const Index& index) { return index.description->index.primary; });
  if (primary != table->indexes.end()) std::rotate(table->indexes.begin(), primary, std::next(primary));
  if (settled) relation.settled = table;
  return table;
}

Xid Cache::undecided(const Transaction& reader, std::string_view schema, std::string_view name) const {
  for (const RelationId id : named(schema, name)) {
    for (const RelationVersion& version : relations_.at(id).versions) {
      for (const Xid xid : {version.created_by, version.dropped_by}) {
        if (storage::is_normal(xid) && !transactions_.is_own(reader, xid) && transactions_.in_progress(xid)) return xid;
      }
    }
  }
  return invalid_xid;
}

void Cache::forget_settled(const CachedRelation& relation) {
  relation.settled = nullptr;
  if (relation.indexed == 0) return;
  if (const CachedRelation* const table = find(relation.indexed)) table->settled = nullptr;
}

CachedRelation& Cache::add(CachedRelation relation) {
  const RelationId id = relation.id;
  ++definitions_version_;
  list(relation, relation.versions.at(0));
  if (relation.indexed != 0) {
    CachedRelation* const table = find(relation.indexed);
    POLARSIM_ASSERT(table != nullptr, "an index of no table");
    table->indexes.push_back(id);
  }
  const Xid created_by = relation.versions.at(0).created_by;
  if (created_by != frozen_xid) undecided_[created_by].push_back(id);
  const auto [place, inserted] = relations_.emplace(id, std::move(relation));
  POLARSIM_ASSERT(inserted, "a relation's number was used twice");
  forget_settled(place->second);
  return place->second;
}

RelationVersion& Cache::add_version(CachedRelation& relation, RelationVersion version) {
  if (version.created_by != frozen_xid) undecided_[version.created_by].push_back(relation.id);
  ++definitions_version_;
  list(relation, version);
  relation.versions.push_back(std::move(version));
  forget_settled(relation);
  return relation.versions.back();
}

void Cache::drop_version(CachedRelation& relation, RelationVersion& version, Xid xid) {
  ++definitions_version_;
  version.dropped_by = xid;
  undecided_[xid].push_back(relation.id);
  forget_settled(relation);
}

void Cache::transaction_ended(const Transaction& transaction, bool committed) {
  if (undecided_.empty()) return;
  for (const txn::TransactionLevel& level : transaction.levels) settle(level, committed);
}

void Cache::levels_rolled_back(const Transaction& transaction, std::size_t first_level) {
  if (undecided_.empty()) return;
  for (std::size_t i = first_level; i < transaction.levels.size(); ++i) settle(transaction.levels[i], false);
}

void Cache::settle(const txn::TransactionLevel& level, bool committed) {
  settle(level.xid, committed);
  for (const Xid xid : level.released) settle(xid, committed);
}

void Cache::settle(Xid xid, bool committed) {
  const auto found = undecided_.find(xid);
  if (found == undecided_.end()) return;
  const std::vector<RelationId> ids = std::move(found->second);
  undecided_.erase(found);
  for (const RelationId id : ids) settle(id, xid, committed);
}

void Cache::settle(RelationId id, Xid xid, bool committed) {
  CachedRelation* const relation = find(id);
  if (relation == nullptr) return;  // settled before: it was both created and dropped
  forget_settled(*relation);
  ++definitions_version_;
  std::erase_if(relation->versions, [&](const RelationVersion& version) {
    const bool gone = committed ? version.dropped_by == xid : version.created_by == xid;
    if (gone) unlist(*relation, version);
    return gone;
  });
  for (RelationVersion& version : relation->versions) {
    if (committed && version.created_by == xid) version.created_by = frozen_xid;
    if (!committed && version.dropped_by == xid) version.dropped_by = invalid_xid;
  }
  if (relation->versions.empty()) remove(id);
}

void Cache::remove(RelationId id) {
  const auto found = relations_.find(id);
  const CachedRelation& relation = found->second;
  if (CachedRelation* const table = find(relation.indexed)) std::erase(table->indexes, id);
  relations_.erase(found);
}

std::uint64_t Cache::version(std::string_view schema, std::string_view name) const {
  const auto found = touched_.find(Name(schema, name));
  return found == touched_.end() ? 0 : found->second;
}

void Cache::touch(const CachedRelation& relation) {
  ++last_touch_;
  for (const RelationVersion& version : relation.versions) {
    const Name name(version.description->schema, version.description->name);
    const auto found = touched_.lower_bound(name);
    if (found != touched_.end() && Name(found->first.first, found->first.second) == name)
      found->second = last_touch_;
    else
      touched_.emplace_hint(found, OwnedName(name), last_touch_);
  }
}

}  // namespace polarsim::engine::catalog
