// What goes when something goes (PostgreSQL's src/backend/catalog/dependency.c): views on relations, foreign keys on
// tables and their keys, sequences and indexes on tables, everything on its schema.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/commands/objects.h"

namespace polarsim::engine::commands {

// Relations to be dropped, and foreign keys to be taken off tables that stay.
class Removal {
 public:
  explicit Removal(CommandContext& context) : context_(context) {}

  // What the statement names.
  void add(const Relation& relation);
  // Whatever stands or falls with a column, or with an index that is a constraint.
  void add_dependents_of_column(const Relation& table, int column);
  void add_dependents_of_key(const Relation& table, const Definition& index);
  // Something within a relation that goes with what is dropped; whoever says so drops it, after run().
  void add_dependent(RelationId relation, std::string what, std::string on) {
    dependents_.push_back({relation, std::move(what), std::move(on)});
  }

  // Drops it all. If something that was not named depends on it: without `cascade` 2BP01, "cannot drop table a because
  // other objects depend on it", with what depends in the detail; with it a NOTICE about each.
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
  void lock(const Relation& relation);
  void report(bool cascade, const std::string& what) const;
  std::string described(const Relation& relation) const;

  CommandContext& context_;
  std::vector<Relation> doomed_;  // in order of discovery
  std::set<RelationId> doomed_ids_;
  std::set<RelationId> named_;
  std::set<ForeignKeyOf> foreign_keys_;
  struct Dependent {
    RelationId relation = 0;  // the view, or the table that has the foreign key
    std::string what;         // "view v"
    std::string on;           // "table t"
  };
  std::vector<Dependent> dependents_;
};

}  // namespace polarsim::engine::commands
