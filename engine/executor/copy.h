// COPY: rows from a client or a file of the node into a table, and out of a table or a query (PostgreSQL's
// src/backend/commands/copy*.c). Formats are in engine/copy.
//
// COPY FROM does what INSERT does for every row: defaults, generated columns, NOT NULL, CHECK, unique indexes; WHERE
// leaves rows out. Rows are put in by the thousand, as in PostgreSQL, so that a duplicate key is reported after what is
// wrong with the text of later lines. Errors tell the line: CONTEXT 'COPY t, line 2, column a: "x"'.
//
// Files are those of the node's simulated disk; a name that is not absolute is looked for in the data directory, which
// is the disk's root, and may not be written.
//
// Differences from PostgreSQL: what is wrong with the statement is said before the client is asked for rows. COPY FROM
// with FREEZE asks for a table that was made or emptied in this transaction (there: subtransaction), and then writes
// rows as always. Refused (0A000): PROGRAM, and what engine/copy/options.h says. Foreign keys and triggers are as
// for INSERT.
#pragma once

#include <functional>

#include "engine/executor/executor.h"
#include "engine/node/copy_stream.h"
#include "engine/plan/planner.h"
#include "engine/query/relation.h"

namespace polarsim::engine::executor {

struct CopyInputs {
  Database& database;
  txn::Transaction& transaction;
  const CallContext& call;
  // What names mean; locks what it opens.
  query::RelationSource& relations;
  // Made before, and taken once everything is locked.
  StatementSnapshot& snapshot;
  const plan::PlannerSettings& planner;
  // STDIN and STDOUT; null: both are refused.
  CopyStream* stream = nullptr;
  // The transaction may not change anything: 25006 "cannot execute COPY FROM in a read-only transaction".
  bool read_only = false;
  // Called with what COPY TO reads (for a table, SELECT of its columns) before it is run: what it throws is the
  // statement's error.
  std::function<void(const query::QueryPtr&)> check = {};
  std::size_t work_memory_bytes = default_work_memory_bytes;
};

// Runs the whole statement; the answer has no rows, and the tag "COPY 3". Blocks, and throws SqlError.
QueryResult copy(const syntax::Copy& statement, const CopyInputs& inputs);

}  // namespace polarsim::engine::executor
