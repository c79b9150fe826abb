// Tables as SQL that makes them elsewhere: a shard's table on a data node, the shell of a distributed table on another
// coordinator.
//
// A shard's table is `schema.t_102008`; its indexes and constraints have the shard's number behind their names, too. It
// has columns with their types, NOT NULL, generated columns, CHECKs, keys and indexes, but no defaults: the coordinator
// writes them out. Identity and serial columns are plain ones there. Foreign keys come later, once the tables that
// they lead to are there.
// A shell has everything, rows excepted. Its sequences count from where no other coordinator's do: a coordinator's
// group is in the upper bits of the numbers it gives out (the relative's metadata_sync.c).
// Views are no part of either.
//
// All statements are complete by themselves and name everything with its schema; they depend on no setting.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/catalog/catalog.h"

namespace polarsim::engine::cluster {

using catalog::RelationId;

// A sequence that goes with a column of the table (serial, identity, OWNED BY), or one that only its default counts by.
struct UsedSequence {
  int column = 0;
  bool owned = true;
  catalog::DefinitionPtr definition;
};

// What a table is, with all that goes with it.
struct TableParts {
  RelationId id = 0;
  catalog::DefinitionPtr table;
  std::vector<catalog::DefinitionPtr> indexes;  // the primary key's first, then in order of creation
  std::vector<UsedSequence> sequences;          // at most one for each column's default
};
TableParts table_parts(const catalog::Catalog& catalog, const txn::Transaction* transaction, RelationId table);

// `schema.name` and `schema.name_102008`, quoted where needed.
std::string qualified_name(const catalog::Definition& relation);
std::string qualified_shard_name(const catalog::Definition& relation, std::int64_t shard_id);
// 'schema.name'::regclass
std::string regclass_literal(const catalog::Definition& relation);

// "CREATE SCHEMA IF NOT EXISTS s"; empty for public, which is everywhere.
std::string schema_statement(const std::string& schema);
// The table, and then its indexes.
std::vector<std::string> shard_statements(const TableParts& parts, std::int64_t shard_id);
// One foreign key, to a shard of the table that it leads to.
std::string shard_foreign_key_statement(const catalog::Definition& table, std::int64_t shard_id,
                                        const catalog::ForeignKey& key, const catalog::Definition& referenced,
                                        std::int64_t referenced_shard_id);
std::string drop_shard_statement(const catalog::Definition& table, std::int64_t shard_id);
// "DROP TABLE IF EXISTS a, b CASCADE".
std::string drop_tables_statement(const std::vector<std::string>& names, bool cascade);

// "CREATE OR REPLACE VIEW s.v (a, b) AS SELECT ...".
std::string view_statement(const catalog::Definition& view);
// A default that is nothing but nextval() of one sequence, as it is written where the search path is not known; empty
// for others.
std::string counting_default(const TableParts& parts, int column);
// "CREATE SEQUENCE ..." for the coordinator of that group.
std::vector<std::string> sequence_statements(const catalog::Definition& sequence, int group);
// A query for the names of the sequences of a schema, or the one of that name, that such statements have made on that
// coordinator: their range is of its group.
std::string copied_sequences_query(const std::string& schema, const std::optional<std::string>& name, int group);

// For the coordinator of that group: sequences that go with it, the table, its indexes and comments, without foreign
// keys. The other sequences that it counts by must be there (sequence_copies.h).
std::vector<std::string> shell_statements(const TableParts& parts, int group);
std::string foreign_key_statement(const catalog::Definition& table, const catalog::ForeignKey& key,
                                  const catalog::Definition& referenced);

}  // namespace polarsim::engine::cluster
