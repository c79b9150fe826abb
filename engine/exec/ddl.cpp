// CREATE, DROP and TRUNCATE of tables, indexes and sequences, LOCK TABLE, and the choice of what executes a statement.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>
#include <variant>

#include "engine/exec/index_build.h"
#include "engine/exec/system_views.h"
#include "engine/exec/table_access.h"
#include "engine/sql/error.h"
#include "engine/sql/object_names.h"
#include "engine/sql/sequence.h"

namespace polarsim::engine::exec {

using catalog::RelationKind;
using catalog::TablePtr;
using txn::LockMode;

namespace {

QueryResult tagged(std::string tag) {
  QueryResult result;
  result.tag = std::move(tag);
  return result;
}

// CREATE in a schema that is not given is CREATE in public.
std::string schema_for(const sql::TableName& name) {
  if (name.schema.empty()) return "public";
  if (name.schema == "public" || name.schema == "pg_catalog") return name.schema;
  throw SqlError(sqlstate::invalid_schema_name, fmt::format("schema \"{}\" does not exist", name.schema))
      .at(name.position);
}

int position_of(const TableDefinition& definition, const std::string& name) {
  const auto found = std::find_if(definition.columns.begin(), definition.columns.end(),
                                  [&](const sql::ColumnInfo& column) { return column.name == name; });
  return found == definition.columns.end() ? -1 : static_cast<int>(found - definition.columns.begin());
}

// `constraint`: "primary key" or "unique"; empty for CREATE INDEX.
std::vector<int> key_columns(const TableDefinition& definition, const std::vector<std::string>& names,
                             std::string_view constraint) {
  std::vector<int> columns;
  for (const std::string& name : names) {
    const int position = position_of(definition, name);
    if (position < 0) {
      throw SqlError(sqlstate::undefined_column, constraint.empty()
                                                     ? fmt::format("column \"{}\" does not exist", name)
                                                     : fmt::format("column \"{}\" named in key does not exist", name));
    }
    if (!constraint.empty() && std::find(columns.begin(), columns.end(), position) != columns.end()) {
      throw SqlError(sqlstate::duplicate_column,
                     fmt::format("column \"{}\" appears twice in {} constraint", name, constraint));
    }
    columns.push_back(position);
  }
  return columns;
}

TableDefinition define(ExecutionContext& context, const sql::CreateTable& create) {
  TableDefinition definition;
  definition.schema = schema_for(create.table);
  definition.name = create.table.name;
  for (const sql::ColumnDefinition& column : create.columns) {
    if (position_of(definition, column.name) >= 0) {
      throw SqlError(sqlstate::duplicate_column, fmt::format("column \"{}\" specified more than once", column.name));
    }
    sql::ColumnInfo info;
    info.name = column.name;
    info.type = column.type;
    info.not_null = column.not_null;
    info.default_value = column.default_value;
    // Analysed now only for its errors.
    if (info.default_value) {
      sql::analyze_assignment(info.default_value, context.analysis(nullptr, "DEFAULT expressions"), info.type,
                              info.name);
    }
    definition.columns.push_back(std::move(info));
  }
  definition.primary_key = key_columns(definition, create.primary_key, "primary key");
  for (const int position : definition.primary_key)
    definition.columns[static_cast<std::size_t>(position)].not_null = true;
  if (!definition.primary_key.empty()) {
    definition.primary_key_name = create.primary_key_name.empty() ? definition.name + "_pkey" : create.primary_key_name;
  }
  return definition;
}

// Whether a relation of the schema has the name, or is about to have it.
class NameTaken {
 public:
  NameTaken(const ExecutionContext& context, std::string schema) : context_(context), schema_(std::move(schema)) {}
  void add(std::string name) { others_.insert(std::move(name)); }
  bool operator()(const std::string& name) const {
    const auto& catalog = context_.database.catalog();
    return others_.contains(name) || catalog.kind_of(&context_.transaction, schema_, name).has_value();
  }

