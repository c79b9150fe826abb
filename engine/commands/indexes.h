// Indexes that commands make, and fill with the rows that are there (PostgreSQL's src/backend/catalog/index.c).
#pragma once

#include "engine/commands/objects.h"

namespace polarsim::engine::commands {

// Makes the index and an entry in it for every version of the table's rows that somebody may see: snapshots older than
// the index may use it. The caller holds the table's lock in share, so that nobody changes it. Throws 42P07 if the name
// is taken, 23505 if the index is unique and two rows that live have the same key.
void make_index(CommandContext& context, Definition definition);
// 42704 if the type has no order that an index could have.
void require_index_order(Type type);
// The index after a column of the table has got another type: its text is understood anew, as PostgreSQL does it, so
// that errors have positions in that text. 42883, 42704, 42P17 if there is no such index any more.
Definition retyped_index(const CommandContext& context, const Definition& table, const Definition& index);
// Empties the index and fills it again, after the table's rows have got other places.
void refill_index(CommandContext& context, const catalog::Table& table, const catalog::Index& index);

}  // namespace polarsim::engine::commands
