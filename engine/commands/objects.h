// Finding and naming what commands work on (PostgreSQL's src/backend/catalog/namespace.c, objectaddress.c).
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/commands/command.h"

namespace polarsim::engine::commands {

using catalog::Definition;
using catalog::Relation;
using catalog::RelationId;
using catalog::RelationKind;
using txn::LockMode;

// "schema.name" as it was written.
std::string written_name(const syntax::TableName& name);
// As messages name a relation: with its schema unless the search path finds it.
std::string shown_name(const CommandContext& context, const Definition& definition);

// Nothing if there is no such relation; 3F000 if the schema that was written does not exist.
std::optional<Relation> find(const CommandContext& context, const syntax::TableName& name);
// The same, locked until the end of the transaction: looked up again after every wait. An index is locked after its
// table. 55P03 if `wait` is false and the lock is not free.
std::optional<Relation> open(CommandContext& context, const syntax::TableName& name, LockMode mode, bool wait = true);
// The relation must exist (42P01) and be a table that is not the catalog's (42809, 42501).
catalog::TablePtr open_table(CommandContext& context, const syntax::TableName& name, LockMode mode);

// Locks the tables that foreign keys lead to, other than the one that has them, before the keys go.
void lock_referenced(CommandContext& context, RelationId table, const std::vector<catalog::ForeignKey>& keys);

// The schema in which a new object is made. 3F000 "no schema has been selected to create in".
std::string schema_for_new(const CommandContext& context, const syntax::TableName& name);
// 42P07 "relation "t" already exists".
[[noreturn]] void throw_exists(std::string_view name);

// Names that PostgreSQL makes up: table_column_label, with a number behind it if that is taken in the schema, or among
// those given out here.
class NameChooser {
 public:
  NameChooser(const CommandContext& context, std::string schema) : context_(context), schema_(std::move(schema)) {}
  void reserve(std::string name) { reserved_.insert(std::move(name)); }
  // The name is reserved, too.
  std::string choose(std::string_view table, const std::vector<std::string>& columns, std::string_view label);

 private:
  const CommandContext& context_;
  std::string schema_;
  std::set<std::string> reserved_;
};

}  // namespace polarsim::engine::commands
