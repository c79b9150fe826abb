// A client's session on a coordinator: what plans statements over the cluster.
//
// Every statement is analysed by the local session, on the coordinator's own definitions, which distributed tables have
// on every coordinator ("shell" tables). Queries that name distributed tables are planned by engine/distribution and
// executed over the nodes (distributed_execution.h); others run on the coordinator's own tables, pg_dist_* included.
// A statement outside a block is a transaction of the local session, too, which the nodes join as needed.
//  - A task that is all there is to do on one node outside a block goes to its node as it is: no BEGIN, no two-phase
//    commit.
//  - A statement that changes several shards runs in a block of its own on each node and commits as
//    distributed_transaction.h says.
//  - An error of any statement inside a block rolls back what was done since the last savepoint, or the whole
//    transaction if there is none, on all nodes at once. Nodes hear of savepoints when they are made or, if later, when
//    they join. A node that is lost takes the savepoints with it: then there is only ROLLBACK.
//  - Isolation levels and READ ONLY are those of each node: there is no common snapshot.
//  - Advisory locks, sequences and the other functions of a session are those of this coordinator.
// Surely not applied means: an answer to COMMIT, or to a statement outside a block, with any SQLSTATE except 08xxx
// (08001 excepted, which is sure) and 57P01 to 57P03. The full contract: distributed_transaction.h.
// LOCK TABLE locks a distributed table's shells on all coordinators: every statement on the table asks for a lock
// there. VACUUM and ANALYZE of a distributed table reach all its shards, without names every node; VACUUM node by node,
// without a common transaction. The shell's own statistics are those of an empty table, as in the closest relative.
// Rows of COPY FROM go to the shards (distributed_copy.h), always in a block on the nodes.
// Refused: COPY FROM ... WHERE of a distributed table (XX000); CHECKPOINT concerns this node alone; DDL on
// any coordinator but the primary (XX000), PREPARE TRANSACTION of a transaction that touched other nodes (0A000).
// SET acts on the coordinator's own session only; it is not propagated to other nodes, but for the time zone, in which
// they read and show what tasks and definitions say (executor.h).
// Deadlocks across nodes are found by the coordinators (deadlocks.h). Changes of reference tables begin on the
// same node for all coordinators, one at a time for each table (distribution/reference_locks.h).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/cluster/coordinator.h"
#include "engine/cluster/distributed_execution.h"
#include "engine/cluster/distributed_transaction.h"
#include "engine/cluster/executor.h"
#include "engine/cluster/session_commands.h"
#include "engine/distribution/planner.h"
#include "engine/node/query_hook.h"
#include "engine/node/session.h"

namespace polarsim::engine::cluster {

class CoordinatorSession : public Session, private QueryHook {
 public:
  // `process_id`: of the backend, unique over all boots of the host. The coordinator must outlive the session.
  CoordinatorSession(Coordinator& coordinator, std::uint32_t process_id);
  ~CoordinatorSession() override;

  QueryResult execute(const StatementRequest& request) override;
  StatementDescription describe(const StatementRequest& request) override;
  void fail() override;
  CallContext output_context() const override { return local_->output_context(); }
  TransactionStatus status() const override { return status_; }
  void close() override;

  std::uint32_t process_id() const override { return local_->process_id(); }
  void cancel() override { local_->cancel(); }
  void terminate() override { local_->terminate(); }
  bool termination_requested() const override { return local_->termination_requested(); }
  void set_interrupt_listener(std::function<void()> listener) override { interrupt_listener_ = std::move(listener); }
  sim::Duration idle_in_transaction_timeout() const override { return local_->idle_in_transaction_timeout(); }
  std::string setting(std::string_view name) const override { return local_->setting(name); }
  std::shared_ptr<const void> settings_in_force() const override { return local_->settings_in_force(); }
  void set_at_start(std::string_view name, std::string_view value) override { local_->set_at_start(name, value); }
  syntax::TransactionModes default_modes() const override { return local_->default_modes(); }
  void set_copy_stream(CopyStream* stream) override { local_->set_copy_stream(stream); }
  PreparedStatements& prepared_statements() override { return local_->prepared_statements(); }

 private:
  void on_interrupt();
  txn::RemoteWork remote_work() const;
  QueryResult execute_statement(const StatementRequest& request);

