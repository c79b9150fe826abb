// Reading the system table: the cache as it would be had the node never gone down.
#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "engine/catalog/catalog_state.h"
#include "engine/types/error.h"

namespace polarsim::engine::catalog {

using storage::TupleHeader;
namespace infomask = storage::infomask;

namespace {

// Who made a row version and who ended it, as the cache says it: frozen_xid for what has been decided, 0 for nobody.
struct Fate {
  bool exists = false;
  Xid created_by = storage::frozen_xid;
  Xid dropped_by = storage::invalid_xid;
};

Fate fate_of(const txn::TransactionManager& transactions, const TupleHeader& header) {
  Fate fate;
  if (!header.has(infomask::xmin_frozen) && storage::is_normal(header.xmin)) {
    const txn::XidStatus status = transactions.status(header.xmin);
    if (status == txn::XidStatus::aborted) return fate;
    if (status == txn::XidStatus::in_progress) fate.created_by = header.xmin;
  }
  // Rows of the catalog are never locked, only ended.
  if (storage::is_normal(header.xmax) && !header.has(infomask::xmax_lock_only)) {
    const txn::XidStatus status = transactions.status(header.xmax);
    if (status == txn::XidStatus::committed) return fate;
    if (status == txn::XidStatus::in_progress) fate.dropped_by = header.xmax;
  }
  fate.exists = true;
  return fate;
}

class Loader {
 public:
  Loader(Catalog::Implementation& catalog) : catalog_(catalog) {}

  void run() {
    catalog_.heap.for_each_version(system_table(polar_relation_id).heap,
                                   [this](Tid tid, const TupleHeader& header, const Row& row) {
                                     const Fate fate = fate_of(catalog_.transactions, header);
                                     if (fate.exists) read(tid, fate, relation_row(row));
                                   });
    // An index refers to its table: tables come first.
    for (auto& [id, loaded] : loaded_) {
      if (loaded.kind != RelationKind::index) add(std::move(loaded));
    }
    for (auto& [id, loaded] : loaded_) {
      if (loaded.kind == RelationKind::index) add(std::move(loaded));
    }
  }

 private:
  void read(Tid tid, const Fate& fate, Relation from) {
    // The catalog's own tables are known already.
    if (from.id < Table::first_normal_relation && from.description->kind == RelationKind::table) return;
    CachedRelation& relation = loaded_[from.id];
    relation.id = from.id;
    relation.kind = from.description->kind;
    RelationVersion version;
    version.file = from.file;
    version.toast = from.toast;
    version.tid = tid;
    version.created_by = fate.created_by;
    version.dropped_by = fate.dropped_by;
    if (relation.kind == RelationKind::index) relation.indexed = from.description->index.table;
    version.description = std::move(from.description);
    relation.versions.push_back(std::move(version));
  }

  void add(CachedRelation relation) {
    // What was changed by an undecided transaction has two versions: the older one is the one that it ends.
    const auto ended = [](const RelationVersion& version) { return version.dropped_by != storage::invalid_xid; };
    std::vector<RelationVersion> versions;
    std::copy_if(relation.versions.begin(), relation.versions.end(), std::back_inserter(versions), ended);
    std::remove_copy_if(relation.versions.begin(), relation.versions.end(), std::back_inserter(versions), ended);
    relation.versions.clear();
    CachedRelation* added = nullptr;
    for (const RelationVersion& version : versions) {
      if (added == nullptr) {
        relation.versions.push_back(version);
        added = &catalog_.cache.add(std::move(relation));
      } else {
        catalog_.cache.add_version(*added, version);
      }
      if (version.dropped_by != storage::invalid_xid)
        catalog_.cache.drop_version(*added, added->versions.back(), version.dropped_by);
    }
  }

  Catalog::Implementation& catalog_;
  std::map<RelationId, CachedRelation> loaded_;
};

}  // namespace

void Catalog::load() { Loader(*impl_).run(); }

}  // namespace polarsim::engine::catalog
