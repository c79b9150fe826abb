// The functions of the cluster that a client calls by SELECT name(...): the rest of CoordinatorSession.
#include "engine/cluster/coordinator_session.h"
#include "engine/cluster/recovery.h"
#include "engine/cluster/schema_change.h"

namespace polarsim::engine::cluster {

namespace {

QueryResult single_value(std::string name, TypeId type, Value value) {
  QueryResult result;
  result.columns.push_back(ResultColumn{std::move(name), type});
  result.rows.push_back(Row{std::move(value)});
  result.tag = "SELECT 1";
  return result;
}

std::string text_argument(const Value& value, const char* what) {
  if (value.is_null()) throw SqlError(sqlstate::null_value_not_allowed, std::string(what) + " cannot be NULL");
  return std::string(value.as_text());
}

}  // namespace

Value CoordinatorSession::argument(const sql::ExpressionPtr& expression, TypeId type,
                                   const StatementRequest& request) const {
  const std::vector<TypeId> parameter_types(request.parameters.size(), TypeId::unknown);
  sql::AnalyzeOptions options;
  options.parameter_types = parameter_types;
  sql::EvaluationContext context;
  context.parameters = request.parameters;
  return sql::evaluate(sql::analyze_assignment(expression, options, type, "argument"), context);
}

std::optional<QueryResult> CoordinatorSession::run_cluster_function(const sql::Select& select,
                                                                    const StatementRequest& request) {
  if (select.items.size() != 1 || !select.items[0].expression) return std::nullopt;
  const sql::Expression& call = *select.items[0].expression;
  if (call.kind != sql::Expression::Kind::function) return std::nullopt;
  if (call.name == "create_distributed_table") return run_create_distributed_table(call, request);
  if (call.name == "get_shard_id_for_distribution_column") return run_shard_lookup(call, request);
  if (call.name == "recover_prepared_transactions") {
    const RecoveryCounts counts = Recovery(coordinator_).run();
    return single_value(call.name, TypeId::int4, Value::integer(counts.committed + counts.rolled_back));
  }
  return std::nullopt;
}

QueryResult CoordinatorSession::run_create_distributed_table(const sql::Expression& call,
                                                             const StatementRequest& request) {
  require_primary();
  if (in_block())
    throw SqlError(sqlstate::active_sql_transaction, "create_distributed_table cannot run inside a transaction block");
  std::vector<Value> positional;
  std::int64_t shard_count = coordinator_.config().shard_count;
  for (const sql::ExpressionPtr& expression : call.arguments) {
    if (expression->kind != sql::Expression::Kind::function || expression->name != sql::named_argument) {
      positional.push_back(argument(expression, TypeId::text, request));
      continue;
    }
    const std::string name(expression->arguments.at(0)->value.as_text());
    if (name != "shard_count") {
      throw SqlError(sqlstate::feature_not_supported,
                     "argument \"" + name + "\" of create_distributed_table is not supported");
    }
    const Value count = argument(expression->arguments.at(1), TypeId::int8, request);
    if (!count.is_null()) shard_count = count.as_integer();
  }
  if (positional.size() != 2) {
    throw SqlError(sqlstate::undefined_function,
                   "function create_distributed_table takes a table, a column and shard_count := n");
  }
  const std::string relation = text_argument(positional[0], "table_name");
  const std::string column = text_argument(positional[1], "distribution_column");
  return run_schema_change(
      [&] {
        SchemaChange(coordinator_, executor_, transaction_, *local_)
            .create_distributed_table(relation, column, shard_count);
      },
      single_value(call.name, TypeId::text, Value::text("")));
}

QueryResult CoordinatorSession::run_shard_lookup(const sql::Expression& call, const StatementRequest& request) {
  if (call.arguments.size() != 2) {
    throw SqlError(sqlstate::undefined_function,
                   "function get_shard_id_for_distribution_column takes a table and a value");
  }
  const Value relation = argument(call.arguments[0], TypeId::text, request);
  sql::TableName name;
  name.name = text_argument(relation, "table_name");
  const auto table = coordinator_.metadata()->find(name);
  if (!table) throw SqlError(sqlstate::undefined_table, "relation \"" + name.name + "\" is not a distributed table");
  const Value value = argument(call.arguments[1], table->distribution_info().type, request);
  if (value.is_null()) {
    throw SqlError(sqlstate::null_value_not_allowed,
                   "distribution value cannot be NULL for tables other than reference tables.");
  }
  return single_value(call.name, TypeId::int8, Value::integer(table->shards[shard_of(*table, value)].id));
}

}  // namespace polarsim::engine::cluster
