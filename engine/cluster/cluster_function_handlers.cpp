#include "engine/cluster/cluster_function_handlers.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/cluster/metadata_tables.h"
#include "engine/cluster/table_change.h"
#include "engine/types/error.h"
#include "engine/types/quote.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::cluster {

namespace {

using distribution::Shard;
using Rows = ClusterFunctions::Rows;

// What a function that returns nothing returns.
Rows nothing() { return {{Value::text("")}}; }
Rows single(Value value) { return {{std::move(value)}}; }

RelationId relation(const Value& value) { return static_cast<RelationId>(value.as_integer()); }
std::string text(const Value& value) { return std::string(value.as_text()); }
std::optional<std::string> optional_text(const Value& value) {
  if (value.is_null()) return std::nullopt;
  return text(value);
}
std::optional<int> optional_integer(const Value& value) {
  if (value.is_null()) return std::nullopt;
  return static_cast<int>(value.as_integer());
}
std::optional<bool> optional_boolean(const Value& value) {
  if (value.is_null()) return std::nullopt;
  return value.as_boolean();
}

std::string schema_name(const catalog::Catalog& catalog, const txn::Transaction* reader, RelationId id) {
  if (const auto found = catalog.find(reader, id)) return found->description->name;
  for (const char* schema : {catalog::public_schema, catalog::system_schema, "information_schema"}) {
    if (catalog.schema_id(reader, schema) == id) return schema;
  }
  throw SqlError(sqlstate::invalid_schema_name, fmt::format("schema with OID {} does not exist", id));
}

}  // namespace

std::span<const ClusterFunction> cluster_functions() {
  using F = ClusterFunctions;
  constexpr auto text_type = TypeId::text;
  constexpr auto integer = TypeId::int4;
  constexpr auto boolean = TypeId::boolean;
  constexpr auto table = TypeId::regclass;
  static const ClusterFunction::Column no_value{"", TypeId::void_type};
  static const ClusterFunction::Column size{"", TypeId::int8};
  static const std::vector<ClusterFunction::Column> node_answers{
      {"nodeid", integer}, {"success", boolean}, {"result", text_type}};
  static const std::vector<ClusterFunction> functions{
      {"alter_distributed_table",
       {{"table_name", table},
        {"distribution_column", text_type, true},
        {"shard_count", integer, true},
        {"colocate_with", text_type, true},
        {"cascade_to_colocated", boolean, true}},
       {no_value},
       &F::alter_distributed_table,
       false,
       true},
      {"create_distributed_table",
       {{"table_name", table},
        {"distribution_column", text_type},
        {"distribution_type", text_type, true, "hash"},
        {"colocate_with", text_type, true, "default"},
        {"shard_count", integer, true}},
       {no_value},
       &F::create_distributed_table,
       false,
       true},
      {"create_reference_table", {{"table_name", table}}, {no_value}, &F::create_reference_table, true, true},
      {"get_shard_id_for_distribution_column",
       {{"table_name", table}, {"distribution_value", TypeId::any, true}},
       {size},
       &F::shard_of_value,
       false,
       false},
      {"polar_cluster_get_active_worker_nodes",
       {},
       {{"node_name", text_type}, {"node_port", TypeId::int8}},
       &F::active_data_nodes,
       false,
       false},
      {"polar_cluster_is_coordinator", {}, {{"", boolean}}, &F::is_coordinator, false, false},
      {"polar_cluster_relation_size", {{"logicalrelid", table}}, {size}, &F::relation_size, true, false},
      {"polar_cluster_schema_distribute",
       {{"schemaname", TypeId::regnamespace}},
       {no_value},
       &F::distribute_schema,
       true,
       true},
      {"polar_cluster_schema_undistribute",
       {{"schemaname", TypeId::regnamespace}},
       {no_value},
       &F::undistribute_schema,
       true,
       true},
      {"polar_cluster_table_size", {{"logicalrelid", table}}, {size}, &F::table_size, true, false},
      {"polar_cluster_total_relation_size",
       {{"logicalrelid", table}, {"fail_on_error", boolean, true, "true"}},
       {size},
       &F::total_relation_size,
       true,
       false},
      {"polar_cluster_version", {}, {{"", text_type}}, &F::version, false, false},
      {"recover_prepared_transactions", {}, {{"", integer}}, &F::recover_prepared_transactions, false, false},
      {"run_command_on_all_nodes",
       {{"command", text_type},
        {"parallel", boolean, true, "true"},
        {"give_warning_for_connection_errors", boolean, true, "false"}},
       node_answers,
       &F::run_on_all_nodes,
       true,
       false},
      {"run_command_on_coordinator",
       {{"command", text_type}, {"give_warning_for_connection_errors", boolean, true, "false"}},
       node_answers,
       &F::run_on_coordinator,
       true,
       false},
      {"run_command_on_placements",
       {{"table_name", table}, {"command", text_type}, {"parallel", boolean, true, "true"}},
       {{"nodename", text_type},
        {"nodeport", integer},
        {"shardid", TypeId::int8},
        {"success", boolean},
        {"result", text_type}},
       &F::run_on_placements,
       true,
       false},
      {"run_command_on_shards",
       {{"table_name", table}, {"command", text_type}, {"parallel", boolean, true, "true"}},
       {{"shardid", TypeId::int8}, {"success", boolean}, {"result", text_type}},
       &F::run_on_shards,
       true,
       false},
      {"run_command_on_workers",
       {{"command", text_type}, {"parallel", boolean, true, "true"}},
       {{"nodename", text_type}, {"nodeport", integer}, {"success", boolean}, {"result", text_type}},
       &F::run_on_data_nodes,
       true,
       false},
      {"truncate_local_data_after_distributing_table",
       {{"function_name", table}},
       {no_value},
       &F::truncate_local_data,
       true,
       true},
      {"undistribute_table",
       {{"table_name", table}, {"cascade_via_foreign_keys", boolean, true, "false"}},
       {no_value},
       &F::undistribute_table,
       true,
       true},
      {"update_distributed_table_colocation",
       {{"table_name", table}, {"colocate_with", text_type}},
       {no_value},
       &F::update_colocation,
       true,
       true},
  };
  return functions;
}

