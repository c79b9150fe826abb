// The executor of one node: runs a statement on the node's own tables inside a transaction, under Read Committed.
//
// UPDATE, DELETE and SELECT ... FOR choose their rows by the statement's snapshot, wait for row locks, and look again
// at rows that changed meanwhile (PostgreSQL's EvalPlanQual): the newest committed version is tested against WHERE and
// used if it still qualifies. INSERT waits for open transactions that may come to own its key. A scan happens at one
// instant; only locks make a statement block.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/exec/projection.h"
#include "engine/node/session.h"
#include "engine/sql/analyze.h"
#include "engine/legacy/txn/database.h"

namespace polarsim::engine::legacy::exec {

using engine::exec::project;
using engine::exec::Projection;
using engine::exec::result_columns;
using engine::exec::sorted_positions;

// What a statement runs in.
struct ExecutionContext {
  legacy::Database& database;
  legacy::Transaction& transaction;
  legacy::WaitLimits limits;
  std::span<const Value> parameters;
  std::vector<TypeId> parameter_types;  // all unknown: inferred where they are used

  ExecutionContext(legacy::Database& in, legacy::Transaction& by, const legacy::WaitLimits& waits, std::span<const Value> values)
      : database(in),
        transaction(by),
        limits(waits),
        parameters(values),
        parameter_types(values.size(), TypeId::unknown) {}
  sql::EvaluationContext evaluation(std::span<const Value> row = {}) const;
  sql::AnalyzeOptions analysis(const sql::TableShape* table, std::string_view clause) const;
};

// Runs one statement of the kinds below; the caller handles transaction control and settings. Throws SqlError; the
// transaction is then to be aborted.
QueryResult execute(ExecutionContext& context, const sql::Statement& statement);

QueryResult execute_select(ExecutionContext& context, const sql::Select& select);
QueryResult execute_insert(ExecutionContext& context, const sql::Insert& insert);
QueryResult execute_update(ExecutionContext& context, const sql::Update& update);
QueryResult execute_delete(ExecutionContext& context, const sql::Delete& removal);
QueryResult execute_create_table(ExecutionContext& context, const sql::CreateTable& create);
QueryResult execute_drop_table(ExecutionContext& context, const sql::DropTable& drop);

}  // namespace polarsim::engine::legacy::exec
