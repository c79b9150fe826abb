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
#include <memory>

#include "engine/executor/executor.h"
#include "engine/node/copy_stream.h"
#include "engine/plan/planner.h"
#include "engine/query/relation.h"

namespace polarsim::engine::executor {

// Where the rows of COPY FROM go instead of into the node's own table.
class CopyDestination {
 public:
  virtual ~CopyDestination() = default;
  // A row with a value for every column of the table: as it was read, or the default. Those of generated and dropped
  // columns are NULL, and no constraint has been looked at. Never blocks. What it throws is put down to the row's line.
  virtual void add(RowView row) = 0;
  // Called after each row: may hand on what was added. Blocks; what it throws is the statement's error as it is.
  virtual void hand_on() = 0;
  // After the last row.
  virtual void finish() = 0;
};

// Rows of COPY TO that are computed elsewhere, some at a time.
class CopiedRows {
 public:
  virtual ~CopiedRows() = default;
  // Puts the next ones in the place of `rows`, perhaps none; false at the end. Blocks, and throws SqlError.
  virtual bool next(std::vector<Row>& rows) = 0;
};

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
  // Asked about the table of COPY FROM when it is open; no function or null: it is the node's own. WHERE and FREEZE are
  // then its to refuse.
  std::function<std::unique_ptr<CopyDestination>(const query::RelationPtr&)> destination = {};
  // Asked after check(); null, or giving null: the query runs here. Else what runs it, called once when nothing else
  // can be wrong; its columns are the query's.
  using Elsewhere = std::function<std::unique_ptr<CopiedRows>()>;
  std::function<Elsewhere(const query::QueryPtr&)> elsewhere = {};
  std::size_t work_memory_bytes = default_work_memory_bytes;
};

// Runs the whole statement, with no more rows in memory than elsewhere() gives at a time; the answer has no rows, and
// the tag "COPY 3". Blocks, and throws SqlError.
QueryResult copy(const syntax::Copy& statement, const CopyInputs& inputs);

}  // namespace polarsim::engine::executor