// --- distribution ---

Rows ClusterFunctions::create_distributed_table(Values arguments, Types /*types*/) {
  if (arguments[0].is_null() || arguments[2].is_null() || arguments[3].is_null()) return nothing();
  DistributionRequest request;
  request.column = optional_text(arguments[1]);
  request.distribution_type = text(arguments[2]);
  request.colocate_with = text(arguments[3]);
  request.shard_count = optional_integer(arguments[4]);
  TableChange(cluster()).create_distributed_table(relation(arguments[0]), request);
  return nothing();
}

Rows ClusterFunctions::create_reference_table(Values arguments, Types /*types*/) {
  TableChange(cluster()).create_reference_table(relation(arguments[0]));
  return nothing();
}

Rows ClusterFunctions::undistribute_table(Values arguments, Types /*types*/) {
  TableChange(cluster()).undistribute_table(relation(arguments[0]), arguments[1].as_boolean());
  return nothing();
}

Rows ClusterFunctions::alter_distributed_table(Values arguments, Types /*types*/) {
  if (arguments[0].is_null()) return nothing();
  AlterRequest request;
  request.column = optional_text(arguments[1]);
  request.shard_count = optional_integer(arguments[2]);
  request.colocate_with = optional_text(arguments[3]);
  request.cascade_to_colocated = optional_boolean(arguments[4]);
  TableChange(cluster()).alter_distributed_table(relation(arguments[0]), request);
  return nothing();
}

Rows ClusterFunctions::update_colocation(Values arguments, Types /*types*/) {
  TableChange(cluster()).update_colocation(relation(arguments[0]), text(arguments[1]));
  return nothing();
}

