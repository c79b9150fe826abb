#include "engine/executor/vacuum_keys.h"

#include <memory>
#include <utility>

#include "engine/executor/index_keys.h"
#include "engine/node/database.h"
#include "engine/types/error.h"

namespace polarsim::engine::executor {

namespace {

// Expressions of an index see the row and nothing else.
class NoRelations final : public query::RelationSource {
 public:
  query::RelationPtr open(std::string_view /*schema*/, std::string_view /*name*/,
                          syntax::TableLockMode /*lock*/) override {
    return nullptr;
  }
  bool has_schema(std::string_view /*name*/) const override { return false; }
};

}  // namespace

txn::VacuumIndex vacuum_index(Database& database, catalog::TablePtr table, const catalog::Index& index,
                              storage::BTree& tree) {
  static const CallContext nowhere;
  NoRelations none;
  auto keys =
      std::make_shared<IndexKeys>(table->description, index.description,
                                  query::AnalysisContext{none, nowhere, nullptr, false}, database.host().scheduler());
  txn::VacuumIndex result;
  result.tree = &tree;
  if (keys->is_plain()) {
    for (const catalog::IndexProperties::Key& key : index.description->index.keys)
      result.columns.push_back(static_cast<std::size_t>(key.column) - 1);
  } else {
    // Expressions and predicates may use any of them.
    for (std::size_t i = 0; i < table->description->columns.size(); ++i) result.columns.push_back(i);
  }
  result.key = [keys, table = std::move(table)](Row row) -> std::optional<std::string> {
    catalog::complete_row(*table, row);
    try {
      return keys->key(keys->values(row, nowhere));
    } catch (const SqlError&) {
      // What was computed once can fail now if the predicate kept the row out: then there may be no entry at all.
      return std::nullopt;
    }
  };
  return result;
}

}  // namespace polarsim::engine::executor
