// Constraints as they are written, turned into what the catalog keeps of them (PostgreSQL's
// src/backend/parser/parse_utilcmd.c, src/backend/catalog/heap.c, ATAddForeignKeyConstraint() in
// src/backend/commands/tablecmds.c). CREATE TABLE and ALTER TABLE share them.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "engine/commands/objects.h"

namespace polarsim::engine::commands {

// A table that is being defined or changed.
struct TableInMaking {
  Definition definition;
  RelationId id = 0;  // 0: new
  // Indexes to be made once the table is there; `name` and properties are settled.
  std::vector<Definition> indexes;
  // Names of the table's constraints, given out or there already.
  std::vector<std::string> constraint_names;
};

// A PRIMARY KEY or UNIQUE constraint as it is written, at a column or not.
struct WrittenKey {
  syntax::Constraint constraint;
  std::vector<std::string> columns;
};
// What PostgreSQL's transformIndexConstraints() does with all of a new table's: the columns are looked for (42703,
// 42701, 42P16 "multiple primary keys for table "t" are not allowed"), those that say the same become one, and the
// primary key comes first.
std::vector<WrittenKey> settle_keys(const Definition& table, std::vector<WrittenKey> keys);

// Adds a CHECK, PRIMARY KEY, UNIQUE or FOREIGN KEY constraint. `columns`: those of a key, or the
// one that it was written at. Throws what PostgreSQL throws: 42703, 42P16 "multiple primary keys for table "t" are not
// allowed", 42710 "constraint "c" for relation "t" already exists", 42830, 42804, 0A000 for what there is none of
// (EXCLUDE, keys that are DEFERRABLE).
void add_constraint(CommandContext& context, TableInMaking& table, const syntax::Constraint& constraint,
                    const std::vector<std::string>& columns, NameChooser& names);

// Throws 42804 "foreign key constraint "k" cannot be implemented" unless the columns of both sides can be compared.
void check_comparable(const Definition& referencing, const Definition& referenced, const catalog::ForeignKey& key);

// The numbers of the columns in an expression over one relation; 0 is the whole row.
std::set<int> columns_used(const query::ExpressionPtr& expression);

// The text that the catalog keeps of an expression over the table's columns, which must not contain subqueries,
// aggregates or window functions. `clause`: "check constraints", "index expressions", ...; `column`: whose value it is.
std::string stored_expression(const CommandContext& context, const Definition& definition,
                              const syntax::ExpressionPtr& expression, Type wanted, std::string_view clause,
                              std::string_view column = {});
// The same of a default.
std::string stored_default(const CommandContext& context, const Definition& definition, const catalog::Column& column,
                           const syntax::ExpressionPtr& expression);

}  // namespace polarsim::engine::commands
