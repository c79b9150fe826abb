// Tables, indexes, sequences, views and schemas of a node, by name and by number (PostgreSQL's relcache and
// src/include/catalog).
//
// What is durable lies in one system table, polar_relation (system_tables.h): a row a relation, with its whole
// definition (definition.h). It is changed through the heap as every table is: WAL, visibility and two phases come with
// that. It has no index. In memory, every version of a row that is not aborted is kept with who created and who ended
// it, so that a lookup sees at once what is committed and what its own transaction did. Lookups never use a snapshot:
// as in PostgreSQL a statement works on the newest definition, which table locks keep still. PostgreSQL's own catalogs
// (pg_class, pg_attribute, ...) are views of this memory.
//
// `id` names a relation for as long as it lives: in locks, in pg_class, in other definitions. `file` names its pages,
// and changes when they do (TRUNCATE).
//
// Functions that create, change, drop and open relations block and throw SqlError.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/catalog/definition.h"
#include "engine/storage/data_files.h"
#include "engine/txn/heap_access.h"

namespace polarsim::engine::catalog {

using storage::Tid;
using storage::Xid;
using txn::LockMode;
using txn::Transaction;

struct Index {
  RelationId id = 0;
  RelationId file = 0;
  DefinitionPtr description;
};

// A table as a transaction sees it. Immutable and shared: it stays what it was when it was looked up.
struct Table {
  RelationId id = 0;
  txn::HeapTable heap;
  DefinitionPtr description;
  std::vector<Index> indexes;  // the primary key's first, then in order of creation
  // What rows have in the columns that were added after them; empty: NULL everywhere.
  Row missing;
  // Of the catalog itself: nobody but the catalog changes it.
  bool is_system() const { return id < first_normal_relation; }

  static constexpr RelationId first_normal_relation = 16384;
};
using TablePtr = std::shared_ptr<const Table>;

// A row as it lies in the heap may be shorter than the table is wide: gives it the columns that were added later.
inline void complete_row(const Table& table, Row& row) {
  for (std::size_t i = row.size(); i < table.description->columns.size(); ++i)
    row.push_back(i < table.missing.size() ? table.missing[i] : Value::null());
}

// A foreign key that leads to some table, and the table that has it.
struct ReferencingKey {
  RelationId table = 0;
  DefinitionPtr description;        // of that table
  const ForeignKey* key = nullptr;  // in it
};

// What kind of thing it is says description->kind.
struct Relation {
  RelationId id = 0;
  RelationId file = 0;  // 0: it has no pages
  RelationId toast = 0;
  DefinitionPtr description;
};

inline constexpr const char* system_schema = "pg_catalog";
inline constexpr const char* public_schema = "public";

class Catalog {
 public:
  Catalog(txn::TransactionManager& transactions, txn::Heap& heap, storage::DataFiles& files);
  ~Catalog();
  Catalog(const Catalog&) = delete;
  Catalog& operator=(const Catalog&) = delete;

  // A new node: the system tables, with a row of pg_class for each, as parts of the transaction. Blocks.
  void bootstrap(Transaction& transaction);
  // After recovery (or bootstrap): reads the system tables. Blocks.
  void load();

  // --- lookup; a null transaction sees what is committed. An empty schema is the search path: pg_catalog, public ---
  TablePtr find_table(const Transaction* reader, std::string_view schema, std::string_view name) const;
  TablePtr find_table(const Transaction* reader, RelationId id) const;
  bool has_sequence(const Transaction* reader, RelationId id) const;
  // What has the name, whatever it is.
  std::optional<RelationKind> kind_of(const Transaction* reader, std::string_view schema, std::string_view name) const;
  std::vector<TablePtr> tables(const Transaction* reader) const;  // by id, system tables included
  // Whatever it is. In the first schema of the path that has the name, pg_catalog before all others unless it is among
  // them.
  std::optional<Relation> find(const Transaction* reader, std::span<const std::string> path,
                               std::string_view name) const;
  std::optional<Relation> find(const Transaction* reader, RelationId id) const;
  std::optional<Relation> find_in_schema(const Transaction* reader, std::string_view schema,
                                         std::string_view name) const;
  std::vector<Relation> relations(const Transaction* reader) const;  // by id; schemas among them
  // The foreign keys that lead to the table, in order of creation.
  std::vector<ReferencingKey> referencing(const Transaction* reader, RelationId id) const;
  // pg_namespace.oid; 0 if there is no such schema.
  RelationId schema_id(const Transaction* reader, std::string_view name) const;
  // Counts the changes of definitions that somebody may see, by anybody: what was derived from definitions while it
  // stood still is as it was.
  std::uint64_t definitions_version() const;
  // No transaction that has not ended, prepared ones included, has changed a definition: everybody sees the same ones.
  bool definitions_settled() const;
  // pg_class.relname, or the number as text if there is none (any more).
  std::string name_of(RelationId id) const;

  // The same as find(), of one schema if one is given, locked until the end of the transaction: looked up again after
  // every wait. An index is locked after its table. 55P03 if `wait` is false and the lock is not free.
  std::optional<Relation> open(Transaction& transaction, std::span<const std::string> path, std::string_view schema,
                               std::string_view name, LockMode mode, bool wait = true);

  // --- changes; on tables and indexes, the caller holds the lock that PostgreSQL would. Rows of indexes are the
  // caller's business: a new index is made empty ---
  // Makes what the definition says, with files for what has rows; 0 if the name is taken (after waiting for whoever is
  // creating or dropping it).
  RelationId create(Transaction& transaction, Definition definition);
  // Replaces the definition, also its name and schema; false if the new name is taken. The relation stays what kind of
  // thing it is. Others see it when the transaction has committed.
  bool alter(Transaction& transaction, RelationId id, Definition definition);
  // Of any kind, without what depends on it (indexes excepted: they go with their table).
  void drop(Transaction& transaction, RelationId id);
  // New, empty files for the table and its indexes.
  TablePtr truncate(Transaction& transaction, const Table& table);

  // Counts the commits of transactions that may have changed rows or definition of a table of this name, by a number
  // common to all names.
  std::uint64_t version(std::string_view schema, std::string_view name) const;
  // Grows with version() of any name, and with definitions_version().
  std::uint64_t changes() const;
  // Every file that some version of some relation has: others are left from a crash.
  std::vector<RelationId> files_in_use() const;

  struct Implementation;  // catalog_state.h

 private:
  std::unique_ptr<Implementation> impl_;
};

}  // namespace polarsim::engine::catalog
