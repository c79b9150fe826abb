// What Catalog is made of, for its source files.
#pragma once

#include "engine/catalog/cache.h"
#include "engine/catalog/system_tables.h"

namespace polarsim::engine::catalog {

struct Catalog::Implementation {
  Implementation(txn::TransactionManager& manager, txn::Heap& rows, storage::DataFiles& data_files)
      : transactions(manager), heap(rows), files(data_files), cache(manager) {}

  // --- lookup ---
  const CachedRelation* resolve(const Transaction* reader, std::string_view schema, std::string_view name) const;
  Relation describe(const CachedRelation& relation, const RelationVersion& version) const;
  void touch_changed_tables(const Transaction& transaction);

  // --- changes (catalog_changes.cpp) ---
  // Waits for whoever creates, renames or drops something of the name. False if it is taken.
  bool claim_name(Transaction& transaction, const std::string& schema, const std::string& name);
  // A new file that goes if the transaction aborts.
  RelationId make_file(Transaction& transaction, RelationId file);
  Tid insert_row(Transaction& transaction, const Row& row);
  // What the relation's definition needs, made known to this transaction, and to the others once it commits. `version`
  // has files and description.
  RelationId add(Transaction& transaction, RelationId id, RelationVersion version);
  RelationId create(Transaction& transaction, DefinitionPtr description);
  // A new version in place of the one the transaction sees.
  void replace(Transaction& transaction, RelationId id, RelationVersion version);
  void drop(Transaction& transaction, RelationId id);
  void move_to(Transaction& transaction, RelationId id, RelationId file, RelationId toast);

  txn::TransactionManager& transactions;
  txn::Heap& heap;
  storage::DataFiles& files;
  Cache cache;
};

}  // namespace polarsim::engine::catalog
