// Sequences that commands make and change (PostgreSQL's src/backend/commands/sequence.c).
#pragma once

#include <string>

#include "engine/commands/objects.h"

namespace polarsim::engine::commands {

// What is not given follows from the rest, or from `before`: 22023 for bounds that make no sense.
catalog::SequenceProperties sequence_properties(const syntax::SequenceOptions& options,
                                                const catalog::SequenceProperties* before = nullptr);
// Makes sequence and page. 42P07 if the name is taken.
RelationId make_sequence(CommandContext& context, Definition definition);
// ALTER SEQUENCE, of a sequence that is locked: 22023 for bounds that do not hold what it has come to.
void change_sequence(CommandContext& context, const Relation& found, const syntax::SequenceOptions& options);
// The default of a serial column, by the sequence's number: what it is called may change, and where it is found.
std::string nextval_text(RelationId sequence);

}  // namespace polarsim::engine::commands
