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

  QueryResult execute(const sql::StatementPtr& statement, std::string_view text,
                      std::span<const Value> parameters) override;
  TransactionStatus status() const override { return status_; }
  void close() override;

  std::uint32_t process_id() const override { return local_->process_id(); }
  void cancel() override { local_->cancel(); }
  void terminate() override { local_->terminate(); }
  bool termination_requested() const override { return local_->termination_requested(); }
  void set_interrupt_listener(std::function<void()> listener) override { interrupt_listener_ = std::move(listener); }
  sim::Duration idle_in_transaction_timeout() const override { return local_->idle_in_transaction_timeout(); }
  sql::TransactionModes default_modes() const override { return local_->default_modes(); }

 private:
  struct Request {
    const sql::StatementPtr& statement;
    std::string_view text;
    std::span<const Value> parameters;
  };

  void on_interrupt();
  QueryResult execute_statement(const Request& request);

  // Blocks (coordinator_blocks.cpp).
  QueryResult control(const sql::TransactionControl& control, const Request& request);
  QueryResult begin(const sql::TransactionControl& control);
  QueryResult commit();
  QueryResult rollback();
  QueryResult savepoint(const sql::TransactionControl& control, const Request& request);
  QueryResult rollback_to(const std::string& name, const std::string& text);
  QueryResult set_transaction(const sql::TransactionModes& modes, const Request& request);
  std::vector<std::string>::iterator find_savepoint(const std::string& name);
  void after_error();
  void enter_local_block() { transaction_.enter_local_block(begin_text()); }
  // As nodes are to hear it that join now.
  std::string begin_text() const;
  // Whether a statement on other nodes needs a block there.
  bool block_needed() const { return in_block() || modes_ != sql::TransactionModes{}; }
  QueryResult commit_or_forget_prepared(const sql::TransactionControl& control, const Request& request);
  // The transaction that a statement outside a block is.
  QueryResult run_alone(const Request& request);
  QueryResult dispatch(const Request& request);
  QueryResult run_local(const Request& request, bool modifies);
  QueryResult run_modification(std::vector<Task> tasks);
  QueryResult run_select(const DistributedTable& table, const sql::Select& select, const Request& request);
  QueryResult run_schema_change(const std::function<void()>& change, QueryResult result);
  QueryResult run_drop(const sql::DropTable& drop, const Request& request);
  // Statements about tables that are not distributed yet; false for all others.
  bool is_local_definition(const sql::StatementBody& body, const Metadata& metadata) const;
  // Functions that concern the cluster; none of them if the result is empty.
  std::optional<QueryResult> run_cluster_function(const sql::Select& select, const Request& request);
  QueryResult run_create_distributed_table(const sql::Expression& call, const Request& request);
  QueryResult run_shard_lookup(const sql::Expression& call, const Request& request);
  Value argument(const sql::ExpressionPtr& expression, TypeId type, const Request& request) const;
  void require_primary() const;
  bool in_block() const { return status_ == TransactionStatus::in_transaction; }

  Coordinator& coordinator_;
  std::uint32_t process_id_;
  std::unique_ptr<Session> local_;
  Executor executor_;
  DistributedTransaction transaction_;
  TransactionStatus status_ = TransactionStatus::idle;
  sql::TransactionModes modes_;          // of the transaction, as far as it was said
  std::vector<std::string> savepoints_;  // innermost last
  std::function<void()> interrupt_listener_;
  std::int64_t transaction_start_us_ = 0;
};

}  // namespace polarsim::engine::cluster
