// Statements that change definitions, and what becomes of them for a shard: the same statement with the names of the
// shard's table, indexes and constraints (the relative's deparser/ and relay/relay_event_utility.c).
//
// Everything here works on syntax trees; what it needs to know of the cluster, it is told. Trees are copied as far as
// they change; syntax::deparse() makes the texts.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
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

struct ShardTarget {
  std::string schema;  // of the table
  std::string table;   // its name, without number
  std::int64_t shard_id = 0;
  // What stands for a table that a foreign key leads to; may be empty where there are none.
  NameMap referenced;
};
// CREATE INDEX, ALTER TABLE, DROP INDEX and DROP TABLE of one object, ALTER INDEX, RENAME, SET SCHEMA, TRUNCATE of one
// table. Every constraint and index must have a name: name_constraints(). Parts that shards have none of are left out
// (defaults, identity, comments): nothing is returned if nothing is left.
std::vector<syntax::Statement> for_shard(const syntax::Statement& statement, const ShardTarget& target);

// Gives the constraints of ALTER TABLE that were written without a name the one that they got when the statement was
// run: `after` with its indexes has them, `before` had not.
struct NamedParts {
  catalog::DefinitionPtr table;
  std::vector<catalog::DefinitionPtr> indexes;
};
syntax::AlterTable name_constraints(const syntax::AlterTable& alter, const NamedParts& before, const NamedParts& after);

}  // namespace polarsim::engine::cluster
