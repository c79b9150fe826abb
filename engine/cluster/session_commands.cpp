#include "engine/cluster/session_commands.h"

#include "engine/types/error.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::cluster {

QueryResult SessionCommands::run_here(const std::string& sql, bool writes) {
  QueryResult result;
  for (const syntax::StatementPtr& statement : parse(sql)) result = run_statement_here(statement, sql, writes);
  return result;
}

QueryResult SessionCommands::run_statement_here(const syntax::StatementPtr& statement, std::string_view text,
                                                bool writes) {
  QueryResult result = parts_.local.run_here({statement, text});
  if (writes) parts_.metadata_changed();
  return result;
}

std::vector<QueryResult> SessionCommands::run_there(const std::vector<NodeCommand>& commands) {
  std::vector<Task> tasks;
  for (const NodeCommand& command : commands) tasks.push_back(Task{command.group, command.sql, {}, command.writes});
  if (tasks.empty()) return {};
  return parts_.executor.run(*parts_.metadata(), tasks, true, parts_.begin_text());
}

NodeAnswer SessionCommands::run_alone(int group, const std::string& sql) {
  const auto told = [](const QueryResult& result) {
    if (result.rows.empty() || result.rows[0].empty() || result.rows[0][0].is_null())
      return result.columns.empty() ? result.tag : std::string();
    return output_value(result.rows[0][0], result.columns.at(0).type.id, {});
  };
  try {
    if (group != own_group()) return {true, told(parts_.executor.run_on(parts_.metadata()->node(group), sql))};
    const std::unique_ptr<LocalSession> session = parts_.coordinator.instance().connect();
    const QueryResult result = run_sql(*session, parts_.coordinator.statements(), sql);
    session->close();
    return {true, told(result)};
  } catch (const SqlError& error) {
    return {false, error.fields().message};
  }
}

std::vector<syntax::StatementPtr> SessionCommands::parse(std::string_view text) {
  return parts_.coordinator.statements().parse(text);
}

std::vector<ClusterNode> SessionCommands::nodes() {
  std::vector<ClusterNode> nodes;
  for (const auto& [group, node] : parts_.metadata()->nodes)
    nodes.push_back({group, node.name, node.port, !node.holds_shards, node.holds_shards});
  return nodes;
}

distribution::TableDistributionPtr SessionCommands::find_distribution(RelationId table) {
  return parts_.metadata()->find(table);
}

std::vector<RelationId> SessionCommands::distributed_tables() {
  std::vector<RelationId> tables;
  for (const auto& [id, table] : parts_.metadata()->tables) tables.push_back(id);
  return tables;
}

std::vector<ColocationGroup> SessionCommands::colocation_groups() { return parts_.metadata()->colocation_groups; }

int SessionCommands::colocation_of_schema(std::string_view schema) {
  const auto& schemas = parts_.metadata()->schemas;
  const auto found = schemas.find(catalog().schema_id(transaction(), schema));
  return found == schemas.end() ? 0 : found->second;
}

}  // namespace polarsim::engine::cluster
