// What goes when something goes (PostgreSQL's src/backend/catalog/dependency.c): views on relations and on the primary
// keys that their GROUP BY needs, foreign keys on tables and their keys, defaults and checks on the sequences and other
// relations that they name, sequences and indexes on tables, everything on its schema.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/commands/objects.h"

namespace polarsim::engine::commands {

// Relations to be dropped, and what is to be taken off tables that stay: foreign keys, defaults and checks.
class Removal {
 public:
  explicit Removal(CommandContext& context) : context_(context) {}

  // What the statement names.
  void add(const Relation& relation);
  // Whatever stands or falls with a column, or with a unique index.
  void add_dependents_of_column(const Relation& table, int column);
  void add_dependents_of_key(const Relation& table, RelationId index);
  // Something within a relation that goes with what is dropped; whoever says so drops it, after run().
  void add_dependent(RelationId relation, std::string what, std::string on) {
    dependents_.push_back({relation, std::move(what), std::move(on), true});
  }

  // Drops it all. If something that was not named depends on it: without `cascade` 2BP01, "cannot drop table a because
  // other objects depend on it", with what depends in the detail; with it a NOTICE about each. `what`: "table a"; empty
  // if it is several things.
  void run(bool cascade, const std::string& what);

 private:
  struct ForeignKeyOf {
    RelationId table = 0;
    std::string name;
    friend auto operator<=>(const ForeignKeyOf&, const ForeignKeyOf&) = default;
  };

  void collect(const Relation& relation, bool named);
  void add_view(const Relation& view, const std::string& on);
  void add_foreign_key(const Relation& table, const catalog::ForeignKey& key, const std::string& on);
  // The defaults and checks of the table that name what goes.
  void add_expressions(const Relation& table, RelationId named, const std::string& on);
  void add_part(const Relation& table, std::string what, const std::string& on);
  void take_parts_off() const;
  void lock(const Relation& relation);
  void report(bool cascade, const std::string& what) const;
  std::string described(const Relation& relation) const;

  CommandContext& context_;
  std::vector<Relation> doomed_;  // in order of discovery
  std::set<RelationId> doomed_ids_;
  std::set<RelationId> named_;
  std::set<ForeignKeyOf> foreign_keys_;
  std::set<std::pair<RelationId, int>> defaults_;  // columns of tables
  std::set<std::pair<RelationId, std::string>> checks_;
  std::set<std::pair<RelationId, int>> columns_;  // that go with the statement, and their defaults with them
  struct Dependent {
    RelationId relation = 0;  // the view, or the table that has the foreign key
    std::string what;         // "view v"
    std::string on;           // "table t"
    bool is_part = false;     // of a table, with which it goes untold
  };
  std::vector<Dependent> dependents_;
};

}  // namespace polarsim::engine::commands
