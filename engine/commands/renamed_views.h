// Views after something that they use has got another name (PostgreSQL keeps the trees of views, which do not know
// names; the catalog here keeps texts, so they are written anew).
#pragma once

#include <map>
#include <string>

#include "engine/commands/objects.h"

namespace polarsim::engine::commands {

// The definitions that tables, views and sequences get, with other names, schemas or names of columns.
using RenamedRelations = std::map<RelationId, Definition>;

// To be called before the catalog knows of any of it: the queries of the views that use one of them, as they are to be
// kept. Blocks.
std::map<RelationId, std::string> queries_of_views(const CommandContext& context, const RenamedRelations& renamed);
void set_queries(CommandContext& context, const std::map<RelationId, std::string>& queries);

// Changes the catalog: the relations, which must all be there, and the views that use them. 42P07 if a name is taken.
void rename_relations(CommandContext& context, const RenamedRelations& renamed);

}  // namespace polarsim::engine::commands
