// ANALYZE: looks at a sample of a table's rows and keeps what it tells in the catalog, where planning finds it
// (PostgreSQL's src/backend/commands/analyze.c).
//
// The sample is drawn from numbers that follow from the table alone, so that a run repeats. What is kept is a new
// version of the table's definition, so it comes and goes with the transaction, which is not so with all of
// PostgreSQL's numbers. Not here: extended statistics, those of expressions in indexes, of the elements of arrays, and
// the counting of rows by VACUUM and CREATE INDEX.
#pragma once

#include <string>
#include <vector>

#include "engine/commands/command.h"
#include "engine/types/random.h"

namespace polarsim::engine::commands {

// One table, which is the transaction's to look at from here on: SHARE UPDATE EXCLUSIVE. `columns`, from 1: only these;
// what is known of others stays; empty: all. False, and nothing is done, if the table is not there any more, or `wait`
// is false and its lock is not free. For autovacuum, too. Blocks; throws SqlError.
bool analyze_table(Database& database, txn::Transaction& transaction, catalog::RelationId table,
                   const std::vector<int>& columns = {}, bool wait = true);

// The pages of a sample, ascending: `wanted` of them, or all if there are no more, each with the same chance.
std::vector<storage::BlockNumber> choose_pages(storage::BlockNumber pages, std::size_t wanted, RandomSequence& random);

// The tables named, or all, in this transaction (PostgreSQL outside of a block: in one for each). Views and the
// catalog's own tables are left alone, the former with a warning.
void analyze(CommandContext& context, const syntax::Vacuum& statement);

}  // namespace polarsim::engine::commands