// What a local table refers to has been left.
Rows ClusterFunctions::truncate_local_data(Values arguments, Types /*types*/) {
  if (cluster().find_distribution(relation(arguments[0])) == nullptr) {
    throw SqlError(sqlstate::invalid_parameter_value, "supplied parameter is not a distributed relation",
                   "This UDF only truncates local data of distributed tables.");
  }
  const auto table = work_.definition(relation(arguments[0]));
  if (!work_.has_rows_here(*table)) return nothing();
  for (const TableKey& key : work_.keys_to(relation(arguments[0]))) {
    if (cluster().find_distribution(key.table) != nullptr) continue;
    throw SqlError(sqlstate::feature_not_supported,
                   "cannot truncate a table referenced in a foreign key constraint by a local table",
                   fmt::format("Table \"{}\" references \"{}\"", work_.definition(key.table)->name, table->name));
  }
  work_.here(fmt::format("TRUNCATE TABLE {} CASCADE", qualified_name(*table)));
  return nothing();
}

Rows ClusterFunctions::distribute_schema(Values arguments, Types /*types*/) {
  TableChange(cluster()).distribute_schema(
      schema_name(cluster().catalog(), cluster().transaction(), relation(arguments[0])));
  return nothing();
}

Rows ClusterFunctions::undistribute_schema(Values arguments, Types /*types*/) {
  TableChange(cluster()).undistribute_schema(
      schema_name(cluster().catalog(), cluster().transaction(), relation(arguments[0])));
  return nothing();
}

// --- looking ---

DistributedParts ClusterFunctions::distributed(RelationId table) const {
  const auto distribution = cluster().find_distribution(table);
  if (distribution == nullptr) {
    throw SqlError(sqlstate::invalid_parameter_value,
                   fmt::format("relation {} is not distributed", work_.definition(table)->name));
  }
  return {work_.parts(table), *distribution};
}

Rows ClusterFunctions::shard_of_value(Values arguments, Types types) {
  if (arguments[0].is_null()) return single(Value::null());
  const auto distribution = cluster().find_distribution(relation(arguments[0]));
  if (distribution == nullptr) throw SqlError(sqlstate::invalid_table_definition, "relation is not distributed");
  if (distribution->column == 0) return single(Value::integer(distribution->shards.front().id));
  if (arguments[1].is_null()) {
    throw SqlError(sqlstate::null_value_not_allowed,
                   "distribution value cannot be NULL for tables other than reference tables.");
  }
  // By way of its text, as the relative does it: whatever can be read as the column's type will do.
  const CallContext context = cluster().call_context();
  const Value value = input_value(output_value(arguments[1], types[1].id, context), distribution->type, context);
  const auto position = distribution::shard_position(*distribution, value);
  return single(Value::integer(position ? distribution->shards[*position].id : 0));
}

Rows ClusterFunctions::size_of(RelationId table, std::string_view function) const {
  const auto distribution = cluster().find_distribution(table);
  const auto definition = work_.definition(table);
  if (distribution == nullptr) {
    throw SqlError(sqlstate::invalid_parameter_value,
                   fmt::format("cannot calculate the size because relation {} is not distributed",
                               quote_literal(definition->name)));
  }
  std::int64_t bytes = 0;
  std::vector<NodeCommand> commands;
  const auto take = [&bytes](const QueryResult& result) { bytes += result.rows.at(0).at(0).as_integer(); };
  for (const Shard& shard : distribution->shards) {
    const std::string sql = fmt::format("SELECT pg_catalog.{}({}::regclass)", function,
                                        quote_literal(qualified_shard_name(*definition, shard.id)));
    for (const int group : shard.groups) {
      if (group == cluster().own_group()) {
        take(work_.look(sql));
      } else {
        commands.push_back({group, sql, false});
      }
    }
  }
  if (!commands.empty()) {
    for (const QueryResult& result : cluster().run_there(commands)) take(result);
  }
  return single(Value::integer(bytes));
}

Rows ClusterFunctions::relation_size(Values arguments, Types /*types*/) {
  return size_of(relation(arguments[0]), "pg_relation_size");
}
Rows ClusterFunctions::table_size(Values arguments, Types /*types*/) {
  return size_of(relation(arguments[0]), "pg_table_size");
}
Rows ClusterFunctions::total_relation_size(Values arguments, Types /*types*/) {
  return size_of(relation(arguments[0]), "pg_total_relation_size");
}

