// Reading the system tables: the cache as it would be had the node never gone down.
#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "engine/catalog/catalog_state.h"
#include "engine/sql/error.h"

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
  Loader(Cache& cache, txn::TransactionManager& transactions, txn::Heap& heap)
      : cache_(cache), transactions_(transactions), heap_(heap) {}

  void run() {
    read_columns();
    read_indexes();
    read_sequences();
    read_classes();
    // An index refers to its table: tables come first.
    for (auto& [id, loaded] : loaded_) {
      if (loaded.kind != RelationKind::index) add(std::move(loaded));
    }
    for (auto& [id, loaded] : loaded_) {
      if (loaded.kind == RelationKind::index) add(std::move(loaded));
    }
  }

 private:
  using Details = std::vector<std::pair<RelationId, Tid>>;

  template <typename Visit>
  void each(RelationId system_table_id, Visit visit) {
    heap_.for_each_version(system_table(system_table_id).heap, [&](Tid tid, const TupleHeader& header, const Row& row) {
      const Fate fate = fate_of(transactions_, header);
      if (fate.exists) visit(tid, fate, row);
    });
  }

  void read_columns() {
    each(pg_attribute_id, [&](Tid tid, const Fate&, const Row& row) {
      AttributeRow attribute;
      transactions_.host().scheduler().on_scheduler_stack([&] { attribute = attribute_row(row); });
      details_[attribute.relation].emplace_back(pg_attribute_id, tid);
      columns_[attribute.relation].emplace(attribute.number, std::move(attribute.column));
    });
  }

  void read_indexes() {
    each(pg_index_id, [&](Tid tid, const Fate&, const Row& row) {
      IndexRow index = index_row(row);
      details_[index.id].emplace_back(pg_index_id, tid);
      if (index.primary) primary_keys_[index.table] = index.id;
      const RelationId id = index.id;
      indexes_.emplace(id, std::move(index));
    });
  }

  void read_sequences() {
    each(pg_sequence_id, [&](Tid tid, const Fate&, const Row& row) {
      auto [id, definition] = sequence_row(row);
      details_[id].emplace_back(pg_sequence_id, tid);
      sequences_.emplace(id, std::move(definition));
    });
  }

  void read_classes() {
    each(pg_class_id, [&](Tid tid, const Fate& fate, const Row& row) {
      const ClassRow from = class_row(row);
      if (from.id < Table::first_normal_relation) return;
      Relation& relation = loaded_[from.id];
      relation.id = from.id;
      relation.schema = from.schema;
      relation.name = from.name;
      relation.kind = from.kind;
      relation.versions.push_back({from.file, from.toast, tid, fate.created_by, fate.dropped_by});
    });
  }

  void add(Relation relation) {
    relation.detail_rows = details_[relation.id];
    switch (relation.kind) {
      case RelationKind::table:
        relation.table = definition_of(relation);
        break;
      case RelationKind::index: {
        const IndexRow& index = indexes_.at(relation.id);
        relation.indexed = index.table;
        relation.index = {relation.name, index.columns, index.unique, index.primary};
        break;
      }
      case RelationKind::sequence:
        relation.sequence = sequences_.at(relation.id);
        relation.sequence.schema = relation.schema;
        relation.sequence.name = relation.name;
        break;
    }
    // What was moved by an undecided transaction has two versions: the older one is the one that it ends.
    const auto ended = [](const RelationVersion& version) { return version.dropped_by != storage::invalid_xid; };
    std::vector<RelationVersion> versions;
    std::copy_if(relation.versions.begin(), relation.versions.end(), std::back_inserter(versions), ended);
    std::remove_copy_if(relation.versions.begin(), relation.versions.end(), std::back_inserter(versions), ended);
    relation.versions.clear();
    Relation* added = nullptr;
    for (const RelationVersion& version : versions) {
      if (added == nullptr) {
        relation.versions.push_back(version);
        added = &cache_.add(std::move(relation));
      } else {
        cache_.add_version(*added, version);
      }
      if (version.dropped_by != storage::invalid_xid)
        cache_.drop_version(*added, added->versions.back(), version.dropped_by);
    }
  }

  std::shared_ptr<const TableDefinition> definition_of(const Relation& relation) {
    auto definition = std::make_shared<TableDefinition>();
    definition->schema = relation.schema;
    definition->name = relation.name;
    for (auto& [number, column] : columns_[relation.id]) definition->columns.push_back(std::move(column));
    if (const auto key = primary_keys_.find(relation.id); key != primary_keys_.end()) {
      definition->primary_key = indexes_.at(key->second).columns;
      definition->primary_key_name = loaded_.at(key->second).name;
    }
    return definition;
  }

  Cache& cache_;
  txn::TransactionManager& transactions_;
  txn::Heap& heap_;
  std::map<RelationId, Relation> loaded_;
  std::map<RelationId, Details> details_;
  std::map<RelationId, std::map<int, sql::ColumnInfo>> columns_;
  std::map<RelationId, IndexRow> indexes_;
  std::map<RelationId, RelationId> primary_keys_;  // index by table
  std::map<RelationId, SequenceDefinition> sequences_;
};

}  // namespace

void Catalog::load() { Loader(impl_->cache, impl_->transactions, impl_->heap).run(); }

}  // namespace polarsim::engine::catalog
