// VACUUM and ANALYZE over the cluster: a part of CoordinatorSession (the relative's commands/vacuum.c).
#include <utility>

#include "engine/cluster/coordinator_session.h"
#include "engine/syntax/parser.h"

namespace polarsim::engine::cluster {

namespace {

std::string statement_text(syntax::Vacuum vacuum) {
  syntax::Statement statement;
  statement.body = std::move(vacuum);
  return syntax::deparse(statement);
}

}  // namespace

distribution::TableDistributionPtr CoordinatorSession::find_distributed(const Metadata& metadata,
                                                                        syntax::TableName& name) {
  const catalog::Catalog& catalog = local_->catalog();
  const std::vector<std::string> schemas =
      name.schema.empty() ? local_->schemas_searched() : std::vector<std::string>{name.schema};
  for (const std::string& schema : schemas) {
    const catalog::TablePtr table = catalog.find_table(local_->transaction(), schema, name.name);
    if (table == nullptr) continue;
    name.schema = schema;
    return metadata.find(table->id);
  }
  return nullptr;
}

// First here: the shell has next to nothing to look at, but all that is wrong with the statement is said.
QueryResult CoordinatorSession::maintain(const StatementRequest& request) {
  const auto& vacuum = std::get<syntax::Vacuum>(request.statement->body);
  QueryResult result = local_->execute(request);
  const std::shared_ptr<const Metadata> known = metadata();
  std::vector<Task> tasks;
  const auto on = [&](int group, const std::string& text) {
    if (group != coordinator_.group_id()) {
      tasks.push_back(Task{group, text});
      return;
    }
    QueryResult part = local_->execute({coordinator_.statements().parse(text).at(0), text});
    for (ErrorFields& notice : part.notices) result.notices.push_back(std::move(notice));
  };
  if (vacuum.tables.empty()) {
    for (const auto& [group, node] : known->nodes) {
      if (group != coordinator_.group_id()) on(group, statement_text(vacuum));
    }
  }
  for (const syntax::TableName& named : vacuum.tables) {
    syntax::Vacuum of_shard = vacuum;
    of_shard.tables = {named};
    syntax::TableName& name = of_shard.tables.front();
    const distribution::TableDistributionPtr table = find_distributed(*known, name);
    if (table == nullptr) continue;
    const std::string whole = name.name;
    for (const distribution::Shard& shard : table->shards) {
      name.name = distribution::shard_name(whole, shard.id);
      for (const int group : shard.groups) on(group, statement_text(of_shard));
    }
  }
  // VACUUM is not here if there is a block; ANALYZE is part of it.
  for (QueryResult& part : executor_.run(*known, tasks, in_block(), begin_text())) {
    for (ErrorFields& notice : part.notices) result.notices.push_back(std::move(notice));
  }
  return result;
}

}  // namespace polarsim::engine::cluster
