// What Catalog is made of, for its source files.
#pragma once

#include "engine/catalog/cache.h"
#include "engine/catalog/system_tables.h"

namespace polarsim::engine::catalog {

struct Catalog::Implementation {
  Implementation(txn::TransactionManager& manager, txn::Heap& rows, storage::DataFiles& data_files)
      : transactions(manager), heap(rows), files(data_files), cache(manager) {}

  // --- lookup ---
  const Relation* resolve(const Transaction* reader, std::string_view schema, std::string_view name) const;
  void touch_changed_tables(const Transaction& transaction);

  // --- changes (catalog_changes.cpp) ---
  // Waits for whoever creates or drops something of the name. False if it is taken.
  bool claim_name(Transaction& transaction, const std::string& schema, const std::string& name);
  // A new file that goes if the transaction aborts.
  RelationId make_file(Transaction& transaction, RelationId file);
  Tid insert_row(Transaction& transaction, RelationId system_table_id, const Row& row);
  void remove_row(Transaction& transaction, RelationId system_table_id, Tid tid);
  // Makes the relation known to this transaction, and to the others once it commits.
  Relation& add(Transaction& transaction, Relation relation);
  Index add_index(Transaction& transaction, RelationId table, const std::string& schema, IndexDefinition definition);
  void drop(Transaction& transaction, RelationId id);
  void move_to(Transaction& transaction, RelationId id, RelationId file, RelationId toast);

  txn::TransactionManager& transactions;
  txn::Heap& heap;
  storage::DataFiles& files;
  Cache cache;
};

}  // namespace polarsim::engine::catalog