  // Blocks (coordinator_blocks.cpp).
  QueryResult control(const syntax::TransactionControl& control, const StatementRequest& request);
  QueryResult begin(const syntax::TransactionControl& control);
  QueryResult commit();
  QueryResult rollback();
  QueryResult savepoint(const syntax::TransactionControl& control, const StatementRequest& request);
  QueryResult rollback_to(const std::string& name, const std::string& text);
  QueryResult set_transaction(const syntax::TransactionModes& modes, const StatementRequest& request);
  QueryResult begin_again(const syntax::TransactionControl& control, const StatementRequest& request);
  struct Savepoint {
    std::string name;
    syntax::TransactionModes before;  // what ROLLBACK TO and RELEASE bring back
  };
  std::vector<Savepoint>::iterator find_savepoint(const std::string& name);
  void after_error();
  void enter_local_block() {
    if (!transaction_.local_open()) transaction_.enter_local_block(begin_text());
  }
  // As nodes are to hear it that join now.
  std::string begin_text() const;
  // Whether a statement on other nodes needs a block there.
  bool block_needed() const { return in_block() || modes_ != syntax::TransactionModes{}; }
  QueryResult commit_or_forget_prepared(const syntax::TransactionControl& control, const StatementRequest& request);
  // The transaction that a statement outside a block is.
  QueryResult run_alone(const StatementRequest& request);
  QueryResult dispatch(const StatementRequest& request);
  // As seen by the open transaction.
  std::shared_ptr<const Metadata> metadata();

  // The transaction has ended.
  void forget_definitions() {
    own_metadata_ = nullptr;
    changes_metadata_ = false;
    local_->unlock_definitions();
  }
  struct TransactionEnd {
    CoordinatorSession& session;
    ~TransactionEnd() { session.forget_definitions(); }
  };

  // Queries (coordinator_queries.cpp).
  distribution::DistributionSettings distribution_settings() const;
  PlanPtr plan(const query::QueryPtr& query) override;
  std::uint64_t version() override;
  const void* owner() const override { return &coordinator_; }
  QueryResult run(const Run& run) override;
  std::unique_ptr<executor::CopiedRows> rows_to_copy(const Run& run) override;
  class RowsOfTasks;
  std::vector<std::string> explain(const Run& run, const plan::ExplainOptions& options) override;
  std::unique_ptr<executor::CopyDestination> copy_into(const query::RelationPtr& relation,
                                                       const syntax::Copy& statement) override;
  bool is_shard(std::uint32_t relation) override;
  distribution::DistributedPlanPtr plan_for(const Run& run, const Metadata& metadata);
  // Throws if a key of a table of this node alone would have to be checked for rows of other nodes.
  void check_local_keys(const Run& run) const;
  ExecutionPlace place_of(const Metadata& metadata);
  QueryResult execute_plan(DistributedExecution& execution, const distribution::DistributedPlan& plan);

  // VACUUM and ANALYZE (coordinator_maintenance.cpp).
  QueryResult maintain(const StatementRequest& request);
  // Null: a table of this node alone, or none. The name gets the schema that it was found in.
  distribution::TableDistributionPtr find_distributed(const Metadata& metadata, syntax::TableName& name);

  // The cluster's functions and definitions (coordinator_definitions.cpp).
  QueryResult run_command(const StatementRequest& request);
  QueryResult change_local_table(const StatementRequest& request, SessionCommands& cluster);
  std::optional<QueryResult> run_cluster_function(const StatementRequest& request);
  // Without regard to how errors end what is open.
  StatementDescription describe_statement(const StatementRequest& request);
  void require_primary() const;
  // Until the end of the transaction.
  void hold_definitions();
  SessionCommands cluster_commands();
  bool in_block() const { return status_ == TransactionStatus::in_transaction; }

  Coordinator& coordinator_;
  std::uint32_t process_id_;
  std::unique_ptr<LocalSession> local_;
  Executor executor_;
  DistributedTransaction transaction_;
  TransactionStatus status_ = TransactionStatus::idle;
  syntax::TransactionModes modes_;     // of the transaction, as far as it was said
  std::vector<Savepoint> savepoints_;  // innermost last
  std::function<void()> interrupt_listener_;
  std::int64_t transaction_start_us_ = 0;
  sim::Time statement_start_ = sim::never;
  distribution::PlanNumbers plan_numbers_;
  std::shared_ptr<const Metadata> own_metadata_;  // if the transaction has changed the tables
  bool changes_metadata_ = false;
};

}  // namespace polarsim::engine::cluster
