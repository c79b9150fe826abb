// The node's catalog as analysis, planning and the executor see it (query/relation.h).
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/node/database.h"
#include "engine/query/relation.h"

namespace polarsim::engine::executor {

// Relations described once for each of their definitions: expressions and views are parsed then, on the scheduler's
// stack. Belongs to a node, and lives as long as its database.
class RelationCache {
 public:
  explicit RelationCache(Database& database) : database_(database) {}
  // A table, view or sequence as the transaction sees it. How large it is, is what it was when it was described: that
  // is done anew when its number of pages has changed by a fifth.
  query::RelationPtr describe(const txn::Transaction* reader, const catalog::Relation& relation);

 private:
  struct Entry {
    catalog::DefinitionPtr definition;
    std::vector<catalog::DefinitionPtr> indexes;
    query::RelationPtr relation;
  };
  bool is_current(const Entry& entry, const catalog::Relation& relation, const catalog::Table* table) const;

  Database& database_;
  std::map<catalog::RelationId, Entry> entries_;
};

// The catalog for one statement: opens what it names, with the locks that it asks for.
class CatalogRelations final : public query::RelationSource {
 public:
  // All must outlive it. `search_path`: schemas that exist.
  CatalogRelations(Database& database, RelationCache& cache, txn::Transaction& transaction,
                   std::span<const std::string> search_path)
      : database_(database), cache_(cache), transaction_(transaction), search_path_(search_path) {}

  query::RelationPtr open(std::string_view schema, std::string_view name, syntax::TableLockMode lock) override;
  bool has_schema(std::string_view name) const override;

 private:
  Database& database_;
  RelationCache& cache_;
  txn::Transaction& transaction_;
  std::span<const std::string> search_path_;
};

txn::LockMode lock_mode(syntax::TableLockMode mode);

}  // namespace polarsim::engine::executor
