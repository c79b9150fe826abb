// Sequences: numbers that are given out once, whatever becomes of the transaction that asked (PostgreSQL's
// src/backend/commands/sequence.c).
//
// A sequence is one page with its last value. The WAL is told 32 values ahead, so that most calls write nothing: after
// a crash up to 32 numbers are skipped, and none is given out twice, except those that only transactions saw which had
// not committed when the node crashed (as in PostgreSQL). Everything here blocks.
//
// WAL: RecordKind::sequence_first, the page made anew from u64 last value, u8 whether it was given out, u32 0.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "engine/catalog/catalog.h"
#include "engine/storage/redo.h"

namespace polarsim::engine {
class Database;
}

namespace polarsim::engine::catalog {

// What currval() and lastval() answer: belongs to a session.
struct SequenceMemory {
  std::map<RelationId, std::int64_t> last_of;
  std::optional<RelationId> last_used;
};

// They throw SqlError: 42P01 if there is no such sequence, 42809 if it is something else, 2200H at its end, 55000 if
// the session has not yet had a value, 22003 for a value outside its bounds. nextval() and setval() give the
// transaction an identifier when they write the WAL, so that its commit waits for the record.
std::int64_t nextval(Database& database, txn::Transaction& transaction, SequenceMemory& memory, RelationId sequence);
std::int64_t currval(Database& database, txn::Transaction& transaction, const SequenceMemory& memory,
                     RelationId sequence);
std::int64_t setval(Database& database, txn::Transaction& transaction, SequenceMemory& memory, RelationId sequence,
                    std::int64_t value, bool is_called);
std::int64_t lastval(Database& database, txn::Transaction& transaction, const SequenceMemory& memory);

// pg_sequences.last_value: nothing before the first nextval(). Takes no lock: as it is at this moment.
std::optional<std::int64_t> last_value(Database& database, RelationId file);

// What SELECT * FROM a sequence gives: last_value, log_cnt, is_called. Takes no lock either.
Row sequence_row(Database& database, RelationId file);

// The page of a new sequence; its file exists.
void create_sequence_page(Database& database, txn::Transaction& transaction, const Relation& sequence);
void register_sequence_redo(storage::RedoTable& table);

}  // namespace polarsim::engine::catalog
