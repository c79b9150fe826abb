// What goes when something goes (PostgreSQL's src/backend/catalog/dependency.c): views on relations and on the primary
// keys that their GROUP BY needs, foreign keys on tables and their keys, defaults and checks on the sequences and other
// relations that they name, sequences and indexes on tables, everything on its schema.
#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/commands/objects.h"

namespace polarsim::engine::commands {

// They are looked for as PostgreSQL does it, which tells in what order they are named: depth first, the newest first,
// and each is named after those that depend on it; the report is this list backwards.

// Relations to be dropped, and what is to be taken off tables that stay: foreign keys, defaults and checks.
class Removal {
 public:
  explicit Removal(CommandContext& context) : context_(context) {}

  // What the statement names.
  void add(const Relation& relation);
  // Whatever stands or falls with a column, the generated columns that are made of it among that (who drops the column
  // drops these, too, after run()); or with a unique index.
  void add_dependents_of_column(const Relation& table, int column, const std::vector<int>& made_of_it = {});
  void add_dependents_of_key(const Relation& table, RelationId index);

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

  // What depends on what is looked at, and is to be looked at in its turn: the newest first, by numbers. Within a
  // table's definition parts that came with it are numbered, too: defaults, checks, foreign keys.
  struct Age {
    RelationId id = 0;
    std::size_t part = 0;
    friend auto operator<=>(const Age&, const Age&) = default;
  };
  using Children = std::multimap<Age, std::function<void()>, std::greater<>>;
  using Child = Children::value_type;

  static Age age_of(const Relation& table, RelationId part_id, std::size_t part);

  void collect(const Relation& relation);
  void collect_dependent(const Relation& relation, const std::string& on);
  Child foreign_key(const Relation& table, const catalog::ForeignKey& key, const std::string& on);
  // The defaults and checks of the table that name what goes.
  void add_expressions(const Relation& table, RelationId named, const std::string& on, Children& children);
  void add_part(const Relation& table, std::string what, const std::string& on);
  void take_parts_off() const;
  void lock(const Relation& relation);
  void report(bool cascade, const std::string& what) const;
  std::string described(const Relation& relation) const;

  CommandContext& context_;
  std::vector<Relation> doomed_;  // what depends before what it depends on
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
  std::vector<Dependent> dependents_;  // in the order of doomed_
};

}  // namespace polarsim::engine::commands
