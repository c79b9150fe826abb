// What changes of the cluster's tables ask of the session they run in (cluster_commands.h).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/cluster/cluster_commands.h"
#include "engine/cluster/coordinator.h"
#include "engine/cluster/executor.h"
#include "engine/node/local_session.h"

namespace polarsim::engine::cluster {

class SessionCommands final : public ClusterCommands {
 public:
  // The parts of a coordinator's session; all outlive this.
  struct Parts {
    Coordinator& coordinator;
    Executor& executor;
    LocalSession& local;
    bool in_block = false;  // the client has opened one
    std::function<std::string()> begin_text;
    std::function<std::shared_ptr<const Metadata>()> metadata;  // with the transaction's changes
    std::function<void()> metadata_changed;
  };
  explicit SessionCommands(Parts parts) : parts_(std::move(parts)) {}

  // What the client is to be told.
  std::vector<ErrorFields> take_notices() { return std::move(notices_); }

  QueryResult run_here(const std::string& sql, bool writes) override;
  QueryResult run_statement_here(const syntax::StatementPtr& statement, std::string_view text, bool writes) override;
  std::vector<QueryResult> run_there(const std::vector<NodeCommand>& commands) override;
  void lock_here(RelationId relation, txn::LockMode mode) override { parts_.local.lock_relation(relation, mode); }
  void replace_definition(RelationId relation, catalog::Definition definition) override {
    parts_.local.replace_definition(relation, std::move(definition));
  }
  NodeAnswer run_alone(int group, const std::string& sql) override;
  std::vector<syntax::StatementPtr> parse(std::string_view text) override;
  void notice(ErrorFields notice) override { notices_.push_back(std::move(notice)); }

  const catalog::Catalog& catalog() const override { return parts_.local.catalog(); }
  const txn::Transaction* transaction() override { return parts_.local.transaction(); }
  std::vector<std::string> search_path() override { return parts_.local.schemas_searched(); }
  int own_group() const override { return parts_.coordinator.group_id(); }
  std::vector<ClusterNode> nodes() override;
  distribution::TableDistributionPtr find_distribution(RelationId table) override;
  std::vector<RelationId> distributed_tables() override;
  std::vector<ColocationGroup> colocation_groups() override;
  int colocation_of_schema(std::string_view schema) override;
  bool in_transaction_block() override { return parts_.in_block; }
  int default_shard_count() override { return parts_.local.settings().cluster_settings().shard_count; }
  std::optional<std::int64_t> take_shard_ids(std::size_t count) override;
  CallContext call_context() override { return parts_.local.call_context(); }

 private:
  Parts parts_;
  std::vector<ErrorFields> notices_;
};

}  // namespace polarsim::engine::cluster
