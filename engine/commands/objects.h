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
// The relation must exist (42P01) and be a table (42809), one that refuse_catalog() allows unless it is only read.
catalog::TablePtr open_table(CommandContext& context, const syntax::TableName& name, LockMode mode);
// 42501 for what the catalog consists of, unless the context allows it to be changed.
void refuse_catalog(const CommandContext& context, const Relation& relation);

// Locks the tables that foreign keys lead to, other than the one that has them, before the keys go.
void lock_referenced(CommandContext& context, RelationId table, const std::vector<catalog::ForeignKey>& keys);

// There is one role (node/session_services.h): 42704 for another. The words current_user, session_user and
// current_role mean it, too.
void require_role(std::string_view name);
// Collations are C by whatever name (docs/sql.md): 42704 for one that does not exist, 42804 if values of the type have
// none.
void check_collation(std::string_view collation, Type type, int position = 0);

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
