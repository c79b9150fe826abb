// A client's session on a coordinator: what plans statements over the cluster.
//
// Statements on distributed tables become tasks on shards; statements on the coordinator's own tables, pg_dist_*
// included, run on its local session. CREATE TABLE makes a local table;
// SELECT create_distributed_table('t', 'id' [, shard_count := n]) distributes it.
//  - A single-shard statement outside a block goes to its node as it is: no BEGIN, no two-phase commit.
//  - A statement that changes several shards runs in a block of its own on each node and commits as
//    distributed_transaction.h says.
//  - An error of any statement inside a block rolls back what was done since the last savepoint, or the whole
//  transaction
//    if there is none, on all nodes at once. Nodes hear of savepoints when they are made or, if later, when they join.
//    A node that is lost takes the savepoints with it: then there is only ROLLBACK.
//  - Isolation levels and READ ONLY are those of each node: there is no common snapshot.
//  - Advisory locks, sequences and the other functions of a session are those of this coordinator.
// Surely not applied means: an answer to COMMIT, or to a statement outside a block, with any SQLSTATE except 08xxx
// (08001 excepted, which is sure) and 57P01 to 57P03. The full contract: distributed_transaction.h.
// Refused: CREATE INDEX, TRUNCATE and LOCK TABLE of a distributed table (0A000); VACUUM and CHECKPOINT concern this
// node alone; DDL on any coordinator but the primary (XX000), create_distributed_table and DROP of a distributed table
// inside a block (25001), PREPARE TRANSACTION of a transaction that touched other nodes (0A000).
// SET acts on the coordinator's own session only; it is not propagated to other nodes.
// There is no detection of deadlocks across nodes: only lock_timeout ends one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/cluster/coordinator.h"
#include "engine/cluster/distributed_transaction.h"
#include "engine/cluster/executor.h"
#include "engine/node/session.h"

namespace polarsim::engine::cluster {

class CoordinatorSession : public Session {
 public:
  // `process_id`: of the backend, unique over all boots of the host. The coordinator must outlive the session.
  CoordinatorSession(Coordinator& coordinator, std::uint32_t process_id);
  ~CoordinatorSession() override;

  QueryResult execute(const StatementRequest& request) override;
  StatementDescription describe(const StatementRequest& request) override;
  CallContext output_context() const override { return local_->output_context(); }
  TransactionStatus status() const override { return status_; }
  void close() override;

  std::uint32_t process_id() const override { return local_->process_id(); }
  void cancel() override { local_->cancel(); }
  void terminate() override { local_->terminate(); }
  bool termination_requested() const override { return local_->termination_requested(); }
  void set_interrupt_listener(std::function<void()> listener) override { interrupt_listener_ = std::move(listener); }
  sim::Duration idle_in_transaction_timeout() const override { return local_->idle_in_transaction_timeout(); }
  syntax::TransactionModes default_modes() const override { return local_->default_modes(); }
  void set_copy_stream(CopyStream* stream) override { local_->set_copy_stream(stream); }

 private:
  void on_interrupt();
  QueryResult execute_statement(const StatementRequest& request);

  // Blocks (coordinator_blocks.cpp).
  QueryResult control(const syntax::TransactionControl& control, const StatementRequest& request);
  QueryResult begin(const syntax::TransactionControl& control);
  QueryResult commit();
  QueryResult rollback();
  QueryResult savepoint(const syntax::TransactionControl& control, const StatementRequest& request);
  QueryResult rollback_to(const std::string& name, const std::string& text);
  QueryResult set_transaction(const syntax::TransactionModes& modes, const StatementRequest& request);
  std::vector<std::string>::iterator find_savepoint(const std::string& name);
  void after_error();
  void enter_local_block() { transaction_.enter_local_block(begin_text()); }
  // As nodes are to hear it that join now.
  std::string begin_text() const;
  // Whether a statement on other nodes needs a block there.
  bool block_needed() const { return in_block() || modes_ != syntax::TransactionModes{}; }
  QueryResult commit_or_forget_prepared(const syntax::TransactionControl& control, const StatementRequest& request);
  // The transaction that a statement outside a block is.
  QueryResult run_alone(const StatementRequest& request);
  QueryResult dispatch(const StatementRequest& request);
  // Nothing if no distributed table is meant.
  std::optional<QueryResult> run_distributed(const sql::Statement& statement, const StatementRequest& request);
  QueryResult run_local(const StatementRequest& request, bool modifies);
  QueryResult run_modification(std::vector<Task> tasks);
  QueryResult run_select(const DistributedTable& table, const sql::Select& select, const StatementRequest& request);
  QueryResult run_schema_change(const std::function<void()>& change, QueryResult result);
  QueryResult run_drop(const syntax::Drop& drop, const StatementRequest& request);
  // The local session is about to run something on its own tables: distributed ones are not among them.
  void refuse_distributed_relations(const StatementPlan& plan) const;
  // As it comes here, a command that changes definitions or holds locks may name distributed tables.
  QueryResult run_command(const StatementRequest& request, const Metadata& metadata);
  // Functions that concern the cluster; none of them if the result is empty.
  std::optional<QueryResult> run_cluster_function(const sql::Select& select, const StatementRequest& request);
  QueryResult run_create_distributed_table(const sql::Expression& call, const StatementRequest& request);
  QueryResult run_shard_lookup(const sql::Expression& call, const StatementRequest& request);
  Value argument(const sql::ExpressionPtr& expression, TypeId type, const StatementRequest& request) const;
  void require_primary() const;
  bool in_block() const { return status_ == TransactionStatus::in_transaction; }

  Coordinator& coordinator_;
  std::uint32_t process_id_;
  std::unique_ptr<LocalSession> local_;
  bool describing_ = false;
  Executor executor_;
  DistributedTransaction transaction_;
  TransactionStatus status_ = TransactionStatus::idle;
  syntax::TransactionModes modes_;       // of the transaction, as far as it was said
  std::vector<std::string> savepoints_;  // innermost last
  std::function<void()> interrupt_listener_;
  std::int64_t transaction_start_us_ = 0;
};

}  // namespace polarsim::engine::cluster
