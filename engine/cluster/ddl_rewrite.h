// Statements that change definitions, and what becomes of them for a shard: the same statement with the names of the
// shard's table, indexes and constraints (the relative's deparser/ and relay/relay_event_utility.c).
//
// Everything here works on syntax trees; what it needs to know of the cluster, it is told. Trees are copied as far as
// they change; syntax::deparse() makes the texts.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog/catalog.h"
#include "engine/distribution/table.h"
#include "engine/syntax/ast.h"

namespace polarsim::engine::cluster {

using catalog::RelationId;

// --- what a statement works on ---

// The relations that CREATE INDEX, ALTER, DROP, TRUNCATE, COMMENT and the like change, as they are written there; none
// for other statements. Tables that foreign keys lead to are not among them.
std::vector<syntax::TableName> changed_relations(const syntax::Statement& statement);
// Those tables: of ALTER TABLE and CREATE TABLE.
std::vector<syntax::TableName> referenced_relations(const syntax::Statement& statement);
// The statement with other names for its relations: `rename` is given what was written.
using NameMap = std::function<syntax::TableName(const syntax::TableName& written)>;
syntax::Statement with_names(const syntax::Statement& statement, const NameMap& rename);

// --- what is refused ---

// What ALTER TABLE and CREATE INDEX may not do to a distributed table, with the relative's texts. `table`: as it is
// before the statement.
void check_alter_table(const syntax::AlterTable& alter, const catalog::Definition& table,
                       const distribution::TableDistribution& distribution);
void check_create_index(const syntax::CreateIndex& create, const catalog::Definition& table,
                        const distribution::TableDistribution& distribution);
// Unique indexes, keys among them, must contain the distribution column: 0A000 "cannot create constraint on "t"".
// `column`: the distribution column, from 1; 0: nothing to check.
void check_unique_index(const catalog::Definition& index, const catalog::Definition& table, int column);

// One end of a foreign key. A null distribution: a table of this node alone.
struct KeyEnd {
  RelationId id = 0;
  const catalog::Definition* table = nullptr;
  const distribution::TableDistribution* distribution = nullptr;
};
// Whether the rows of both ends are on the same nodes; the relative's errors if they are not. `table` is distributed.
void check_foreign_key(const KeyEnd& table, const catalog::ForeignKey& key, const KeyEnd& referenced);

// --- the statement for a shard ---

// A table's definition, with its indexes'.
struct TableState {
  catalog::DefinitionPtr table;
  std::vector<catalog::DefinitionPtr> indexes;
};
// ALTER TABLE as running it here has settled it, `before` and `after` it: constraints have the names that they got;
// what was skipped (IF EXISTS, IF NOT EXISTS) is left out.
syntax::AlterTable settled(const syntax::AlterTable& alter, const TableState& before, const TableState& after);
// For shards, after settled(): a new column's default is what the rows that are there have in it, as a constant where
// it is the same for all.
syntax::AlterTable with_values_for_rows(const syntax::AlterTable& alter, const catalog::Definition& after);

struct ShardTarget {
  std::string schema;  // of the table, as it is before the statement
  std::int64_t shard_id = 0;
  catalog::DefinitionPtr table;  // null of what has no expressions
  // What stands for a table that a foreign key leads to; may be empty where there are none.
  NameMap referenced;
};
// CREATE INDEX, ALTER TABLE that is settled, ALTER INDEX, DROP INDEX and DROP TABLE of one object, RENAME, SET SCHEMA,
// TRUNCATE of one table; every constraint and index must have a name. Of no action are left those that shards know
// nothing of: defaults, owners, storage parameters. Nothing is returned if nothing is left; two statements where a new
// column's default is to go again, which one statement would do first.
std::vector<syntax::Statement> for_shard(const syntax::Statement& statement, const ShardTarget& target);

// Whether a call in it may give another value each time; subqueries are not looked into.
bool calls_volatile_function(const syntax::ExpressionPtr& expression);
bool calls_function(const syntax::ExpressionPtr& expression, std::string_view name);
// Whether a part of it is a value that each node has for itself: now(), current_date, pg_backend_pid().
bool asks_node(const syntax::ExpressionPtr& expression);

}  // namespace polarsim::engine::cluster
