// The executor of one node: runs a statement on the node's own tables inside a transaction.
//
// UPDATE, DELETE and SELECT ... FOR choose their rows by the statement's snapshot, wait for who holds them, and look
// again at rows that changed meanwhile (PostgreSQL's EvalPlanQual, src/backend/executor/README): under read committed
// the newest version is locked, tested against WHERE, and used if it still qualifies; under repeatable read the
// statement fails with 40001. INSERT waits for open transactions that may come to own its key. The snapshot is taken
// after the table's lock has been obtained.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog/sequence.h"
#include "engine/exec/projection.h"
#include "engine/node/database.h"
#include "engine/node/session.h"
#include "engine/sql/analyze.h"

namespace polarsim::engine::exec {

// What a statement runs in. The session has set transaction.backend->limits before, and counts the transaction's
// command up (TransactionManager::next_command) when the statement is over.
struct ExecutionContext {
  Database& database;
  txn::Transaction& transaction;
  std::span<const Value> parameters;
  std::vector<TypeId> parameter_types;       // all unknown: inferred where they are used
  sql::SessionFunctions* session = nullptr;  // null: its functions are refused

  ExecutionContext(Database& in, txn::Transaction& by, std::span<const Value> values)
      : database(in), transaction(by), parameters(values), parameter_types(values.size(), TypeId::unknown) {}
  txn::Backend& backend() const { return *transaction.backend; }
  sql::EvaluationContext evaluation(std::span<const Value> row = {}) const;
  sql::AnalyzeOptions analysis(const sql::TableShape* table, std::string_view clause) const;
};

// Runs one statement of the kinds below; the caller handles transaction control, settings, VACUUM and CHECKPOINT
// (Database). Throws SqlError; the transaction, or its present savepoint, is then to be rolled back.
QueryResult execute(ExecutionContext& context, const sql::Statement& statement);

QueryResult execute_select(ExecutionContext& context, const sql::Select& select);
QueryResult execute_insert(ExecutionContext& context, const sql::Insert& insert);
QueryResult execute_update(ExecutionContext& context, const sql::Update& update);
QueryResult execute_delete(ExecutionContext& context, const sql::Delete& removal);
QueryResult execute_create_table(ExecutionContext& context, const sql::CreateTable& create);
QueryResult execute_drop_table(ExecutionContext& context, const sql::DropTable& drop);

}  // namespace polarsim::engine::exec