Rows ClusterFunctions::version(Values /*arguments*/, Types /*types*/) {
  return single(Value::text("PolarCluster 12.1, simulated"));
}

Rows ClusterFunctions::is_coordinator(Values /*arguments*/, Types /*types*/) {
  return single(Value::boolean(cluster().own_group() == 0));
}

Rows ClusterFunctions::active_data_nodes(Values /*arguments*/, Types /*types*/) {
  Rows rows;
  for (const ClusterNode& node : work_.data_nodes())
    rows.push_back({Value::text(node.name), Value::integer(node.port)});
  return rows;
}

// --- running ---

namespace {

Value answer_text(const NodeAnswer& answer) { return Value::text(answer.text); }

}  // namespace

Rows ClusterFunctions::recover_prepared_transactions(Values /*arguments*/, Types /*types*/) {
  return single(Value::integer(services_.recover_prepared_transactions()));
}

Rows ClusterFunctions::run_on_data_nodes(Values arguments, Types /*types*/) {
  Rows rows;
  for (const ClusterNode& node : work_.data_nodes()) {
    const NodeAnswer answer = cluster().run_alone(node.group, text(arguments[0]));
    rows.push_back(
        {Value::text(node.name), Value::integer(node.port), Value::boolean(answer.success), answer_text(answer)});
  }
  return rows;
}

Rows ClusterFunctions::run_on_all_nodes(Values arguments, Types /*types*/) {
  Rows rows;
  for (const ClusterNode& node : cluster().nodes()) {
    const NodeAnswer answer = cluster().run_alone(node.group, text(arguments[0]));
    rows.push_back({Value::integer(node_id(node)), Value::boolean(answer.success), answer_text(answer)});
  }
  return rows;
}

Rows ClusterFunctions::run_on_coordinator(Values arguments, Types /*types*/) {
  for (const ClusterNode& node : cluster().nodes()) {
    if (node.group != 0) continue;
    const NodeAnswer answer = cluster().run_alone(node.group, text(arguments[0]));
    return {{Value::integer(node_id(node)), Value::boolean(answer.success), answer_text(answer)}};
  }
  return {};
}

namespace {

// The command with the shard's name for every %s, as format() of the relative has it.
std::string command_for(const std::string& command, const std::string& shard) {
  std::string result;
  for (std::size_t i = 0; i < command.size(); ++i) {
    if (command[i] == '%' && i + 1 < command.size() && command[i + 1] == 's') {
      result += shard;
      ++i;
    } else if (command[i] == '%' && i + 1 < command.size() && command[i + 1] == '%') {
      result += '%';
      ++i;
    } else {
      result += command[i];
    }
  }
  return result;
}

}  // namespace

Rows ClusterFunctions::run_on_shards(Values arguments, Types /*types*/) {
  const DistributedParts table = distributed(relation(arguments[0]));
  Rows rows;
  for (const Shard& shard : table.distribution.shards) {
    const NodeAnswer answer = cluster().run_alone(
        shard.groups.at(0), command_for(text(arguments[1]), qualified_shard_name(*table.parts.table, shard.id)));
    rows.push_back({Value::integer(shard.id), Value::boolean(answer.success), answer_text(answer)});
  }
  return rows;
}

Rows ClusterFunctions::run_on_placements(Values arguments, Types /*types*/) {
  const DistributedParts table = distributed(relation(arguments[0]));
  const std::vector<ClusterNode> nodes = cluster().nodes();
  Rows rows;
  for (const Shard& shard : table.distribution.shards) {
    for (const int group : shard.groups) {
      const auto node =
          std::find_if(nodes.begin(), nodes.end(), [group](const ClusterNode& each) { return each.group == group; });
      const NodeAnswer answer = cluster().run_alone(
          group, command_for(text(arguments[1]), qualified_shard_name(*table.parts.table, shard.id)));
      rows.push_back({Value::text(node->name), Value::integer(node->port), Value::integer(shard.id),
                      Value::boolean(answer.success), answer_text(answer)});
    }
  }
  return rows;
}

}  // namespace polarsim::engine::cluster
