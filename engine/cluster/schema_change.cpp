#include "engine/cluster/schema_change.h"

#include <algorithm>

#include "engine/cluster/rewrite.h"
#include "engine/node/database.h"
#include "engine/sql/hash.h"
#include "engine/sql/parser.h"
#include "engine/syntax/parser.h"

namespace polarsim::engine::cluster {

namespace {

constexpr std::int64_t most_shards = 64000;
constexpr std::size_t rows_per_insert = 200;

// "t", "public.t" or "\"T\"", as regclass reads them.
std::string table_of_regclass(const std::string& relation) {
  std::string name = relation.starts_with("public.") ? relation.substr(7) : relation;
  if (name.size() > 2 && name.front() == '"' && name.back() == '"') return name.substr(1, name.size() - 2);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return name;
}

std::string create_statement(const TableDefinition& definition, const std::string& name,
                             const std::string& key_suffix) {
  sql::CreateTable create;
  create.table.schema = "public";
  create.table.name = name;
  for (const sql::ColumnInfo& column : definition.columns) {
    create.columns.push_back(sql::ColumnDefinition{column.name, column.type, column.not_null, column.default_value});
  }
  for (const int column : definition.primary_key)
    create.primary_key.push_back(definition.columns[static_cast<std::size_t>(column)].name);
  if (!definition.primary_key.empty()) create.primary_key_name = definition.primary_key_name + key_suffix;
  sql::Statement statement;
  statement.body = std::move(create);
  return sql::deparse(statement);
}

std::string drop_statement(const std::string& name) { return "DROP TABLE public." + sql::quote_identifier(name); }

std::vector<std::string> metadata_inserts(const DistributedTable& table, bool new_colocation) {
  const std::string relation = sql::quote_literal(table.name());
  const std::string group = std::to_string(table.colocation_id);
  std::vector<std::string> statements;
  if (new_colocation) {
    statements.push_back("INSERT INTO pg_catalog.pg_dist_colocation VALUES (" + group + ", " +
                         std::to_string(table.shards.size()) + ", 1, " +
                         sql::quote_literal(type_name(table.distribution_info().type)) + ")");
  }
  statements.push_back("INSERT INTO pg_catalog.pg_dist_partition VALUES (" + relation + ", 'h', " +
                       sql::quote_literal(table.distribution_info().name) + ", " + group + ", 's')");
  std::string shards = "INSERT INTO pg_catalog.pg_dist_shard VALUES ";
  std::string placements = "INSERT INTO pg_catalog.pg_dist_placement VALUES ";
  const char* separator = "";
  for (const Shard& shard : table.shards) {
    const std::string id = std::to_string(shard.id);
    shards += separator;
    shards += "(" + relation + ", " + id + ", 't', '" + std::to_string(shard.low) + "', '" +
              std::to_string(shard.high) + "')";
    placements += separator;
    // A shard has one placement, so that its number can be derived from the shard's.
    placements += "(" + std::to_string(shard.id - first_shard_id + 1) + ", " + id + ", 1, 0, " +
                  std::to_string(shard.group_id) + ")";
    separator = ", ";
  }
  statements.push_back(std::move(shards));
  statements.push_back(std::move(placements));
  return statements;
}

}  // namespace

QueryResult SchemaChange::run_local(const std::string& sql) {
  transaction_.enter_local_block();
  transaction_.note_local_write();
  return run_sql(local_, coordinator_.statements(), sql);
}

void SchemaChange::run_on_coordinators(const std::vector<std::string>& remote, const std::vector<std::string>& local) {
  std::vector<Task> tasks;
  for (const auto& [group, node] : metadata_->nodes) {
    if (node.holds_shards || group == coordinator_.group_id()) continue;
    for (const std::string& statement : remote) tasks.push_back(Task{group, statement, {}, true});
  }
  if (!tasks.empty()) executor_.run(*metadata_, tasks, true);
  for (const std::string& statement : local) run_local(statement);
}

// --- create_distributed_table ---

void SchemaChange::create_distributed_table(const std::string& relation, const std::string& column,
                                            std::int64_t shard_count) {
  DistributedTable table = plan_table(relation, column, shard_count);
  bool new_colocation = false;
  table.colocation_id = colocation_group(table, new_colocation);
  create_everywhere(table, new_colocation);
  move_rows(table);
}

void SchemaChange::check_distributable(const TableDefinition& definition, const std::string& column) const {
  if (metadata_->tables.contains(definition.name)) {
    throw SqlError(sqlstate::invalid_table_definition, "table \"" + definition.name + "\" is already distributed");
  }
  const auto found = std::find_if(definition.columns.begin(), definition.columns.end(),
                                  [&column](const sql::ColumnInfo& info) { return info.name == column; });
  if (found == definition.columns.end()) {
    throw SqlError(sqlstate::undefined_column,
                   "column \"" + column + "\" of relation \"" + definition.name + "\" does not exist");
  }
  const auto position = static_cast<int>(found - definition.columns.begin());
  const auto& key = definition.primary_key;
  if (!key.empty() && std::find(key.begin(), key.end(), position) == key.end()) {
    throw SqlError(sqlstate::feature_not_supported, "cannot create constraint on \"" + definition.name + "\"",
                   "Distributed relations cannot have UNIQUE, EXCLUDE, or PRIMARY KEY constraints that do not include "
                   "the partition "
                   "column (with an equality operator if EXCLUDE).");
  }
}

// What the shards would not have, and what the planner of distributed tables does not know.
const char* not_distributable_yet(const catalog::Table& table) {
  const catalog::Definition& definition = *table.description;
  if (!definition.checks.empty()) return "CHECK constraints";
  if (!definition.foreign_keys.empty()) return "foreign keys";
  for (const catalog::Column& column : definition.columns) {
    const TypeId type = column.type.id;
    if (column.dropped || column.missing) return "columns that were added or dropped";
    if (!column.generated_text.empty() || column.identity != catalog::Column::Identity::none)
      return "generated or identity columns";
    if (column.default_text.find("nextval") != std::string::npos) return "columns that count by a sequence";
    if (type != TypeId::int4 && type != TypeId::int8 && type != TypeId::text && type != TypeId::boolean)
      return "columns of other types than integer, bigint, text and boolean";
  }
  return nullptr;
}

DistributedTable SchemaChange::plan_table(const std::string& relation, const std::string& column,
                                          std::int64_t shard_count) {
  const TableDefinition* definition = coordinator_.instance().find_table("public", table_of_regclass(relation));
  if (definition == nullptr) throw SqlError(sqlstate::undefined_table, "relation \"" + relation + "\" does not exist");
  check_distributable(*definition, column);
  const auto& catalog = coordinator_.instance().database().catalog();
  const auto found = catalog.find_table(nullptr, definition->schema, definition->name);
  const bool only_key =
      found->indexes.empty() || (found->indexes.size() == 1 && found->indexes.front().definition.primary);
  if (const char* const reason = not_distributable_yet(*found)) {
    throw SqlError(sqlstate::feature_not_supported, "cannot distribute table \"" + definition->name + "\"",
                   std::string("Tables with ") + reason + " cannot be distributed yet.");
  }
  if (!only_key) {
    throw SqlError(sqlstate::feature_not_supported,
                   "cannot distribute table \"" + definition->name + "\": it has indexes besides its primary key");
  }
  if (shard_count < 1 || shard_count > most_shards) {
    throw SqlError(sqlstate::internal_error, std::to_string(shard_count) +
                                                 " is outside the valid range for parameter \"shard_count\" (1 .. " +
                                                 std::to_string(most_shards) + ")");
  }
  const std::vector<NodeInfo> nodes = metadata_->data_nodes();
  if (nodes.empty())
    throw SqlError(sqlstate::internal_error, "couldn't find any worker nodes", "", "Add more worker nodes");
  DistributedTable table;
  table.definition = *definition;
  while (table.distribution_info().name != column) ++table.distribution_column;
  const QueryResult sequence = run_local("UPDATE pg_catalog.pg_dist_shardid_seq SET last_value = last_value + " +
                                         std::to_string(shard_count) + " RETURNING last_value");
  const std::int64_t first = sequence.rows.at(0).at(0).as_integer() - shard_count + 1;
  for (int i = 0; i < static_cast<int>(shard_count); ++i) {
    const sql::HashRange range = sql::shard_range(i, static_cast<int>(shard_count));
    table.shards.push_back(
        Shard{first + i, range.low, range.high, nodes[static_cast<std::size_t>(i) % nodes.size()].group_id});
  }
  return table;
}

// Tables with the same type of distribution column and the same number of shards belong together: equal placement makes
// it so.
int SchemaChange::colocation_group(const DistributedTable& table, bool& is_new) {
  for (const auto& [name, other] : metadata_->tables) {
    const bool same_type = other->distribution_info().type == table.distribution_info().type;
    const bool same_placement =
        std::equal(other->shards.begin(), other->shards.end(), table.shards.begin(), table.shards.end(),
                   [](const Shard& a, const Shard& b) { return a.group_id == b.group_id; });
    if (same_type && same_placement) return other->colocation_id;
  }
  is_new = true;
  const QueryResult last = run_local("SELECT max(colocationid) FROM pg_catalog.pg_dist_colocation");
  const Value& value = last.rows.at(0).at(0);
  return value.is_null() ? 1 : static_cast<int>(value.as_integer()) + 1;
}

void SchemaChange::create_everywhere(const DistributedTable& table, bool new_colocation) {
  std::vector<Task> tasks;
  for (std::size_t i = 0; i < table.shards.size(); ++i) {
    tasks.push_back(
        Task{table.shards[i].group_id,
             create_statement(table.definition, table.shard_name(i), "_" + std::to_string(table.shards[i].id)),
             {},
             true});
  }
  executor_.run(*metadata_, tasks, true);
  const std::vector<std::string> inserts = metadata_inserts(table, new_colocation);
  std::vector<std::string> remote{create_statement(table.definition, table.name(), "")};
  remote.insert(remote.end(), inserts.begin(), inserts.end());
  run_on_coordinators(remote, inserts);
}

void SchemaChange::move_rows(const DistributedTable& table) {
  const std::string name = "public." + sql::quote_identifier(table.name());
  const QueryResult present = run_local("SELECT * FROM " + name);
  if (present.rows.empty()) return;
  sql::Insert insert;
  insert.table.name = table.name();
  for (const Row& row : present.rows) {
    if (row[static_cast<std::size_t>(table.distribution_column)].is_null()) {
      throw SqlError(sqlstate::null_value_not_allowed,
                     "the partition column of table " + table.name() + " cannot be NULL");
    }
    std::vector<sql::ExpressionPtr> values;
    for (std::size_t i = 0; i < row.size(); ++i)
      values.push_back(make_constant(row[i], table.definition.columns[i].type));
    insert.rows.push_back(std::move(values));
    if (insert.rows.size() == rows_per_insert || &row == &present.rows.back()) {
      executor_.run(*metadata_, plan_insert(table, insert, StatementInputs{}), true);
      insert.rows.clear();
    }
  }
  run_local("DELETE FROM " + name);
}

// --- DROP TABLE ---

void SchemaChange::drop_distributed(const DistributedTable& table) {
  std::vector<Task> tasks;
  std::string ids;
  for (std::size_t i = 0; i < table.shards.size(); ++i) {
    tasks.push_back(Task{table.shards[i].group_id, drop_statement(table.shard_name(i)), {}, true});
    ids += (i == 0 ? "" : ", ") + std::to_string(table.shards[i].id);
  }
  executor_.run(*metadata_, tasks, true);
  const std::string relation = sql::quote_literal(table.name());
  const std::vector<std::string> statements{
      "DELETE FROM pg_catalog.pg_dist_placement WHERE shardid IN (" + ids + ")",
      "DELETE FROM pg_catalog.pg_dist_shard WHERE logicalrelid = " + relation,
      "DELETE FROM pg_catalog.pg_dist_partition WHERE logicalrelid = " + relation,
      drop_statement(table.name()),
  };
  run_on_coordinators(statements, statements);
}

void SchemaChange::drop_tables(const syntax::Drop& statement) {
  for (const syntax::TableName& name : statement.objects) {
    if (const auto table = metadata_->find(sql::TableName{name.schema, name.name, {}})) {
      drop_distributed(*table);
      continue;
    }
    syntax::Drop one = statement;
    one.objects = {name};
    syntax::Statement local;
    local.body = std::move(one);
    run_local(syntax::deparse(local));
  }
}

}  // namespace polarsim::engine::cluster
