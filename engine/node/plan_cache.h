// What is remembered of statements that have been analysed and planned (PostgreSQL's plancache.c): the statement's tree
// is the key, so that texts which a node parses once are planned once, too.
//
// Plans are generic: they hold for all values of the parameters. A plan is used again only if the settings are the same
// object, no definition has changed since, and every relation it names is still described by the same object after its
// lock has been taken again.
//
// Sessions with the node's own settings have their plans in common, as long as no transaction is changing definitions;
// what one of them plans in the sight of such changes, and what sessions with other settings plan, each keeps for
// itself.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "engine/node/query_hook.h"
#include "engine/node/settings.h"
#include "engine/plan/plan.h"
#include "engine/query/column_origins.h"
#include "engine/query/query.h"
#include "engine/query/relation.h"
#include "engine/types/error.h"

namespace polarsim::engine {

// A source of relations that notes what was opened.
class RecordingRelations final : public query::RelationSource {
 public:
  struct Opened {
    std::string schema;
    std::string name;
    syntax::TableLockMode lock;
    query::RelationPtr relation;
  };
  // `source` must outlive it.
  explicit RecordingRelations(query::RelationSource& source) : source_(source) {}

  query::RelationPtr open(std::string_view schema, std::string_view name, syntax::TableLockMode lock) override;
  bool has_schema(std::string_view name) const override { return source_.has_schema(name); }
  std::vector<Opened> take() { return std::move(opened_); }

 private:
  query::RelationSource& source_;
  std::vector<Opened> opened_;
};

struct StatementPlan {
  syntax::StatementPtr statement;  // keeps the key alive
  std::vector<TypeId> declared;    // as the client said the parameters' types
  std::vector<Type> parameter_types;
  query::QueryPtr query;
  std::vector<query::OutputName> columns;    // of the answer
  std::vector<query::ColumnOrigin> origins;  // of each
  std::vector<ErrorFields> warnings;         // of analysis, which are told whenever the plan is used
  // One of them: a plan of the session, or of its hook.
  plan::PlannedStatementPtr planned;
  QueryHook::PlanPtr hooked;
  const void* hook_owner = nullptr;  // of the hook that was asked; and its version
  std::uint64_t hook_version = 0;
  std::shared_ptr<const Settings> settings;
  bool allows_catalog_changes = false;
  std::uint64_t definitions_version = 0;
  std::vector<RecordingRelations::Opened> opened;
};
using StatementPlanPtr = std::shared_ptr<const StatementPlan>;

class PlanCache {
 public:
  explicit PlanCache(std::size_t capacity) : capacity_(capacity) {}

  // Null if there is none for the statement.
  StatementPlanPtr find(const syntax::StatementPtr& statement);
  // In the place of what was there for the statement; what was used longest ago goes.
  void keep(StatementPlanPtr plan);
  void clear();

 private:
  using Entries = std::list<StatementPlanPtr>;

  std::size_t capacity_;
  Entries entries_;  // the one used last comes first
  // Only ever looked up: its order is nobody's business.
  boost::unordered_flat_map<const syntax::Statement*, Entries::iterator> by_statement_;
};

}  // namespace polarsim::engine
