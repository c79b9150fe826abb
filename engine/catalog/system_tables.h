// The tables that hold the catalog: their shapes, which are fixed, and what their rows say.
//
// They carry PostgreSQL's names and numbers, with the columns that this engine has a use for. pg_class also has a row
// for each of them, for people; nobody reads those.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/catalog/catalog.h"

namespace polarsim::engine::catalog {

inline constexpr RelationId pg_attribute_id = 1249;
inline constexpr RelationId pg_class_id = 1259;
inline constexpr RelationId pg_sequence_id = 2224;
inline constexpr RelationId pg_index_id = 2610;
// Where a default lies that is too long for a page.
inline constexpr RelationId pg_attribute_toast_id = 2830;

inline constexpr const char* system_schema = "pg_catalog";
inline constexpr const char* public_schema = "public";

// In order of their numbers. The same objects in every call.
const std::vector<TablePtr>& system_tables();
const Table& system_table(RelationId id);
bool is_system_schema(std::string_view schema);

// A row of pg_class.
struct ClassRow {
  RelationId id = 0;
  std::string schema;
  std::string name;
  RelationKind kind = RelationKind::table;
  RelationId file = 0;
  RelationId toast = 0;
};
Row to_row(const ClassRow& row);
ClassRow class_row(const Row& row);

// A row of pg_attribute; `number` counts from 1. Reading parses the default: not on a task's own stack.
Row attribute_row(RelationId relation, int number, const sql::ColumnInfo& column);
struct AttributeRow {
  RelationId relation = 0;
  int number = 0;
  sql::ColumnInfo column;
};
AttributeRow attribute_row(const Row& row);

// A row of pg_index.
struct IndexRow {
  RelationId id = 0;
  RelationId table = 0;
  bool unique = false;
  bool primary = false;
  std::vector<int> columns;  // positions; in the row they count from 1
};
Row to_row(const IndexRow& row);
IndexRow index_row(const Row& row);

Row to_row(RelationId id, const SequenceDefinition& definition);
// Without the name.
std::pair<RelationId, SequenceDefinition> sequence_row(const Row& row);

}  // namespace polarsim::engine::catalog
