// The executor of one node: runs a plan (plan/plan.h) on the node's own tables inside a transaction (PostgreSQL's
// src/backend/executor/execMain.c).
//
// A run is a tree of states, one for each node of the plan, that is pulled row by row. UPDATE, DELETE and SELECT ...
// FOR choose their rows by the statement's snapshot, wait for who holds them, and look again at rows that changed
// meanwhile (PostgreSQL's EvalPlanQual, src/backend/executor/README): under read committed the newest version is
// locked, put in the place of the row that was found, and used if the statement still finds it so; under repeatable
// read the statement fails with 40001.
//
// The caller has locked the relations (relations.h: CatalogRelations does; those that foreign keys lead to or from are
// locked here), and counts the transaction's command up
// when the statement is over. Everything may block and throws SqlError; the transaction, or its present savepoint, is
// then to be rolled back.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "engine/node/database.h"
#include "engine/node/session.h"
#include "engine/plan/explain.h"
#include "engine/plan/plan.h"

namespace polarsim::engine::executor {

class ForeignKeyQueue;
class RelationCache;

// A row: valid until the next call of whatever gave it.
using RowView = std::span<const Value>;

// PostgreSQL's default of work_mem.
inline constexpr std::size_t default_work_memory_bytes = std::size_t{4} << 20;

// Gives the rows of a plan's Custom nodes: whoever put them into the plan.
class CustomRowSource {
 public:
  // The rows of one scan, from the first. May block.
  class Rows {
   public:
    virtual ~Rows() = default;
    // False at the end. The row is valid until the next call, and has as many values as the scan has columns.
    virtual bool next(RowView& row) = 0;
  };
  // Also called when a scan is run again.
  virtual std::unique_ptr<Rows> open(const plan::CustomScan& scan) = 0;

 protected:
  ~CustomRowSource() = default;
};

struct ExecutionInputs {
  Database& database;
  txn::Transaction& transaction;
  const CallContext& call;                  // outlives the execution
  std::span<const Value> parameters = {};   // $1..., of the types that analysis found; outlive the execution
  const txn::Snapshot* snapshot = nullptr;  // active, outlives the execution; null: a new one
  // How much each sort, hash table and the like keeps in memory before it goes to temporary files.
  std::size_t work_memory_bytes = default_work_memory_bytes;
  bool measure = false;  // for EXPLAIN ANALYZE
  // Where tables that foreign keys lead to or from are described; null: anew by each statement that needs one.
  RelationCache* relations = nullptr;
  // Of a statement that a foreign key has made necessary, or that is a part of another: who looks after the keys of
  // what it changes.
  ForeignKeyQueue* foreign_keys = nullptr;
  // Likewise, under repeatable read: what the transaction sees. Changing a row that it does not see fails (40001).
  const txn::Snapshot* own_snapshot = nullptr;
  // Null: Custom nodes are refused (XX000).
  CustomRowSource* custom_rows = nullptr;
};

// The snapshot of a statement, in PostgreSQL's order: under read committed it is taken after the statement's relations
// have been locked, so that it shows what the statement had to wait for; that of a repeatable read transaction is taken
// by its first statement before anything else. A part of a statement has that of the whole
// (Transaction::statement_snapshot). Make one before analysis, call take() before execution.
class StatementSnapshot {
 public:
  StatementSnapshot(Database& database, txn::Transaction& transaction);
  const txn::Snapshot& take();

 private:
  Database& database_;
  txn::Transaction& transaction_;
  std::optional<txn::ActiveSnapshot> snapshot_;
  std::shared_ptr<const txn::Snapshot> common_;
};

class ExecutorState;
class NodeState;

// Usage: Execution execution(statement, inputs); for (RowView row; execution.next(row);) ...; execution.finish();
class Execution {
 public:
  Execution(plan::PlannedStatementPtr statement, const ExecutionInputs& inputs);
  ~Execution();
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  // False at the end. A statement that changes rows does its work in these calls, also if it returns none.
  bool next(RowView& row);
  // Runs common tables that change data to their ends, then checks foreign keys and does what they ask for (23503). To
  // be called once, after the last row.
  void finish();
  // For the command tag: the rows returned, or inserted, updated, deleted.
  std::uint64_t processed() const;
  // What the node of the plan has measured; null if it never ran, or nothing was to be measured.
  const plan::NodeMeasurement* measurement(const plan::Plan& plan) const;

 private:
  plan::PlannedStatementPtr statement_;
  std::optional<txn::ActiveSnapshot> snapshot_;
  std::unique_ptr<ExecutorState> state_;
  std::unique_ptr<NodeState> root_;
  std::uint64_t returned_ = 0;
};

// Runs the whole statement. The columns are the statement's, the tag PostgreSQL's: "SELECT 3", "INSERT 0 1".
QueryResult execute(const plan::PlannedStatementPtr& statement, const ExecutionInputs& inputs);

}  // namespace polarsim::engine::executor