 private:
  const ExecutionContext& context_;
  std::string schema_;
  std::set<std::string> others_;
};

std::vector<IndexDefinition> define_indexes(const ExecutionContext& context, const TableDefinition& definition,
                                            const sql::CreateTable& create) {
  std::vector<IndexDefinition> indexes;
  NameTaken taken(context, definition.schema);
  taken.add(definition.name);
  if (!definition.primary_key.empty()) {
    indexes.push_back({definition.primary_key_name, definition.primary_key, true, true});
    taken.add(definition.primary_key_name);
  }
  for (const sql::UniqueConstraint& unique : create.unique) {
    std::string name = unique.name;
    if (name.empty()) name = sql::default_index_name(definition.name, unique.columns, "key", taken);
    taken.add(name);
    indexes.push_back({std::move(name), key_columns(definition, unique.columns, "unique"), true, false});
  }
  return indexes;
}

// For DROP TABLE: nothing if there is none of that name.
TablePtr open_to_drop(ExecutionContext& context, const sql::TableName& name) {
  auto& catalog = context.database.catalog();
  const auto kind = catalog.kind_of(&context.transaction, name.schema, name.name);
  if (kind && *kind != RelationKind::table) {
    const char* const statement = *kind == RelationKind::index ? "DROP INDEX" : "DROP SEQUENCE";
    throw SqlError(sqlstate::wrong_object_type, fmt::format("\"{}\" is not a table", name.name), "",
                   fmt::format("Use {} to remove {} {}.", statement, *kind == RelationKind::index ? "an" : "a",
                               catalog::to_string(*kind)));
  }
  TablePtr table = catalog.open_table(context.transaction, name, LockMode::access_exclusive);
  if (table != nullptr && table->is_system()) {
    throw SqlError(sqlstate::insufficient_privilege,
                   fmt::format("permission denied: \"{}\" is a system catalog", name.name));
  }
  return table;
}

QueryResult create_index(ExecutionContext& context, const sql::CreateIndex& create) {
  const OpenTable table = open_table(context, create.table, LockMode::share);
  const TableDefinition& definition = table.definition();
  IndexDefinition index;
  index.columns = key_columns(definition, create.columns, "");
  index.unique = create.unique;
  index.name = create.name;
  if (index.name.empty()) {
    index.name = sql::default_index_name(definition.name, create.columns, "idx", NameTaken(context, definition.schema));
  }
  const std::string name = index.name;
  const std::optional<catalog::Index> made =
      context.database.catalog().create_index(context.transaction, *table.table, std::move(index));
  if (made) {
    build_index(context, *table.table, *made);
  } else if (!create.if_not_exists) {
    throw SqlError(sqlstate::duplicate_table, fmt::format("relation \"{}\" already exists", name));
  }
  return tagged("CREATE INDEX");
}

QueryResult drop_index(ExecutionContext& context, const sql::DropIndex& drop) {
  auto& catalog = context.database.catalog();
  for (const sql::TableName& name : drop.indexes) {
    const auto found = catalog.open_index(context.transaction, name, LockMode::access_exclusive);
    if (found) {
      catalog.drop_index(context.transaction, *found->table, found->index);
    } else if (!drop.if_exists) {
      throw SqlError(sqlstate::undefined_object, fmt::format("index \"{}\" does not exist", written_name(name)));
    }
  }
  return tagged("DROP INDEX");
}

QueryResult create_sequence(ExecutionContext& context, const sql::CreateSequence& create) {
  catalog::SequenceDefinition definition;
  definition.schema = schema_for(create.sequence);
  definition.name = create.sequence.name;
  definition.type = create.type;
  definition.parameters = sql::sequence_parameters(create);
  const catalog::SequencePtr made =
      context.database.catalog().create_sequence(context.transaction, std::move(definition));
  if (made != nullptr) {
    catalog::create_sequence_page(context.database, context.transaction, *made);
  } else if (!create.if_not_exists) {
    throw SqlError(sqlstate::duplicate_table, fmt::format("relation \"{}\" already exists", create.sequence.name));
  }
  return tagged("CREATE SEQUENCE");
}

QueryResult drop_sequence(ExecutionContext& context, const sql::DropSequence& drop) {
  auto& catalog = context.database.catalog();
  for (const sql::TableName& name : drop.sequences) {
    const catalog::SequencePtr sequence = catalog.open_sequence(context.transaction, name, LockMode::access_exclusive);
    if (sequence != nullptr) {
      catalog.drop_sequence(context.transaction, *sequence);
    } else if (!drop.if_exists) {
      throw SqlError(sqlstate::undefined_table, fmt::format("sequence \"{}\" does not exist", written_name(name)));
    }
  }
  return tagged("DROP SEQUENCE");
}

QueryResult truncate(ExecutionContext& context, const sql::Truncate& statement) {
  std::vector<TablePtr> tables;
  for (const sql::TableName& name : statement.tables) {
    TablePtr table = open_table(context, name, LockMode::access_exclusive).table;
    const bool twice =
        std::any_of(tables.begin(), tables.end(), [&](const TablePtr& other) { return other->id == table->id; });
    if (!twice) tables.push_back(std::move(table));
  }
  context.database.visit_append_point();
  for (const TablePtr& table : tables) {
    const TablePtr emptied = context.database.catalog().truncate(context.transaction, *table);
    for (const catalog::Index& index : emptied->indexes) context.database.tree(index).create();
  }
  return tagged("TRUNCATE TABLE");
}

LockMode lock_mode(sql::TableLockMode mode) {
  switch (mode) {
    case sql::TableLockMode::access_share:
      return LockMode::access_share;
    case sql::TableLockMode::row_share:
      return LockMode::row_share;
    case sql::TableLockMode::row_exclusive:
      return LockMode::row_exclusive;
    case sql::TableLockMode::share_update_exclusive:
      return LockMode::share_update_exclusive;
    case sql::TableLockMode::share:
      return LockMode::share;
    case sql::TableLockMode::share_row_exclusive:
      return LockMode::share_row_exclusive;
    case sql::TableLockMode::exclusive:
      return LockMode::exclusive;
    case sql::TableLockMode::access_exclusive:
      break;
  }
  return LockMode::access_exclusive;
}

QueryResult lock_tables(ExecutionContext& context, const sql::LockTable& lock) {
  for (const sql::TableName& name : lock.tables) {
    const TablePtr table =
        context.database.catalog().open_table(context.transaction, name, lock_mode(lock.mode), !lock.nowait);
    if (table == nullptr) {
      throw SqlError(sqlstate::undefined_table, fmt::format("relation \"{}\" does not exist", written_name(name)))
          .at(name.position);
    }
  }
  return tagged("LOCK TABLE");
}

}  // namespace

QueryResult execute_create_table(ExecutionContext& context, const sql::CreateTable& create) {
  QueryResult result = tagged("CREATE TABLE");
  TableDefinition definition = define(context, create);
  context.database.visit_append_point();
  if (find_system_view(definition.schema, definition.name) == nullptr) {
    std::vector<IndexDefinition> indexes = define_indexes(context, definition, create);
    const TablePtr table =
        context.database.catalog().create_table(context.transaction, std::move(definition), std::move(indexes));
    if (table != nullptr) {
      for (const catalog::Index& index : table->indexes) context.database.tree(index).create();
      return result;
    }
  }
  if (!create.if_not_exists) {
    throw SqlError(sqlstate::duplicate_table, fmt::format("relation \"{}\" already exists", create.table.name));
  }
  return result;
}

QueryResult execute_drop_table(ExecutionContext& context, const sql::DropTable& drop) {
  for (const sql::TableName& name : drop.tables) {
    const TablePtr table = open_to_drop(context, name);
    if (table == nullptr) {
      if (drop.if_exists) continue;
      throw SqlError(sqlstate::undefined_table, fmt::format("table \"{}\" does not exist", written_name(name)));
    }
    context.database.visit_append_point();
    context.database.catalog().drop_table(context.transaction, *table);
  }
  return tagged("DROP TABLE");
}

QueryResult execute(ExecutionContext& context, const sql::Statement& statement) {
  const sql::StatementBody& body = statement.body;
  if (const auto* select = std::get_if<sql::Select>(&body)) return execute_select(context, *select);
  if (const auto* insert = std::get_if<sql::Insert>(&body)) return execute_insert(context, *insert);
  if (const auto* update = std::get_if<sql::Update>(&body)) return execute_update(context, *update);
  if (const auto* removal = std::get_if<sql::Delete>(&body)) return execute_delete(context, *removal);
  if (const auto* create = std::get_if<sql::CreateTable>(&body)) return execute_create_table(context, *create);
  if (const auto* drop = std::get_if<sql::DropTable>(&body)) return execute_drop_table(context, *drop);
  if (const auto* create = std::get_if<sql::CreateIndex>(&body)) return create_index(context, *create);
  if (const auto* drop = std::get_if<sql::DropIndex>(&body)) return drop_index(context, *drop);
  if (const auto* create = std::get_if<sql::CreateSequence>(&body)) return create_sequence(context, *create);
  if (const auto* drop = std::get_if<sql::DropSequence>(&body)) return drop_sequence(context, *drop);
  if (const auto* emptying = std::get_if<sql::Truncate>(&body)) return truncate(context, *emptying);
  if (const auto* lock = std::get_if<sql::LockTable>(&body)) return lock_tables(context, *lock);
  throw SqlError(sqlstate::feature_not_supported, "this statement cannot be executed on a table");
}

}  // namespace polarsim::engine::exec
