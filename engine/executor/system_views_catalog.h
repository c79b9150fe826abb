// What several system views need: numbers that are the same in every node, relations with the system views among them,
// and values of the catalogs' types. Private to the system views.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/executor/system_views.h"
#include "engine/types/array.h"

namespace polarsim::engine::executor {

// The one role, database and tablespace (PostgreSQL's src/include/catalog/*.dat).
inline constexpr std::int64_t role_oid = 10;
// The role pg_database_owner, whose member is whoever owns the database.
inline constexpr std::int64_t database_owner_oid = 6171;
inline constexpr const char* database_owner = "pg_database_owner";
inline constexpr std::int64_t database_oid = 5;
inline constexpr std::int64_t tablespace_oid = 1663;
inline constexpr std::int64_t system_schema_oid = 11;
inline constexpr std::int64_t heap_method_oid = 2;
inline constexpr std::int64_t btree_method_oid = 403;
// Numbers of catalogs, as classoid and the like have them.
inline constexpr std::int64_t relation_catalog = 1259;
inline constexpr std::int64_t schema_catalog = 2615;
inline constexpr std::int64_t rewrite_catalog = 2618;
inline constexpr std::int64_t constraint_catalog = 2606;
inline constexpr std::int64_t default_catalog = 2604;

// --- values ---
inline Value number(std::uint64_t value) { return Value::integer(static_cast<std::int64_t>(value)); }
inline Value oid_of(TypeId type) { return Value::integer(type_oid(type)); }
// "char": the byte 0 is the empty text.
inline Value character(char value) {
  return value == '\0' ? Value::text("") : Value::text(std::string_view(&value, 1));
}
inline Value flag(bool value) { return Value::boolean(value); }
inline Value yes_or_no(bool value) { return Value::text(value ? "YES" : "NO"); }
inline Value text_or_null(std::string_view text) { return text.empty() ? Value::null() : Value::text(text); }
Value int2_array(std::span<const int> numbers);
// int2vector and oidvector, which count from 0.
Value vector_of(TypeId element, std::vector<Value> values);

// What COMMENT ON has said of the whole object, or initdb.
inline std::string comment_of(const catalog::Definition& object) {
  const bool is_public = object.kind == catalog::RelationKind::schema && object.name == catalog::public_schema;
  return object.comment.empty() && is_public ? "standard public schema" : object.comment;
}

// --- the session ---
// What a function of the session answers, as pg_get_viewdef(); NULL if there is no session.
Value ask_session(const SystemViewInputs& inputs, std::string_view function, std::vector<Value> arguments,
                  std::vector<TypeId> types);

// --- types ---
// pg_type's typalign, typstorage, typbyval and typcollation (0: none).
struct TypeLayout {
  char alignment = 'i';
  char storage = 'p';
  bool by_value = false;
  std::int64_t collation = 0;
};
TypeLayout layout_of(const TypeInfo& type);

// --- relations ---
struct ShownColumn {
  std::string name;
  Type type;
  // Of a table or view; null for the columns of others.
  const catalog::Column* column = nullptr;
};

// A table, index, sequence or view, or a system view.
struct ShownRelation {
  std::uint32_t id = 0;
  std::int64_t schema_id = 0;
  std::string schema;
  std::string name;
  char kind = 'r';                          // pg_class.relkind
  catalog::Relation relation;               // without a description for a system view
  const query::Relation* system = nullptr;  // of a system view
  const catalog::Definition& definition() const { return *relation.description; }
};

// By number; without shards, and what belongs to them.
std::vector<ShownRelation> shown_relations(const SystemViewInputs& inputs);
// Without the system views: what has a definition.
std::vector<ShownRelation> defined_relations(const SystemViewInputs& inputs);
std::size_t column_count(const ShownRelation& relation);
std::vector<ShownColumn> columns_of(const SystemViewInputs& inputs, const ShownRelation& relation);
// Of the relation of that number; null if the transaction sees none.
catalog::DefinitionPtr definition_of(const SystemViewInputs& inputs, std::uint32_t id);
// By table: which ones have an index, and which are on either side of a foreign key (which is done by triggers in
// PostgreSQL).
std::vector<std::uint32_t> tables_with_index(const std::vector<ShownRelation>& relations);
std::vector<std::uint32_t> tables_with_foreign_keys(const std::vector<ShownRelation>& relations);
bool contains(const std::vector<std::uint32_t>& sorted, std::uint32_t id);

// A default has no number of its own here: its table's and its column's make one.
inline std::uint64_t default_oid(std::uint32_t table, std::size_t position) {
  return (table * 0x9E3779B1U + static_cast<std::uint32_t>(position) + 1) | 0x80000000U;
}

}  // namespace polarsim::engine::executor
